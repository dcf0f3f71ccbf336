// What is held and what waits; rows keep their place and focus while prices move.

const HEADS = [
  ["symbol", t("Symbol")], ["side", t("Side")], ["pnl", t("P&L")], ["r", "R"], ["quantity", t("Quantity")], ["entry", t("Entry")], ["mark", t("Mark")],
  ["stop", t("Stop")], ["targets", t("Targets")], ["age", t("Age")], ["act", ""],
];
const HINTS = { stop: t("Where the position is left if the market turns; – for none"), targets: t("Reached of all, and the next one"),
  pnl: t("Unrealised, with what its fills earned and cost so far"), r: t("The same by what was at risk at the first stop"),
  age: t("Since the entry, market time"), mark: t("Newest close") };
const LEFT = new Set(["symbol", "side"]);

export function render({ model }) {
  const count = h("span", { class: "dim" }), body = h("tbody"), waiting = h("ul", { class: "waiting", "aria-label": t("Waiting orders") });
  const empty = h("div", { class: "empty" }), problem = h("p", { class: "problem", role: "alert" }), said = h("p", { class: "said", role: "status" });
  const head = h("tr", {}, ...HEADS.map(([name, text]) => h("th", { class: LEFT.has(name) ? "left" : null, title: HINTS[name], scope: "col" }, text || h("span", { class: "hidden" }, t("Action")))));
  const table = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("Open positions") }, h("table", {}, h("thead", {}, head), body));
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Positions")), count), table, empty, waiting, said, problem);
  const rows = new Map();
  let confirming = "", asked = "";

  function make(symbol) {
    const cells = Object.fromEntries(HEADS.map(([name]) => [name, h("td", { class: LEFT.has(name) ? "left" : null })]));
    cells.symbol.append(pair(symbol));
    const close = h("button", { class: "pill close", type: "button", "aria-label": t("Close {symbol}", { symbol }), onclick: () => ask(symbol) }, t("Close"));
    const yes = h("button", { class: "pill yes", type: "button", "aria-label": t("Yes, close {symbol} at the next open", { symbol }), onclick: () => send(symbol) }, t("Close now"));
    const no = h("button", { class: "pill", type: "button", "aria-label": t("Keep {symbol}", { symbol }), onclick: () => { confirming = ""; draw(); close.focus(); } }, t("Keep"));
    const leaving = h("span", { class: "dim leaving" });
    cells.act.append(close, yes, no, leaving);
    cells.act.addEventListener("keydown", (event) => { if (event.key === "Escape" && confirming === symbol) { confirming = ""; draw(); close.focus(); } });
    const row = h("tr", {}, ...HEADS.map(([name]) => cells[name]));
    return { row, cells, close, yes, no, leaving };
  }

  function ask(symbol) {
    confirming = symbol;
    draw();
    rows.get(symbol)?.yes.focus();
  }

  function send(symbol) {
    confirming = "";
    asked = symbol;
    draw();
    model.send_msg({ type: "close", symbol });
  }

  function fillRow(r, p, time) {
    const c = r.cells;
    setText(c.side, sideWord(p.side));
    setClass(c.side, `left ${p.side > 0 ? "bull" : "bear"}`);
    setText(c.quantity, units(p.quantity));
    c.quantity.title = t("Notional {money}", { money: money(p.notional) });
    for (const name of ["entry", "mark", "stop"]) setText(c[name], fig(price(p[name])));
    const next = p.targets[p.reached];
    setText(c.targets, p.targets.length ? `${"●".repeat(p.reached)}${"○".repeat(Math.max(0, p.targets.length - p.reached))} ${next === undefined ? t("all reached") : price(next)}` : "–");
    c.targets.setAttribute("aria-label", p.targets.length ? t("{n} of {all} targets reached", { n: p.reached, all: p.targets.length }) : t("no targets"));
    setText(c.pnl, fig(`${arrow(p.pnl)}${money(p.pnl, true)}`));
    setClass(c.pnl, tone(p.pnl));
    setText(c.r, p.r === null || p.r === undefined ? "–" : fig(signed(p.r, 2)));
    setText(c.age, ago(time - p.opened));
    c.age.title = t("Since {time}, {n} decision bars", { time: clock(p.opened), n: p.bars });
    const busy = asked === p.symbol, sure = confirming === p.symbol;
    r.close.hidden = sure || busy || Boolean(p.leaving) || READ_ONLY;
    r.yes.hidden = r.no.hidden = !sure;
    r.leaving.hidden = !(busy || p.leaving);
    setText(r.leaving, p.leaving ? t("leaving: {why}", { why: t(p.leaving) }) : busy ? t("asking …") : "");
  }

  function draw() {
    const s = JSON.parse(model.state || "{}"), held = s.positions ?? [], names = new Set(held.map((p) => p.symbol));
    for (const [symbol, r] of rows) if (!names.has(symbol)) { r.row.remove(); rows.delete(symbol); }
    held.forEach((p, i) => {
      if (!rows.has(p.symbol)) rows.set(p.symbol, make(p.symbol));
      const r = rows.get(p.symbol);
      if (body.children[i] !== r.row) body.insertBefore(r.row, body.children[i] ?? null);
      fillRow(r, p, s.time);
    });
    if (asked && !names.has(asked)) asked = "";
    setText(count, held.length ? t("{n} open", { n: held.length }) : t("none open"));
    table.hidden = held.length === 0;
    empty.hidden = !(s.missing ?? []).length;
    empty.replaceChildren(h("b", {}, s.positions ? t("No position is open") : t("No account yet")), ...(s.missing ?? []).map((text) => h("p", { class: "dim" }, tell(text))));
    const orders = s.waiting ?? [];
    waiting.hidden = orders.length === 0;
    waiting.replaceChildren(...orders.map((o) => h("li", {},
      h("span", { class: o.side > 0 ? "bull" : "bear" }, o.side > 0 ? `▲ ${t("buy")} ` : `▼ ${t("sell")} `), h("bdi", { dir: "ltr" }, h("b", {}, o.symbol)),
      h("span", { class: "dim" }, ` · ${t(o.why)} · ${o.limit === null ? t("at the next open") : t("limit {limit}", { limit: fig(price(o.limit)) })} · ${t("since {time}", { time: clock(o.time) })}`))));
  }

  function settle() {
    asked = "";
    const { text, error } = JSON.parse(model.answer || "{}");
    setText(problem, tell(error ?? ""));
    setText(said, tell(text ?? ""));
    draw();
  }

  model.on("state", draw);
  model.on("answer", settle);
  draw();
  return root;
}
