// What to test. The server decides what is valid; the form only keeps nonsense from being typed.

const SIZES = {
  risk: ["Risk at the stop, %", 1, 100], equity: ["Part of the equity, %", 10, 100],
  notional: ["Quote currency", 1000, 1], all_in: ["", 1, 1],
};
const DOING = { queued: "waiting", running: "running", cancelling: "stopping" };

export function render({ model }) {
  let offered = {}, job = {}, chosen = new Set(), told = 0;
  const field = (attributes) => h("input", { class: "field", ...attributes });
  const select = (label, ...options) => h("select", { class: "field", "aria-label": label }, ...options);
  const option = (value, text = value) => h("option", { value }, text);
  const row = (text, control, hint) => h("label", { class: "row", title: hint }, h("span", {}, text), control);

  const names = h("datalist", { id: "symbols" });
  const symbol = field({ list: "symbols", spellcheck: "false", autocomplete: "off", "aria-label": "Symbol" });
  const start = field({ type: "date", "aria-label": "From" }), end = field({ type: "date", "aria-label": "To" });
  const base = select("Bars"), decide = select("Decisions");
  const frames = h("div", { class: "frames", role: "group", "aria-label": "Timeframes that are scored" });
  const preset = select("Weights");
  const cash = field({ type: "number", min: 1, step: "any", value: 10000 });
  const fee = field({ type: "number", min: 0, max: 10, step: "any", value: 0.05 });
  const slippage = field({ type: "number", min: 0, max: 10, step: "any", value: 0.1 });
  const spread = field({ type: "number", min: 0, max: 10, step: "any", value: 0 });
  const sizing = select("Size", option("risk", "risk at the stop"), option("equity", "part of the equity"),
    option("notional", "fixed notional"), option("all_in", "everything"));
  const amount = field({ type: "number", min: 0, step: "any" });
  const amountRow = row("", amount, "How large an entry is before the limits cap it");
  const score = field({ type: "number", min: 0.5, max: 1, step: 0.01, value: 0.65 });
  const confidence = field({ type: "number", min: 0, max: 1, step: 0.01, value: 0.2 });
  const stop = field({ type: "number", min: 0, max: 20, step: 0.1, value: 1.5 });
  const trail = field({ type: "number", min: 0, max: 50, step: 0.1, value: 2 });
  const time = field({ type: "number", min: 0, step: 1, value: 24 });
  const side = select("Side", option("", "both"), option("BULLISH", "long only"), option("BEARISH", "short only"));
  const fill = select("Fills", option("open", "next open"), option("close", "same close"), option("limit", "limit order"));
  const run = h("button", { class: "btn first", type: "submit" }, "Run");
  const cancel = h("button", { class: "btn", type: "button", hidden: true, onclick: () => model.send_msg({ type: "cancel" }) }, "Cancel");
  const bar = h("i"), doing = h("span", { class: "note", role: "status" });
  const progress = h("div", { class: "progress", role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0, "aria-valuemax": 100, hidden: true }, bar);
  const problem = h("p", { class: "problem", role: "alert", hidden: true });

  const form = h("form", { onsubmit: submit },
    row("Symbol", symbol), names,
    h("div", { class: "pair" }, row("From", start, "Earlier bars are warm-up"), row("To", end)),
    h("div", { class: "pair" }, row("Bars", base, "What is walked bar by bar"), row("Decide every", decide, "At whose closes is decided")),
    h("div", { class: "row", title: "Timeframes that are scored; each decision takes the newest closed bar of all" }, h("span", {}, "Scored"), frames),
    row("Weights", preset),
    h("fieldset", {}, h("legend", {}, "Costs of each fill, %"),
      h("div", { class: "triple" }, row("Fee", fee), row("Slippage", slippage), row("Spread", spread, "Half of it makes a fill worse"))),
    h("div", { class: "pair" }, row("Size", sizing), amountRow),
    row("Capital", cash),
    h("details", {}, h("summary", {}, "Rules"),
      h("div", { class: "pair" }, row("Least score", score), row("Least confidence", confidence)),
      h("div", { class: "triple" }, row("Stop, ATR", stop, "0: no stop"), row("Trail, ATR", trail, "0: the stop does not trail"), row("Time stop", time, "Decision bars; 0: never")),
      h("div", { class: "pair" }, row("Side", side), row("Fill at", fill))),
    h("div", { class: "actions" }, run, cancel, doing), progress, problem);
  const root = h("div", { class: "editor" }, h("div", { class: "head" }, h("h2", {}, "Backtest")), form);

  const length = (name) => (offered.frames ?? []).find(([other]) => other === name)?.[1] ?? 0;
  const fits = (name) => length(base.value) > 0 && length(name) % length(base.value) === 0;

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

  function drawSize() {
    const [text, value] = SIZES[sizing.value];
    amountRow.hidden = !text;
    setText(amountRow.firstChild, text);
    amount.value = value;
  }

  function submit(event) {
    event.preventDefault();
    const part = (control, scale = 1) => Number(control.value) / scale;
    const asked = {
      symbol: symbol.value.trim(), start_date: start.value, end_date: end.value, timeframe: base.value,
      timeframes: askedFrames(), decision_timeframe: decide.value, initial_capital: part(cash),
      fee: part(fee, 100), slippage: part(slippage, 100), spread: part(spread, 100),
      sizing: { kind: sizing.value, ...(sizing.value === "all_in" ? {} : { amount: part(amount, SIZES[sizing.value][2]) }) },
      rules: { min_score: part(score), min_confidence: part(confidence), stop_atr: part(stop), trail_atr: part(trail),
        time_stop: part(time), fill: fill.value, ...(side.value ? { direction: side.value } : {}) },
    };
    run.disabled = true;
    model.send_msg({ type: "run", asked, preset: preset.value });
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
    const left = job.left_s > 1 ? `, ${Math.ceil(job.left_s)} s left` : "";
    setText(doing, job.state === "done" ? `done in ${job.took_s < 0.095 ? Math.round(1000 * job.took_s) + " ms" : job.took_s?.toFixed(1) + " s"}`
      : job.state === "cancelled" ? "stopped" : !busy ? ""
      : job.state === "queued" && job.place > 0 ? `waiting for ${job.place} other${job.place > 1 ? "s" : ""}` : (job.state === "running" && job.doing) ? `${job.doing}${left}` : DOING[job.state]);
    problem.hidden = !job.error;
    setText(problem, job.error ?? "");
    if (job.id) remember({ job: job.id });
  }

  function drawOffer() {
    offered = JSON.parse(model.offered || "{}");
    names.replaceChildren(...(offered.symbols ?? []).map((name) => option(name)));
    if (!symbol.value) symbol.value = offered.symbols?.[0] ?? "";
    const kept = preset.value;
    preset.replaceChildren(option("", "active weights"), ...(offered.presets ?? []).map((name) => option(name)));
    preset.value = kept;
    if (told === 0 && offered.frames) {
      told = 1;
      start.value = offered.start;
      end.value = offered.end;
      base.replaceChildren(...offered.frames.map(([name]) => option(name)));
      base.value = "1h";
      usual();
      drawFrames();
    }
  }

  base.addEventListener("change", () => { usual(); drawFrames(); });
  sizing.addEventListener("change", drawSize);
  model.on("offered", drawOffer);
  model.on("state", drawJob);
  drawSize();
  drawOffer();
  drawJob();
  return root;
}
