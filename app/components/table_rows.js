// Rows of the scanner's table as the browser knows them: their fields, what a filter lets through,
// their order, and the words about one.

const FIELDS = ["rank", "symbol", "price", "change", "score", "direction", "confidence", "frames", "badges",
  "stopped", "action", "risk", "consensus", "volume", "ranked", "success", "parts", "trust", "doubt"];
const NO_FILTER = { q: "", side: "all", conf: 0, low: 0, high: 1, change: "any", volume: 0, active: 0, agree: "any", list: "", passed: false };
const MOVE = 0.05, SPEAKS = 0.05;  // as app/components/filters.py
const STARRED = 0.8;

/** Score along the symbol's own side: 0.8 for a bullish 0.8 and for a bearish 0.2. */
function strength(row) {
  if (row.score === null) return 0;
  return row.direction < 0 ? 1 - row.score : row.direction > 0 ? row.score : Math.max(row.score, 1 - row.score);
}

function onSide(row) { return row.direction === 0 ? 0 : row.frames.filter((f) => f !== null && f[0] === row.direction).length; }

function scored(row) { return row.frames.filter((f) => f !== null).length; }

/** How many of the nine detectors speak for the symbol's side. */
function activeSignals(row) {
  return row.parts.slice(0, 9).filter((p) => p !== null && (row.direction === 0 ? Math.abs(p) : p * row.direction) >= SPEAKS).length;
}

const SORTS = {
  rank: (r) => r.rank, symbol: (r) => r.symbol, price: (r) => -(r.price ?? 0), change: (r) => -(r.change ?? -9),
  volume: (r) => -(r.volume ?? -1), score: (r) => -strength(r), confidence: (r) => -(r.confidence ?? 0),
  agreement: (r) => -(scored(r) ? onSide(r) / scored(r) : 0), badges: (r) => -r.badges.length,
};

function passes(row, f, members) {
  if (f.side !== "all" && row.direction !== (f.side === "bullish" ? 1 : -1)) return false;
  if ((row.confidence ?? 0) < f.conf || row.score < f.low || row.score > f.high) return false;
  if (f.change !== "any" && !(row.change !== null && (f.change === "gainers" ? row.change > 0
    : f.change === "losers" ? row.change < 0 : Math.abs(row.change) > MOVE))) return false;
  if (f.volume > 0 && !(row.volume >= f.volume)) return false;
  if (f.passed && !row.ranked) return false;
  if (f.active > 0 && activeSignals(row) < f.active) return false;
  if (f.agree !== "any") {
    const on = onSide(row), all = scored(row);
    if (on === 0 || (f.agree === "full" ? on < all : 2 * on < all)) return false;
  }
  if (f.list && members && !members.has(row.symbol)) return false;
  const text = f.q.trim().toUpperCase().replace(/[^A-Z0-9]/g, "");
  return !text || row.symbol.replace("/", "").includes(text);
}

function inOrder(rows, sort, down) {
  const by = SORTS[sort] ?? SORTS.rank;
  return rows.map((row) => [by(row), row]).sort(([x, a], [y, b]) => {
    const first = x < y ? -1 : x > y ? 1 : 0;
    return (down ? -first : first) || a.rank - b.rank;
  }).map(([, row]) => row);
}

/** Write a large amount shortly: 12.3 M. */
function amount(value) {
  if (value === null || value === undefined) return "–";
  for (const [size, unit] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]]) {
    if (value >= size) return `${(value / size).toFixed(value / size >= 99.95 ? 0 : 1)} ${unit}`;
  }
  return value.toFixed(0);
}

/** Read an amount that somebody typed: 10, 2.5M or 1b. */
function readAmount(text) {
  const found = /^\s*([\d.]+)\s*([kmbt]?)/i.exec(text.replaceAll(",", ""));
  return found ? (Number(found[1]) || 0) * { "": 1, k: 1e3, m: 1e6, b: 1e9, t: 1e12 }[found[2].toLowerCase()] : 0;
}

function changeTone(change) { return change > 0 ? "bull" : change < 0 ? "bear" : "dim"; }

function changeText(change) { return percent(change); }

function doubted(row) { return row.trust !== null && row.trust < 1; }

function doubts(row) {
  const said = t("Trust in the data {trust}", { trust: number(row.trust) });
  return row.doubt ? `${said}: ${row.doubt}` : said;
}

function stoppedBy(row) { return row.stopped.split(", ").map((why) => t(why)).join(", "); }

function advice(row) { return t(row.action.replace("_", " ")); }

/** Say in a tooltip what has no column: advice, success, and each detector over all timeframes. */
function told(row, state) {
  const said = [row.stopped ? t("Not in the ranking: {why}", { why: stoppedBy(row) })
    : t("{action} · risk {risk} · consensus {consensus}", { action: advice(row), risk: t(row.risk), consensus: number(row.consensus) })];
  if (row.direction !== 0) {
    said.push(row.success === null ? t("Success {why}", { why: state.uncalibrated || "uncalibrated" })
      : t("Success {n} %: calibrated chance that the direction is right", { n: Math.round(100 * row.success) })
        + (Math.abs(row.success - 0.5) < 0.03 ? t(", about even odds") : ""));
  }
  const parts = state.parts.map((name, i) => [name, row.parts[i]]).filter(([, value]) => value !== null);
  said.push(parts.map(([name, value]) => `${name} ${signed(value, 2)}`).join(" · "));
  if (doubted(row)) said.push(doubts(row));
  return said.join("\n");
}

/** Whether a symbol's arrow and its mean score disagree: more timeframes, less force. */
function torn(row) { return row.score !== null && row.direction * (row.score - 0.5) < 0; }

/** A bar from the middle to the score; `drawGauge` changes it in place. */
function makeGauge() {
  const fill = h("span");
  return { root: h("span", { class: "gauge", "aria-hidden": "true" }, fill), fill };
}

function drawGauge(gauge, row) {
  const net = row.score === null ? 0 : row.score - 0.5;
  setClass(gauge.fill, net > 0 ? "up" : "down");
  gauge.fill.style.width = `${Math.min(50, 100 * Math.abs(net)).toFixed(1)}%`;
  gauge.root.classList.toggle("glow", strength(row) > STARRED);
}

/** Small squares, one a timeframe: which way it points. */
function drawCells(place, row, frames) {
  if (place.children.length !== row.frames.length) place.replaceChildren(...row.frames.map(() => h("s")));
  row.frames.forEach((frame, i) => {
    const cell = place.children[i], d = frame === null ? null : frame[0];
    cell.dataset.frame = frames[i];
    setText(cell, d === null ? "" : d === 0 ? "·" : GLYPH[d]);
    setClass(cell, d === null ? "none" : TONE[d]);
    const title = d === null ? t("{frame}: no score yet", { frame: frames[i] })
      : t("{frame}: {score} {side}, confidence {confidence}", { frame: frames[i], score: number(frame[1]), side: t(WORD[d]), confidence: number(frame[2]) });
    if (cell.title !== title) cell.title = title;
  });
}

function drawTags(place, row, most = 3) {
  const star = strength(row) > STARRED ? "★" : "";
  const text = `${star}${row.badges.join("|")}`;
  if (place.dataset.text === text) return;
  place.dataset.text = text;
  place.replaceChildren(...(star ? [h("span", { class: "star", title: t("Score above 0.8 along its direction") }, star)] : []),
    ...row.badges.slice(0, most).map((name) => h("span", { class: "tag" }, name)));
  place.title = row.badges.join(", ");
}
