// What may be lost: by method, at a level and over a horizon, and what each position adds to it.

const LEVEL_NAMES = { 0.95: "95 %", 0.975: "97.5 %", 0.99: "99 %" };

export function render({ model }) {
  const levels = h("div", { class: "choice", role: "group", "aria-label": t("Level") });
  const days = h("select", { class: "field", "aria-label": t("Horizon, days"), onchange: () => choose({ days: days.value }) });
  const rows = h("tbody"), parts = h("div", { class: "rows" }), summary = h("p", { class: "note pad" }), empty = h("div", { class: "empty" });
  const head = (text, hint) => h("th", { scope: "col", title: hint }, text);
  const table = h("table", {}, h("thead", {}, h("tr", {}, h("th", { class: "left", scope: "col" }, t("Method")),
    head(t("VaR"), t("Value at risk: the loss that is exceeded in the rest of the cases")), head(t("of equity")),
    head(t("ES"), t("Expected shortfall: the mean loss of those cases")), head(t("of equity")))), rows);
  const body = h("div", {}, h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("Value at risk by method") }, table),
    h("h3", { title: t("Of the parametric value at risk; the parts add up to it exactly") }, t("What each position adds")), parts, summary);
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Value at risk")), levels,
    h("label", { class: "days" }, h("span", { class: "hidden" }, t("Horizon, days")), days)), body, empty);
  const made = new Map(), shown = new Map();

  function choose(changed) {
    const level = changed.level ?? pressed(), over = changed.days ?? days.value;
    remember({ level, days: over });
    model.send_msg({ type: "tail", level, days: over });
  }

  function pressed() { return levels.querySelector("[aria-pressed=true]")?.dataset.level ?? "0.95"; }

  function offer() {
    const offered = JSON.parse(model.offered || "{}");
    levels.replaceChildren(...(offered.levels ?? []).map((level) => h("button", { class: "pill", type: "button", "data-level": level,
      "aria-pressed": String(level === offered.level), onclick: () => choose({ level }) }, fig(LEVEL_NAMES[level] ?? level))));
    days.replaceChildren(...(offered.horizons ?? []).map((n) => h("option", { value: n }, n === "1" ? t("1 day") : t("{n} days", { n }))));
    days.value = offered.days;
  }

  function makeRow(method) {
    const cells = [0, 1, 2, 3].map(() => h("td")), note = h("td", { colspan: 4, class: "left dim why" });
    const name = h("td", { class: "left", title: tell(method.means) }, tell(method.title));
    return { root: h("tr", {}, name, ...cells, note), cells, note };
  }

  function fillRow(p, method) {
    const told = method.var === null;
    p.cells.forEach((c) => { c.hidden = told; });
    p.note.hidden = !told;
    setText(p.note, told ? method.note : "");
    p.note.title = method.note;
    [money(method.var), share(method.var_share, 2), money(method.es), share(method.es_share, 2)].forEach((text, i) => setText(p.cells[i], text));
    p.cells[1].className = method.over ? "bear over" : "dim";
    p.cells[3].className = "dim";
    p.cells[1].title = method.over ? t("Beyond the limit of {limit}", { limit: share(method.limit) }) : "";
    if (method.over) setText(p.cells[1], `■ ${share(method.var_share, 2)}`);
  }

  function makePart() {
    const label = h("span"), bar = h("i"), zero = h("i", { class: "zero" }), value = h("span", { class: "value" }), alone = h("span", { class: "dim value alone" });
    return { root: h("div", { class: "row" }, label, h("span", { class: "track", "aria-hidden": "true" }, bar, zero), value, alone), label, bar, zero, value, alone };
  }

  function fillPart(p, part) {
    if (!p.label.firstChild) p.label.append(pair(part.symbol));
    const room = part.high - part.low, left = 100 * (Math.min(0, part.adds) - part.low) / room;
    p.bar.style.left = `${left}%`;
    p.bar.style.width = `${100 * Math.abs(part.adds) / room}%`;
    setClass(p.bar, part.adds < 0 ? "up" : "");
    p.zero.style.left = `${-100 * part.low / room}%`;
    setText(p.value, part.adds < 0 ? `◇ ${money(part.adds, true)}` : money(part.adds, true));
    p.value.title = part.adds < 0 ? t("Hedges the others") : t("Adds to the value at risk");
    setText(p.alone, t("{money} alone", { money: money(part.alone, false, 0) }));
  }

  function draw() {
    const s = JSON.parse(model.state || "{}"), ready = s.methods !== undefined, held = ready && !s.empty;
    body.hidden = !held;
    empty.hidden = held;
    empty.replaceChildren(h("b", {}, ready ? t("Nothing is held") : t("Waiting for the account")), h("p", {}, t("With nothing held nothing can be lost: value at risk is 0.")));
    if (!held) return;
    keep(rows, made, s.methods.map((m) => ({ ...m, limit: s.limit, over: m.name === "parametric" && s.limit && m.var_share > s.limit })), (m) => m.name, makeRow, fillRow);
    const list = s.parts ?? [], low = Math.min(0, ...list.map((p) => p.adds)), high = Math.max(1e-9, ...list.map((p) => p.adds));
    keep(parts, shown, list.map((p) => ({ ...p, low, high })), (p) => p.symbol, makePart, fillPart);
    setText(summary, s.parts === null ? t("Not known yet: {why}", { why: Object.entries(s.missing).map(([k, v]) => `${k}: ${v}`).join("; ") || t("no history") })
      : `${t("Together {money}; holding them together saves {share}.", { money: money(s.total), share: share(s.saved, 0) })} ${t("From {n} rows of {frame} history; no drift.", { n: s.rows, frame: s.timeframe })}`);
  }

  model.on("offered", offer);
  model.on("state", draw);
  offer();
  draw();
  return root;
}
