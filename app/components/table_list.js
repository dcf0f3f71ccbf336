// The list: rows of one height, of which only those in sight are in the page, changed in place.

const AROUND = 6;  // rows beyond the edge, so that a quick scroll shows none missing
const COARSE = window.matchMedia("(pointer: coarse)").matches;
const ROW_PX = COARSE ? 44 : 33;

function columns() {
  return [
    ["rank", "#", "n rank", t("Rank by strength, confidence and consensus")], ["symbol", t("Symbol"), "left symbol", t("Symbol")],
    ["price", t("Price"), "n price", t("Last price, quote currency")], ["change", t("24 h"), "n change", t("Change in 24 hours")],
    ["volume", t("Vol"), "n volume", t("Traded value of 24 hours, quote currency")],
    ["score", t("Score"), "n score", `${t("Combined score: 0 bearish, 0.5 neutral, 1 bullish.")} ${arrow()}`],
    ["confidence", t("Conf"), "n confidence", t("Confidence, 0 to 1")],
  ];
}

function arrow() { return t("The arrow is the side that most timeframes agree on by weight: it may differ from the mean score"); }

/** The list of rows; `at` is the table around it. */
function listView(at) {
  const lines = new Map(), spare = [];
  let shown = [], frame = 0;
  const heads = columns().map(([key, label, css, title]) => h("th", { scope: "col", class: css, "data-key": key, title },
    h("button", { type: "button", onclick: () => at.order(key) }, label)));
  const framesHead = h("th", { scope: "col", class: "frames", "data-key": "agreement" });
  const seenHead = h("th", { scope: "col", class: "seen left", "data-key": "badges", title: t("Patterns seen lately; ★ score above 0.8") }, h("button", { type: "button", onclick: () => at.order("badges") }, t("Seen")));
  const above = h("td"), below = h("td");
  const first = h("tr", { class: "pad", "aria-hidden": "true" }, above), last = h("tr", { class: "pad", "aria-hidden": "true" }, below);
  const body = h("tbody", {}, first, last);
  const grid = h("table", { role: "grid", tabindex: "0", "aria-label": t("Ranked opportunities"), "aria-multiselectable": "false", onkeydown: move },
    h("thead", {}, h("tr", {}, ...heads, framesHead, seenHead)), body);
  const root = h("div", { class: "scroll", style: `--row: ${ROW_PX}px`, onscroll: soon }, grid);
  const watch = h("button", { type: "button", onclick: () => ask("watch", { symbol: acts.dataset.symbol }) }, "☆");
  const bell = h("button", { type: "button", onclick: () => at.alert(acts.dataset.symbol) }, icon("bell"));
  const acts = h("span", { class: "acts" }, watch, bell);

  function makeLine() {
    const cell = (css) => h("td", { class: css });
    const line = {
      rank: cell("n rank"), symbol: cell("left symbol"), price: cell("n price"), change: cell("n change"), volume: cell("n volume"), score: cell("n score"),
      confidence: cell("n confidence"), frames: cell("frames"), badges: cell("seen left"), base: h("b"), quote: h("span", { class: "dim quote" }),
      trust: h("span", { class: "trust", hidden: true }), gauge: makeGauge(), value: h("span"), cells: h("span", { class: "cells" }),
    };
    line.symbol.append(line.base, line.quote, line.trust);
    line.score.append(line.gauge.root, line.value);
    line.frames.append(line.cells);
    line.row = h("tr", {}, line.rank, line.symbol, line.price, line.change, line.volume, line.score, line.confidence, line.frames, line.badges);
    return line;
  }

  /** Give a line to a symbol; what it showed of another is forgotten. */
  function lineFor(symbol) {
    const line = spare.pop() ?? makeLine();
    const [base, quote] = symbol.split("/");
    setText(line.base, base);
    setText(line.quote, `/${quote ?? ""}`);
    line.row.id = `row-${symbol.replace(/[^A-Za-z0-9]/g, "-")}`;
    line.row.dataset.symbol = symbol;
    line.seen = line.now = undefined;
    setClass(line.price, "n price");
    lines.set(symbol, line);
    return line;
  }

  function drawLine(line, row) {
    const mark = at.marked.has(row.symbol);
    if (line.mark !== mark || line.seen !== row) {
      line.mark = mark;
      setText(line.rank, mark ? "✓" : row.ranked ? String(row.rank) : "–");
      setClass(line.rank, `n rank ${mark ? "marked" : "dim"}`);
    }
    if (line.seen === row) return;
    line.seen = row;
    setText(line.change, changeText(row.change));
    setClass(line.change, `n change ${changeTone(row.change)}`);
    setText(line.volume, amount(row.volume));
    setText(line.value, row.score === null ? "–" : `${GLYPH[row.direction]} ${number(row.score)}`);
    setClass(line.value, `value ${torn(row) ? "dim" : TONE[row.direction]}`);
    drawGauge(line.gauge, row);
    setText(line.confidence, number(row.confidence));
    line.trust.hidden = !doubted(row);
    setText(line.trust, line.trust.hidden ? "" : `${pie(row.trust)} ${number(row.trust)}`);
    line.trust.title = line.trust.hidden ? "" : doubts(row);
    drawCells(line.cells, row, at.state.frames);
    drawTags(line.badges, row);
    line.row.title = told(row, at.state);
    line.score.title = `${arrow()}.\n${line.row.title}`;
    line.row.classList.toggle("stopped", Boolean(row.stopped));
  }

  function drawPrice(line, row) {
    const now = at.prices[row.symbol] ?? row.price;
    if (line.now === now) return;
    const text = price(now);
    if (line.now !== undefined && text !== line.price.textContent) setClass(line.price, now > line.now ? "n price rose" : "n price fell");
    line.now = now;
    setText(line.price, text);
    line.price.title = String(now);
  }

  function soon() {
    if (frame === 0) frame = requestAnimationFrame(() => { frame = 0; draw(shown); });
  }

  /** Show rows: those in sight get a line, what is above and below is empty space. */
  function draw(rows) {
    shown = rows;
    const many = Math.ceil((root.clientHeight || 900) / ROW_PX) + 2 * AROUND;
    const from = Math.max(0, Math.min(Math.floor(root.scrollTop / ROW_PX) - AROUND, rows.length - many));
    const to = Math.min(rows.length, from + many);
    above.style.height = `${from * ROW_PX}px`;
    below.style.height = `${(rows.length - to) * ROW_PX}px`;
    first.hidden = from === 0;
    last.hidden = to === rows.length;
    const inSight = new Set();
    for (let i = from; i < to; i += 1) inSight.add(rows[i].symbol);
    for (const [symbol, line] of lines) {
      if (inSight.has(symbol)) continue;
      line.row.remove();
      lines.delete(symbol);
      if (spare.length < 64) spare.push(line);
    }
    let before = first;
    for (let i = from; i < to; i += 1) {
      const row = rows[i], line = lines.get(row.symbol) ?? lineFor(row.symbol);
      drawLine(line, row);
      drawPrice(line, row);
      line.row.setAttribute("aria-rowindex", i + 2);
      if (before.nextSibling !== line.row) body.insertBefore(line.row, before.nextSibling);
      before = line.row;
    }
    grid.setAttribute("aria-rowcount", rows.length + 1);
    drawHeads();
    mark();
  }

  function drawHeads() {
    for (const th of [...heads, framesHead, seenHead]) {
      const sort = th.dataset.key !== at.model.sort ? "none" : at.model.down ? "descending" : "ascending";
      if (th.getAttribute("aria-sort") !== sort) th.setAttribute("aria-sort", sort);
    }
    const frames = at.state.frames;
    if (framesHead.dataset.frames !== frames.join()) {
      framesHead.dataset.frames = frames.join();
      framesHead.style.setProperty("--n", frames.length);
      framesHead.replaceChildren(h("span", { class: "cells" }, ...frames.map((name) => h("button", {
        type: "button", "data-frame": name, title: t("Chart in {frame}", { frame: name }), onclick: () => at.choose(null, name),
      }, name))));
    }
    framesHead.querySelectorAll("button").forEach((b) => b.setAttribute("aria-pressed", b.dataset.frame === at.model.timeframe));
  }

  function mark() {
    for (const [symbol, line] of lines) {
      const on = symbol === at.model.selected;
      if (line.on === on && line.row.hasAttribute("aria-selected")) continue;
      line.on = on;
      line.row.classList.toggle("selected", on);
      line.row.setAttribute("aria-selected", on);
      if (on) grid.setAttribute("aria-activedescendant", line.row.id);
      if (on && !root.matches(":hover")) offer(line);
    }
  }

  /** Bring the two buttons of a row to it. */
  function offer(line) {
    const symbol = line.row.dataset.symbol;
    acts.dataset.symbol = symbol;
    const held = at.lists().some((list) => list.includes(symbol));
    setText(watch, held ? "★" : "☆");
    for (const [button, text] of [[watch, held ? t("On a watchlist: change for {symbol}", { symbol }) : t("Watch {symbol}", { symbol })], [bell, t("Price alert for {symbol}", { symbol })]]) {
      button.title = text;
      button.setAttribute("aria-label", text);
    }
    if (acts.parentNode !== line.symbol) line.symbol.append(acts);
  }

  function press(event) {
    const row = event.target.closest("tr[data-symbol]");
    if (!row || event.target.closest(".acts")) return;
    if (event.target.closest("td.rank")) at.toggle(row.dataset.symbol);
    else at.choose(row.dataset.symbol, event.target.dataset.frame);
  }

  function move(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.(".acts, th")) return;
    const here = shown.findIndex((row) => row.symbol === at.model.selected);
    if (event.key === " " && here >= 0) { event.preventDefault(); at.toggle(at.model.selected); return; }
    const page = Math.max(1, Math.floor(root.clientHeight / ROW_PX) - 2);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: shown.length - 1, PageDown: here + page, PageUp: here - page }[event.key];
    if (to === undefined || shown.length === 0) return;
    event.preventDefault();
    const place = Math.min(shown.length - 1, Math.max(0, to));
    reach(place);
    at.choose(shown[place].symbol);
  }

  /** Scroll so far that a row is in sight below the head. */
  function reach(place) {
    const head = grid.tHead.offsetHeight, top = place * ROW_PX;
    if (top < root.scrollTop) root.scrollTop = top;
    else if (top + ROW_PX + head > root.scrollTop + root.clientHeight) root.scrollTop = top + ROW_PX + head - root.clientHeight;
    draw(shown);
  }

  body.addEventListener("click", press);
  body.addEventListener("mouseover", (event) => {
    const line = lines.get(event.target.closest("tr")?.dataset.symbol);
    if (line) offer(line);
  });
  body.addEventListener("animationend", (event) => { if (event.target.matches("td.price")) event.target.className = "n price"; });
  const resized = new ResizeObserver(soon);
  resized.observe(root);
  return {
    root, draw, mark, move, focus: () => grid.focus(), close: () => { resized.disconnect(); cancelAnimationFrame(frame); },
    reprice: () => { for (const row of shown) { const line = lines.get(row.symbol); if (line) drawPrice(line, row); } },
    again: () => { for (const line of lines.values()) line.seen = undefined; },
  };
}
