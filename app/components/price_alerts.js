// Price alerts: a form, and the alerts that are there. A row or the chart opens it with a price.

export function render({ model }) {
  const say = asking(model);
  const desk = deskOf({ name: t("Price alerts"), sign: "bell", title: t("Price alerts"), opened: () => { say("read"); quote(known()); } });
  let state = { alerts: [], symbols: [], prices: {} }, last = null;  // what is paid now for the symbol in the field, where it is known

  const symbol = symbolField(t("Symbol"));
  symbol.field.addEventListener("input", () => { quote(known()); side(); });
  const rule = h("select", { class: "field", "aria-label": t("When") }, h("option", { value: "above" }, t("rises to")), h("option", { value: "below" }, t("falls to")));
  const at = h("input", { class: "field", type: "number", min: 0, step: "any", required: true, "aria-label": t("Price"), oninput: side });
  const note = h("input", { class: "field", maxlength: 200, placeholder: t("optional"), "aria-label": t("Note") });
  const again = h("input", { type: "checkbox" });
  const add = h("button", { class: "btn first", type: "submit" }, t("Set alert"));
  const now = h("p", { class: "note fig" });
  const form = h("form", { onsubmit: (event) => { event.preventDefault(); send(); } },
    h("div", { class: "row" }, h("label", {}, t("Symbol"), symbol.field), symbol.options, h("label", {}, t("When the price"), rule), h("label", {}, t("Price"), at), h("label", {}, t("Note"), note)),
    h("div", { class: "row" }, h("label", { class: "check" }, h("span", {}, again, ` ${t("tell again once it was on the other side")}`)), h("span", { class: "spacer" }), add), now);
  const lines = h("ul", { class: "lines" });
  const none = h("p", { class: "note" }, t("No price alert yet. The bell in the header tells when one is touched."));
  desk.body.append(form, lines, none);

  /** Keep what is paid now, null where nobody said; a price of another symbol decides no side. */
  function quote(value) {
    last = value;
    setText(now, last === null ? "" : t("{symbol} is at {price} now", { symbol: meant(), price: price(last) }));
  }

  function meant() { return meantSymbol(symbol.field.value, state.symbols); }
  function known() { return state.prices[meant()] ?? null; }

  /** The side follows from the price: above what is paid now, it has to rise. */
  function side() {
    if (last !== null && Number(at.value) > 0) rule.value = Number(at.value) >= last ? "above" : "below";
  }

  async function send() {
    const found = meant();
    const done = await press(add, desk.told, () => say("add", { symbol: found, rule: rule.value, price: at.value, note: note.value, again: again.checked }),
      t("Told when {symbol} reaches {price}", { symbol: found, price: price(Number(at.value)) }));
    if (done) note.value = "";
    draw();
  }

  function line(one) {
    const words = { waiting: t("waiting"), leaving: t("told, waits to leave"), fired: t("told") };
    const gap = one.now ? one.price / one.now - 1 : null;
    const drop = h("button", { class: "pill", type: "button", disabled: READ_ONLY, "aria-label": t("Delete the alert of {symbol}", { symbol: one.symbol }),
      onclick: () => press(drop, desk.told, () => say("delete", { id: one.id }), t("Deleted")) }, t("Delete"));
    return h("li", {}, h("b", { class: "fig" }, one.symbol), h("span", { class: "fig" }, `${one.rule === "above" ? "▲ ≥" : "▼ ≤"} ${price(one.price)}`),
      h("span", { class: "dim fig" }, gap === null || one.state !== "waiting" ? "" : percent(gap, 2)), h("span", { class: "dim wrap" }, one.note), h("span", { class: "spacer" }),
      h("span", { class: `state ${one.state === "waiting" ? "" : "mid"}`, title: one.fired ? clock(one.fired) : "" }, `${one.state === "waiting" ? "○" : "●"} ${words[one.state]}`), drop);
  }

  function draw() {
    lines.replaceChildren(...state.alerts.map(line));
    none.hidden = state.alerts.length > 0;
    add.disabled = READ_ONLY;
    desk.tell(state.alerts.filter((one) => one.state === "waiting").length);
    symbol.fill(state.symbols);
  }

  function take() {
    state = { alerts: [], symbols: [], prices: {}, ...JSON.parse(model.state || "{}") };
    if (desk.dialog.open) quote(known() ?? last);
    draw();
  }

  onDo(model, { price_alert: ({ symbol: name, price: value }) => {
    desk.open();
    symbol.field.value = name ?? "";
    quote(value ?? null);
    at.value = last === null ? "" : Number(last.toPrecision(6));
    at.focus();
    at.select();
  } });
  model.on("state", take);
  take();
  return desk.root;
}
