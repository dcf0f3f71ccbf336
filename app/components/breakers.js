// The breakers as small state machines; one that is not closed can be closed by hand, confirmed.

const STATES = { CLOSED: ["ok", "✓", t("CLOSED")], OPEN: ["bad", "■", t("OPEN")], HALF_OPEN: ["mid", "◐", t("HALF-OPEN")] };
const STEPS = { daily_loss: ["CLOSED", "OPEN"], stale_data: ["CLOSED", "OPEN"], drawdown: ["CLOSED", "OPEN", "HALF_OPEN"], losing_streak: ["CLOSED", "OPEN", "HALF_OPEN"] };

export function render({ model }) {
  const about = h("span", { class: "state", role: "status" }), list = h("div", { class: "list" }), empty = h("p", { class: "empty" });
  const said = h("p", { class: "said", role: "status" }), problem = h("p", { class: "problem", role: "alert" });
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Breakers")), h("span", { class: "spacer" }), about), list, empty, said, problem);
  const made = new Map();
  let asking = "", sure = "", time = 0;

  function write(value, unit) {
    if (value === null || value === undefined) return "–";
    return unit === "share" ? share(value) : String(value);
  }

  function make(line) {
    const title = t(line.title), chip = h("span", { class: "state" });
    const steps = (STEPS[line.name] ?? Object.keys(STATES)).map((name) => [name, h("span", { class: "step" }, STATES[name][2])]);
    const bar = h("i"), meter = h("span", { class: "meter", "aria-hidden": "true" }, bar), figures = h("span", { class: "dim" });
    const told = h("p", { class: "note" });
    const reset = h("button", { class: "pill", type: "button", "aria-label": t("Close the breaker by hand: {name}", { name: title }), onclick: () => confirm(line.name) }, t("Close by hand …"));
    const why = h("input", { class: "field", maxlength: 200, placeholder: t("why, for the audit"), "aria-label": t("why, for the audit") });
    const yes = h("button", { class: "pill yes", type: "button", "aria-label": t("Yes, close the breaker: {name}", { name: title }), onclick: () => send(line.name) }, t("Close it now"));
    const no = h("button", { class: "pill", type: "button", onclick: () => confirm("") }, t("Leave it"));
    const ask = h("div", { class: "ask", hidden: true }, why, yes, no);
    ask.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { event.stopPropagation(); confirm(""); reset.focus(); }
      if (event.key === "Enter" && event.target === why) send(line.name);
    });
    const box = h("section", { class: "breaker", "data-breaker": line.name, "aria-label": title },
      h("div", { class: "line" }, h("b", {}, title), chip, h("span", { class: "spacer" }), reset),
      h("div", { class: "line machine", "aria-hidden": "true" }, ...steps.flatMap(([, e], i) => i ? [h("span", { class: "dim arrow" }, "→"), e] : [e])),
      h("div", { class: "line" }, meter, figures), told, ask);
    return { root: box, chip, steps, bar, meter, figures, told, reset, ask, yes, why };
  }

  function confirm(name) {
    sure = name;
    draw();
    if (name) made.get(name)?.why.focus();
  }

  function send(name) {
    const why = made.get(name).why;
    sure = "";
    asking = name;
    setText(said, t("asking …"));
    setText(problem, "");
    draw();
    model.send_msg({ type: "reset_breaker", name, why: why.value.trim() });
    why.value = "";
  }

  function fillLine(p, line) {
    const [kind, glyph, word] = STATES[line.state] ?? ["none", "?", line.state];
    setClass(p.chip, `state ${kind}`);
    setText(p.chip, `${glyph} ${word}`);
    for (const [name, e] of p.steps) setClass(e, `step ${name === line.state ? `here ${kind}` : ""}`);
    const off = line.limit === 0, part = line.value !== null && line.limit ? Math.min(1, line.value / line.limit) : 0;
    p.bar.style.width = `${100 * part}%`;
    setClass(p.meter, `meter ${part >= 1 ? "over" : part >= 0.8 ? "near" : ""}`);
    p.meter.style.visibility = line.value === null || off ? "hidden" : "visible";
    setText(p.figures, off ? t("off") : line.value === null ? t("after {n} bars without news", { n: line.limit })
      : t("{value} of {limit}", { value: write(line.value, line.unit), limit: write(line.limit, line.unit) }));
    const until = line.state === "OPEN" ? (line.until ? t("No entries until {time}, in {left}.", { time: clock(line.until), left: fig(ago(line.until - time)) }) : t("No entries until the data is back."))
      : line.state === "HALF_OPEN" ? t("One entry at a time, until a trade has won.") : tell(line.after);
    setText(p.told, [until, line.trips ? (line.trips === 1 ? t("Tripped once.") : t("Tripped {n} times.", { n: line.trips })) : ""].filter(Boolean).join(" "));
    p.reset.hidden = line.state === "CLOSED" || READ_ONLY || sure === line.name;
    p.reset.disabled = asking === line.name;
    p.ask.hidden = sure !== line.name || line.state === "CLOSED";
  }

  function draw() {
    const s = JSON.parse(model.state || "{}"), lines = s.breakers ?? [];
    time = s.time ?? 0;
    keep(list, made, lines, (line) => line.name, make, fillLine);
    const worst = lines.some((l) => l.state === "OPEN") ? "OPEN" : lines.some((l) => l.state === "HALF_OPEN") ? "HALF_OPEN" : "CLOSED";
    setClass(about, `state ${STATES[worst][0]}`);
    setText(about, worst === "OPEN" ? `■ ${t("entries are stopped")}` : worst === "HALF_OPEN" ? `◐ ${t("one entry at a time")}` : `✓ ${t("all closed")}`);
    about.hidden = empty.hidden = !lines.length;
    empty.hidden = lines.length > 0;
    setText(empty, t("Waiting for the account"));
  }

  function settle() {
    asking = "";
    const { text, error } = JSON.parse(model.answer || "{}");
    setText(said, tell(text ?? ""));
    setText(problem, tell(error ?? ""));
    draw();
  }

  model.on("state", draw);
  model.on("answer", settle);
  draw();
  return root;
}
