// Where the money is: bars that share one axis, longs to the right, shorts to the left.

export function render({ model }) {
  const about = h("span", { class: "dim" }), sides = h("div", { class: "rows" }), assets = h("div", { class: "rows" }), groups = h("div", { class: "rows" });
  const more = h("p", { class: "note pad" }), blind = h("p", { class: "note pad" });
  const part = (title, hint, rows, ...rest) => h("section", { "aria-label": title }, h("h3", { title: hint }, title), rows, ...rest);
  const body = h("div", {},
    part(t("By side"), t("Notional at the marks, of the equity"), sides),
    part(t("By asset"), t("The line marks how large one symbol may be"), assets, more),
    part(t("By cluster"), t("Assets whose correlation is at least the limit count as one"), groups, blind));
  const empty = h("div", { class: "empty" });
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Exposure")), about), body, empty);
  const made = { sides: new Map(), assets: new Map(), groups: new Map() };

  function make(row) {
    const label = h("span", { class: "label" }), fill = h("i"), zero = h("i", { class: "zero" }), low = h("i", { class: "tick" }), high = h("i", { class: "tick" });
    const value = h("span", { class: "value" }), amount = h("span", { class: "amount dim" });
    return { root: h("div", { class: "row" }, label, h("span", { class: "track", "aria-hidden": "true" }, fill, zero, low, high), value, amount), label, fill, zero, low, high, value, amount, key: row.key };
  }

  /** Lay a signed share on an axis from -span to span. */
  function fillRow(p, row) {
    const at = (value) => 50 + 50 * Math.max(-1, Math.min(1, value / row.span));
    const from = Math.min(at(0), at(row.share)), to = Math.max(at(0), at(row.share));
    if (p.shown !== row.name) { p.shown = row.name; p.label.replaceChildren(row.symbol ? pair(row.symbol) : row.name); }
    p.label.title = row.symbol ?? row.hint ?? row.name;
    p.fill.style.left = `${from}%`;
    p.fill.style.width = `${Math.max(0.6, to - from)}%`;
    setClass(p.fill, row.plain ? "" : row.share < 0 ? "down" : "up");
    p.zero.style.left = "calc(50% - .5px)";
    for (const [tick, sign] of [[p.high, 1], [p.low, -1]]) {
      tick.hidden = !row.limit || row.limit > row.span || sign * row.share <= 0;
      tick.style.left = `${at(sign * (row.limit ?? 0))}%`;
    }
    setText(p.value, `${row.glyph}${share(row.share)}`);
    setClass(p.value, `value ${row.over ? "warn" : ""}`);
    p.value.title = row.over ? t("Beyond the limit of {limit}", { limit: share(row.limit, 0) }) : "";
    setText(p.amount, money(Math.abs(row.money), false, 0));
  }

  function draw() {
    const s = JSON.parse(model.state || "{}"), ready = s.assets !== undefined, held = ready && s.assets.length > 0;
    body.hidden = !held;
    empty.hidden = held;
    empty.replaceChildren(h("b", {}, ready ? t("Nothing is held") : t("Waiting for the account")), h("p", {}, t("Exposure appears with the first position.")));
    setText(about, held ? t("gross {gross} of the equity · like {n} equal positions", { gross: share(s.leverage, 0), n: fig(s.effective.toFixed(1)) }) : "");
    if (!held) return;
    const by = (value) => s.equity > 0 ? value / s.equity : null;
    const wide = Math.max(by(s.long) ?? 0, by(s.short) ?? 0, Math.abs(by(s.net) ?? 0), 0.05) * 1.05;
    const glyph = (value) => value > 0 ? "▲ " : value < 0 ? "▼ " : "";
    keep(sides, made.sides, [["long", s.long, t("Long")], ["short", -s.short, t("Short")], ["net", s.net, t("Net")]].map(([key, value, name]) =>
      ({ key, name, share: by(value), money: value, span: wide, glyph: glyph(value) })), (r) => r.key, make, fillRow);
    const span = Math.max(s.limit, ...s.assets.map((a) => Math.abs(a.share ?? 0))) * 1.08;
    keep(assets, made.assets, s.assets.map((a) => ({ key: a.symbol, name: a.symbol, symbol: a.symbol, share: a.share, money: a.notional, span, limit: s.limit,
      over: Math.abs(a.share) > s.limit * 1.0001, glyph: glyph(a.notional) })), (r) => r.key, make, fillRow);
    setText(more, s.more ? t("and {n} smaller ones", { n: s.more }) : "");
    more.hidden = !s.more;
    const clusters = s.clusters ?? [], room = Math.max(...clusters.map((c) => c.share ?? 0), 0.05) * 1.05;
    keep(groups, made.groups, clusters.map((c) => ({ key: c.symbols.join(), name: fig(c.symbols.map((x) => x.split("/")[0]).join(" + ")), hint: c.symbols.join(", "),
      share: by(c.net), money: c.gross, span: room, glyph: glyph(c.net) })), (r) => r.key, make, fillRow);
    const unknown = s.clusters === null;
    setText(blind, unknown ? t("Correlations are not known yet: {why}", { why: Object.entries(s.missing).map(([k, v]) => `${k}: ${v}`).join("; ") || t("no history") })
      : t("Net share, gross amount. Together from a correlation of {limit} on.", { limit: fig(s.max_correlation) }));
  }

  model.on("state", draw);
  draw();
  return root;
}
