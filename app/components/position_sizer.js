// How large a position may be: the least of all bounds, and which one it is.

export function render({ model }) {
  let side = 0, asked = 0, symbols = [];
  const field = (name, label, hint, more = {}) => {
    const input = h("input", { class: "field", inputmode: "decimal", autocomplete: "off", spellcheck: "false", dir: "ltr", "aria-label": label, "data-field": name, oninput: () => later(), ...more });
    return { input, root: h("label", { class: "cell", title: hint }, h("span", { class: "dim" }, label), input) };
  };
  const symbol = h("select", { class: "field", "aria-label": t("Symbol"), onchange: () => { remember({ symbol: symbol.value }); clear(); now(); } });
  const sides = [[0, t("by the stop")], [1, `▲ ${t("long")}`], [-1, `▼ ${t("short")}`]].map(([value, text]) => h("button", { class: "pill", type: "button", "data-side": value,
    onclick: () => { side = value; press(); now(); } }, text));
  const entry = field("entry", t("Entry"), t("Empty: the newest price"));
  const stop = field("stop", t("Stop"), t("Empty: 1.5 ATR away"));
  const account = field("account", t("Account"), t("Empty: the paper account with what it holds"));
  const risk = field("risk", t("Risk, %"), t("Of the account, lost at the stop; empty: the limit"));
  const confidence = field("confidence", t("Confidence"), t("Of the signal, 0 to 1; empty: that of the newest scan"));
  const size = h("b", { class: "big" }), unit = h("span", { class: "dim" }), value = h("b"), part = h("b"), lost = h("b"), targets = h("b");
  const figure = (name, node, hint) => h("div", { class: "figure", title: hint }, h("span", { class: "dim" }, name), node);
  const bounds = h("div", { class: "bounds", role: "list", "aria-label": t("Bounds of the size") });
  const problem = h("p", { class: "problem", role: "alert" }), fits = h("p", { class: "note fits" }), held = h("p", { class: "told" });
  const answer = h("div", { class: "answer" },
    h("div", { class: "first" }, h("span", { class: "dim" }, t("Size")), h("span", { class: "line" }, size, unit)),
    figure(t("Value"), value), figure(t("of the account"), part), figure(t("Lost at the stop"), lost, t("From entry to stop; fees, slippage and gaps come on top")),
    figure(t("Targets"), targets, t("1, 2 and 3 distances of the stop away")));
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Position size")), h("span", { class: "dim" }, t("the agent keeps the same bounds"))),
    h("div", { class: "halves" }, h("div", {}, h("div", { class: "form" }, h("label", { class: "cell wide" }, h("span", { class: "dim" }, t("Symbol")), symbol),
      h("div", { class: "cell wide" }, h("span", { class: "dim" }, t("Side")), h("div", { class: "sides", role: "group", "aria-label": t("Side") }, ...sides)),
      entry.root, stop.root, account.root, risk.root, confidence.root), problem, answer), h("div", {}, bounds, fits)), held);
  const made = new Map();
  let timer = null;

  function later() { clearTimeout(timer); timer = setTimeout(now, 200); }

  function now() {
    clearTimeout(timer);
    if (!symbols.length) return;
    asked += 1;
    const given = Object.fromEntries([entry, stop, account, risk, confidence].map(({ input }) => [input.dataset.field, input.value.trim()]));
    model.send_msg({ type: "size", n: asked, symbol: symbol.value, side, ...given });
  }

  function clear() { entry.input.value = stop.input.value = confidence.input.value = ""; }
  function press() { for (const b of sides) b.setAttribute("aria-pressed", String(Number(b.dataset.side) === side)); }

  function offer() {
    const s = JSON.parse(model.state || "{}"), names = s.symbols ?? [];
    if (names.join() === symbols.join()) return;
    const before = symbol.value || s.chosen;
    symbols = names;
    symbol.replaceChildren(...names.map((name) => h("option", { value: name }, name)));
    symbol.value = names.includes(before) ? before : names[0] ?? "";
    now();
  }

  function make() {
    const name = h("span", { class: "name" }), bar = h("i"), most = h("span", { class: "most" }), why = h("span", { class: "dim why", dir: "auto" });
    return { root: h("div", { class: "bound", role: "listitem" }, name, h("span", { class: "track", "aria-hidden": "true" }, bar), most, why), name, bar, most, why };
  }

  function fillBound(p, b) {
    setClass(p.root, `bound ${b.binds ? "binds" : ""}`);
    setText(p.name, `${b.binds ? "◆ " : ""}${tell(b.title)}`);
    p.name.title = b.binds ? t("The least: it sets the size") : "";
    p.bar.style.width = `${b.notional === null ? 0 : 100 * Math.min(1, b.notional / b.room)}%`;
    setText(p.most, b.notional === null ? "∞" : money(b.notional, false, 0));
    setText(p.why, b.text);
    p.why.title = b.text;
  }

  function show() {
    const s = JSON.parse(model.plan || "{}");
    if (s.n !== undefined && s.n !== asked) return;  // an answer to what was typed before
    setText(problem, s.error ?? "");
    const fine = s.bounds !== undefined;
    answer.hidden = bounds.hidden = fits.hidden = !fine;
    for (const [one, key, digits] of [[entry, "entry"], [stop, "stop"], [account, "equity"], [confidence, "confidence", 3]])
      one.input.placeholder = s[key] === null || s[key] === undefined ? "" : String(Number(s[key].toPrecision(digits ?? 7)));
    risk.input.placeholder = s.risk ? String(Number((100 * s.risk).toPrecision(4))) : "";
    if (!fine) return;
    setText(size, units(s.size));
    setText(unit, symbol.value.split("/")[0]);
    setText(value, money(s.value));
    setText(part, share(s.share));
    setText(lost, fig(`${money(s.lost)} · ${share(s.lost_share, 2)}`));
    setText(targets, fig(s.targets.map((x) => price(x)).join(" · ")));
    const finite = s.bounds.filter((b) => b.notional !== null).map((b) => b.notional).sort((a, b) => a - b);
    // Bars are told apart around the least; one that is ten times as large is simply full.
    const room = Math.max(1e-9, Math.min(finite[finite.length - 1], 10 * Math.max(finite[0], 1e-9)));
    keep(bounds, made, s.bounds.map((b) => ({ ...b, binds: b.name === s.binding, room })), (b) => b.name, make, fillBound);
    setText(held, s.reason ? t("No entry: {why}", { why: s.reason }) : s.held_back ? t("The account lets no entry through now: {why}", { why: tell(s.held_back) }) : s.far ? t("The entry is far from the newest price, {price}.", { price: price(s.price) }) : "");
  }

  function alike(s) { return { symbol: fig(s.with), value: fig((s.highest ?? 0).toFixed(2)), limit: fig(s.limit) }; }

  function fit() {
    const s = JSON.parse(model.together || "{}");
    if (s.n !== undefined && s.n !== asked) return;
    setText(fits, s.pairs === undefined ? "" : s.pairs === 0 ? t("Nothing else is held to be correlated with.")
      : s.allowed === null ? t("Its correlation with what is held is not known.")
        : s.allowed ? t("✓ Most alike with {symbol}: {value}, at most {limit} is wished.", alike(s))
          : t("■ Most alike with {symbol}: {value}, above the limit of {limit}.", alike(s)));
    setClass(fits, `note fits ${s.allowed === false ? "warn" : ""}`);
  }

  model.on("state", offer);
  model.on("plan", show);
  model.on("together", fit);
  press();
  answer.hidden = bounds.hidden = true;
  offer();
  return root;
}
