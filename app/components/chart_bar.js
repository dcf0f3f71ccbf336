// Above the chart: which symbol, its price, the timeframe and what is drawn over the candles.

export function render({ model }) {
  const symbol = h("h2"), last = h("b", { class: "last" }), change = h("span");
  const frames = h("span", { class: "group", role: "radiogroup", "aria-label": "Timeframe" });
  const layers = h("span", { class: "group layers", role: "group", "aria-label": "Overlays" });
  const root = h("div", { class: "head bar" }, symbol, last, change, h("span", { class: "spacer" }), frames, layers);

  function makeFrames() {
    frames.replaceChildren(...JSON.parse(model.frames).map((frame) => h("button", {
      class: "pill", type: "button", role: "radio", "data-frame": frame, onclick: () => { model.timeframe = frame; },
    }, frame)));
    markFrames();
  }

  function makeLayers() {
    layers.replaceChildren(...JSON.parse(model.layers).map(([key, label, hint], i) => h("button", {
      class: "pill", type: "button", "data-layer": key, title: `${hint} (Shift+${i + 1})`, onclick: () => toggle(key),
    }, label)));
    markLayers();
  }

  // Buttons stay as they are when one is pressed: replaced ones would lose the focus.
  function markFrames() {
    for (const pill of frames.children) pill.setAttribute("aria-checked", pill.dataset.frame === model.timeframe);
  }

  function markLayers() {
    const shown = JSON.parse(model.shown);
    for (const pill of layers.children) pill.setAttribute("aria-pressed", shown.includes(pill.dataset.layer));
  }

  function toggle(key) {
    const shown = JSON.parse(model.shown);
    model.shown = JSON.stringify(shown.includes(key) ? shown.filter((k) => k !== key) : [...shown, key]);
  }

  /** Shift with a digit, where the keyboard does not write the digit itself that way. */
  function shortcut(event) {
    if (typing(event) || !event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || /\d/.test(event.key)) return;
    const pill = layers.children[Number(/^Digit([1-9])$/.exec(event.code)?.[1]) - 1];
    if (pill) { event.preventDefault(); toggle(pill.dataset.layer); }
  }

  function drawQuote() {
    const { symbol: name = "", price: now = null, change: day = null } = JSON.parse(model.quote || "{}");
    setText(symbol, name);
    setText(last, price(now));
    setText(change, day === null ? "" : `${day > 0 ? "▲" : day < 0 ? "▼" : ""} ${percent(day)}`);
    setClass(change, day > 0 ? "bull" : day < 0 ? "bear" : "dim");
  }

  document.addEventListener("keydown", shortcut);
  model.on("frames", makeFrames);
  model.on("timeframe", markFrames);
  model.on("layers", makeLayers);
  model.on("shown", markLayers);
  model.on("quote", drawQuote);
  model.on("remove", () => document.removeEventListener("keydown", shortcut));
  makeFrames();
  makeLayers();
  drawQuote();
  return root;
}
