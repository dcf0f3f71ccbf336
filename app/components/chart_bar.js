// Above the chart: which symbol, its price, the timeframe and what is drawn over the candles.

export function render({ model }) {
  const symbol = h("h2"), last = h("b", { class: "last" }), change = h("span");
  const frames = h("span", { class: "group", role: "radiogroup", "aria-label": "Timeframe" });
  const layers = h("span", { class: "group", role: "group", "aria-label": "Overlays" });
  const root = h("div", { class: "head bar" }, symbol, last, change, h("span", { class: "spacer" }), frames,
    h("span", { class: "split", "aria-hidden": "true" }), layers);

  function drawFrames() {
    frames.replaceChildren(...JSON.parse(model.frames).map((frame) => h("button", {
      class: "pill", type: "button", role: "radio", "aria-checked": String(frame === model.timeframe), "data-frame": frame,
      onclick: () => { model.timeframe = frame; },
    }, frame)));
  }

  function drawLayers() {
    const shown = JSON.parse(model.shown);
    layers.replaceChildren(...JSON.parse(model.layers).map(([key, label]) => h("button", {
      class: "pill", type: "button", "aria-pressed": String(shown.includes(key)), "data-layer": key,
      onclick: () => {
        const next = shown.includes(key) ? shown.filter((k) => k !== key) : [...shown, key];
        model.shown = JSON.stringify(next);
      },
    }, label)));
  }

  function drawQuote() {
    const { symbol: name = "", price: now = null, change: day = null } = JSON.parse(model.quote || "{}");
    setText(symbol, name);
    setText(last, price(now));
    setText(change, day === null ? "" : `${day > 0 ? "▲" : day < 0 ? "▼" : ""} ${percent(day)}`);
    setClass(change, day > 0 ? "bull" : day < 0 ? "bear" : "dim");
  }

  model.on(["frames", "timeframe"], drawFrames);
  model.on(["layers", "shown"], drawLayers);
  model.on("quote", drawQuote);
  drawFrames();
  drawLayers();
  drawQuote();
  return root;
}
