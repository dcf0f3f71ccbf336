// How the server's own line to the market is; hidden where there is none. The server words it.

export function render({ model }) {
  const sign = h("span", { class: "sign", "aria-hidden": "true" }), label = h("span");
  const badge = h("span", { class: "chip feed" }, sign, label);
  const voice = h("span", { class: "hidden", role: "status" });
  const root = h("div", { class: "line" }, badge, voice);

  function draw() {
    const said = JSON.parse(model.said || "null");
    badge.hidden = said === null;
    if (said === null) return;
    badge.dataset.tone = said.tone;
    badge.title = said.title;
    setText(sign, said.sign);
    const state = t(said.state), words = said.until ? t("Feed: {state} until {time}", { state, time: said.until }) : t("Feed: {state}", { state });
    setText(label, words);
    setText(voice, words);
  }

  model.on("said", draw);
  draw();
  return root;
}
