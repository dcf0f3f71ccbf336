// The ranked table. Rows are kept by symbol and changed in place: scroll, selection and sort stay.

const SIDES = [["all", "All", "r"], ["bullish", "▲ Bullish", "b"], ["bearish", "▼ Bearish", "n"]];
const SORTS = {
  rank: (r) => r.rank, symbol: (r) => r.symbol, price: (r) => -(r.price ?? 0),
  change: (r) => -(r.change ?? -9), score: (r) => -Math.abs((r.score ?? 0.5) - 0.5),
  confidence: (r) => -(r.confidence ?? 0),
};
const ARROW = "The arrow is the side that most timeframes agree on by weight: it may differ from the mean score";
const COLUMNS = [
  ["rank", "#", "", "Rank by strength, confidence and consensus"], ["symbol", "Symbol", "left", "Symbol"],
  ["price", "Price", "", "Last price, quote currency"], ["change", "24 h", "", "Change in 24 hours"],
  ["score", "Score", "score", `Combined score: 0 bearish, 0.5 neutral, 1 bullish. ${ARROW}`],
  ["confidence", "Conf", "", "Confidence, 0 to 1"],
];
const FIELDS = ["rank", "symbol", "price", "change", "score", "direction", "confidence", "frames", "badges",
  "stopped", "action", "risk", "consensus", "volume", "ranked", "success", "parts", "trust", "doubt"];
const HELP = [["↑ ↓ Home End", "choose a symbol"], ["1 … 9", "timeframe of the chart"], ["Shift 1 … 9", "overlays of the chart"],
  ["/ or Ctrl+F", "search"],
  ["B  N  R", "bullish, bearish, all"], ["Esc", "leave or clear the search"], ["?", "this list"]];

