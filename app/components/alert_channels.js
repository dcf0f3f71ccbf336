// Where alerts go with a test for each, what is worth an alert, and what was told lately.

function ruleName(name) {
  switch (name) {
    case "signal_alerts": return t("Signals");
    case "portfolio_alerts": return t("Returns, losses, drawdown");
    case "risk_alerts": return t("Breakers");
    case "trade_alerts": return t("Trades that ended");
    case "fill_alerts": return t("Fills");
    case "price_alerts": return t("Touched prices");
    case "storage_alerts": return t("Database in trouble");
    case "decay_alerts": return t("Detectors that fade");
    case "api_health_alerts": return t("Line to the market");
    case "daily_summary": return t("Summary once a day");
    case "min_confidence_threshold": return t("Signal: least confidence, 0 to 1");
    case "min_score": return t("Signal: least score, 0.5 to 1");
    case "signal_pause_s": return t("Signal: pause for a symbol, s");
    case "feed_down_s": return t("Line: down for, s");
    case "return_pct": return t("Gain or loss of a day, %");
    case "unrealised_loss": return t("Unrealised loss, quote");
    case "summary_hour": return t("Summary: hour, UTC");
    case "heartbeat_hours": return t("Sign of life every, h (0: never)");
    default: return name;
  }
}

const STEPS = { min_confidence_threshold: "0.01", min_score: "0.01", return_pct: "0.1", unrealised_loss: "any" };
const STATES = { ready: ["●", "ok"], waiting: ["◐", "mid"], failing: ["▲", "bad"] };

function stateName(name) { return name === "ready" ? t("ready") : name === "waiting" ? t("waiting") : t("failing"); }

function statusName(name) {
  switch (name) {
    case "sent": return `● ${t("sent")}`;
    case "failed": return `▲ ${t("failed")}`;
    case "waiting": return `◐ ${t("waiting")}`;
    default: return name;
  }
}

