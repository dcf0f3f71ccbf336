// Sizes of the Live page's parts: lines between them that pointer and arrow keys move. They are
// remembered in this browser; a double click, or Enter, brings a line back to where it was.

const LAYOUT_KEY = "opportunity-layout";

/** Tell the styles how high the header is: what sticks below it has to know. */
const header = document.querySelector("body > header");
new ResizeObserver(() => document.documentElement.style.setProperty("--op-top", `${header.offsetHeight}px`)).observe(header);

const rect = (grid, name) => grid.querySelector(name).getBoundingClientRect();

/** Distance of x from where reading starts. */
const inward = (box, x) => (document.documentElement.dir === "rtl" ? box.right - x : x - box.left);

/**
 * The lines. `at` gives the size for a place of the pointer, `now` the size as it is, `wear` the
 * variables that give it; `least` and `most` bound it; `step` is what an arrow key moves.
 */
const LINES = [
  { name: "table", axis: "x", least: 25, most: 70, step: 2,
    label: () => t("Width of the table"),
    now: (grid) => 100 * rect(grid, ".table").width / (rect(grid, ".table").width + rect(grid, ".chart").width),
    at: (grid, { x }) => 100 * inward(rect(grid, ".table"), x) / (rect(grid, ".table").width + rect(grid, ".chart").width),
    wear: (v) => ({ "--live-table": `${v}fr`, "--live-chart": `${100 - v}fr` }) },
  { name: "side", axis: "x", least: 240, most: 560, step: -16,
    label: () => t("Width of the weights"),
    now: (grid) => rect(grid, ".side").width,
    at: (grid, { x }) => rect(grid, ".side").width - inward(rect(grid, ".side"), x),
    wear: (v) => ({ "--live-side": `${v}px` }) },
  { name: "why", axis: "y", least: 120, most: 520, step: -16,
    label: () => t("Height of the explanation"),
    now: (grid) => rect(grid, ".why").height,
    at: (grid, { y }) => rect(grid, ".why").bottom - y,
    wear: (v) => ({ "--live-why": `${v}px` }) },
  { name: "score", axis: "y", least: 12, most: 60, step: -2,
    label: () => t("Height of the score strip"),
    now: (grid) => 100 * rect(grid, ".score").height / (rect(grid, ".score").height + rect(grid, ".price").height),
    at: (grid, { y }) => 100 * (rect(grid, ".score").bottom - y) / (rect(grid, ".score").height + rect(grid, ".price").height),
    wear: (v) => ({ "--live-score": `${v}`, "--live-price": `${100 - v}` }) },
];

function remembered() {
  try { return JSON.parse(localStorage.getItem(LAYOUT_KEY)) ?? {}; } catch { return {}; }
}

function splitter(grid, line, sizes) {
  const handle = h("div", { class: "split", "data-split": line.name, role: "separator", tabindex: "0",
    "aria-orientation": line.axis === "x" ? "vertical" : "horizontal", "aria-label": line.label(),
    "aria-valuemin": line.least, "aria-valuemax": line.most, title: t("Drag, or use the arrow keys; double click to reset") });

  function wear(value) {
    const size = value === undefined ? undefined : Math.round(10 * Math.max(line.least, Math.min(line.most, value))) / 10;
    for (const [name, text] of Object.entries(line.wear(size ?? 0))) {
      if (size === undefined) grid.style.removeProperty(name);
      else grid.style.setProperty(name, text);
    }
    if (size === undefined) delete sizes[line.name];
    else sizes[line.name] = size;
    handle.setAttribute("aria-valuenow", Math.round(size ?? line.now(grid)));
  }
  const keep = () => localStorage.setItem(LAYOUT_KEY, JSON.stringify(sizes));

  function drag(event) {
    if (event.button !== 0) return;
    handle.setPointerCapture(event.pointerId);
    handle.classList.add("held");
    event.preventDefault();
    handle.focus({ preventScroll: true });
  }
  const move = throttle((place) => { if (handle.classList.contains("held")) wear(line.at(grid, place)); }, 30);
  function drop() {
    if (!handle.classList.contains("held")) return;
    handle.classList.remove("held");
    keep();
  }
  function press(event) {
    const rtl = document.documentElement.dir === "rtl" && line.axis === "x" ? -1 : 1;
    const way = { ArrowLeft: -rtl, ArrowRight: rtl, ArrowUp: -1, ArrowDown: 1 }[event.key];
    const along = line.axis === "x" ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
    if (event.key === "Enter") wear(undefined);
    else if (along.includes(event.key)) wear(line.now(grid) + way * line.step);
    else return;
    event.preventDefault();
    keep();
  }

  handle.addEventListener("pointerdown", drag);
  handle.addEventListener("pointermove", (event) => move({ x: event.clientX, y: event.clientY }));
  handle.addEventListener("pointerup", drop);
  handle.addEventListener("pointercancel", drop);
  handle.addEventListener("keydown", press);
  handle.addEventListener("dblclick", () => { wear(undefined); keep(); });
  if (typeof sizes[line.name] === "number") wear(sizes[line.name]);
  else handle.setAttribute("aria-valuenow", Math.round(line.now(grid)));
  return handle;
}

for (const grid of document.querySelectorAll(".live")) {
  const sizes = remembered();
  onDo(shellPage, { layout_reset: () => {
    for (const handle of grid.querySelectorAll(".split")) handle.dispatchEvent(new MouseEvent("dblclick"));
  } });
  for (const line of LINES) {
    const score = line.name === "score" ? grid.querySelector(".score") : null;
    if (!grid.querySelector(`.${line.name}`)) continue;
    const handle = splitter(grid, line, sizes);
    if (score) score.before(handle);
    else grid.append(handle);
  }
}
