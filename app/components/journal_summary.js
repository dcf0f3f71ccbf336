// Figures of all signals, and the horizon that the whole page is about.

export function render({ model }) {
  const pills = h("span", { class: "group", role: "group", "aria-label": t("Judged after") });
  const note = h("span", { class: "dim" }), stamp = h("span", { class: "stamp", hidden: true });
  const problem = h("p", { class: "problem", role: "alert" });
  const TILES = ["all", "entered", "untraded", "bullish", "bearish"];
  const NAMES = { all: t("All signals"), entered: t("Entered"), untraded: t("Not traded"), bullish: `▲ ${t("Bullish")}`, bearish: `▼ ${t("Bearish")}` };
  const tiles = TILES.map((name) => {
    const hit = h("b", { class: "fig" }), range = h("span", { class: "dim fig" }), below = h("span", { class: "dim" }), mark = h("i", { class: "mark" }), span = h("i", { class: "span" });
    const strip = h("span", { class: "strip", "aria-hidden": "true" }, span, h("i", { class: "half" }), mark);
    return { name, hit, range, below, mark, span, strip, box: h("div", { class: "tile" }, h("span", { class: "dim" }, NAMES[name]), h("span", { class: "row" }, hit, range), strip, below) };
  });
  const counts = h("div", { class: "tile" });
  const root = h("div", {}, h("div", { class: "head" }, h("h2", {}, t("How signals turned out")), stamp, note, h("span", { class: "spacer" }),
    h("span", { class: "note" }, t("Judged after")), pills), problem, h("div", { class: "tiles" }, counts, ...tiles.map((tile) => tile.box)));

  const pct = (v) => `${(100 * v).toFixed(0)} %`;

  function fill(tile, part) {
    const { hit, r } = part ?? { hit: { n: 0, value: null }, r: { value: null } };
    const side = hit.value === null || hit.low === null ? 0 : hit.low > 0.5 ? 1 : hit.high < 0.5 ? -1 : 0;
    setText(tile.hit, hit.value === null ? "–" : `${side ? `${GLYPH[side]} ` : ""}${pct(hit.value)}`);
    setClass(tile.hit, `fig ${side ? TONE[side] : ""}`);
    setText(tile.range, hit.value === null ? "" : hit.low === null ? t("no bounds yet") : `${(100 * hit.low).toFixed(0)}–${pct(hit.high)}`);
    tile.strip.hidden = hit.value === null;
    if (hit.value !== null) {
      const low = hit.low ?? hit.value, high = hit.high ?? hit.value;
      tile.mark.style.left = `${100 * hit.value}%`;
      tile.span.style.left = `${100 * low}%`;
      tile.span.style.width = `${100 * (high - low)}%`;
    }
    setText(tile.below, hit.value === null ? t("{n} judged, at least 20 are needed", { n: hit.n })
      : t("{n} judged · mean {r} R", { n: hit.n, r: r.value === null ? "–" : signed(r.value, 2) }));
    tile.box.title = t("Share that reached one ATR its way first, with bounds of 95 %; the line marks one half. R is without costs.");
  }

  function draw() {
    const s = JSON.parse(model.state || "{}"), there = s.n !== undefined;
    pills.replaceChildren(...(s.horizons ?? [4, 12, 24, 48]).map((n) => h("button", { class: "pill", type: "button", "aria-pressed": String(n === model.horizon),
      onclick: () => { model.horizon = n; remember({ horizon: n }); } }, t("{n} bars", { n }))));
    stamp.hidden = !s.source;
    setText(stamp, s.source ?? "");
    setText(note, !there ? t("reading …") : s.first ? t("decisions of {timeframe} bars, {from} to {to}", { timeframe: s.timeframe, from: clock(s.first), to: clock(s.last) }) : t("decisions of {timeframe} bars", { timeframe: s.timeframe }));
    setText(problem, model.problem ? t("The journal could not be read: {why}", { why: model.problem }) : s.error ? t("Nothing can be judged now: {why}", { why: s.error }) : "");
    counts.replaceChildren(h("span", { class: "dim" }, t("Ideas with a direction")), h("span", { class: "row" }, h("b", { class: "fig" }, there ? s.n.toLocaleString("en-US") : "–")),
      h("span", { class: "dim" }, there ? t("{judged} judged · {open} open · {unknown} never", { judged: s.judged, open: s.open, unknown: s.unknown }) : ""));
    counts.title = t("Judged: their bars are over. Open: not yet. Never: bars are missing.");
    for (const tile of tiles) fill(tile, s.parts?.[tile.name]);
  }

  model.on("state", draw);
  model.on("horizon", draw);
  model.on("problem", draw);
  draw();
  return root;
}
