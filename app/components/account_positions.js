// What is held and what waits; rows keep their place and focus while prices move.

const HEADS = [
  ["symbol", "Symbol"], ["side", "Side"], ["quantity", "Quantity"], ["entry", "Entry"], ["mark", "Mark"],
  ["stop", "Stop"], ["targets", "Targets"], ["pnl", "P&L"], ["r", "R"], ["age", "Age"], ["act", ""],
];
const HINTS = { stop: "Where the position is left if the market turns; – for none", targets: "Reached of all, and the next one",
  pnl: "Unrealised, with what its fills earned and cost so far", r: "The same by what was at risk at the first stop",
  age: "Since the entry, market time", mark: "Newest close" };
const LEFT = new Set(["symbol", "side"]);

function money(value) {
  if (value === null || value === undefined) return "–";
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

export function render({ model }) {
  const count = h("span", { class: "dim" }), body = h("tbody"), waiting = h("ul", { class: "waiting", "aria-label": "Waiting orders" });
  const empty = h("div", { class: "empty" }), problem = h("p", { class: "problem", role: "alert" }), said = h("p", { class: "said", role: "status" });
  const head = h("tr", {}, ...HEADS.map(([name, text]) => h("th", { class: LEFT.has(name) ? "left" : null, title: HINTS[name], scope: "col" }, text || h("span", { class: "hidden" }, "Action"))));
  const table = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Open positions" }, h("table", {}, h("thead", {}, head), body));
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, "Positions"), count), table, empty, waiting, said, problem);
  const rows = new Map();
  let confirming = "", asked = "";

  function make(symbol) {
    const cells = Object.fromEntries(HEADS.map(([name]) => [name, h("td", { class: LEFT.has(name) ? "left" : null })]));
    const [base, quote] = symbol.split("/");
    cells.symbol.append(h("b", {}, base), h("span", { class: "dim" }, `/${quote ?? ""}`));
    const close = h("button", { class: "pill close", type: "button", "aria-label": `Close ${symbol}`, onclick: () => ask(symbol) }, "Close");
    const yes = h("button", { class: "pill yes", type: "button", "aria-label": `Yes, close ${symbol} at the next open`, onclick: () => send(symbol) }, "Close now");
    const no = h("button", { class: "pill", type: "button", "aria-label": `Keep ${symbol}`, onclick: () => { confirming = ""; draw(); close.focus(); } }, "Keep");
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
    setText(c.side, p.side > 0 ? "▲ long" : "▼ short");
    setClass(c.side, `left ${p.side > 0 ? "bull" : "bear"}`);
    setText(c.quantity, Number(p.quantity.toPrecision(5)).toLocaleString("en-US", { maximumSignificantDigits: 5 }));
    c.quantity.title = `Notional ${money(p.notional).slice(1)}`;
    for (const name of ["entry", "mark", "stop"]) setText(c[name], price(p[name]));
    const next = p.targets[p.reached];
    setText(c.targets, p.targets.length ? `${"●".repeat(p.reached)}${"○".repeat(Math.max(0, p.targets.length - p.reached))} ${next === undefined ? "all reached" : price(next)}` : "–");
    c.targets.setAttribute("aria-label", p.targets.length ? `${p.reached} of ${p.targets.length} targets reached` : "no targets");
    setText(c.pnl, `${p.pnl > 0 ? "▲ " : p.pnl < 0 ? "▼ " : ""}${money(p.pnl)}`);
    setClass(c.pnl, p.pnl > 0 ? "bull" : p.pnl < 0 ? "bear" : "");
    setText(c.r, p.r === null || p.r === undefined ? "–" : signed(p.r, 2));
    setText(c.age, ago(time - p.opened));
    c.age.title = `Since ${clock(p.opened)} UTC, ${p.bars} decision bars`;
    const busy = asked === p.symbol, sure = confirming === p.symbol;
    r.close.hidden = sure || busy || Boolean(p.leaving) || READ_ONLY;
    r.yes.hidden = r.no.hidden = !sure;
    r.leaving.hidden = !(busy || p.leaving);
    setText(r.leaving, p.leaving ? `leaving: ${p.leaving}` : busy ? "asking …" : "");
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
    setText(count, held.length ? `${held.length} open` : "none open");
    table.hidden = held.length === 0;
    empty.hidden = !(s.missing ?? []).length;
    empty.replaceChildren(h("b", {}, s.positions ? "No position is open" : "No account yet"), ...(s.missing ?? []).map((text) => h("p", { class: "dim" }, text)));
    const orders = s.waiting ?? [];
    waiting.hidden = orders.length === 0;
    waiting.replaceChildren(...orders.map((o) => h("li", {},
      h("span", { class: o.side > 0 ? "bull" : "bear" }, o.side > 0 ? "▲ buy " : "▼ sell "), h("b", {}, o.symbol),
      h("span", { class: "dim" }, ` ${o.entry ? "entry" : "exit"} · ${o.why} · ${o.limit === null ? "at the next open" : `limit ${price(o.limit)}`} · since ${clock(o.time)} UTC`))));
  }

  function settle() {
    asked = "";
    const { text, error } = JSON.parse(model.answer || "{}");
    setText(problem, error ?? "");
    setText(said, text ?? "");
    draw();
  }

  model.on("state", draw);
  model.on("answer", settle);
  draw();
  return root;
}
