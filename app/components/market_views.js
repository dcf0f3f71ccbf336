// The same rows as cards and as a bar chart. A view draws rows, and changes in place what it has.

/** Keep one element a symbol: `make(symbol)` gives {root, ...}, `fill(part, row)` draws a row. */
function keyed(place, make, fill) {
  const parts = new Map();
  return (rows) => {
    const keep = new Set(rows.map((row) => row.symbol));
    for (const [symbol, part] of parts) if (!keep.has(symbol)) { part.root.remove(); parts.delete(symbol); }
    rows.forEach((row, i) => {
      let part = parts.get(row.symbol);
      if (!part) parts.set(row.symbol, (part = make(row.symbol)));
      fill(part, row);
      if (place.children[i] !== part.root) place.insertBefore(part.root, place.children[i] ?? null);
    });
    return parts;
  };
}

/** A button for a symbol that chooses it. */
function symbolButton(at, symbol, css, ...children) {
  return h("button", { type: "button", class: css, "data-symbol": symbol, onclick: () => at.choose(symbol) }, ...children);
}

function symbolName(symbol) {
  const [base, quote] = symbol.split("/");
  return h("span", { class: "name" }, h("b", {}, base), h("span", { class: "dim" }, `/${quote ?? ""}`));
}

function spoken(row) {
  return t("{symbol}: {side}, score {score}, confidence {confidence}", { symbol: row.symbol, side: t(WORD[row.direction]), score: number(row.score), confidence: number(row.confidence) });
}

/** What views share: a part of the rows, the chosen one marked, arrow keys between symbols. */
function tiled(at, css, label, most, drawer) {
  const place = h("div", { class: css, role: "group", "aria-label": label });
  const more = h("button", { class: "btn more", type: "button", hidden: true, onclick: () => { shown = Infinity; draw(newest); } });
  const root = h("div", { class: "scroll" }, place, more);
  let newest = [], shown = most;
  const put = drawer(place);

  function draw(rows) {
    newest = rows;
    put(rows.slice(0, shown));
    more.hidden = rows.length <= shown;
    setText(more, t("Show all {n}", { n: rows.length }));
    mark();
  }

  function mark() {
    for (const part of place.querySelectorAll("[data-symbol]")) {
      part.setAttribute("aria-pressed", part.dataset.symbol === at.model.selected);
      part.classList.toggle("marked", at.marked.has(part.dataset.symbol));
    }
  }

  place.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const all = [...place.querySelectorAll("[data-symbol]")], here = all.indexOf(root.getRootNode().activeElement);
    if (!step || here < 0) return;
    event.preventDefault();
    all[Math.min(all.length - 1, Math.max(0, here + step))].focus();
  });
  return { root, draw, mark, reprice: () => draw(newest), focus: () => place.querySelector("[data-symbol]")?.focus(), close: () => {}, again: () => {} };
}

function cardsView(at) {
  const make = (symbol) => {
    const part = { now: h("span", { class: "now" }), change: h("span"), gauge: makeGauge(), value: h("span"), conf: h("span", { class: "dim" }),
      cells: h("span", { class: "cells" }), tags: h("span", { class: "tags" }), volume: h("span", { class: "dim" }) };
    part.root = symbolButton(at, symbol, "tile",
      h("span", { class: "line" }, symbolName(symbol), part.now), h("span", { class: "line" }, part.volume, part.change),
      h("span", { class: "line ltr" }, part.value, part.gauge.root, part.conf), h("span", { class: "line ltr" }, part.cells), part.tags);
    return part;
  };
  const fill = (part, row) => {
    setText(part.now, price(at.prices[row.symbol] ?? row.price));
    if (part.seen === row) return;
    part.seen = row;
    setText(part.change, changeText(row.change));
    setClass(part.change, `ltr ${changeTone(row.change)}`);
    setText(part.volume, t("Vol {amount}", { amount: amount(row.volume) }));
    setText(part.value, row.score === null ? "–" : `${GLYPH[row.direction]} ${number(row.score)}`);
    setClass(part.value, `value ${torn(row) ? "dim" : TONE[row.direction]}`);
    setText(part.conf, number(row.confidence));
    drawGauge(part.gauge, row);
    drawCells(part.cells, row, at.state.frames);
    drawTags(part.tags, row);
    part.root.title = told(row, at.state);
    part.root.setAttribute("aria-label", spoken(row));
    part.root.classList.toggle("stopped", Boolean(row.stopped));
  };
  return tiled(at, "cardgrid", t("Opportunities as cards"), 120, (place) => keyed(place, make, fill));
}

function barsView(at) {
  const make = (symbol) => {
    const part = { fill: h("i"), value: h("span"), conf: h("span", { class: "dim" }) };
    part.root = symbolButton(at, symbol, "barline", symbolName(symbol), h("span", { class: "axis" }, part.fill), part.value, part.conf);
    return part;
  };
  const fill = (part, row) => {
    if (part.seen === row) return;
    part.seen = row;
    const net = row.score === null ? 0 : row.score - 0.5;
    setClass(part.fill, net > 0 ? "up" : "down");
    part.fill.style.width = `${(100 * Math.abs(net)).toFixed(1)}%`;
    part.fill.style.opacity = (0.35 + 0.65 * (row.confidence ?? 0)).toFixed(2);
    setText(part.value, row.score === null ? "–" : `${GLYPH[row.direction]} ${number(row.score)}`);
    setClass(part.value, `value ${torn(row) ? "dim" : TONE[row.direction]}`);
    setText(part.conf, number(row.confidence));
    part.root.title = told(row, at.state);
    part.root.setAttribute("aria-label", spoken(row));
    part.root.classList.toggle("stopped", Boolean(row.stopped));
  };
  const view = tiled(at, "bars", t("Scores as bars"), 250, (place) => keyed(place, make, fill));
  view.root.prepend(h("div", { class: "barline legend", "aria-hidden": "true" }, h("span", {}, t("Symbol")),
    h("span", { class: "ends" }, h("span", {}, "0"), h("span", {}, t("bearish")), h("span", {}, "0.5"), h("span", {}, t("bullish")), h("span", {}, "1")), h("span", {}, t("Score")), h("span", {}, t("Conf"))));
  return view;
}
