// Weights across timeframes: a slider each; nothing changes for others before Apply.

export function render({ model }) {
  const say = asking(model);
  const desk = deskOf({ name: t("Timeframes"), sign: "scales", title: t("Weights of the timeframes"), opened: () => { draft = {}; draw(); } });
  let state = { frames: [], changed: {} }, draft = {};

  const lines = h("div", { class: "framelines" });
  const apply = h("button", { class: "btn first", type: "button", onclick: () => send(apply, values(), t("Applied for everybody.")) }, t("Apply"));
  const undo = h("button", { class: "btn", type: "button", onclick: () => { draft = {}; draw(); } }, t("Undo"));
  const usual = h("button", { class: "link", type: "button", onclick: () => send(usual, {}, t("Back to the usual weights.")) }, t("usual weights"));
  desk.body.append(h("p", { class: "note" }, t("How much each timeframe counts when they are brought together to one score, consensus and rank. Only their ratio matters; 0 leaves one out.")),
    lines, h("div", { class: "row" }, apply, undo, h("span", { class: "spacer" }), usual));

  const weight = (one) => draft[one.frame] ?? one.weight;
  const values = () => Object.fromEntries(state.frames.map((one) => [one.frame, weight(one)]));

  async function send(button, weights, fine) {
    const done = await press(button, desk.told, () => say("apply", { weights }), fine);
    if (done) draft = {};
    draw();
  }

  function make(one) {
    const range = h("input", { type: "range", min: 0, max: 1, step: 0.01, "aria-label": t("Weight of {frame}", { frame: one.frame }), disabled: READ_ONLY,
      oninput: () => { draft[one.frame] = Number(range.value); fill(); } });
    const output = h("output", { class: "fig" }), share = h("span", { class: "dim fig" }), tick = h("i", { style: `left: ${100 * one.weight}%`, title: t("active") });
    const root = h("label", { class: "frameline", "data-frame": one.frame }, h("b", { class: "fig" }, one.frame), h("span", { class: "slide" }, range, tick), output, share);
    return { root, range, output, share, one };
  }

  let made = [];

  function draw() {
    made = state.frames.map(make);
    lines.replaceChildren(...made.map(({ root }) => root));
    fill();
  }

  function fill() {
    const total = state.frames.reduce((sum, one) => sum + weight(one), 0);
    for (const { range, output, share, one } of made) {
      if (Number(range.value) !== weight(one)) range.value = weight(one);
      setText(output, number(weight(one)));
      setClass(output, `fig ${Math.abs(weight(one) - one.weight) > 1e-9 ? "moved" : ""}`);
      setText(share, total > 0 ? `${Math.round((100 * weight(one)) / total)} %` : "–");
    }
    const moved = state.frames.some((one) => Math.abs(weight(one) - one.weight) > 1e-9);
    apply.disabled = READ_ONLY || !moved || !(total > 0);
    undo.disabled = !moved;
    usual.disabled = READ_ONLY || Object.keys(state.changed).length === 0;
    desk.tell(Object.keys(state.changed).length ? "≠" : 0);
    desk.button.title = Object.keys(state.changed).length ? t("Weights of the timeframes: not the usual ones") : t("Weights of the timeframes");
  }

  function take() {
    state = { frames: [], changed: {}, ...JSON.parse(model.state || "{}") };
    draw();
  }

  onDo(model, { frame_weights: () => desk.open() });
  model.on("state", take);
  take();
  return desk.root;
}
