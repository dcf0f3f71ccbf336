// Watchlists: one is open at a time; what is added or taken away is kept at once.

export function render({ model }) {
  const say = asking(model);
  const desk = deskOf({ name: t("Watchlists"), sign: "star", title: t("Watchlists"), opened: () => say("read") });
  let state = { lists: [], symbols: [] }, open = "", given = [];

  const wanted = h("p", { class: "note" });
  const names = h("div", { class: "pick", role: "radiogroup", "aria-label": t("Watchlist") });
  const chips = h("div", { class: "chips" });
  const symbol = symbolField(t("Symbol to add"));
  const add = h("button", { class: "btn", type: "submit" }, t("Add"));
  const adding = h("form", { class: "row", onsubmit: (event) => { event.preventDefault(); put(); } }, symbol.field, symbol.options, add);
  const name = h("input", { class: "field", maxlength: 64, "aria-label": t("Name of a new list"), placeholder: t("New list") });
  const make = h("button", { class: "btn", type: "submit" }, t("Make"));
  const making = h("form", { class: "row", onsubmit: (event) => { event.preventDefault(); create(); } }, name, make);
  const show = h("button", { class: "btn first", type: "button", onclick: () => { ask("filter", { list: open }); desk.dialog.close(); } }, t("Show only these"));
  const drop = h("button", { class: "btn", type: "button", onclick: remove }, t("Delete list"));
  const body = h("fieldset", {}, h("legend", {}), chips, adding);
  desk.body.append(wanted, names, body, h("div", { class: "row" }, show, drop), making);
  const sure = confirming(desk.root);

  const list = () => state.lists.find((one) => one.name === open);

  /** What is sent is the change alone: what others did to the list meanwhile stays. */
  async function change(what, button, fine) { await press(button, desk.told, () => say("change", { name: open, ...what }), fine); draw(); }

  function put() {
    const found = meantSymbol(symbol.field.value, state.symbols);
    if (!found || !list()) return;
    symbol.field.value = "";
    if (!list().symbols.includes(found)) change({ add: [found] }, add, t("{symbol} added", { symbol: found }));
  }

  async function create() {
    const asked = name.value.trim();
    if (!asked || state.lists.some((one) => one.name === asked)) { open = asked || open; draw(); return; }
    const done = await press(make, desk.told, () => say("change", { name: asked, add: given }), t("{name} made", { name: asked }));
    if (done) { open = asked; name.value = ""; given = []; }
    draw();
  }

  async function remove() {
    const gone = open;
    if (!await sure({ title: t("Delete {name}?", { name: gone }), text: t("The list is gone for everybody; its symbols stay watched."), button: t("Delete") })) return;
    await press(drop, desk.told, () => say("delete", { name: gone }), t("{name} deleted", { name: gone }));
    draw();
  }

  /** Put what was given, from a row or the marked ones, into a list or take it out. */
  function turn(one) {
    open = one.name;
    const held = given.length > 0 && given.every((s) => one.symbols.includes(s));
    if (!given.length) { draw(); return; }
    change(held ? { remove: given } : { add: given }, desk.button, held ? t("Taken off {name}", { name: one.name }) : t("Now on {name}", { name: one.name }));
  }

  /** Draw lists and symbols anew; who stood on one of them stands on what took its place. */
  function draw() {
    const active = desk.root.getRootNode().activeElement, named = names.contains(active), at = [...chips.querySelectorAll("button")].indexOf(active);
    fill();
    if (named) (names.querySelector("[aria-checked=true]") ?? name).focus();
    if (at >= 0) ([...chips.querySelectorAll("button")].slice(0, at + 1).at(-1) ?? symbol.field).focus();
  }

  function fill() {
    if (!list()) open = state.lists[0]?.name ?? "";
    const one = list();
    desk.tell(state.lists.length);
    wanted.hidden = !given.length && state.lists.length > 0;
    setText(wanted, given.length ? t("{symbols}: press a list to put it on, press again to take it off.", { symbols: given.length > 3 ? t("{n} symbols", { n: given.length }) : given.join(", ") })
      : t("A watchlist is a few symbols under a name; the table can be filtered by it."));
    names.hidden = state.lists.length === 0;
    names.replaceChildren(...state.lists.map((l) => h("button", { class: "pill", type: "button", role: "radio", disabled: READ_ONLY && given.length > 0, "aria-checked": String(l.name === open), onclick: () => turn(l) },
      given.length && given.every((s) => l.symbols.includes(s)) ? `★ ${l.name}` : l.name, h("span", { class: "dim" }, ` ${l.symbols.length}`))));
    body.hidden = show.hidden = drop.hidden = !one;
    add.disabled = make.disabled = drop.disabled = READ_ONLY;
    symbol.fill(state.symbols);
    if (!one) return;
    setText(body.querySelector("legend"), one.name);
    chips.replaceChildren(...one.symbols.map((s) => h("span", { class: "chip" }, h("span", { class: one.unwatched.includes(s) ? "dim fig" : "fig", title: one.unwatched.includes(s) ? t("not watched by this server now") : "" }, s),
      h("button", { type: "button", disabled: READ_ONLY, "aria-label": t("Take {symbol} off", { symbol: s }), onclick: () => change({ remove: [s] }, add, t("{symbol} taken off", { symbol: s })) }, "×"))),
      ...(one.symbols.length ? [] : [h("span", { class: "note" }, t("empty"))]));
  }

  function take() {
    state = { lists: [], symbols: [], ...JSON.parse(model.state || "{}") };
    draw();
  }

  desk.dialog.addEventListener("close", () => { given = []; draw(); });
  onDo(model, { watch: ({ symbol: one, symbols }) => { given = symbols ?? (one ? [one] : []); desk.open(); draw(); } });
  model.on("state", take);
  take();
  return desk.root;
}
