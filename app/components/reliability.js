// Whether stated probabilities hold: the curve against the diagonal, and Brier taken apart.

const SIZE = 250, EDGE = 30;

export function render({ model }) {
  let s = {}, which = "success", at = -1;
  const tabs = [["success", t("Stated success")], ["confidence", t("Confidence")]].map(([name, label], i, all) => h("button", { class: "pill", type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "curve",
    onclick: () => { which = name; at = -1; draw(); }, onkeydown: (event) => { if (event.key === "ArrowRight" || event.key === "ArrowLeft") { tabs[(i + 1) % all.length].click(); tabs[(i + 1) % all.length].focus(); } } }, label));
  const diagonal = h("path", { class: "diagonal" }), bounds = h("path", { class: "bounds" }), line = h("path", { class: "line" }), dots = h("path", { class: "dots" }), chosen = h("path", { class: "chosen" }), axes = h("path", { class: "axes" });
  const svg = h("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", tabindex: 0 }, axes, diagonal, bounds, line, dots, chosen);
  const labels = h("div", { class: "labels", "aria-hidden": "true" });
  const plot = h("div", { class: "plot", dir: "ltr" }, svg, labels), readout = h("p", { class: "dim readout" });
  const verdict = h("p", { class: "verdict" }), facts = h("dl"), parts = h("p", { class: "note" }), trial = h("p", { class: "trial" });
  const empty = h("p", { class: "dim empty", role: "status" });
  const inside = h("div", { class: "inside", role: "tabpanel", id: "curve" }, h("div", {}, plot, readout), h("div", { class: "words" }, verdict, facts, parts, trial));
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Does it hold what it states?")), h("span", { class: "spacer" }), h("span", { class: "group", role: "tablist" }, ...tabs)), empty, inside);

  let low = 0, high = 1;
  const x = (v) => EDGE + (v - low) / (high - low) * (SIZE - EDGE - 8), y = (v) => SIZE - EDGE + 8 - (v - low) / (high - low) * (SIZE - EDGE);
  const pct = (v) => `${(100 * v).toFixed(0)} %`;

  function draw() {
    s = JSON.parse(model.state || "{}");
    for (const tab of tabs) {
      const on = tab.id === `tab-${which}`;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
    }
    inside.setAttribute("aria-labelledby", `tab-${which}`);
    const c = s[which];
    inside.hidden = !c;
    empty.hidden = Boolean(c);
    setText(empty, s.n === undefined ? t("Reading the journal …")
      : which === "success" && s.confidence ? t("Nothing stated a success yet: it is learned first, and the signals after that are judged here.")
      : t("{n} judged signals; the curve needs 20.", { n: s.n }));
    if (c) curve(c);
  }

  function curve(c) {
    const ends = c.bins.flatMap((b) => [b.stated, b.observed, b.low ?? b.observed, b.high ?? b.observed]);
    low = Math.max(0, Math.floor((Math.min(...ends) - 0.02) * 10) / 10);
    high = Math.min(1, Math.ceil((Math.max(...ends) + 0.02) * 10) / 10);
    const f = (v) => v.toFixed(1), steps = [];
    for (let v = low; v <= high + 1e-9; v += high - low > 0.5 ? 0.2 : 0.1) steps.push(v);
    axes.setAttribute("d", steps.map((v) => `M${f(x(low))} ${f(y(v))}H${f(x(high))}M${f(x(v))} ${f(y(low))}V${f(y(high))}`).join(""));
    diagonal.setAttribute("d", `M${f(x(low))} ${f(y(low))}L${f(x(high))} ${f(y(high))}`);
    bounds.setAttribute("d", c.bins.filter((b) => b.low !== null).map((b) => `M${f(x(b.stated))} ${f(y(b.low))}V${f(y(b.high))}`).join(""));
    line.setAttribute("d", c.bins.map((b, i) => `${i ? "L" : "M"}${f(x(b.stated))} ${f(y(b.observed))}`).join(""));
    dots.setAttribute("d", c.bins.map((b) => `M${f(x(b.stated))} ${f(y(b.observed))}h.01`).join(""));
    const place = (v, axis) => axis === "x" ? `left:${(100 * x(v) / SIZE).toFixed(1)}%;top:${(100 * (SIZE - 13) / SIZE).toFixed(1)}%` : `left:${(100 * 13 / SIZE).toFixed(1)}%;top:${(100 * y(v) / SIZE).toFixed(1)}%`;
    labels.replaceChildren(...steps.flatMap((v) => [h("span", { style: place(v, "x") }, (100 * v).toFixed(0)), h("span", { style: place(v, "y") }, (100 * v).toFixed(0))]));
    svg.setAttribute("aria-label", t("Reliability: stated against observed in {n} bins. Arrow keys read single bins.", { n: c.bins.length }));
    words(c);
    point(at >= c.bins.length ? -1 : at);
  }

  function words(c) {
    const wide = c.ece_chance !== null, off = wide && c.ece > c.ece_chance;
    setText(verdict, !wide ? `● ${t("Too short a time to say whether it holds.")}` : off ? `▼ ${t("It strays further from the diagonal than chance does.")}` : `▲ ${t("No fault shows: the curve strays no further than chance does.")}`);
    setClass(verdict, `verdict ${!wide ? "dim" : off ? "warn" : "bull"}`);
    const range = (name) => c.bounds[name]?.[0] != null ? ` (${c.bounds[name][0].toFixed(3)} … ${c.bounds[name][1].toFixed(3)})` : "";
    const rows = [[t("Brier score"), `${c.brier.toFixed(4)}${range("brier")}`, t("Mean squared distance of probability and outcome; 0.25 is what a coin gets, less is better")],
      [t("Skill"), c.skill === null ? "–" : percent(c.skill), t("Against the hit rate alone; above zero only where it adds something")],
      [t("Mean distance"), `${(100 * c.ece).toFixed(1)} %${wide ? ` · ${t("chance {value} %", { value: (100 * c.ece_chance).toFixed(1) })}` : ""}`, t("Of the curve from the diagonal (ECE); what perfect probabilities would stay under")],
      [t("AUC"), c.auc === null ? "–" : c.auc.toFixed(3), t("Chance that a right call was stated higher than a wrong one; 0.5 is no order at all")],
      [t("Log loss"), c.log_loss.toFixed(4), t("0.693 is what a coin gets, less is better")],
      [t("Hit rate"), `${pct(c.hit_rate)} · ${t("{n} judged", { n: c.n })}`, ""]];
    facts.replaceChildren(...rows.flatMap(([name, value, title]) => [h("dt", { title }, name), h("dd", { class: "fig", title }, value)]));
    setText(parts, t("Brier {brier} = miscalibration {miss} − resolution {resolution} + uncertainty {open} + within bins {within}", { brier: c.brier.toFixed(4), miss: c.miscalibration.toFixed(4), resolution: c.resolution.toFixed(4), open: c.uncertainty.toFixed(4), within: (Math.abs(c.within) < 5e-5 ? 0 : c.within).toFixed(4).replace("-", "−") }));
    const found = which === "success" ? s.trial : null;
    setText(trial, !found ? "" : found.off ? `⚠ ${t("The running trial has called it off: evidence {evidence} of {limit}. It is learned anew.", { evidence: found.evidence.toFixed(1), limit: found.limit.toFixed(0) })}`
      : t("Running trial since it was learned: evidence {evidence}, called off at {limit}; outcomes lie {shift} beside it.", { evidence: found.evidence.toFixed(2), limit: found.limit.toFixed(0), shift: percent(found.shift) }));
    setClass(trial, found?.off ? "trial warn" : "trial note");
  }

  function point(i) {
    at = i;
    const c = s[which];
    if (!c) return;
    const b = c.bins[i];
    chosen.setAttribute("d", b ? `M${x(b.stated).toFixed(1)} ${y(b.observed).toFixed(1)}h.01` : "");
    setText(readout, b ? t("stated {stated}, came {observed} · {n} judged", { stated: pct(b.stated), observed: pct(b.observed), n: b.n }) : t("across: stated · up: what came, in percent"));
  }

  svg.addEventListener("pointermove", (event) => {
    const c = s[which], box = svg.getBoundingClientRect(), px = (event.clientX - box.left) / box.width * SIZE;
    if (c) point(c.bins.reduce((best, b, i) => Math.abs(x(b.stated) - px) < Math.abs(x(c.bins[best].stated) - px) ? i : best, 0));
  });
  svg.addEventListener("pointerleave", () => point(-1));
  svg.addEventListener("blur", () => point(-1));
  svg.addEventListener("keydown", (event) => {
    const last = (s[which]?.bins.length ?? 0) - 1, to = { ArrowLeft: at < 0 ? last : at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (to === undefined || last < 0) return;
    event.preventDefault();
    point(Math.max(0, Math.min(last, to)));
  });
  model.on("state", draw);
  draw();
  return root;
}
