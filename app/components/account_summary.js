// Cards of the paper account, and its breakers; numbers change in place.

const STATES = { CLOSED: ["ok", "✓", "CLOSED"], OPEN: ["bad", "■", "OPEN"], HALF_OPEN: ["mid", "◐", "HALF-OPEN"] };

function money(value, sign = false) {
  if (value === null || value === undefined) return "–";
  const text = Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return `${value < 0 ? "−" : sign ? "+" : ""}${text}`;
}

function share(value, digits = 1) {
  return value === null || value === undefined ? "–" : `${(100 * value).toFixed(digits)} %`;
}

export function render({ model }) {
  const cards = h("div", { class: "cards" });
  const row = h("div", { class: "breakers", role: "group", "aria-label": "Breakers" });
  const told = h("p", { class: "told", role: "status" });
  const problem = h("p", { class: "problem", role: "alert" });
  const stamp = h("span", { class: "chip stamp" });
  const root = h("div", { class: "fill" },
    h("div", { class: "head" }, h("h2", {}, "Paper account"), stamp,
      h("span", { class: "dim quiet" }, "Paper only: no order ever leaves this machine. Not advice.")),
    cards, row, told, problem);
  const made = new Map(), shown = new Map();
  let asking = "";

  function card(name) {
    if (!made.has(name)) {
      const value = h("b"), below = h("span", { class: "below" }), bar = h("i");
      const meter = h("span", { class: "meter", "aria-hidden": "true" }, bar);
      const box = h("div", { class: "card" }, h("span", { class: "name" }, name), value, below, meter);
      made.set(name, { box, value, below, bar, meter });
      cards.append(box);
    }
    return made.get(name);
  }

  function put(name, text, tone, below, part, hint) {
    const c = card(name);
    setText(c.value, text);
    setClass(c.value, tone);
    setText(c.below, below);
    c.box.title = hint;
    c.meter.hidden = part === null || part === undefined;
    c.bar.style.width = `${Math.min(100, Math.max(0, 100 * (part ?? 0)))}%`;
    c.meter.classList.toggle("near", part >= 0.7);
  }

  const tone = (value) => value > 0 ? "bull" : value < 0 ? "bear" : "";
  const arrow = (value) => value > 0 ? "▲ " : value < 0 ? "▼ " : "";

  function draw() {
    const s = JSON.parse(model.state || "{}");
    cards.hidden = row.hidden = s.equity === undefined;
    stamp.hidden = s.source === undefined;
    setText(stamp, s.simulated ? "SIMULATED" : s.source ?? "");
    stamp.title = s.simulated ? "Prices are made up by the simulator; so is every result here." : "Where prices come from";
    stamp.classList.toggle("invented", Boolean(s.simulated));
    const note = [s.storage ? `Nothing is stored now: ${s.storage}` : "", s.held_back ?? "", ...(s.missing ?? [])].filter(Boolean).join(" · ");
    setText(told, note);
    told.hidden = !note;
    if (s.equity === undefined) return;
    put("Equity", money(s.equity), "", `${percent(s.gain, 2)} of ${money(s.start_cash)}`, null, `Cash ${money(s.cash)} and what is held at its marks, quote currency`);
    put("Day P&L", arrow(s.day) + money(s.day, true), tone(s.day), `${percent(s.day_part, 2)} · limit −${share(s.day_limit)}`,
      s.day_part < 0 && s.day_limit ? -s.day_part / s.day_limit : 0, "Since midnight UTC; at the limit the day's entries end");
    put("Exposure", percent(s.exposure, 0), "", `leverage ${number(s.leverage)}× of ${number(s.leverage_limit, 1)}×`,
      s.leverage_limit ? s.leverage / s.leverage_limit : null, "Net notional by equity; the leverage counts long and short");
    put("Drawdown", share(s.drawdown), s.drawdown > 0 ? "bear" : "", `limit ${share(s.drawdown_limit)}`,
      s.drawdown_limit ? s.drawdown / s.drawdown_limit : null, "Below the highest equity since the breaker closed");
    put("Open risk", money(s.risk), "", `${share(s.risk_part)} of equity · ${s.open} of ${s.open_limit} open${s.unstopped ? ` · ${s.unstopped} without stop` : ""}`,
      s.open_limit ? s.open / s.open_limit : null, "Lost if every stop is hit from here, before costs");
    put("Trades", String(s.trades), "", `${s.wins} won · costs ${money(s.costs)}`, null, "Ended trades; fees and slippage of all fills");
    drawBreakers(s.breakers);
  }

  function drawBreakers(lines) {
    for (const line of lines) {
      if (!shown.has(line.name)) shown.set(line.name, breaker(line));
      const b = shown.get(line.name), [kind, glyph, word] = STATES[line.state] ?? ["", "", line.state];
      setClass(b.chip, `state ${kind}`);
      setText(b.glyph, glyph);
      setText(b.word, line.state === "OPEN" ? (line.until ? `OPEN until ${clock(line.until)} UTC` : "OPEN until the data is back") : word);
      b.box.title = `${line.text || line.title}${line.trips ? ` · tripped ${line.trips}×` : ""}`;
      b.reset.hidden = line.state === "CLOSED" || READ_ONLY;
      b.reset.disabled = asking === line.name;
    }
  }

  function breaker(line) {
    const glyph = h("span", { "aria-hidden": "true" }), word = h("span");
    const chip = h("span", { class: "state" }, glyph, word);
    const reset = h("button", { class: "pill", type: "button", "aria-label": `Reset breaker: ${line.title}`,
      onclick: () => { asking = line.name; reset.disabled = true; model.send_msg({ type: "reset_breaker", name: line.name }); } }, "Reset");
    const box = h("div", { class: "breaker" }, h("span", { class: "dim" }, line.title), chip, reset);
    row.append(box);
    return { box, chip, glyph, word, reset };
  }

  function settle() {
    asking = "";
    const { text, error } = JSON.parse(model.answer || "{}");
    setText(problem, error ?? "");
    if (text) setText(told, text);
    draw();
  }

  model.on("state", draw);
  model.on("answer", settle);
  draw();
  return root;
}
