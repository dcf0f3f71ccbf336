// Cards of the paper account, and its breakers; numbers change in place.

const STATES = { CLOSED: ["ok", "✓", t("CLOSED")], OPEN: ["bad", "■", t("OPEN")], HALF_OPEN: ["mid", "◐", t("HALF-OPEN")] };

export function render({ model }) {
  const cards = h("div", { class: "cards" });
  const row = h("div", { class: "breakers", role: "group", "aria-label": t("Breakers") });
  const told = h("p", { class: "told", role: "status" });
  const problem = h("p", { class: "problem", role: "alert" });
  const stamp = h("span", { class: "chip stamp" });
  const root = h("div", { class: "fill" },
    h("div", { class: "head" }, h("h2", {}, t("Paper account")), stamp,
      h("span", { class: "dim quiet" }, t("Paper only: no order ever leaves this machine. Not advice."))),
    cards, row, told, problem);
  const made = new Map(), shown = new Map();
  let asking = "", sure = "";

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

  function draw() {
    const s = JSON.parse(model.state || "{}");
    cards.hidden = row.hidden = s.equity === undefined;
    mark(stamp, s.source, s.simulated);
    const note = [s.storage ? t("Nothing is stored now: {why}", { why: s.storage }) : "", tell(s.held_back ?? ""), ...(s.missing ?? []).map(tell)].filter(Boolean).join(" · ");
    setText(told, note);
    told.hidden = !note;
    if (s.equity === undefined) return;
    put(t("Equity"), money(s.equity), "", t("{gain} of {cash}", { gain: fig(percent(s.gain, 2)), cash: money(s.start_cash) }), null, t("Cash {cash} and what is held at its marks, quote currency", { cash: money(s.cash) }));
    put(t("Day P&L"), fig(arrow(s.day) + money(s.day, true)), tone(s.day), `${fig(percent(s.day_part, 2))} · ${t("limit {limit}", { limit: share(-s.day_limit) })}`,
      s.day_part < 0 && s.day_limit ? -s.day_part / s.day_limit : 0, t("Since midnight UTC; at the limit the day's entries end"));
    put(t("Exposure"), fig(percent(s.exposure, 0)), "", t("leverage {value} of {limit}", { value: fig(`${number(s.leverage)}×`), limit: fig(`${number(s.leverage_limit, 1)}×`) }),
      s.leverage_limit ? s.leverage / s.leverage_limit : null, t("Net notional by equity; the leverage counts long and short"));
    put(t("Drawdown"), share(s.drawdown), s.drawdown > 0 ? "bear" : "", t("limit {limit}", { limit: share(s.drawdown_limit) }),
      s.drawdown_limit ? s.drawdown / s.drawdown_limit : null, t("Below the highest equity since the breaker closed"));
    put(t("Open risk"), money(s.risk), "", [t("{share} of equity", { share: share(s.risk_part) }), t("{n} of {all} open", { n: s.open, all: s.open_limit }), s.unstopped ? t("{n} without stop", { n: s.unstopped }) : ""].filter(Boolean).join(" · "),
      s.open_limit ? s.open / s.open_limit : null, t("Lost if every stop is hit from here, before costs"));
    put(t("Trades"), String(s.trades), "", `${t("{n} won", { n: s.wins })} · ${t("costs {money}", { money: money(s.costs) })}`, null, t("Ended trades; fees and slippage of all fills"));
    drawBreakers(s.breakers);
  }

  function drawBreakers(lines) {
    for (const line of lines) {
      if (!shown.has(line.name)) shown.set(line.name, breaker(line));
      const b = shown.get(line.name), [kind, glyph, word] = STATES[line.state] ?? ["", "", line.state];
      setClass(b.chip, `state ${kind}`);
      setText(b.glyph, glyph);
      setText(b.word, line.state === "OPEN" ? (line.until ? t("OPEN until {time}", { time: clock(line.until) }) : t("OPEN until the data is back")) : word);
      b.box.title = [line.text || t(line.title), line.trips === 1 ? t("Tripped once.") : line.trips ? t("Tripped {n} times.", { n: line.trips }) : ""].filter(Boolean).join(" · ");
      b.reset.hidden = line.state === "CLOSED" || READ_ONLY;
      b.reset.disabled = asking === line.name;
    }
  }

  function breaker(line) {
    const glyph = h("span", { "aria-hidden": "true" }), word = h("span");
    const chip = h("span", { class: "state" }, glyph, word);
    const reset = h("button", { class: "pill", type: "button", onclick: press, onblur: () => confirm("") });
    const confirm = (name) => {
      sure = name;
      setText(reset, sure ? t("Close it now") : t("Close by hand"));
      reset.setAttribute("aria-label", sure ? t("Yes, close the breaker: {name}", { name: t(line.title) }) : t("Close the breaker by hand: {name}", { name: t(line.title) }));
    };
    function press() {
      if (sure !== line.name) { confirm(line.name); return; }
      confirm("");
      asking = line.name;
      reset.disabled = true;
      model.send_msg({ type: "reset_breaker", name: line.name });
    }
    confirm("");
    const box = h("div", { class: "breaker" }, h("span", { class: "dim" }, t(line.title)), chip, reset);
    row.append(box);
    return { box, chip, glyph, word, reset };
  }

  function settle() {
    asking = "";
    const { text, error } = JSON.parse(model.answer || "{}");
    setText(problem, tell(error ?? ""));
    draw();
    if (text) { told.hidden = false; setText(told, tell(text)); }
  }

  model.on("state", draw);
  model.on("answer", settle);
  draw();
  return root;
}
