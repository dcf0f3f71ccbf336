// What the results of research share: a hint on hover and focus, a heat map, a small plot.

/**
 * Show `data-hint` of what is pointed at or focused, in a bubble of the root; Escape hides it.
 * A title would never be shown to who uses the keyboard.
 */
function hints(root) {
  const bubble = h("div", { class: "bubble", role: "tooltip", id: "hint", popover: "manual" });
  let on = null;
  const hide = () => {
    if (on === null) return;
    on.removeAttribute("aria-describedby");
    on = null;
    if (bubble.isConnected) bubble.hidePopover?.();
  };
  const show = (event) => {
    const at = event.target.closest?.("[data-hint]");
    if (at === on) return;
    hide();
    if (!at?.dataset.hint) return;
    on = at;
    setText(bubble, at.dataset.hint);
    if (!bubble.isConnected) root.append(bubble);
    at.setAttribute("aria-describedby", "hint");
    bubble.showPopover?.();
    const box = at.getBoundingClientRect(), own = bubble.getBoundingClientRect();
    const left = Math.max(6, Math.min(box.left, window.innerWidth - own.width - 6));
    const below = box.bottom + 6 + own.height < window.innerHeight;
    bubble.style.left = `${left}px`;
    bubble.style.top = `${below ? box.bottom + 6 : Math.max(6, box.top - own.height - 6)}px`;
  };
  root.addEventListener("pointerover", show);
  root.addEventListener("focusin", show);
  root.addEventListener("pointerleave", hide);
  root.addEventListener("focusout", hide);
  root.addEventListener("keydown", (event) => { if (event.key === "Escape" && on) { event.stopPropagation(); hide(); } });
  window.addEventListener("scroll", hide, { passive: true, capture: true });
  return () => window.removeEventListener("scroll", hide, { capture: true });
}

/** Background of a heat map's cell: losses and gains have tones of their own, 0 has none. */
function heatTone(value, reach) {
  if (value === null || value === undefined || !reach) return null;
  const part = Math.round(48 * Math.min(1, Math.abs(value) / reach));
  return `background: color-mix(in srgb, var(--${value < 0 ? "bear" : "bull"}) ${part}%, transparent)`;
}

/** The same for shares, which have one side: the accent grows with the value. */
function shareTone(value, reach) {
  if (!value || !reach) return null;
  return `background: color-mix(in srgb, var(--acc) ${Math.round(48 * Math.min(1, value / reach))}%, transparent)`;
}

/**
 * A heat map is a table: its numbers can be read, by a screen reader too.
 * heat({label, corner, columns, rows: [[name, cells]], cell: (value) => ({text, style, hint, mark})})
 */
function heat({ label, corner = "", columns, rows, cell, first = 84, least = 44 }) {
  const line = ([name, cells]) => h("tr", {}, h("th", { scope: "row" }, name), ...cells.map((value, i) => {
    const { text, style, hint, mark } = cell(value, i, name);
    return h("td", { style, "data-hint": hint, tabindex: hint ? -1 : null, class: mark ? "marked" : null }, text);
  }));
  return h("div", { class: "scroll heat", tabindex: 0, role: "region", "aria-label": label },
    h("table", { "aria-label": label, style: `--first: ${first}px; min-width: ${first + least * columns.length}px` }, h("thead", {}, h("tr", {}, h("td", { class: "corner" }, corner), ...columns.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...rows.map(line))));
}

/** Round steps over a span: at most about `n` of 1, 2 or 5 times a power of ten. */
function roundSteps(low, high, n) {
  const raw = (high - low) / n || 1, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= raw * 0.999);
  const found = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + step * 1e-9; v += step) found.push(Math.abs(v) < step * 1e-9 ? 0 : v);
  return found;
}

/**
 * A picture that is drawn again when its width changes: paint(pen, width) with pen.path(class, d)
 * and pen.text(x, y, words, class). Numbers run left to right in every language.
 */
function plot(height, paint) {
  const svg = h("svg", { role: "img" }), labels = h("div", { class: "labels", "aria-hidden": "true" });
  const root = h("div", { class: "plot", dir: "ltr", style: `height: ${height}px` }, svg, labels);
  let width = 0;
  const pen = {
    path: (name, d) => svg.append(h("path", { class: name, d })),
    text: (x, y, words, name = "") => labels.append(h("span", { class: name, style: `left:${x.toFixed(0)}px;top:${y.toFixed(0)}px` }, words)),
    say: (words) => svg.setAttribute("aria-label", words),
  };
  function draw() {
    width = root.clientWidth;
    if (width < 60) return;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    svg.replaceChildren();
    labels.replaceChildren();
    paint(pen, width);
  }
  new ResizeObserver(() => { if (root.clientWidth !== width) draw(); }).observe(root);
  return { root, draw, svg };
}

/** Write a number with a real minus; what is not defined is a dash. */
function minus(value, digits = 2) { return number(value, digits).replace("-", "−"); }

/** Write a time without its hour where a picture spans days. */
function day(ms, span) { return span > 3 * 86_400_000 ? clock(ms).split(" ").slice(0, 2).join(" ") : clock(ms); }

/** A dot as a path. */
function dot(x, y, r) { return `M${(x - r).toFixed(1)} ${y.toFixed(1)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`; }

/** Points joined by lines; null leaves a hole. */
function joined(points) {
  let down = false;
  return points.map(([x, y]) => {
    if (y === null || !Number.isFinite(y)) { down = false; return ""; }
    const d = `${down ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    down = true;
    return d;
  }).join("");
}

/** A fact with its meaning: [name, text, hint, tone]. */
function fact([name, text, hint, tone = 0]) {
  return h("div", { class: "tile", "data-hint": hint || null, tabindex: hint ? 0 : null },
    h("span", { class: "name" }, name), h("b", { class: tone ? TONE[tone] : "" }, tone ? `${GLYPH[tone]} ` : "", text));
}

/** What a result is worth in one sentence: good 1, bad -1, undecided 0. */
function verdict(tone, text, more = "") {
  return h("p", { class: `verdict ${tone > 0 ? "good" : tone < 0 ? "bad" : "open"}` },
    h("span", { class: "sign", "aria-hidden": "true" }, tone > 0 ? "✓" : tone < 0 ? "✕" : "●"), h("b", {}, text), more ? h("span", {}, more) : null);
}

/** The stamp of invented prices, or where they come from. */
function stamp(state) {
  return state.simulated ? h("span", { class: "chip stamp", title: t("Prices are made up by the simulator") }, t("SIMULATED")) : h("span", { class: "chip" }, state.source);
}

/** A button that hands the browser a file made here. */
function file(name, type, make) {
  return h("button", { class: "pill", type: "button", onclick: () => {
    const url = URL.createObjectURL(new Blob([make()], { type }));
    const link = h("a", { href: url, download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  } }, name);
}

/** One field of a csv file: text that a spreadsheet would run gets an apostrophe. */
function field(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r\n＝＋－＠]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows as csv that a spreadsheet opens with the right letters. */
function table(rows) { return `\uFEFF${rows.map((row) => row.map(field).join(",")).join("\r\n")}\r\n`; }

/** Weights worth a word, largest first: smc .30 sar .10. */
function weightWords(weights) {
  return Object.entries(weights ?? {}).filter(([, w]) => w >= 0.005).sort((a, b) => b[1] - a[1])
    .map(([name, w]) => `${name.replace("_", " ")} ${w.toFixed(2).replace(/^0/, "")}`).join(" · ");
}
