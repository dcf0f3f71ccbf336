// Does a stated probability come true? One diagram for each timeframe, before and after.

export function render({ model }) {
  const body = h("div", {}), root = h("div", { class: "fill" }, body);
  const leave = hints(root);
  let state = {};

  function diagram(frame) {
    const drawn = plot(300, (pen, width) => {
      const span = (ends) => [Math.max(0, Math.min(...ends) - 0.015), Math.min(1, Math.max(...ends) + 0.015)];
      const [first, last] = span([...frame.before.stated, ...frame.after.stated]);
      const [least, most_] = span([...frame.before.observed, ...frame.after.low, ...frame.after.high].filter((v) => v !== null));
      const left = 44, right = width - 10, bottom = 232, top = 10;
      const x = (v) => left + (v - first) / (last - first) * (right - left), y = (v) => bottom - (v - least) / (most_ - least) * (bottom - top);
      const share = (v, all) => `${(100 * v).toFixed(all[1] - all[0] < 0.03 ? 1 : 0)} %`;
      const ups = roundSteps(least, most_, 5), rights = roundSteps(first, last, Math.max(2, Math.min(6, Math.floor(width / 90))));
      for (const v of ups) { pen.path("grid", `M${left} ${y(v)}H${right}`); pen.text(left - 6, y(v), share(v, ups), "end"); }
      for (const v of rights) pen.text(x(v), 290, share(v, rights), "mid");
      const from = Math.max(first, least), to = Math.min(last, most_);
      if (from < to) pen.path("base", `M${x(from)} ${y(from)}L${x(to)} ${y(to)}`);
      pen.path("faint", joined(frame.before.stated.map((v, i) => [x(v), y(frame.before.observed[i])])));
      const { stated, observed, low: lows, high: highs, count } = frame.after, most = Math.max(...count, ...frame.before.count);
      stated.forEach((v, i) => pen.path("whisker", `M${x(v)} ${y(lows[i])}V${y(highs[i])}`));
      pen.path("line", joined(stated.map((v, i) => [x(v), y(observed[i])])));
      stated.forEach((v, i) => pen.path("dots", dot(x(v), y(observed[i]), 3.5)));
      stated.forEach((v, i) => pen.path("bar", `M${x(v) - 3} 276V${276 - 32 * count[i] / most}H${x(v) + 3}V276Z`));
      pen.path("grid", `M${left} 276H${right}`);
      pen.text(left + 6, top + 2, t("came true"));
      pen.text(right - 2, 248, t("stated, and how many calls"), "end");
      pen.say(t("{frame}: probabilities from {low} to {high} were stated; the Brier score is {brier}, the calibration error {ece}.",
        { frame: frame.name, low: number(Math.min(...stated)), high: number(Math.max(...stated)), brier: number(frame.after.brier, 4), ece: number(frame.after.ece, 3) }));
    });
    return drawn;
  }

  function numbers(frame) {
    const rows = [[t("Brier score"), "brier", 4, t("Mean squared distance of probability and outcome: 0 is best, 0.25 is what a coin gets.")],
      [t("Calibration error"), "ece", 3, t("Mean distance from the dashed line, the ECE.")],
      [t("By chance up to"), "ece_chance", 3, t("A smaller error shows no fault: perfect probabilities reach this by chance.")],
      [t("Log loss"), "log_loss", 3, t("0.693 is what a coin gets; less is better.")],
      [t("AUC"), "auc", 3, t("Chance that a right call was stated higher than a wrong one; 0.5 is no order at all.")],
      [t("Skill"), "skill", 3, t("Above 0 only if it beats the plain hit rate.")]];
    return h("table", { class: "list numbers" }, h("thead", {}, h("tr", {}, h("td", {}), h("th", { scope: "col" }, t("score as it is")), h("th", { scope: "col" }, t("calibrated")))),
      h("tbody", {}, ...rows.map(([name, key, digits, hint]) => h("tr", {}, h("th", { scope: "row", class: "left", "data-hint": hint, tabindex: 0 }, name),
        h("td", { class: "dim" }, minus(frame.before[key], digits)), h("td", {}, minus(frame.after[key], digits))))));
  }

  function draw() {
    state = JSON.parse(model.state || "{}");
    if (!state.id) { body.replaceChildren(); return; }
    const drawn = [];
    const sections = state.frames.map((frame) => {
      const made = diagram(frame);
      drawn.push(made);
      return h("section", { class: "block" }, h("h3", {}, frame.name, h("span", { class: "note" }, t("{n} calls, worth {worth} independent ones; {right} right", { n: frame.calls.toLocaleString("en-US"), worth: Math.round(frame.worth).toLocaleString("en-US"), right: `${(100 * frame.hit_rate).toFixed(1)} %` }))),
        verdict(frame.tone, t(frame.verdict)), made.root, numbers(frame));
    });
    body.replaceChildren(
      h("div", { class: "head" }, h("h2", {}, t("Calibration")), h("b", {}, state.title), stamp(state), h("span", { class: "dim about" }, state.about),
        h("span", { class: "spacer" }), h("span", { class: "legend" }, h("span", {}, h("i", {}), t("calibrated")), h("span", {}, h("i", { class: "faint" }), t("score as it is")))),
      state.frames.length ? "" : verdict(-1, t("Nothing could be calibrated."), t("A longer span or more symbols could help.")),
      state.refused.length ? h("ul", { class: "warnings" }, ...state.refused.map(([name, why]) => h("li", { lang: "en" }, h("span", { "aria-hidden": "true" }, "⚠ "), `${name}: ${why}`))) : "",
      h("div", { class: "split" }, ...sections),
      h("section", { class: "block" }, h("p", { class: "note" }, t("A call is right when price touches the barrier on its side first, 1.5 ATR away, within 24 bars. Every probability was stated before its outcome was known. Right is not profit: costs take no part."))));
    for (const one of drawn) one.draw();
  }

  model.on("state", draw);
  model.on("remove", leave);
  draw();
  return root;
}
