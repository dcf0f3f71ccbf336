// The heat map: a tile a symbol, as large as it is traded or strong, coloured by its score.

const STEPS = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
const TINT = [6, 10, 15, 21, 28, 36, 46];  // percent of the side's colour; text stays readable on all
const MOST_TILES = 250;

/** How strongly a tile is coloured: steps of the score along its side. */
function tint(row) { return TINT[STEPS.filter((step) => 2 * (strength(row) - 0.5) >= (step - 0.3) * 0.8).length]; }

const SIZES = {
  volume: (row) => Math.sqrt(Math.max(1, row.volume ?? 1)), strength: (row) => Math.max(0.05, Math.abs((row.score ?? 0.5) - 0.5)) + 0.02, equal: () => 1,
};

/** Cut a rectangle into tiles that are as square as can be: [[x, y, width, height], ...]. */
function squarified(sizes, width, height) {
  const total = sizes.reduce((sum, s) => sum + s, 0), areas = sizes.map((s) => (s / total) * width * height), placed = [];
  let [x, y, w, hh, i] = [0, 0, width, height, 0];
  while (i < areas.length) {
    const side = Math.min(w, hh);
    let n = 1, sum = areas[i], worst = Infinity;
    for (; ;) {
      const thick = sum / side;
      const next = Math.max(...areas.slice(i, i + n).map((a) => Math.max(thick * thick / a, a / (thick * thick))));
      if (next > worst) { n -= 1; sum -= areas[i + n]; break; }
      worst = next;
      if (i + n >= areas.length) break;
      sum += areas[i + n];
      n += 1;
    }
    const thick = sum / side;
    let along = 0;
    for (const area of areas.slice(i, i + n)) {
      const length = area / thick;
      placed.push(w <= hh ? [x + along, y, length, thick] : [x, y + along, thick, length]);
      along += length;
    }
    if (w <= hh) { y += thick; hh -= thick; } else { x += thick; w -= thick; }
    i += n;
  }
  return placed;
}

function heatView(at) {
  let size = "volume", newest = [];
  const place = h("div", { class: "heat", role: "group", "aria-label": t("Heat map of scores") });
  const by = h("select", { class: "field", "aria-label": t("Size of the tiles"), onchange: () => { size = by.value; draw(newest); } },
    h("option", { value: "volume" }, t("by volume")), h("option", { value: "strength" }, t("by strength")), h("option", { value: "equal" }, t("all alike")));
  const key = h("span", { class: "key", "aria-hidden": "true" }, h("span", { class: "dim" }, `▼ ${t("bearish")}`),
    ...[...TINT].reverse().map((n) => h("i", { style: `--tone: var(--bear); --n: ${n}%` })), ...TINT.map((n) => h("i", { style: `--tone: var(--bull); --n: ${n}%` })), h("span", { class: "dim" }, `▲ ${t("bullish")}`));
  const note = h("span", { class: "note" });
  const root = h("div", { class: "heatwrap" }, place, h("div", { class: "heatfoot" }, h("label", {}, h("span", { class: "note" }, t("Size")), by), note, h("span", { class: "spacer" }), key));
  const make = (symbol) => {
    const part = { score: h("span", { class: "value" }), change: h("span", { class: "small" }) };
    part.root = symbolButton(at, symbol, "heattile", h("b", {}, symbol.split("/")[0]), part.score, part.change);
    return part;
  };
  const fill = (part, row) => {
    if (part.seen === row) return;
    part.seen = row;
    setText(part.score, row.score === null ? "–" : `${GLYPH[row.direction]} ${number(row.score)}`);
    setText(part.change, changeText(row.change));
    part.root.style.setProperty("--tone", row.direction > 0 ? "var(--bull)" : row.direction < 0 ? "var(--bear)" : "var(--dim)");
    part.root.style.setProperty("--n", `${tint(row)}%`);
    part.root.title = `${row.symbol}\n${told(row, at.state)}`;
    part.root.setAttribute("aria-label", spoken(row));
    part.root.classList.toggle("stopped", Boolean(row.stopped));
  };
  const put = keyed(place, make, fill);

  function draw(rows) {
    newest = rows;
    const { clientWidth: width, clientHeight: height } = place;
    const of = SIZES[size], tiles = rows.slice(0, MOST_TILES).sort((a, b) => of(b) - of(a) || (a.symbol < b.symbol ? -1 : 1));
    const parts = put(tiles);
    setText(note, rows.length > MOST_TILES ? t("first {n}", { n: MOST_TILES }) : "");
    if (width > 0 && height > 0 && tiles.length > 0) {
      squarified(tiles.map(of), width, height).forEach(([x, y, w, tall], i) => {
        const { root: tile } = parts.get(tiles[i].symbol);
        Object.assign(tile.style, { left: `${x.toFixed(1)}px`, top: `${y.toFixed(1)}px`, width: `${w.toFixed(1)}px`, height: `${tall.toFixed(1)}px` });
        tile.dataset.fits = w < 40 || tall < 24 ? "none" : w < 64 || tall < 54 ? "name" : "all";
      });
    }
    mark();
  }

  function mark() { for (const tile of place.children) tile.setAttribute("aria-pressed", tile.dataset.symbol === at.model.selected); }

  place.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key], here = [...place.children].indexOf(root.getRootNode().activeElement);
    if (!step || here < 0) return;
    event.preventDefault();
    place.children[Math.min(place.children.length - 1, Math.max(0, here + step))].focus();
  });
  const resized = new ResizeObserver(() => draw(newest));
  resized.observe(place);
  return { root, draw, mark, reprice: () => {}, focus: () => place.firstChild?.focus(), close: () => resized.disconnect(), again: () => {} };
}
