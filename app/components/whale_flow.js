// Large traders: hours of net flow as bars that point up and down, symbols, and single prints.

const LEAST = [["0", t("All")], ["100000", "≥ 100 K"], ["500000", "≥ 500 K"], ["1000000", "≥ 1 M"], ["5000000", "≥ 5 M"]];
const HEIGHT = 116;

/** Write money in few figures: 1.2 M. */
function short(value) {
  const size = Math.abs(value), [unit, letter] = size >= 1e9 ? [1e9, " B"] : size >= 1e6 ? [1e6, " M"] : size >= 1e3 ? [1e3, " K"] : [1, ""];
  return `${value < 0 ? "−" : ""}${(size / unit).toFixed(unit === 1 || size / unit >= 100 ? 0 : 1)}${letter}`;
}

const lean = (value) => `${value > 0 ? "▲ +" : value < 0 ? "▼ " : "● "}${short(value)}`;
const sum = (values) => values.reduce((a, b) => a + b, 0);

export function render({ model }) {
  let s = {}, width = 0, at = -1, net = [], ages = [], quote = "";
  const symbol = h("select", { class: "field", "aria-label": t("Symbol"), onchange: () => keep({ symbol: symbol.value }) });
  const pills = LEAST.map(([value, label]) => h("button", { class: "pill", type: "button", "data-least": value, title: t("Least value of a print, quote currency"), onclick: () => keep({ least: value }) }, h("span", { class: "fig" }, label)));
  const age = h("span", { class: "dim age" });
  const tiles = ["net", "takers", "vpin"].map(() => { const b = h("b", { class: "fig" }), name = h("span", { class: "dim" }), below = h("span", { class: "dim below" }); return { b, name, below, box: h("div", { class: "tile" }, name, b, below) }; });
  const up = h("path", { class: "up" }), down = h("path", { class: "down" }), zero = h("path", { class: "zero" }), cross = h("path", { class: "cross" });
  const svg = h("svg", { role: "img", tabindex: 0, preserveAspectRatio: "none" }, zero, cross, up, down);
  const labels = h("div", { class: "labels", "aria-hidden": "true" }), plot = h("div", { class: "plot", dir: "ltr" }, svg, labels);
  const readout = h("p", { class: "dim readout" });
  const flows = h("div", { class: "flows" });
  const body = h("tbody");
  const count = h("span", { class: "dim", role: "status" });
  const prints = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("Large prints") }, h("table", {},
    h("thead", {}, h("tr", {}, ...[t("Age"), t("Symbol"), t("Taker"), t("Value"), t("Price")].map((name) => h("th", { scope: "col" }, name)))), body));
  const none = h("p", { class: "dim empty", role: "status" });
  const inside = h("div", { class: "inside" }, h("div", { class: "tiles" }, ...tiles.map((tile) => tile.box)), plot, readout, flows,
    h("div", { class: "sub" }, h("h3", {}, t("Large prints")), count, h("span", { class: "spacer" }), h("span", { class: "group", role: "group", "aria-label": t("Least value") }, ...pills)), prints, none);
  const empty = h("p", { class: "dim empty", role: "status" });
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Whales")), symbol, h("span", { class: "spacer" }), age), empty, inside);

  function keep(values) {
    for (const [name, value] of Object.entries(values)) model[name] = value;
    remember(values);
  }

  function draw() {
    s = JSON.parse(model.state || "{}");
    const names = s.symbols ?? [];
    if (symbol.options.length !== names.length + 1)
      symbol.replaceChildren(h("option", { value: "" }, t("All symbols")), ...names.map((name) => h("option", { value: name }, name)));
    const there = (s.rows ?? []).length > 0;
    inside.hidden = !there;
    empty.hidden = there;
    setText(empty, s.stamp === undefined ? t("The agent warms up; prints follow.") : t("This market has told of no prints in the last day."));
    if (there) choose();
    tick();
  }

  function choose() {
    symbol.value = model.symbol;
    const rows = s.rows.filter((r) => !model.symbol || r.symbol === model.symbol);
    quote = model.symbol ? model.symbol.split("/")[1] : s.quote;
    const whole = rows.length > 0 && quote !== "";  // sums of several currencies are none
    net = whole ? s.hours.map((_, i) => sum(rows.map((r) => r.large_buy[i] - r.large_sell[i]))) : [];
    const total = sum(net), bought = sum(rows.map((r) => r.bought)), sold = sum(rows.map((r) => r.sold));
    const large = sum(rows.map((r) => sum(r.large_buy) + sum(r.large_sell)));
    fill(tiles[0], t("Net large flow, 24 h"), whole ? `${lean(total)} ${quote}` : "–", t("bought less sold in prints above the 99th percentile, {part} % of all volume", { part: whole && bought + sold > 0 ? (100 * large / (bought + sold)).toFixed(0) : "–" }), Math.sign(total));
    const share = whole && bought + sold > 0 ? bought / (bought + sold) : null, side = share === null || Math.abs(share - 0.5) < 0.01 ? 0 : share > 0.5 ? 1 : -1;
    fill(tiles[1], t("Takers, 24 h"), share === null ? "–" : `${GLYPH[side]} ${(100 * share).toFixed(0)} %`, t("of the volume took the offer"), side);
    const vpins = rows.map((r) => r.vpin).filter((v) => v !== null);
    fill(tiles[2], t("VPIN"), vpins.length ? (sum(vpins) / vpins.length).toFixed(2) : "–", model.symbol ? t("how one-sided volume is, 0 to 1") : t("how one-sided volume is, mean of the symbols"), 0);
    chart();
    leaders();
    list();
  }

  function fill(tile, name, value, below, side) {
    setText(tile.name, name);
    setText(tile.b, value);
    setText(tile.below, below);
    setClass(tile.b, `fig ${side ? TONE[side] : ""}`);
  }

  function chart() {
    plot.hidden = readout.hidden = !net.length;
    width = plot.clientWidth || width;
    if (width < 60 || !net.length) return;
    const n = net.length, right = width - 54, step = right / n, most = Math.max(1, ...net.map(Math.abs)), mid = HEIGHT / 2, room = mid - 8;
    const bar = (v, i) => `M${(i * step + step / 2).toFixed(1)} ${mid}V${(mid - v / most * room).toFixed(1)}`;
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    svg.setAttribute("width", width);
    svg.setAttribute("height", HEIGHT);
    for (const path of [up, down]) path.setAttribute("stroke-width", Math.max(2, step * 0.62).toFixed(1));
    up.setAttribute("d", net.map((v, i) => v > 0 ? bar(v, i) : "").join(""));
    down.setAttribute("d", net.map((v, i) => v < 0 ? bar(v, i) : "").join(""));
    zero.setAttribute("d", `M0 ${mid}H${right}`);
    labels.replaceChildren(...[[most, 8], [0, mid], [-most, HEIGHT - 8]].map(([v, y]) => h("span", { style: `left:${right + 6}px;top:${y}px` }, v ? lean(v).slice(2) : "0")));
    svg.setAttribute("aria-label", t("Net large flow by hour, the last {n} hours. Arrow keys read single hours.", { n }));
    point(at >= n ? -1 : at);
  }

  function point(i) {
    at = i;
    const n = net.length;
    if (!n) return;
    const step = (width - 54) / n, hour = i < 0 ? n - 1 : i;
    cross.setAttribute("d", i < 0 ? "" : `M${(i * step + step / 2).toFixed(1)} 0V${HEIGHT}`);
    setText(readout, `${clock(s.hours[hour])} · ${lean(net[hour])} ${quote}`);
  }

  function leaders() {
    flows.hidden = Boolean(model.symbol) || s.rows.length < 2 || quote === "";
    const all = s.rows.map((r) => [r.symbol, sum(r.large_buy) - sum(r.large_sell)]).sort((a, b) => b[1] - a[1]);
    const most = Math.max(1, ...all.map(([, v]) => Math.abs(v)));
    const shown = all.length > 8 ? [...all.slice(0, 4), ...all.slice(-4)] : all;
    flows.replaceChildren(...shown.map(([name, v]) => h("button", { class: "flow", type: "button", title: t("News and prints of {symbol} alone", { symbol: name }), onclick: () => keep({ symbol: name }) },
      h("span", { class: "who" }, name.split("/")[0]), h("span", { class: "track", "aria-hidden": "true" }, h("i", { class: v < 0 ? "down" : "up", style: `width:${(50 * Math.abs(v) / most).toFixed(1)}%` })),
      h("span", { class: `fig ${TONE[Math.sign(v)]}` }, lean(v)))));
  }

  function list() {
    const least = Number(model.least), mine = s.prints.filter((p) => !model.symbol || p.symbol === model.symbol), shown = mine.filter((p) => p.value >= least);
    for (const pill of pills) pill.setAttribute("aria-pressed", String(pill.dataset.least === model.least));
    setText(count, t("{shown} of {all}, 24 h", { shown: shown.length, all: mine.length }));
    ages = [];
    const top = prints.scrollTop;
    body.replaceChildren(...shown.slice(0, 150).map((p) => {
      const when = h("td", { title: t("The largest print of the five minutes from {time}", { time: clock(p.time) }), class: "dim" });
      ages.push([when, p.time]);
      return h("tr", {}, when, h("td", {}, h("b", {}, p.symbol.split("/")[0])), h("td", { class: TONE[p.side] }, p.side > 0 ? `▲ ${t("buy")}` : `▼ ${t("sell")}`),
        h("td", {}, h("b", { class: "fig" }, short(p.value))), h("td", {}, h("span", { class: "fig" }, price(p.price))));
    }));
    prints.scrollTop = top;
    prints.hidden = !shown.length;
    none.hidden = shown.length > 0;
    setText(none, mine.length ? t("No print of the last day was so large.") : t("No prints of this symbol in the last day."));
  }

  function tick() {
    for (const [node, time] of ages) setText(node, ago(model.clock - time));
    setText(age, s.until ? t("until {time} · {source}", { time: clock(s.until), source: s.stamp }) : s.stamp ?? "");
  }

  svg.addEventListener("pointermove", (event) => {
    const i = Math.floor((event.clientX - svg.getBoundingClientRect().left) / (width - 54) * net.length);
    point(Math.max(0, Math.min(net.length - 1, i)));
  });
  svg.addEventListener("pointerleave", () => point(-1));
  svg.addEventListener("blur", () => point(-1));
  svg.addEventListener("keydown", (event) => {
    const last = net.length - 1, from = at < 0 ? last : at;
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    point(Math.max(0, Math.min(last, to)));
  });
  new ResizeObserver(() => { if (net.length && plot.clientWidth !== width) chart(); }).observe(root);
  const again = () => { if ((s.rows ?? []).length) { choose(); tick(); } };
  model.on("state", draw);
  model.on("clock", tick);
  model.on("symbol", again);
  model.on("least", again);
  draw();
  return root;
}
