// Why the score is what it is: every contribution from where the one before it ended, up to net.

export function render({ model }) {
  const title = h("h2");
  const facts = h("p", { class: "dim facts" });
  const advice = h("b", { class: "advice" });
  const list = h("ol", { class: "steps" });
  const absent = h("p", { class: "absent dim" });
  const root = h("div", { class: "fill why" },
    h("div", { class: "head" }, title, h("span", { class: "spacer" }), advice), facts, list, absent);

  function axis(scale, ...children) {
    const line = h("span", { class: "axis", "aria-hidden": "true" }, ...children);
    line.style.setProperty("--zero", `${scale(0).toFixed(2)}%`);
    return line;
  }

  function bar(from, to, scale, css) {
    const fill = h("i", { class: css });
    fill.style.left = `${scale(Math.min(from, to)).toFixed(2)}%`;
    fill.style.width = `${Math.max(0.4, scale(Math.max(from, to)) - scale(Math.min(from, to))).toFixed(2)}%`;
    const thread = h("u");
    thread.style.left = `${scale(to).toFixed(2)}%`;
    return axis(scale, fill, thread);
  }

  function step(s, scale) {
    const css = s.value === null ? "dim" : TONE[Math.sign(s.value)];
    const value = s.value === null ? "–" : `${s.value > 0 ? "▲" : s.value < 0 ? "▼" : ""} ${s.shown}`;
    return h("li", { class: s.value === null ? "step absent" : "step", "data-step": s.name, title: s.hint },
      h("span", { class: "label" }, s.label),
      s.value === null ? axis(scale) : bar(s.start, s.end, scale, css),
      h("span", { class: `amount ${css}` }, value),
      h("span", { class: "words" }, s.words, h("small", { class: "dim" }, s.formula)));
  }

  /** Give the sums the whole width: from the lowest to the highest, zero always among them. */
  function scaleOf(steps) {
    const sums = [0, ...steps.filter((s) => s.value !== null).flatMap((s) => [s.start, s.end])];
    const low = Math.min(...sums), high = Math.max(...sums);
    const span = Math.max(0.1, high - low), middle = (low + high) / 2;
    return (v) => 50 + 94 * (v - middle) / span;
  }

  function draw() {
    const state = JSON.parse(model.state || "{}");
    if (!state.steps) {
      title.replaceChildren("Why");
      setText(facts, "choose a symbol");
      list.replaceChildren();
      setText(absent, "");
      return;
    }
    const d = state.direction;
    title.replaceChildren(`Why ${state.symbol} `, h("span", { class: TONE[d] },
      state.score === null ? "–" : `${GLYPH[d]} ${number(state.score)}`));
    setText(facts, state.facts);
    facts.title = state.facts;
    setText(advice, state.advice);
    const scale = scaleOf(state.steps);
    const tone = TONE[Math.sign(state.net ?? 0)];
    const there = state.steps.filter((s) => s.exists);
    const missing = state.steps.filter((s) => !s.exists).map((s) => s.label);
    setText(absent, missing.length ? `Not in this version yet: ${missing.join(", ")}.` : "");
    list.classList.toggle("roomy", there.length < 6);
    list.replaceChildren(...there.map((s) => step(s, scale)),
      h("li", { class: "step net", "data-step": "net", title: "The contributions above, added in this order" },
        h("span", { class: "label" }, "Net, exact"), state.net === null ? axis(scale) : bar(0, state.net, scale, "sum"),
        h("span", { class: `amount ${tone}` }, state.net === null ? "–" : `${state.net > 0 ? "▲" : state.net < 0 ? "▼" : ""} ${state.net_shown}`),
        h("span", { class: "words" }, state.net === null ? "" : `score = (1 + net) / 2 = ${number(state.score, 3)}`)));
  }

  model.on("state", draw);
  draw();
  return root;
}