export function render({ model }) {
  const ask = asking(model), told = outcome(), ruled = outcome(), list = h("tbody"), messages = h("tbody");
  const all = h("button", { class: "pill", type: "button", disabled: READ_ONLY, onclick: () => test(all, null) }, t("Test all"));
  const none = h("p", { class: "none" }, h("b", {}, t("No channel yet")), t("OPPORTUNITY_ALERTS names them, as name=address; addresses stay on the server."));
  const col = (words, start) => h("th", { scope: "col", class: start ? "start" : null }, words);
  const table = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("Channels of alerts") }, h("table", {}, h("thead", {}, h("tr", {},
    col(t("Channel"), true), col(t("State"), true), h("th", { scope: "col", class: "roomy" }, t("Last sent")), col(t("Failed, 24 h")), col(h("span", { class: "hidden" }, t("Action"))))), list));
  const switches = h("div", { class: "switches" }), numbers = h("div", { class: "numbers rows" });
  const side = h("select", { class: "field" }, h("option", { value: "any" }, t("any")), h("option", { value: "BULLISH" }, `▲ ${t("bullish")}`), h("option", { value: "BEARISH" }, `▼ ${t("bearish")}`));
  const save = h("button", { class: "btn first", type: "submit", disabled: true }, t("Apply")), undo = h("button", { class: "btn", type: "button", disabled: true, onclick: () => fill(true) }, t("Reset"));
  const form = h("form", { class: "body", onsubmit: submit, oninput: changed }, h("fieldset", {}, h("legend", {}, t("Tell me of")), switches),
    h("fieldset", {}, h("legend", {}, t("From where on")), numbers), h("div", { class: "actions" }, save, undo), ...ruled.parts);
  const rulesBox = h("details", { open: window.matchMedia("(min-width: 761px)").matches }, h("summary", {}, t("What is worth an alert")), form);
  const last = h("details", {}, h("summary", {}, t("Newest messages")), h("div", { class: "scroll log", tabindex: 0, role: "region", "aria-label": t("Newest messages") }, h("table", {}, messages)));
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Alerts")), h("span", { class: "spacer" }), all), table, none, ...told.parts, rulesBox, last);
  const fields = new Map(), rows = new Map();
  let from = null;

  async function test(button, channel) {
    const found = await press(button, told, () => ask("test", { channel }));
    if (found) {
      const failed = Object.entries(found).filter(([, error]) => error);
      if (failed.length) told.fail(failed.map(([name, error]) => `${name}: ${error}`).join(", "));
      else told.say(Object.keys(found).length ? t("Sent: {names}", { names: Object.keys(found).join(", ") }) : t("Tests go to no channel."));
    }
  }

  function build(rules, s) {
    for (const name of s.switches) {
      const box = h("input", { type: "checkbox", disabled: READ_ONLY });
      fields.set(name, box);
      switches.append(h("label", {}, box, ruleName(name)));
    }
    for (const name of s.numbers) {
      const field = h("input", { class: "field", type: "number", step: STEPS[name] ?? "1", required: true, disabled: READ_ONLY });
      fields.set(name, field);
      numbers.append(h("label", {}, ruleName(name), field));
    }
    fields.set("direction", side);
    side.disabled = READ_ONLY;
    numbers.append(h("label", {}, t("Signal: direction"), side));
  }

  const value = (field) => field.type === "checkbox" ? field.checked : field.type === "number" ? Number(field.value) : field.value;
  const differs = () => from ? [...fields].filter(([name, field]) => value(field) !== from.rules[name]) : [];

  function changed() {
    const turned = new Set(differs().map(([name]) => name));
    for (const [name, field] of fields) field.closest("label").classList.toggle("turned", turned.has(name));
    save.disabled = READ_ONLY || !turned.size;
    undo.disabled = !turned.size;
  }

  function fill(anyway) {
    const s = JSON.parse(model.state || "{}");
    if (!s.rules) return;
    if (!fields.size) build(s.rules, s);
    if (!anyway && from && differs().length) {
      if (s.version !== from.version) ruled.say(t("Somebody else has changed the rules meanwhile; Reset shows theirs."));
      return;
    }
    from = { rules: s.rules, version: s.version };
    for (const [name, field] of fields) {
      if (field.type === "checkbox") field.checked = s.rules[name];
      else field.value = s.rules[name];
    }
    if (anyway === true) { ruled.say(""); }
    changed();
  }

  async function submit(event) {
    event.preventDefault();
    const values = Object.fromEntries(differs().map(([name, field]) => [name, value(field)]));
    const found = await press(save, ruled, () => ask("rules", { values, version: from.version }), t("Applied."));
    if (found) from = { rules: found.rules, version: found.version };  // what is drawn next has them
    changed();
  }

  function makeRow(name) {
    const button = h("button", { class: "pill", type: "button", disabled: READ_ONLY, "aria-label": t("Send a test to {name}", { name }), onclick: () => test(button, name) }, t("Test"));
    const state = h("td", { class: "start" }), sent = h("td", { class: "roomy" }), failed = h("td"), service = h("span", { class: "dim" });
    return { row: h("tr", {}, h("td", { class: "start" }, h("b", {}, h("bdi", {}, name)), service), state, sent, failed, h("td", {}, button)), state, sent, failed, service };
  }

  function draw() {
    const s = JSON.parse(model.state || "{}"), channels = s.channels ?? [], names = new Set(channels.map((c) => c.name));
    table.hidden = !channels.length;
    all.hidden = channels.length < 2;
    none.hidden = channels.length > 0 || s.channels === undefined;
    for (const [name, r] of rows) if (!names.has(name)) { r.row.remove(); rows.delete(name); }
    for (const c of channels) {
      if (!rows.has(c.name)) { rows.set(c.name, makeRow(c.name)); list.append(rows.get(c.name).row); }
      const r = rows.get(c.name), [glyph, tone] = STATES[c.state];
      setText(r.service, ` ${c.service}`);
      r.state.replaceChildren(h("span", { class: tone }, `${glyph} ${stateName(c.state)}`), c.waiting ? h("span", { class: "dim" }, ` ${t("{n} wait", { n: c.waiting })}`) : "", c.error ? h("span", { class: "dim" }, ` ${c.error}`) : "");
      setText(r.sent, c.sent ? since(c.sent, s.now) : t("never"));
      setText(r.failed, count(c.failed));
    }
    const told_ = s.messages ?? [];
    last.hidden = !told_.length;
    messages.replaceChildren(...told_.map((m) => h("tr", {}, h("td", { class: "start dim" }, h("bdi", {}, clock(m.at))), h("td", { class: "start wrap" }, h("bdi", {}, m.title)),
      h("td", { class: "start dim" }, h("bdi", {}, m.channel)), h("td", { class: "start" }, statusName(m.status), m.error ? h("span", { class: "dim" }, ` ${m.error}`) : null))));
    fill(false);
  }

  model.on("state", draw);
  draw();
  return root;
}
