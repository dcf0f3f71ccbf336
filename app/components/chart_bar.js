// Above the chart: which symbol, its price, the timeframe and what is drawn over the candles.

export function render({ model }) {
  const base = h("span"), quoted = h("span", { class: "dim" }), symbol = h("h2", { dir: "ltr" }, base, quoted);
  const last = h("b", { class: "last", dir: "ltr" }), change = h("span", { class: "change", dir: "ltr" });
  const frames = h("span", { class: "group", role: "radiogroup", "aria-label": t("Timeframe"), dir: "ltr", onkeydown: walk });
  const layers = h("span", { class: "layers", id: "layers", role: "group", "aria-label": t("Overlays") });
  const count = h("span", { class: "count" });
  const more = h("button", { class: "pill more", type: "button", "aria-expanded": "false", "aria-controls": "layers", onclick: () => unfold(!open()) },
    t("Overlays"), count, h("span", { "aria-hidden": "true" }, "▾"));
  const root = h("div", { class: "head bar" }, symbol, last, change, h("span", { class: "spacer" }), frames, h("span", { class: "drop" }, more, layers));

  const open = () => root.classList.contains("open");

  function unfold(wanted, focus = true) {
    root.classList.toggle("open", wanted);
    more.setAttribute("aria-expanded", wanted);
    if (focus) (wanted ? layers.querySelector("button") : more)?.focus();
  }

  function makeFrames() {
    frames.replaceChildren(...JSON.parse(model.frames).map((frame) => h("button", {
      class: "pill", type: "button", role: "radio", "data-frame": frame, onclick: () => { model.timeframe = frame; },
    }, frame)));
    markFrames();
  }

  function makeLayers() {
    layers.replaceChildren(...JSON.parse(model.layers).map(([key, label, hint], i) => h("button", {
      class: "pill", type: "button", "data-layer": key, title: `${t(hint)} (Shift+${i + 1})`, onclick: () => toggle(key),
    }, h("i", { class: "box", "aria-hidden": "true" }), h("span", {}, t(label)), h("small", { class: "hint" }, t(hint)))));
    markLayers();
  }

  // Buttons stay as they are when one is pressed: replaced ones would lose the focus.
  function markFrames() {
    for (const pill of frames.children) {
      const chosen = pill.dataset.frame === model.timeframe;
      pill.setAttribute("aria-checked", chosen);
      pill.tabIndex = chosen ? 0 : -1;
    }
  }

  function markLayers() {
    const shown = JSON.parse(model.shown);
    for (const pill of layers.children) pill.setAttribute("aria-pressed", shown.includes(pill.dataset.layer));
    setText(count, String(shown.length));
    more.title = t("{n} of {all} overlays are drawn", { n: shown.length, all: layers.children.length });
  }

  /** Arrows walk through the timeframes, as they do in every group of which one is chosen. */
  function walk(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const pills = [...frames.children], at = pills.findIndex((pill) => pill.dataset.frame === model.timeframe);
    const next = pills[(at + step + pills.length) % pills.length];
    event.preventDefault();
    model.timeframe = next.dataset.frame;
    next.focus();
  }

  function toggle(key) {
    const shown = JSON.parse(model.shown);
    const next = shown.includes(key) ? shown.filter((k) => k !== key) : [...shown, key];
    model.shown = JSON.stringify(next);
    remember({ layers: next.join(".") });
  }

  /** Shift with a digit, where the keyboard does not write the digit itself that way. */
  function shortcut(event) {
    if (event.key === "Escape" && open()) return unfold(false);
    if (typing(event) || !event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || /\d/.test(event.key)) return;
    const pill = layers.children[Number(/^Digit([1-9])$/.exec(event.code)?.[1]) - 1];
    if (pill) { event.preventDefault(); toggle(pill.dataset.layer); }
  }

  function outside(event) {
    if (open() && !event.composedPath().includes(root)) unfold(false, false);
  }

  let name = "";

  function quote(now, day) {
    setText(last, now === null ? "" : price(now));
    setText(change, day === null ? "" : `${day > 0 ? "▲" : day < 0 ? "▼" : "●"} ${percent(day)}`);
    setClass(change, `change ${day > 0 ? "bull" : day < 0 ? "bear" : "dim"}`);
    change.title = t("Change in 24 hours");
  }

  function drawQuote() {
    const { symbol: told = "", price: now = null, change: day = null } = JSON.parse(model.quote || "{}");
    name = told;
    const [left, right] = told.split("/");
    setText(base, left || t("No symbol yet"));
    setText(quoted, right ? `/${right}` : "");
    quote(now, day);
  }

  onLine(model, (message) => {
    if (message.type === "price" && message.symbol === name) quote(message.price, message.change_24h);
  });
  document.addEventListener("keydown", shortcut);
  document.addEventListener("pointerdown", outside);
  model.on("frames", makeFrames);
  model.on("timeframe", markFrames);
  model.on("layers", makeLayers);
  model.on("shown", markLayers);
  model.on("quote", drawQuote);
  model.on("remove", () => {
    document.removeEventListener("keydown", shortcut);
    document.removeEventListener("pointerdown", outside);
  });
  makeFrames();
  makeLayers();
  drawQuote();
  return root;
}
