// Each measure against its limit, with a glyph and a word; the score; what is wrong and what helps.

const STANDS = {
  safe: ["ok", "✓", "safe"], warning: ["mid", "◐", "warning"], critical: ["bad", "■", "critical"], unknown: ["none", "?", "not known"],
};
const WORDS_OF = { safe: t("safe"), warning: t("warning"), critical: t("critical"), unknown: t("not known") };
const WHOLE = { safe: t("within limits"), warning: t("a limit needs a look"), critical: t("beyond a limit"), stopped: t("entries are stopped"), unknown: t("not all known") };
const LOUD = { critical: ["bad", "■", t("critical")], high: ["bad", "▲", t("high")], medium: ["mid", "◐", t("medium")] };
const LEVEL = { LOW: "ok", MEDIUM: "mid", HIGH: "bad", CRITICAL: "bad" };
const KEPT = 90;  // points of a trend

export function render({ model }) {
  const stamp = h("span", { class: "chip stamp", hidden: true });
  const standing = h("span", { class: "state", role: "status" }), about = h("span", { class: "dim" });
  const tiles = h("div", { class: "tiles" });
  const score = h("b", { class: "score" }), level = h("span", { class: "state" }), parts = h("div", { class: "parts" });
  const board = h("div", { class: "board", role: "group", "aria-label": t("Risk score") },
    h("span", { class: "name" }, t("Risk score, of 100")), h("div", { class: "line" }, score, level), parts);
  const alerts = h("ul", { class: "alerts", "aria-label": t("What is wrong") });
  const calm = h("p", { class: "calm" }, h("span", { class: "bull", "aria-hidden": "true" }, "✓ "), t("Nothing is beyond its limit."));
  const problem = h("p", { class: "problem", role: "alert" }), waiting = h("div", { class: "empty" });
  const body = h("div", { class: "body", hidden: true }, tiles, h("div", { class: "lower" }, board, h("div", { class: "wrong" }, alerts, calm)));
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Risk of the paper account")), stamp, standing, h("span", { class: "spacer" }), about),
    body, waiting, problem);
  const made = new Map(), pieces = new Map(), shown = new Map(), past = new Map();

  function write(value, unit) {
    if (value === null || value === undefined) return "–";
    if (unit === "share") return share(value, 2);
    if (unit === "times") return fig(`${value.toFixed(2)} ×`);
    if (unit === "hours") return value >= 100 ? fig(t("{n} h", { n: value.toFixed(0) })) : fig(t("{n} h", { n: value < 0.1 ? value.toFixed(2) : value.toFixed(1) }));
    if (unit === "count") return String(value);
    return fig(value.toFixed(2));
  }

  function plainLimit(value, unit) {
    if (unit === "share") return share(value, Math.abs(100 * value % 1) > 1e-9 ? 1 : 0);
    return unit === "times" ? fig(`${Number(value.toFixed(2))} ×`) : unit === "hours" ? t("{n} h", { n: value }) : String(value);
  }

  function makeTile(tile) {
    const value = h("b"), below = h("span", { class: "below" }), bar = h("i"), meter = h("span", { class: "meter", "aria-hidden": "true" }, bar);
    const state = h("span", { class: "state" }), line = h("path", { class: "spark" });
    const trend = h("svg", { viewBox: "0 0 60 16", preserveAspectRatio: "none", "aria-hidden": "true", class: "trend" }, line);
    const box = h("div", { class: "tile", "data-tile": tile.name }, h("div", { class: "line" }, h("span", { class: "name" }), state),
      h("div", { class: "line" }, value, trend), below, meter);
    return { root: box, name: box.querySelector(".name"), value, below, bar, meter, state, line, trend };
  }

  function fillTile(p, tile) {
    const [kind, glyph] = STANDS[tile.status];
    setText(p.name, tell(tile.title));
    setText(p.value, write(tile.value, tile.unit));
    setClass(p.state, `state ${kind}`);
    setText(p.state, `${glyph} ${WORDS_OF[tile.status]}`);
    setClass(p.root, `tile ${kind}`);
    const extra = tile.also !== undefined ? ` · ${t("ES {share}", { share: share(tile.also, 2) })}`
      : tile.names?.length ? ` · ${fig(tile.names.map((s) => s.split("/")[0]).join(" + "))}` : "";
    setText(p.below, t("limit {limit}", { limit: plainLimit(tile.limit, tile.unit) }) + extra);
    p.root.title = tell(tile.hint);
    const part = tile.value === null ? 0 : Math.min(1, Math.max(0, tile.value / tile.limit));
    p.bar.style.width = `${100 * part}%`;
    setClass(p.meter, `meter ${kind === "mid" ? "near" : kind === "bad" ? "over" : ""}`);
    drawTrend(p, past.get(tile.name) ?? []);
  }

  /** The last values since this page was opened; a flat line says nothing and is left out. */
  function drawTrend(p, values) {
    const low = Math.min(...values), high = Math.max(...values);
    p.trend.style.visibility = values.length > 2 && high > low ? "visible" : "hidden";
    if (values.length < 3 || !(high > low)) return;
    const x = (i) => (60 * i / (values.length - 1)).toFixed(1), y = (v) => (14.5 - 13 * (v - low) / (high - low)).toFixed(1);
    p.line.setAttribute("d", values.map((v, i) => `${i ? "L" : "M"}${x(i)} ${y(v)}`).join(""));
  }

  function learn(s) {
    for (const { name, value } of s.tiles) {
      if (value === null) continue;
      const values = past.get(name) ?? [];
      values.push(value);
      if (values.length > KEPT) values.shift();
      past.set(name, values);
    }
  }

  function makePart(part) {
    const bar = h("i"), value = h("span", { class: "points" });
    return { root: h("div", { class: "part" }, h("span", { class: "dim" }, tell(part.title)), h("span", { class: "track", "aria-hidden": "true" }, bar), value), bar, value };
  }

  function fillPart(p, part) {
    setText(p.value, part.points === null ? "–" : fig(`${part.points.toFixed(1)} / ${part.most}`));
    p.bar.style.width = `${100 * (part.points ?? 0) / part.most}%`;
  }

  function makeAlert(alert) {
    const [kind, glyph, word] = LOUD[alert.severity] ?? ["mid", "◐", alert.severity];
    const message = h("span", { class: "dim", dir: "auto" }), advice = h("span", { dir: "auto" });
    return { root: h("li", {}, h("span", { class: `state ${kind}` }, `${glyph} ${word}`), h("div", {}, h("b", {}, tell(alert.title)), message, advice)), message, advice };
  }

  function draw() {
    const s = JSON.parse(model.state || "{}"), ready = s.tiles !== undefined;
    body.hidden = !ready;
    standing.hidden = !ready;
    waiting.hidden = ready || Boolean(s.error);
    waiting.replaceChildren(h("b", {}, t("No account yet")), h("p", {}, t("The account opens once the agent has read enough history to score the market.")));
    setText(problem, s.error ? t("The risk could not be worked out: {why}", { why: s.error }) : "");
    if (!ready) return;
    mark(stamp, s.source, s.simulated);
    if (!s.error) learn(s);
    const [kind, glyph] = STANDS[s.standing] ?? STANDS.critical;
    setClass(standing, `state ${kind}`);
    setText(standing, `${glyph} ${WHOLE[s.standing]}`);
    setText(about, s.empty ? t("Nothing is held: every measure rests.")
      : s.rows ? t("from {n} rows of {frame} history · {time}", { n: s.rows, frame: s.timeframe, time: clock(s.time) }) : clock(s.time));
    keep(tiles, made, s.tiles, (one) => one.name, makeTile, fillTile);
    setText(score, s.score === null ? "–" : s.score.toFixed(0));
    setClass(level, `state ${LEVEL[s.level] ?? "none"}`);
    setText(level, tell(s.level_text));
    keep(parts, pieces, s.parts, (one) => one.name, makePart, fillPart);
    keep(alerts, shown, s.alerts, (one) => `${one.code}${one.severity}`, makeAlert, (p, one) => { setText(p.message, one.message); setText(p.advice, one.advice); });
    calm.hidden = s.alerts.length > 0;
    alerts.hidden = !s.alerts.length;
  }

  model.on("state", draw);
  draw();
  return root;
}
