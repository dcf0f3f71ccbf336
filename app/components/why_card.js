// Why the score is what it is: every contribution from where the one before it ended, up to net.

/** Say words of the server: a text, a phrase whose values may be phrases again, or a list of them. */
function say(said) {
  if (Array.isArray(said)) return said.map(say).filter(Boolean).join(" · ");
  if (said === null || typeof said !== "object") return t(said ?? "");
  return t(said.text, Object.fromEntries(Object.entries(said.values).map(([name, value]) => [name, typeof value === "object" ? say(value) : value])));
}

export function render({ model }) {
  const title = h("h2");
  const facts = h("p", { class: "dim facts" });
  const success = h("p", { class: "facts success", title: t("How often such calls turned out right, learned from closed bars: a probability, not a promise. Near 50 % it says no more than a coin.") });
  const trust = h("p", { class: "facts trust", title: t("What is wrong with the bars of this timeframe; it has lowered the confidence.") });
  const advice = h("b", { class: "advice" });
  const list = h("ol", { class: "steps" });
  const reasons = h("div", { class: "side", role: "tabpanel", id: "reasons", "aria-label": t("Reasons") }, facts, success, trust, list);
  const known = h("div", { class: "side context", role: "tabpanel", id: "context", "aria-label": t("Context"), tabindex: "0" });
  const tabs = [[t("Reasons"), reasons, t("What each detector adds to the score")],
    [t("Context"), known, t("Sentiment, order flow and headlines")]].map(([label, side, hint]) => h("button", {
    class: "pill", type: "button", role: "tab", title: hint, "aria-controls": side.id, onclick: () => turn(side) }, label));
  const root = h("div", { class: "fill why" },
    h("div", { class: "head" }, title, h("span", { class: "tabs", role: "tablist", "aria-label": t("Side of the card"), onkeydown: walk }, ...tabs),
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
    event.preventDefault();
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
    const words = say(s.words), title = [words, say(s.formula), say(s.hint)].filter(Boolean).join("\n");
    // A row in focus (a click, a tap, the Tab key) unfolds its words, see the style.
    return h("li", { class: s.exists ? "step" : "step absent", "data-step": s.name, tabindex: "0", title },
      h("span", { class: "label" }, t(s.label)),
      s.value === null ? axis(scale) : bar(s.start, s.end, scale, css),
      h("span", { class: `amount ${css}` }, value),
      h("span", { class: s.value === null ? "words dim" : "words", dir: "auto", title }, words));
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
      title.replaceChildren(t("Why"));
      setText(facts, t("The reasons of a score stand here once a symbol is chosen and scored."));
      setText(success, "");
      setText(trust, "");
      setText(advice, "");
      list.replaceChildren();
      return;
    }
    const d = state.direction;
    title.replaceChildren(h("span", { class: "why-word" }, `${t("Why")} `), h("bdi", {}, state.symbol), " ", h("span", { class: TONE[d], dir: "ltr" },
      state.score === null ? "–" : `${GLYPH[d]} ${number(state.score)}`));
    setText(facts, say(state.facts));
    facts.title = facts.textContent;
    setText(success, say(state.success));
    setText(trust, state.trust ? `⚠ ${say(state.trust)}` : "");
    setText(advice, say(state.advice));
    advice.title = advice.textContent;
    const scale = scaleOf(state.steps);
    const tone = TONE[state.net_side];
    const open = list.getRootNode().activeElement?.dataset.step;
    list.replaceChildren(...state.steps.map((s) => step(s, scale)),
      h("li", { class: "step net", "data-step": "net", title: t("The contributions above, added in this order") },
        h("span", { class: "label" }, t("Net, exact")), state.net === null ? axis(scale) : bar(0, state.net, scale, "sum"),
        h("span", { class: `amount ${tone}` }, state.net === null ? "–" : `${GLYPH[state.net_side]} ${state.net_shown}`),
        h("span", { class: "words", dir: "auto" }, state.net === null ? "" : t("score = (1 + net) / 2 = {score}", { score: number(state.score, 3) }))));
    if (open) list.querySelector(`[data-step="${open}"]`)?.focus({ preventScroll: true });
  }

  function headline(item, now) {
    const side = Math.sign(item.tone), from = item.publishers > 1
      ? t("{publisher} and {n} more", { publisher: item.publisher, n: item.publishers - 1 }) : item.publisher;
    return h("li", { title: `${item.title}\n${from}, ${t("known {time}", { time: clock(item.known) })}` +
        (item.market ? `\n${t("About the whole market, not this coin by name")}` : "") },
    h("span", { class: `tone ${TONE[side]}` }, `${GLYPH[side]} ${signed(item.tone, 2)}`),
    h("span", { class: "title", dir: "auto" }, item.title),
    h("span", { class: "dim from" }, [item.market ? t("market") : "", from, ago(now - item.known)].filter(Boolean).join(" · ")));
  }

  function drawContext() {
    const { stamp, now, facts: values = [], headlines = [] } = JSON.parse(model.context || "{}");
    if (!stamp || (!values.length && !headlines.length)) {
      known.replaceChildren(h("p", { class: "facts dim" }, stamp
        ? t("No source of sentiment, news or order flow has said anything yet.") : t("Nothing is known yet.")));
      return;
    }
    const scrolled = known.scrollTop;
    known.replaceChildren(
      h("dl", {}, h("div", { title: t("Where all of this comes from, and the time of the market") },
        h("dt", { class: "dim" }, t("As of {time}", { time: clock(now) })), h("dd", { class: stamp === "simulated" ? "stamp warn" : "stamp" }, t(stamp))),
      ...values.map(([name, value, hint, side]) => h("div", { title: say(hint) }, h("dt", { class: "dim" }, say(name)),
        h("dd", { class: side ? TONE[side] : "" }, side ? `${GLYPH[side]} ${say(value)}` : say(value))))),
      h("ol", { class: "said", "aria-label": t("Headlines, newest first") }, ...headlines.map((item) => headline(item, now)),
        headlines.length ? null : h("li", { class: "dim" }, t("No headline of the last four days names this coin or the market."))));
    known.scrollTop = scrolled;
  }

  model.on("state", draw);
  model.on("context", drawContext);
  turn(reasons);
  draw();
  drawContext();
  return root;
}