export function render({ model }) {
  let state = { frames: [], rows: [], total: 0, passed: 0, parts: [], uncalibrated: "" };
  let rows = [];
  let prices = {};
  let sort = "rank", down = false;
  const lines = new Map();

  const count = h("span", { class: "dim count", role: "status" });
  const sides = SIDES.map(([value, label, key]) => h("button", {
    class: "pill", type: "button", role: "radio", title: `Show ${value} (${key.toUpperCase()})`, "data-side": value,
    onclick: () => filter({ side: value }),
  }, label));
  const least = h("input", { class: "field least", type: "number", min: 0, max: 1, step: 0.05,
    "aria-label": "Least confidence", title: "Least confidence",
    oninput: () => filter({ min_confidence: Math.min(1, Math.max(0, Number(least.value) || 0)) }) });
  const search = h("input", { class: "field search", type: "search", placeholder: "Search  /", "aria-label": "Search symbols",
    spellcheck: "false", autocomplete: "off", oninput: () => filter({ query: search.value }) });
  const help = h("button", { class: "pill keys", type: "button", title: "Keyboard shortcuts (?)", "aria-label": "Keyboard shortcuts",
    onclick: () => toggleHelp() }, "?");
  const sheet = h("div", { class: "help", role: "dialog", "aria-label": "Keyboard shortcuts", hidden: true },
    ...HELP.map(([keys, text]) => h("div", {}, h("kbd", {}, keys), h("span", {}, text))));
  const heads = COLUMNS.map(([key, label, css, title]) => h("th", { scope: "col", class: css, "data-key": key, title },
    h("button", { type: "button", onclick: () => order(key) }, label)));
  const framesHead = h("th", { scope: "col", class: "frames" });
  const head = h("tr", {}, ...heads, framesHead, h("th", { scope: "col", class: "seen left" }, "Seen"));
  const body = h("tbody");
  const empty = h("div", { class: "empty", role: "status" });
  const grid = h("table", { role: "grid", tabindex: "0", "aria-label": "Ranked opportunities", onkeydown: move },
    h("thead", {}, head), body);
  const scroller = h("div", { class: "scroll" }, grid, empty);
  const top = h("div", { class: "head" }, h("h2", {}, "Opportunities"), count, h("span", { class: "spacer" }),
    h("span", { role: "radiogroup", "aria-label": "Direction", class: "group" }, ...sides),
    h("label", { class: "least-label" }, h("span", { class: "note" }, "Conf ≥ "), least), search, help);
  const root = h("div", { class: "fill table" }, top, sheet, scroller);

  function toggleHelp(open = sheet.hidden) { sheet.hidden = !open; }

  function filter(change) {
    for (const [name, value] of Object.entries(change)) if (model[name] !== value) model[name] = value;
    draw();
  }

  function order(key) {
    down = key === sort ? !down : false;
    sort = key;
    draw();
  }

  function chosen() {
    const query = model.query.trim().toUpperCase().replace(/[^A-Z0-9]/g, "");
    const side = { bullish: 1, bearish: -1 }[model.side];
    const by = SORTS[sort];
    const kept = rows.filter((row) => (side === undefined || row.direction === side)
      && (row.confidence ?? 0) >= model.min_confidence
      && (!query || row.symbol.replace("/", "").includes(query)));
    return kept.sort((a, b) => {
      const [x, y] = [by(a), by(b)];
      const first = x < y ? -1 : x > y ? 1 : a.rank - b.rank;
      return down ? -first : first;
    });
  }

  function makeLine(symbol) {
    const [base, quote] = symbol.split("/");
    const cell = (css) => h("td", { class: css });
    const line = {
      rank: cell("dim"), symbol: h("td", { class: "left" }, h("b", {}, base), h("span", { class: "dim quote" }, `/${quote}`)),
      price: cell("price"), change: cell(""), score: cell("score"), confidence: cell(""), frames: cell("frames"),
      badges: cell("seen left"), trust: h("span", { class: "trust", hidden: true }), fill: h("span"), value: h("span"), cells: [], shown: {},
    };
    line.score.append(h("span", { class: "gauge", "aria-hidden": "true" }, line.fill), line.value);
    line.symbol.append(line.trust);
    line.row = h("tr", { id: `row-${symbol.replace(/[^A-Za-z0-9]/g, "-")}`, "data-symbol": symbol,
      onclick: (event) => choose(symbol, event.target.dataset.frame) },
      line.rank, line.symbol, line.price, line.change, line.score, line.confidence, line.frames, line.badges);
    return line;
  }

  function drawLine(line, row) {
    if (line.seen === row) return;
    line.seen = row;
    setText(line.rank, row.ranked ? String(row.rank) : "–");
    setText(line.change, percent(row.change));
    setClass(line.change, row.change > 0 ? "bull" : row.change < 0 ? "bear" : "dim");
    const d = row.direction;
    const torn = row.score !== null && d * (row.score - 0.5) < 0;  // more timeframes, less force
    setText(line.value, row.score === null ? "–" : `${GLYPH[d]} ${number(row.score)}`);
    setClass(line.value, `value ${torn ? "dim" : TONE[d]}`);
    const net = row.score === null ? 0 : row.score - 0.5;
    setClass(line.fill, net > 0 ? "up" : "down");
    line.fill.style.width = `${Math.min(50, 100 * Math.abs(net)).toFixed(1)}%`;
    setText(line.confidence, number(row.confidence));
    drawTrust(line, row);
    drawFrames(line, row);
    line.badges.replaceChildren(...row.badges.map((text) => h("span", { class: "tag" }, text)));
    line.badges.title = row.badges.join(", ");
    line.row.title = told(row);
    line.score.title = `${ARROW}.\n${line.row.title}`;
    line.row.classList.toggle("stopped", Boolean(row.stopped));
  }

  function drawTrust(line, row) {
    line.trust.hidden = !doubted(row);
    setText(line.trust, line.trust.hidden ? "" : `${pie(row.trust)} ${number(row.trust)}`);
    line.trust.title = line.trust.hidden ? "" : doubts(row);
  }

  function doubted(row) { return row.trust !== null && row.trust < 1; }

  function doubts(row) { return `Trust in the data ${number(row.trust)}${row.doubt ? `: ${row.doubt}` : ""}`; }

  /** Say in a tooltip what has no column: advice, success, and each detector over all timeframes. */
  function told(row) {
    const said = [row.stopped ? `Not in the ranking: ${row.stopped}`
      : `${row.action.replace("_", " ")} · risk ${row.risk} · consensus ${number(row.consensus)}`];
    if (row.direction !== 0) {
      said.push(row.success !== null ? `Success ${Math.round(100 * row.success)} %: calibrated chance that the direction is right${even(row.success)}`
        : `Success ${state.uncalibrated || "uncalibrated"}`);
    }
    const parts = state.parts.map((name, i) => [name, row.parts[i]]).filter(([, value]) => value !== null);
    said.push(parts.map(([name, value]) => `${name} ${signed(value, 2)}`).join(" · "));
    if (doubted(row)) said.push(doubts(row));
    return said.join("\n");
  }

  function even(chance) { return Math.abs(chance - 0.5) < 0.03 ? ", about even odds" : ""; }

  function drawFrames(line, row) {
    if (line.cells.length !== row.frames.length) {
      line.cells = row.frames.map((_, i) => h("s", { "data-frame": state.frames[i] }));
      line.frames.replaceChildren(h("span", { class: "cells" }, ...line.cells));
    }
    row.frames.forEach((frame, i) => {
      const cell = line.cells[i];
      const d = frame === null ? null : frame[0];
      setText(cell, d === null ? "" : d === 0 ? "·" : GLYPH[d]);
      setClass(cell, d === null ? "none" : TONE[d]);
      cell.title = d === null ? `${state.frames[i]}: no score yet`
        : `${state.frames[i]}: ${number(frame[1])} ${WORD[d]}, confidence ${number(frame[2])}`;
    });
  }

  function drawPrice(line, symbol, fallback) {
    const now = prices[symbol] ?? fallback;
    if (line.now === now) return;
    const text = price(now);
    if (line.now !== undefined && text !== line.price.textContent) {
      setClass(line.price, now > line.now ? "price rose" : "price fell");
    }
    line.now = now;
    setText(line.price, text);
    line.price.title = String(now);
  }

  function draw() {
    const shown = chosen();
    let before = null;
    const keep = new Set();
    shown.forEach((row, i) => {
      let line = lines.get(row.symbol);
      if (!line) lines.set(row.symbol, (line = makeLine(row.symbol)));
      keep.add(row.symbol);
      drawLine(line, row);
      drawPrice(line, row.symbol, row.price);
      line.row.setAttribute("aria-rowindex", i + 2);
      const place = before ? before.row.nextSibling : body.firstChild;
      if (place !== line.row) body.insertBefore(line.row, place);
      before = line;
    });
    for (const [symbol, line] of lines) if (!keep.has(symbol)) line.row.remove();
    grid.setAttribute("aria-rowcount", shown.length + 1);
    drawTop(shown.length);
    mark();
  }

  function drawTop(n) {
    const more = state.rows.length < state.total ? ` · first ${state.rows.length}` : "";
    const mine = state.draft ? " · draft" : "";
    setText(count, state.total ? `${state.passed} of ${state.total} pass${more}${mine}` : "");
    count.title = `${state.passed} of ${state.total} scored symbols pass the rules${more}${mine}`;
    for (const pill of sides) {
      const on = pill.dataset.side === model.side;
      pill.setAttribute("aria-checked", on);
    }
    heads.forEach((th, i) => th.setAttribute("aria-sort",
      COLUMNS[i][0] !== sort ? "none" : down ? "descending" : "ascending"));
    empty.hidden = n > 0;
    if (n === 0) {
      empty.replaceChildren(...(state.rows.length === 0
        ? [h("p", {}, "Waiting for the first scan…"), h("p", { class: "note" }, state.held_up || "A score needs 100 closed bars.")]
        : [h("p", {}, "No symbol matches."), h("button", { class: "btn", type: "button",
          onclick: () => { search.value = ""; least.value = 0; filter({ side: "all", query: "", min_confidence: 0 }); } },
          "Show all")]));
    }
  }

  function mark() {
    for (const [symbol, line] of lines) {
      const on = symbol === model.selected;
      line.row.classList.toggle("selected", on);
      line.row.setAttribute("aria-selected", on);
      if (on) grid.setAttribute("aria-activedescendant", line.row.id);
    }
    framesHead.querySelectorAll("button").forEach((b) => b.setAttribute("aria-pressed", b.dataset.frame === model.timeframe));
  }

  function choose(symbol, frame) {
    if (frame && frame !== model.timeframe) model.timeframe = frame;
    if (symbol !== model.selected) model.selected = symbol;
    mark();
  }

  function move(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const order = [...body.children];
    const at = order.findIndex((row) => row.dataset.symbol === model.selected);
    const page = Math.max(1, Math.floor(scroller.clientHeight / 34) - 2);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: order.length - 1,
      PageDown: at + page, PageUp: at - page }[event.key];
    if (to === undefined || order.length === 0) return;
    event.preventDefault();
    const row = order[Math.min(order.length - 1, Math.max(0, to))];
    choose(row.dataset.symbol);
    row.scrollIntoView({ block: "nearest" });
  }

  function shortcut(event) {
    const find = event.key === "/" || ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "f");
    const origin = event.composedPath()[0];
    if (event.key === "Escape" && origin === search) {
      if (search.value) { search.value = ""; filter({ query: "" }); } else grid.focus();
      return;
    }
    if (event.key === "Escape") return toggleHelp(false);
    if (typing(event) && !(event.ctrlKey && find)) return;
    if (find) { event.preventDefault(); search.focus(); search.select(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "?") return toggleHelp();
    if (origin === document.body && event.key.startsWith("Arrow")) return move(event);
    const side = SIDES.find(([, , key]) => key === event.key.toLowerCase());
    if (side) return filter({ side: side[0] });
    const frame = state.frames[Number(event.key) - 1];
    if (frame) { model.timeframe = frame; mark(); }
  }

  function takeRows() {
    const reason = state.uncalibrated;
    state = { frames: [], rows: [], total: 0, passed: 0, parts: [], uncalibrated: "", ...JSON.parse(model.rows || "{}") };
    if (reason !== state.uncalibrated) for (const line of lines.values()) line.seen = null;
    // A row that did not change stays the same object, so its line is not drawn again.
    const old = new Map(rows.map((row) => [row.symbol, row]));
    rows = state.rows.map((values) => {
      const text = JSON.stringify(values);
      const before = old.get(values[1]);
      if (before && before.text === text) return before;
      return { ...Object.fromEntries(FIELDS.map((name, i) => [name, values[i]])), text };
    });
    if (framesHead.dataset.frames !== state.frames.join()) {
      framesHead.dataset.frames = state.frames.join();
      framesHead.replaceChildren(h("span", { class: "cells" }, ...state.frames.map((frame, i) => h("button", {
        type: "button", "data-frame": frame, title: `Chart in ${frame} (${i + 1})`, onclick: () => { model.timeframe = frame; mark(); },
      }, frame))));
      for (const line of lines.values()) { line.cells = []; line.seen = null; }
    }
    draw();
  }

  function takePrices() {
    prices = JSON.parse(model.prices || "{}");
    for (const row of rows) {
      const line = lines.get(row.symbol);
      if (line) drawPrice(line, row.symbol, row.price);
    }
  }

  function takeFilters() {
    const active = root.getRootNode().activeElement;
    if (active !== search) search.value = model.query;
    if (active !== least) least.value = model.min_confidence;
    draw();
  }

  body.addEventListener("animationend", (event) => { if (event.target.tagName === "TD") event.target.className = "price"; });
  document.addEventListener("keydown", shortcut);
  model.on("rows", takeRows);
  model.on("prices", takePrices);
  model.on(["query", "side", "min_confidence"], takeFilters);
  model.on("selected", () => { remember({ symbol: model.selected.replace("/", "-") }); mark(); });
  model.on("timeframe", () => { remember({ timeframe: model.timeframe }); mark(); });
  model.on("remove", () => document.removeEventListener("keydown", shortcut));
  takeRows();
  takePrices();
  takeFilters();
  return root;
}
