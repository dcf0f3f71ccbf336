// Equity with the drawdown below it, on one time axis; the last point moves with the market.

const HEIGHT = 290, SPLIT = 0.7, RIGHT = 66, BOTTOM = 22, TOP = 12;

export function render({ model }) {
  const svg = h("svg", { role: "img", tabindex: 0, preserveAspectRatio: "none" });
  const shape = (name, parent = svg) => { const e = h("path", { class: name }); parent.append(e); return e; };
  const grid = shape("grid"), base = shape("base"), fall = shape("fall"), fallLine = shape("fall-line"), line = shape("line"), cross = shape("cross");
  const labels = h("div", { class: "labels", "aria-hidden": "true" });
  const readout = h("span", { class: "readout", role: "status", "aria-live": "polite" });
  const empty = h("p", { class: "dim empty" }, t("The curve begins at the first close of a decision bar."));
  const plot = h("div", { class: "plot" }, svg, labels);
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Equity")), readout), plot, empty);
  let time = [], equity = [], drawdown = [], start = 0, width = 0, at = -1, view = null;

  function read() {
    const p = JSON.parse(model.points || "{}"), now = JSON.parse(model.newest || "{}");
    time = [...(p.time ?? [])];
    equity = [...(p.equity ?? [])];
    drawdown = [...(p.drawdown ?? [])];
    start = p.start ?? 0;
    if (now.time && time.length && now.time >= time[time.length - 1]) {
      if (now.time === time[time.length - 1]) { time.pop(); equity.pop(); drawdown.pop(); }
      time.push(now.time);
      equity.push(now.equity);
      drawdown.push(now.drawdown);
    }
    draw();
  }

  /** Round steps over a span: at most `n` of 1, 2 or 5 times a power of ten. */
  function steps(low, high, n) {
    const raw = (high - low) / n || 1, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= raw);
    const found = [];
    for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step) found.push(v);
    return found;
  }

  function draw() {
    const n = time.length;
    plot.hidden = n < 2;
    empty.hidden = n >= 2;
    if (n < 2) { setText(readout, ""); return; }
    width = plot.clientWidth || width;
    if (width < 60) return;
    const right = width - RIGHT, cut = TOP + (HEIGHT - TOP - BOTTOM) * SPLIT, bottom = HEIGHT - BOTTOM;
    let low = Math.min(start, ...equity), high = Math.max(start, ...equity);
    const pad = Math.max((high - low) * 0.06, Math.abs(high) * 1e-4);
    low -= pad; high += pad;
    const deep = Math.max(0.005, ...drawdown) * 1.1, first = time[0], span = time[n - 1] - first || 1;
    const x = (t) => (t - first) / span * right;
    const y = (v) => TOP + (high - v) / (high - low) * (cut - 14 - TOP);
    const z = (d) => cut + d / deep * (bottom - cut);
    view = { x, y, z, right, bottom };
    const fixed = (v) => v.toFixed(1), path = (ys) => time.map((t, i) => `${i ? "L" : "M"}${fixed(x(t))} ${fixed(ys[i])}`).join("");
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    svg.setAttribute("width", width);
    svg.setAttribute("height", HEIGHT);
    line.setAttribute("d", path(equity.map(y)));
    base.setAttribute("d", `M0 ${fixed(y(start))}H${right}`);
    const under = path(drawdown.map(z));
    fallLine.setAttribute("d", under);
    fall.setAttribute("d", `${under}L${fixed(right)} ${fixed(cut)}L0 ${fixed(cut)}Z`);
    const marks = steps(low, high, 4), falls = steps(0, deep, 2).filter((d) => d > 0);
    grid.setAttribute("d", [...marks.map(y), ...falls.map(z), cut].map((v) => `M0 ${fixed(v)}H${right}`).join(""));
    const dates = Math.max(2, Math.floor(right / 130));
    labels.replaceChildren(
      ...marks.map((v) => tag(width - RIGHT + 6, y(v), v.toLocaleString("en-US", { maximumFractionDigits: high - low < 20 ? 2 : 0 }))),
      ...falls.map((d) => tag(width - RIGHT + 6, z(d), `−${(100 * d).toFixed(deep < 0.03 ? 1 : 0)} %`)),
      ...Array.from({ length: dates }, (_, i) => tag(right * i / dates + (i ? 0 : 4), bottom + 11, clock(first + span * i / dates), i ? "mid" : "")),
      tag(6, bottom - 8, t("Drawdown")), tag(6, TOP + 2, t("Equity")));
    const last = n - 1;
    svg.setAttribute("aria-label", t("Equity from {first} to {last}: {from} to {to}, drawdown {fall}. Arrow keys read single points.", { first: clock(first), last: clock(time[last]), from: money(equity[0]), to: money(equity[last]), fall: share(drawdown[last]) }));
    point(at < 0 || at > last ? -1 : at);
  }

  function tag(left, top, text, kind = "") {
    return h("span", { class: kind, style: `left:${left.toFixed(0)}px;top:${top.toFixed(0)}px` }, text);
  }

  function point(i) {
    at = i;
    const last = time.length - 1, k = i < 0 ? last : i;
    if (last < 1 || !view) return;
    cross.setAttribute("d", i < 0 ? "" : `M${view.x(time[k]).toFixed(1)} ${TOP}V${view.bottom}`);
    setText(readout, `${clock(time[k])} · ${money(equity[k])} · ${fig(percent(equity[k] / start - 1, 2))} · ${t("drawdown {share}", { share: share(drawdown[k], 2) })}`);
  }

  function near(event) {
    if (!view) return;
    const t = time[0] + (event.clientX - svg.getBoundingClientRect().left) / view.right * (time[time.length - 1] - time[0]);
    let low = 0, high = time.length - 1;
    while (low < high) { const mid = (low + high) >> 1; if (time[mid] < t) low = mid + 1; else high = mid; }
    point(low);
  }

  svg.addEventListener("pointermove", near);
  svg.addEventListener("pointerleave", () => point(-1));
  svg.addEventListener("blur", () => point(-1));
  svg.addEventListener("keydown", (event) => {
    const last = time.length - 1, from = at < 0 ? last : at;
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    point(Math.max(0, Math.min(last, to)));
  });
  new ResizeObserver(() => { if (plot.clientWidth !== width) draw(); }).observe(root);
  model.on("points", read);
  model.on("newest", read);
  read();
  return root;
}
