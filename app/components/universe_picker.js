// The universe: the largest of a quote currency, or symbols by name; it holds from the next start.

export function render({ model }) {
  const say = asking(model);
  const desk = deskOf({ name: t("Universe"), sign: "target", title: t("Symbols that are watched"), opened: () => { say("read"); filled = false; found.hidden = true; } });
  let state = { watched: [], chosen: null, in_force: {}, overruled: "" }, filled = false;

  const now = h("p", { class: "note" }), overruled = h("p", { class: "warn" });
  const top = h("input", { class: "field", type: "number", min: 1, max: 2000, placeholder: "40", "aria-label": t("How many") });
  const quote = h("input", { class: "field", size: 8, maxlength: 20, pattern: "[A-Za-z0-9]{1,20}", placeholder: "USDT", "aria-label": t("Quote currency") });
  const symbols = h("input", { class: "field", "aria-label": t("Symbols by name"), placeholder: "BTC/USDT, ETH/USDT", spellcheck: "false", style: "width: min(100%, 300px)" });
  const look = h("button", { class: "btn", type: "submit" }, t("Look"));
  const keep = h("button", { class: "btn first", type: "button", onclick: () => choose(keep, asked()) }, t("Keep for the next start"));
  const forget = h("button", { class: "link", type: "button", onclick: () => choose(forget, { quote: "", top: null, symbols: [] }) }, t("back to the settings"));
  const found = h("div", { class: "content", style: "padding: 0", hidden: true });
  const form = h("form", { onsubmit: (event) => { event.preventDefault(); see(); } },
    h("fieldset", {}, h("legend", {}, t("The largest by volume")), h("div", { class: "row" }, h("label", {}, t("How many"), top), h("label", {}, t("Quote currency"), quote))),
    h("fieldset", {}, h("legend", {}, t("or these by name; they win")), symbols), h("div", { class: "row" }, look, keep, forget));
  desk.body.append(now, overruled, form, found);

  const asked = () => ({ quote: quote.value.trim(), top: top.value ? Number(top.value) : null, symbols: symbols.value.split(/[\s,;]+/).filter(Boolean) });

  async function see() {
    const done = await press(look, desk.told, () => say("look", asked()));
    look.disabled = false;  // who may only look may look again
    if (done) tell(done);
  }

  async function choose(button, choice) {
    const done = await press(button, desk.told, () => say("choose", choice), t("Kept: it holds from the next start of the server."));
    if (done) tell(done);
    draw();
  }

  function tell(one) {
    const many = (names) => (names.length > 12 ? `${names.slice(0, 12).join(", ")} …` : names.join(", "));
    const part = (text, names) => (names.length ? h("p", {}, h("b", {}, text), " ", h("span", { class: "dim fig" }, many(names))) : null);
    found.hidden = false;
    found.replaceChildren(...[h("p", {}, t("{n} symbols would be watched.", { n: one.symbols.length }), " ",
      h("span", { class: "dim fig" }, many(one.symbols.map((s) => s.symbol)))), part(t("New: {n}", { n: one.added.length }), one.added),
    part(t("No longer: {n}", { n: one.removed.length }), one.removed), part(t("Kept for an open position: {n}", { n: one.held.length }), one.held),
    one.note ? h("p", { class: "warn" }, one.note) : null].filter(Boolean));
  }

  function draw() {
    const force = state.chosen ?? state.in_force;
    setText(now, t("{n} symbols are watched now. A choice holds from the next start of the server; symbols with an open position always stay.", { n: state.watched.length }));
    overruled.hidden = !state.overruled;
    setText(overruled, t("The setting {name} says what is watched, and wins over a choice.", { name: state.overruled }));
    if (!filled && force) {
      filled = true;
      top.value = force.top ?? "";
      quote.value = force.quote ?? "";
      symbols.value = (force.symbols ?? []).join(", ");
    }
    keep.disabled = READ_ONLY;
    forget.disabled = READ_ONLY || state.chosen === null;
    desk.tell(state.watched.length);
  }

  function take() {
    state = { watched: [], chosen: null, in_force: {}, overruled: "", ...JSON.parse(model.state || "{}") };
    draw();
  }

  onDo(model, { universe: () => desk.open() });
  model.on("state", take);
  take();
  return desk.root;
}
