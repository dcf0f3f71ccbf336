// Why the score is what it is: every contribution from where the one before it ended, up to net.

export function render({ model }) {
  const title = h("h2");
  const facts = h("p", { class: "dim facts" });
  const success = h("p", { class: "facts success", title: "How often such calls turned out right, learned from closed bars: a probability, "
    + "not a promise. Near 50 % it says no more than a coin." });
  const trust = h("p", { class: "facts trust", title: "What is wrong with the bars of this timeframe; it has lowered the confidence." });
  const advice = h("b", { class: "advice" });
  const list = h("ol", { class: "steps" });
  const reasons = h("div", { class: "side", role: "tabpanel", id: "reasons", "aria-label": "Reasons" }, facts, success, trust, list);
  const known = h("div", { class: "side context", role: "tabpanel", id: "context", "aria-label": "Context", tabindex: "0" });
  const tabs = [["Reasons", reasons, "What each detector adds to the score"],
    ["Context", known, "Sentiment, order flow and headlines"]].map(([label, side, hint]) => h("button", {
    class: "pill", type: "button", role: "tab", title: hint, "aria-controls": side.id, onclick: () => turn(side) }, label));
  const root = h("div", { class: "fill why" },
    h("div", { class: "head" }, title, h("span", { class: "tabs", role: "tablist", "aria-label": "Side of the card", onkeydown: walk }, ...tabs),
      h("span", { class: "spacer" }), advice), reasons, known);

  function turn(side) {
    for (const [i, one] of [reasons, known].entries()) {
      one.hidden = one !== side;
      tabs[i].setAttribute("aria-selected", one === side);
      tabs[i].tabIndex = one === side ? 0 : -1;
    }
  }

  function walk(event) {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = tabs[0].getAttribute("aria-selected") === "true" ? 1 : 0;
    turn([reasons, known][other]);
    tabs[other].focus();
  }

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
    const css = TONE[s.side];
    const value = s.value === null ? "–" : `${GLYPH[s.side]} ${s.shown}`;
    const title = [s.words, s.formula, s.hint].filter(Boolean).join("\n");
    // A row in focus (a click, a tap, the Tab key) unfolds its words, see the style.
    return h("li", { class: s.exists ? "step" : "step absent", "data-step": s.name, tabindex: "0", title },
      h("span", { class: "label" }, s.label),
      s.value === null ? axis(scale) : bar(s.start, s.end, scale, css),
      h("span", { class: `amount ${css}` }, value),
      h("span", { class: s.value === null ? "words dim" : "words", title }, s.words));
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
      setText(success, "");
      setText(trust, "");
      setText(advice, "");
      list.replaceChildren();
      return;
    }
    const d = state.direction;
    title.replaceChildren(`Why ${state.symbol} `, h("span", { class: TONE[d] },
      state.score === null ? "–" : `${GLYPH[d]} ${number(state.score)}`));
    setText(facts, state.facts);
    facts.title = state.facts;
    setText(success, state.success);
    setText(trust, state.trust ? `⚠ ${state.trust}` : "");
    setText(advice, state.advice);
    advice.title = state.advice;
    const scale = scaleOf(state.steps);
    const tone = TONE[state.net_side];
    const open = list.getRootNode().activeElement?.dataset.step;
    list.replaceChildren(...state.steps.map((s) => step(s, scale)),
      h("li", { class: "step net", "data-step": "net", title: "The contributions above, added in this order" },
        h("span", { class: "label" }, "Net, exact"), state.net === null ? axis(scale) : bar(0, state.net, scale, "sum"),
        h("span", { class: `amount ${tone}` }, state.net === null ? "–" : `${GLYPH[state.net_side]} ${state.net_shown}`),
        h("span", { class: "words" }, state.net === null ? "" : `score = (1 + net) / 2 = ${number(state.score, 3)}`)));
    if (open) list.querySelector(`[data-step="${open}"]`)?.focus({ preventScroll: true });
  }

  function headline(item, now) {
    const side = Math.sign(item.tone), from = item.publishers > 1 ? `${item.publisher} and ${item.publishers - 1} more` : item.publisher;
    return h("li", { title: `${item.title}\n${from}, known ${clock(item.known)} UTC` +
        (item.market ? "\nAbout the whole market, not this coin by name" : "") },
    h("span", { class: `tone ${TONE[side]}` }, `${GLYPH[side]} ${signed(item.tone, 2)}`),
    h("span", { class: "title" }, item.title),
    h("span", { class: "dim from" }, `${item.market ? "market · " : ""}${from} · ${ago(now - item.known)}`));
  }

  function drawContext() {
    const { stamp, now, facts: values = [], headlines = [] } = JSON.parse(model.context || "{}");
    if (!stamp || (!values.length && !headlines.length)) {
      known.replaceChildren(h("p", { class: "facts dim" }, stamp ? "No source of sentiment, news or order flow has said anything yet."
        : "Nothing is known yet."));
      return;
    }
    const scrolled = known.scrollTop;
    known.replaceChildren(
      h("dl", {}, h("div", { title: "Where all of this comes from, and the time of the market" },
        h("dt", { class: "dim" }, `As of ${clock(now)}`), h("dd", { class: stamp === "simulated" ? "stamp warn" : "stamp" }, stamp)), ...values.map(([name, value, hint, side]) => h("div", { title: hint }, h("dt", { class: "dim" }, name),
        h("dd", { class: side ? TONE[side] : "" }, side ? `${GLYPH[side]} ${value}` : value)))),
      h("ol", { class: "said", "aria-label": "Headlines, newest first" }, ...headlines.map((item) => headline(item, now)),
        headlines.length ? null : h("li", { class: "dim" }, "No headline of the last four days names this coin or the market.")));
    known.scrollTop = scrolled;
  }

  model.on("state", draw);
  model.on("context", drawContext);
  turn(reasons);
  draw();
  drawContext();
  return root;
}
