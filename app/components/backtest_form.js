// What to ask of a market's history. The server decides what is valid; the form only keeps nonsense
// from being typed.

const SIZES = {
  risk: [t("Risk at the stop, %"), 1, 100], equity: [t("Part of the equity, %"), 10, 100],
  notional: [t("Quote currency"), 1000, 1], all_in: ["", 1, 1],
};
const DOING = { queued: t("waiting"), running: t("running"), cancelling: t("stopping") };
const WORK = {
  "reading bars": t("reading bars"), "running the detectors": t("running the detectors"), trading: t("trading"), judging: t("judging"),
  "walking forward": t("walking forward"), scoring: t("scoring"), measuring: t("measuring"), "asking the guards": t("asking the guards"),
  "reading what was known besides bars": t("reading news and mood"),
};
const KINDS = {
  backtest: [t("Backtest"), t("Trade one set of weights through the past.")],
  sweep: [t("Sweep"), t("Judge many sets of weights on one past, and see where the good ones lie.")],
  walk_forward: [t("Walk-forward"), t("Choose weights on the past, trade them on what came next: what a search is really worth.")],
  calibration: [t("Calibration"), t("Do stated probabilities come true? Scores become odds.")],
  surface: [t("Costs and delay"), t("What is left under higher costs and later decisions.")],
};
const SEARCHES = { random: t("random"), grid: t("grid"), tpe: "TPE", cmaes: "CMA-ES" };

