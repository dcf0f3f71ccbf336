// The keyboard of every page: keys become actions, which components on the page take (`onDo`).
// A key that nobody takes is left to the browser. `?` lists those that somebody takes.

const shellPage = { on() {} };  // the shell lives as long as the page: it never takes its ears back
const CTRL = { s: ["scan_deep"], q: ["scan_quick"], e: ["export"], f: ["search"], a: ["select_all"], d: ["clear_selection"] };
const PLAIN = {
  1: ["view", { view: "list" }], 2: ["view", { view: "cards" }], 3: ["view", { view: "chart" }],
  4: ["view", { view: "heat" }], 5: ["view", { view: "compare" }], f: ["filters"],
  b: ["direction", { side: "bullish" }], n: ["direction", { side: "bearish" }], r: ["direction", { side: "all" }],
  "?": ["help"], escape: ["close"],
};
const SECOND_KEY_MS = 1500;

/** Tell which key was meant, whatever script the keyboard writes: Persian ش is A. */
function meant(event) {
  if (event.key.length > 1 || /^[\x21-\x7e]$/.test(event.key)) return event.key.toLowerCase();
  if (event.code === "Slash" && event.shiftKey) return "?";
  return /^(?:Key|Digit)(.)$/.exec(event.code)?.[1].toLowerCase() ?? "";
}

/** Find a dialog that holds the page, inside of components too. */
function modal(root = document) {
  if (root.querySelector(":modal")) return true;
  return [...root.querySelectorAll("*")].some((one) => one.shadowRoot && modal(one.shadowRoot));
}

let going = Number.NEGATIVE_INFINITY;  // when G was pressed

function goes(key) {
  const link = document.querySelector(`nav.rail a[data-key="${key}"]`);
  if (link) link.click();
  return link !== null;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey || event.isComposing || event.repeat) return;
  const key = meant(event), ctrl = event.ctrlKey !== event.metaKey;
  if (typing(event) && !(ctrl && key === "s")) return;
  const second = !ctrl && performance.now() - going < SECOND_KEY_MS;
  if (key !== "shift") going = Number.NEGATIVE_INFINITY;
  if (ctrl ? event.shiftKey || !(key in CTRL) : event.ctrlKey || (event.shiftKey && key !== "?")) return;
  if (modal()) return;
  if (second && goes(key)) return void event.preventDefault();
  if (!ctrl && key === "g") { going = performance.now(); return; }
  const action = (ctrl ? CTRL : PLAIN)[key];
  if (action && ask(...action)) event.preventDefault();
});

// -- the sheet ----------------------------------------------------------------------------------

/** Rows of the sheet: keys, what they do, and the action that somebody must take. */
function rows() {
  return [
    [["Ctrl", "S"], t("Deep scan: every symbol, now"), "scan_deep"],
    [["Ctrl", "Q"], t("Quick scan: the best so far"), "scan_quick"],
    [["Ctrl", "F"], t("Search"), "search"],
    [["F"], t("Filters"), "filters"],
    [["B"], t("Bullish only"), "direction"],
    [["N"], t("Bearish only"), "direction"],
    [["R"], t("Both directions"), "direction"],
    [["1"], t("View: list"), "view"],
    [["2"], t("View: cards"), "view"],
    [["3"], t("View: bar chart"), "view"],
    [["4"], t("View: heat map"), "view"],
    [["5"], t("View: compare"), "view"],
    [["Ctrl", "A"], t("Select all"), "select_all"],
    [["Ctrl", "D"], t("Clear the selection"), "clear_selection"],
    [["Ctrl", "E"], t("Export"), "export"],
  ];
}

function keycaps(keys) {
  return h("dt", { dir: "ltr" }, ...keys.map((key) => h("kbd", {}, key)));
}

function group(title, lines) {
  if (!lines.length) return null;
  const pairs = lines.map(([keys, label]) => h("div", {}, keycaps(keys), h("dd", {}, label)));
  return h("section", {}, h("h3", {}, title), h("dl", {}, ...pairs));
}

function sheet() {
  const known = new Set(), more = [];
  ask("known", { known, more });
  const pages = [...document.querySelectorAll("nav.rail a")].map((link) => (
    [["G", link.dataset.key.toUpperCase()], link.textContent.trim()]));
  const here = rows().filter(([, , what]) => known.has(what));
  const everywhere = [
    [["?"], t("This sheet")], [["Esc"], t("Close what is open")], [["Tab"], t("Next control")],
    [["↑", "↓"], t("Move inside a list or a table")], [["Enter"], t("Choose")], [["Space"], t("Press or switch")],
  ];
  const box = h("dialog", { class: "sheet", "aria-labelledby": "sheet-title" },
    h("form", { method: "dialog" }, h("h2", { id: "sheet-title" }, t("Keyboard shortcuts")),
      h("button", { class: "shut", "aria-label": t("Close") }, icon("close"))),
    h("div", { class: "groups" }, group(t("On this page"), [...here, ...more]), group(t("Go to"), pages), group(t("Everywhere"), everywhere)),
    h("p", {}, t("Keys rest while you type in a field.")));
  box.addEventListener("close", () => box.remove());
  box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
  document.body.append(box);
  box.showModal();
}

onDo(shellPage, { help: sheet });
document.getElementById("keys-hint")?.addEventListener("click", sheet);
