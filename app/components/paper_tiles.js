// The paper account at a glance; each figure beside what it is held against.

export function render({ model }) {
  const status = h("span", { class: "status", role: "status" });
  const place = h("div", { class: "figures" });
  const mark = h("span", { class: "stamp", hidden: true }, t("simulated"));
  const root = h("div", { class: "fill tiles" },
    h("div", { class: "head" }, h("h2", {}, t("Paper portfolio")), mark, h("span", { class: "spacer" }), status,
      h("a", { class: "more", href: "portfolio" }, t("Open"))), place);
  const tiles = new Map();

  function tile(name, label) {
    if (!tiles.has(name)) {
      const value = h("span", { class: "figure" }), below = h("span", { class: "dim below" }), meter = h("i");
      const rail = h("span", { class: "rail", "aria-hidden": "true" }, meter);
      tiles.set(name, { root: h("div", { class: "one" }, h("span", { class: "dim label" }, label), value, below, rail), value, below, meter, rail });
      place.append(tiles.get(name).root);
    }
    return tiles.get(name);
  }

  /** Fill a tile; `used` is the share of its limit, null where there is none. */
  function fill(name, label, title, figure, below, used = null, tone = "") {
    const one = tile(name, label);
    one.root.title = title;
    setText(one.value, figure);
    setClass(one.value, `figure ${tone}`);
    setText(one.below, below);
    one.rail.hidden = used === null;
    if (used === null) return;
    one.meter.style.width = `${Math.min(100, Math.max(2, 100 * used)).toFixed(0)}%`;
    setClass(one.meter, used >= 1 ? "over" : used >= 0.75 ? "near" : "");
  }

  const share = (value, digits = 1) => (value === null || value === undefined ? "–" : `${(100 * value).toFixed(digits)} %`);
  const limit = (value) => (value ? t("limit {limit}", { limit: share(value, 0) }) : t("no limit"));

  function draw() {
    const s = JSON.parse(model.state || "{}");
    mark.hidden = !s.simulated;
    root.classList.toggle("waiting", s.equity === undefined);
    if (s.equity === undefined) {
      setText(status, s.opening ? t("opens with the first scan") : "");
      setClass(status, "status dim");
      for (const [name, label] of [["equity", t("Equity")], ["open", t("Open")], ["risk", t("VaR 95, 1 day")], ["drawdown", t("Drawdown")], ["won", t("Won")]]) fill(name, label, "", "–", " ");
      return;
    }
    const bad = s.breakers.length > 0 || s.why_not || s.storage;
    setText(status, s.storage ? t("⚠ not stored: {why}", { why: s.storage }) : bad ? t("⚠ entries held back: {why}", { why: (s.why_not || s.breakers.join(", ")).replaceAll("_", " ") }) : t("● within limits"));
    setClass(status, `status ${bad ? "warn" : "bull"}`);
    fill("equity", t("Equity"), t("Cash and positions at their marks; {since} since the start", { since: percent(s.since) }),
      s.equity.toLocaleString("en-US", { maximumFractionDigits: s.equity >= 1000 ? 0 : 2 }), t("{change} today", { change: percent(s.day) }), s.day_limit && s.day < 0 ? -s.day / s.day_limit : null);
    fill("open", t("Open"), t("Positions, and their worth against the equity"), s.open_limit ? `${s.open} / ${s.open_limit}` : String(s.open), t("exposure {share}", { share: percent(s.exposure, 0) }), s.open_limit ? s.open / s.open_limit : null);
    fill("risk", t("VaR 95, 1 day"), s.risk_note || t("Loss of a day that is exceeded on one day in twenty, by the past of what is held"), share(s.risk), s.open ? t("of the equity") : t("nothing held"));
    fill("drawdown", t("Drawdown"), t("Loss from the highest equity"), share(s.drawdown), limit(s.drawdown_limit), s.drawdown_limit ? s.drawdown / s.drawdown_limit : null);
    fill("won", t("Won"), t("Trades that ended with a gain"), s.trades ? share(s.wins / s.trades, 0) : "–", s.trades === 1 ? t("1 trade") : t("{n} trades", { n: s.trades }));
  }

  model.on("state", draw);
  draw();
  return root;
}