export function render({ model }) {
  let offered = {}, job = {}, chosen = new Set(), told = 0, filled = "{}";
  const asked = new URL(window.location.href).searchParams.get("study");
  let kind = asked in KINDS ? asked : "backtest";
  const field = (attributes) => h("input", { class: "field", ...attributes });
  const select = (label, ...options) => h("select", { class: "field", "aria-label": label }, ...options);
  const option = (value, text = value) => h("option", { value }, text);
  const row = (text, control, hint) => h("label", { class: "row", title: hint }, h("span", {}, text), control);
  const amongst = (kinds, element) => { element.dataset.kinds = kinds; return element; };

  const names = h("datalist", { id: "symbols" });
  const symbol = field({ list: "symbols", spellcheck: "false", autocomplete: "off", "aria-label": t("Symbol") });
  const start = field({ type: "date", "aria-label": t("From") }), end = field({ type: "date", "aria-label": t("To") });
  const base = select(t("Bars")), decide = select(t("Decide every"));
  const frames = h("div", { class: "frames", role: "group", "aria-label": t("Timeframes that are scored") });
  const preset = select(t("Weights"));
  const cash = field({ type: "number", min: 1, step: "any", value: 10000 });
  const fee = field({ type: "number", min: 0, max: 10, step: "any", value: 0.05 });
  const slippage = field({ type: "number", min: 0, max: 10, step: "any", value: 0.1 });
  const spread = field({ type: "number", min: 0, max: 10, step: "any", value: 0 });
  const sizing = select(t("Size"), option("risk", t("risk at the stop")), option("equity", t("part of the equity")),
    option("notional", t("fixed notional")), option("all_in", t("everything")));
  const amount = field({ type: "number", min: 0, step: "any" });
  const amountRow = row("", amount, t("How large an entry is before the limits cap it"));
  const score = field({ type: "number", min: 0.5, max: 1, step: 0.01, value: 0.65 });
  const confidence = field({ type: "number", min: 0, max: 1, step: 0.01, value: 0.2 });
  const stop = field({ type: "number", min: 0, max: 20, step: 0.1, value: 1.5 });
  const trail = field({ type: "number", min: 0, max: 50, step: 0.1, value: 2 });
  const time = field({ type: "number", min: 0, step: 1, value: 24 });
  const side = select(t("Side"), option("", t("both")), option("BULLISH", t("long only")), option("BEARISH", t("short only")));
  const fill = select(t("Fills"), option("open", t("next open")), option("close", t("same close")), option("limit", t("limit order")));
  const context = h("input", { type: "checkbox" });
  const method = select(t("Search"), ...Object.entries(SEARCHES).map(([value, text]) => option(value, text)));
  const count = field({ type: "number", min: 1, max: 100000, step: 1, value: 1000 });
  const aim = select(t("By"));
  const least = field({ type: "number", min: 0, step: 1, value: 30 });
  const folds = field({ type: "number", min: 1, max: 24, step: 1, value: 6 });
  const train = field({ type: "number", min: 5, max: 95, step: 1, value: 50 });
  const anchored = select(t("Learn from"), option("1", t("all before")), option("", t("a sliding window")));
  const curve = select(t("Method"), option("isotonic", t("rising steps")), option("logistic", t("logistic")));
  const run = h("button", { class: "btn first", type: "submit" }, t("Run"));
  const cancel = h("button", { class: "btn", type: "button", hidden: true, onclick: () => model.send_msg({ type: "cancel" }) }, t("Cancel"));
  const bar = h("i"), doing = h("span", { class: "note", role: "status" });
  const progress = h("div", { class: "progress", role: "progressbar", "aria-label": t("Progress"), "aria-valuemin": 0, "aria-valuemax": 100, hidden: true }, bar);
  const problem = h("p", { class: "problem", role: "alert", lang: "en", hidden: true });
  const about = h("p", { class: "note about" });
  const kinds = h("div", { class: "kinds", role: "radiogroup", "aria-label": t("What to ask") }, ...Object.entries(KINDS).map(([name, [text, hint]]) =>
    h("button", { class: "pill", type: "button", role: "radio", title: hint, "data-kind": name, onclick: () => choose(name) }, text)));

  const form = h("form", { onsubmit: submit }, kinds, about,
    row(t("Symbol"), symbol, t("Several, separated by commas, share the cash")), names,
    h("div", { class: "pair" }, row(t("From"), start, t("Earlier bars are warm-up")), row(t("To"), end)),
    h("div", { class: "pair" }, row(t("Bars"), base, t("What is walked bar by bar")), amongst("backtest sweep walk_forward surface", row(t("Decide every"), decide, t("At whose closes is decided")))),
    h("div", { class: "row", title: t("Timeframes that are scored; each decision takes the newest closed bar of all") }, h("span", {}, t("Scored")), frames),
    amongst("backtest calibration surface", row(t("Weights"), preset)),
    amongst("sweep walk_forward", h("fieldset", {}, h("legend", {}, t("Search")),
      h("div", { class: "pair" }, row(t("Method"), method, t("Random draws evenly from all proportions; TPE and CMA-ES learn from what they judged")), row(t("Vectors"), count, t("Each is a trial, and trials are never forgotten"))),
      h("div", { class: "pair" }, row(t("By"), aim), row(t("Least trades"), least, t("With fewer a vector has no value"))))),
    amongst("walk_forward", h("div", { class: "triple" }, row(t("Folds"), folds), row(t("First test at, %"), train, t("Share of the span that is only learnt from")), row(t("Learn from"), anchored))),
    amongst("calibration", row(t("Method"), curve)),
    amongst("backtest sweep walk_forward surface", h("fieldset", {}, h("legend", {}, t("Costs of each fill, %")),
      h("div", { class: "triple" }, row(t("Fee"), fee), row(t("Slippage"), slippage), row(t("Spread"), spread, t("Half of it makes a fill worse"))))),
    amongst("backtest sweep walk_forward surface", h("div", { class: "pair" }, row(t("Size"), sizing), amountRow)),
    amongst("backtest sweep walk_forward surface", row(t("Capital"), cash)),
    h("label", { class: "check", title: t("Headlines, funding and Fear & Greed as they became known; slower") }, context, t("Replay news and mood")),
    amongst("backtest sweep walk_forward surface", h("details", {}, h("summary", {}, t("Rules")),
      h("div", { class: "pair" }, row(t("Least score"), score), row(t("Least confidence"), confidence)),
      h("div", { class: "triple" }, row(t("Stop, ATR"), stop, t("0: no stop")), row(t("Trail, ATR"), trail, t("0: the stop does not trail")), row(t("Time stop"), time, t("Decision bars; 0: never"))),
      h("div", { class: "pair" }, row(t("Side"), side), row(t("Fill at"), fill)))),
    problem, h("div", { class: "actions" }, progress, run, cancel, doing));
  const root = h("div", { class: "editor" }, h("div", { class: "head" }, h("h2", {}, t("Ask the past"))), form);

  const length = (name) => (offered.frames ?? []).find(([other]) => other === name)?.[1] ?? 0;
  const fits = (name) => length(base.value) > 0 && length(name) % length(base.value) === 0;

  function choose(name, focus = false) {
    kind = name;
    for (const pill of kinds.children) {
      const on = pill.dataset.kind === kind;
      pill.setAttribute("aria-checked", String(on));
      pill.tabIndex = on ? 0 : -1;
      if (on && focus) pill.focus();
    }
    for (const part of form.querySelectorAll("[data-kinds]")) part.hidden = !part.dataset.kinds.split(" ").includes(kind);
    setText(about, KINDS[kind][1]);
    remember({ study: kind });
  }

  kinds.addEventListener("keydown", (event) => {
    const all = Object.keys(KINDS), at = all.indexOf(kind);
    const rtl = getComputedStyle(kinds).direction === "rtl" ? -1 : 1;
    const to = { ArrowRight: at + rtl, ArrowDown: at + 1, ArrowLeft: at - rtl, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(all[(to + all.length) % all.length], true);
  });

  function usualFrames() {
    const scored = (offered.scored ?? []).filter(fits);
    return scored.length > 0 ? scored : [base.value];
  }

  function usual() {
    chosen = new Set(usualFrames());
  }

  /** Nothing where the choice is the usual one: of that, what lacks history is left out. */
  function askedFrames() {
    const some = usualFrames();
    return some.length === chosen.size && some.every((name) => chosen.has(name)) ? null : [...chosen];
  }

  function drawFrames() {
    const some = (offered.frames ?? []).map(([name]) => name).filter(fits);
    chosen = new Set(some.filter((name) => chosen.has(name)));
    frames.replaceChildren(...some.map((name) => h("button", { class: "pill", type: "button", "aria-pressed": String(chosen.has(name)),
      onclick: (event) => {
        chosen.has(name) ? chosen.delete(name) : chosen.add(name);
        if (chosen.size === 0) chosen.add(name);
        event.currentTarget.setAttribute("aria-pressed", String(chosen.has(name)));
        drawDecide();
      } }, name)));
    drawDecide();
  }

  function drawDecide() {
    const before = decide.value, some = (offered.frames ?? []).map(([name]) => name).filter((name) => chosen.has(name));
    decide.replaceChildren(...some.map((name) => option(name)));
    decide.value = some.includes(before) ? before : some.includes("1h") ? "1h" : some[0] ?? "";
  }

  function drawSize(value) {
    const [text, usualAmount] = SIZES[sizing.value];
    amountRow.hidden = !text;
    setText(amountRow.firstChild, text);
    amount.value = value ?? usualAmount;
  }

  /** A typed number; null for an emptied field, which the server refuses: it is not 0. */
  function part(control, scale = 1) { return control.value.trim() === "" ? null : Number(control.value) / scale; }

  function market() {
    const some = symbol.value.split(",").map((name) => name.trim()).filter(Boolean);
    return {
      ...(some.length > 1 ? { symbols: some } : { symbol: some[0] ?? "" }),
      start_date: start.value, end_date: end.value, timeframe: base.value,
      timeframes: askedFrames(), decision_timeframe: decide.value, initial_capital: part(cash),
      fee: part(fee, 100), slippage: part(slippage, 100), spread: part(spread, 100), context: context.checked,
      sizing: { kind: sizing.value, ...(sizing.value === "all_in" ? {} : { amount: part(amount, SIZES[sizing.value][2]) }) },
      rules: { min_score: part(score), min_confidence: part(confidence), stop_atr: part(stop), trail_atr: part(trail),
        time_stop: part(time), fill: fill.value, ...(side.value ? { direction: side.value } : {}) },
    };
  }

  function submit(event) {
    event.preventDefault();
    if (run.disabled) return;
    run.disabled = true;
    const search = { method: method.value, n: part(count), objective: aim.value, least_trades: part(least) };
    model.send_msg({ type: "run", asked: { kind, market: market(), preset: preset.value,
      ...(kind === "sweep" || kind === "walk_forward" ? { search } : {}),
      ...(kind === "walk_forward" ? { folds: { n: part(folds), train: part(train, 100), anchored: Boolean(anchored.value) } } : {}),
      ...(kind === "calibration" ? { method: curve.value } : {}) } });
  }

  function took(s) { return s < 0.095 ? `${Math.round(1000 * s)} ms` : `${s?.toFixed(1)} s`; }

  function words() {
    if (job.state === "done") return t("done in {time}", { time: took(job.took_s) });
    if (job.state === "cancelled") return t("stopped");
    if (!(job.state in DOING)) return "";
    if (job.state === "queued" && job.place > 0) return t("waiting, {n} before it", { n: job.place });
    if (job.state !== "running" || !job.doing) return DOING[job.state];
    const now = WORK[job.doing] ?? job.doing;
    return job.left_s > 1 ? t("{doing}, {n} s left", { doing: now, n: Math.ceil(job.left_s) }) : now;
  }

  function drawJob() {
    job = JSON.parse(model.state || "{}");
    const busy = job.state in DOING;
    run.disabled = busy || READ_ONLY;
    cancel.hidden = !busy || READ_ONLY;
    cancel.disabled = job.state === "cancelling";
    progress.hidden = !busy;
    progress.classList.toggle("unsure", busy && !(job.progress > 0 && job.progress < 1));
    bar.style.width = `${100 * (job.progress ?? 0)}%`;
    progress.setAttribute("aria-valuenow", Math.round(100 * (job.progress ?? 0)));
    setText(doing, words());
    problem.hidden = !job.error;
    setText(problem, job.error ?? "");
    if (job.id && busy) remember({ job: job.id });
  }

  function drawOffer() {
    offered = JSON.parse(model.offered || "{}");
    names.replaceChildren(...(offered.symbols ?? []).map((name) => option(name)));
    if (!symbol.value) symbol.value = offered.symbols?.[0] ?? "";
    const kept = preset.value, by = aim.value;
    preset.replaceChildren(option("", t("active weights")), ...(offered.presets ?? []).map((name) => option(name)));
    preset.value = (offered.presets ?? []).includes(kept) ? kept : "";
    if (told === 0 && offered.frames) {
      told = 1;
      aim.replaceChildren(...offered.objectives.map(([name, text]) => option(name, t(text))));
      aim.value = by || "sharpe";
      start.value = offered.start;
      end.value = offered.end;
      base.replaceChildren(...offered.frames.map(([name]) => option(name)));
      base.value = "1h";
      usual();
      drawFrames();
    }
  }

  /** Show what a run that is looked at again was asked. */
  function drawFilled() {
    if (told === 0 || model.filled === filled) return;
    filled = model.filled;
    const was = JSON.parse(filled);
    const percents = (value) => Number((100 * value).toPrecision(12));
    if (was.kind in KINDS) choose(was.kind);
    symbol.value = was.symbols.join(", ");
    start.value = was.start;
    end.value = was.end;
    base.value = was.timeframe;
    chosen = new Set(was.timeframes);
    drawFrames();
    if (was.decision_timeframe) decide.value = was.decision_timeframe;
    cash.value = was.cash;
    for (const [control, name] of [[fee, "fee"], [slippage, "slippage"], [spread, "spread"]]) control.value = percents(was.costs[name]);
    sizing.value = was.sizing.kind;
    drawSize(SIZES[sizing.value][2] === 100 ? percents(was.sizing.amount) : was.sizing.amount);
    for (const [control, name] of [[score, "min_score"], [confidence, "min_confidence"], [stop, "stop_atr"], [trail, "trail_atr"], [time, "time_stop"], [fill, "fill"]]) control.value = was.rules[name];
    side.value = was.rules.direction ?? "";
    context.checked = was.context;
    if (was.objective) aim.value = was.objective;
    if (was.folds) { folds.value = was.folds; train.value = percents(was.train); anchored.value = was.anchored ? "1" : ""; }
    if (was.n) { method.value = was.method; count.value = was.n; }
    if (was.kind === "calibration") curve.value = was.method;
  }

  onDo(model, { search: () => { symbol.focus(); symbol.select(); } });
  base.addEventListener("change", () => { usual(); drawFrames(); });
  sizing.addEventListener("change", () => drawSize());
  model.on("offered", () => { drawOffer(); drawFilled(); });
  model.on("filled", drawFilled);
  model.on("state", drawJob);
  drawSize();
  drawOffer();
  drawJob();
  choose(kind);
  drawFilled();
  return root;
}
