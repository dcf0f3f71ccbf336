// The filters of the scanner's table: a panel of fields, what of them is on, and the address.

const NUMBERS = ["conf", "low", "high", "volume", "active"];

/** Fields that change `filters`; `take(values)` is told every change. */
function filterPanel(model, take) {
  const told = () => ({ ...NO_FILTER, ...JSON.parse(model.filters || "{}") });
  const share = (name, label) => h("input", { class: "field", type: "number", min: 0, max: 1, step: 0.05, "aria-label": label, "data-filter": name, oninput: read });
  const choice = (name, label, options) => h("select", { class: "field", "aria-label": label, "data-filter": name, onchange: read },
    ...options.map(([value, text]) => h("option", { value }, text)));
  const volume = h("input", { class: "field", placeholder: t("any"), size: 6, "aria-label": t("Least volume"), title: t("Least volume of 24 hours, such as 10M"), "data-filter": "volume", onchange: read });
  const fields = {
    low: share("low", t("Lowest score")), high: share("high", t("Highest score")), conf: share("conf", t("Least confidence")),
    change: choice("change", t("Change in 24 hours"), [["any", t("any")], ["gainers", t("gainers")], ["losers", t("losers")], ["movers", t("movers > 5 %")]]),
    volume,
    active: h("input", { class: "field", type: "number", min: 0, max: 9, step: 1, "aria-label": t("Least active signals"), title: t("Detectors that speak for the symbol's side"), "data-filter": "active", oninput: read }),
    agree: choice("agree", t("Timeframes that agree"), [["any", t("any")], ["majority", t("majority")], ["full", t("all")]]),
    list: choice("list", t("Watchlist"), [["", t("all symbols")]]),
    passed: h("input", { type: "checkbox", "data-filter": "passed", onchange: read }),
  };
  const label = (text, ...parts) => h("label", {}, h("span", { class: "note" }, text), ...parts);
  const reset = h("button", { class: "btn small", type: "button", onclick: () => take({ ...NO_FILTER }) }, t("Reset"));
  const root = h("form", { class: "filters", hidden: true, "aria-label": t("Filters"), onsubmit: (event) => event.preventDefault() },
    h("div", { class: "pair", role: "group", "aria-label": t("Score range") }, h("span", { class: "note" }, t("Score")), fields.low, h("span", { class: "note" }, "–"), fields.high),
    label(t("Conf ≥"), fields.conf), label(t("24 h"), fields.change), label(t("Volume ≥"), fields.volume),
    label(t("Signals ≥"), fields.active), label(t("Agree"), fields.agree), label(t("Watchlist"), fields.list),
    h("label", { class: "check" }, fields.passed, h("span", { class: "note" }, t("only those that pass"))), reset);

  /** Take the one field that was changed: what the others show may be rounded. */
  function read(event) {
    const f = told(), field = event.target, name = field.dataset.filter;
    if (name === "passed") f.passed = field.checked;
    else if (name === "volume") f.volume = readAmount(field.value);
    else if (!NUMBERS.includes(name)) f[name] = field.value;
    else f[name] = Math.min(Number(field.max), Math.max(0, field.value === "" ? NO_FILTER[name] : Number(field.value)));
    take(f);
  }

  /** Show what holds now; a field that somebody types into is left alone. */
  function draw() {
    const f = told(), lists = Object.keys(JSON.parse(model.lists || "{}")), typed = root.getRootNode().activeElement;
    if (f.list && !lists.includes(f.list)) lists.push(f.list);
    const names = ["", ...lists];
    if ([...fields.list.options].map((o) => o.value).join("\n") !== names.join("\n")) {
      fields.list.replaceChildren(...names.map((value) => h("option", { value }, value || t("all symbols"))));
    }
    for (const [name, field] of Object.entries(fields)) {
      if (field === typed && field.type !== "checkbox" && field.tagName !== "SELECT") continue;
      if (name === "passed") field.checked = f.passed;
      else if (name === "volume") field.value = f.volume ? amount(f.volume).replace(" ", "") : "";
      else field.value = f[name];
      field.toggleAttribute("data-on", f[name] !== NO_FILTER[name]);
    }
    reset.disabled = nFilters(f) === 0;
  }

  return { root, draw, told };
}

function nFilters(f) { return Object.keys(NO_FILTER).filter((name) => f[name] !== NO_FILTER[name]).length; }

/** What differs from no filter, as the model and the address keep it. */
function onlyChanged(f) { return Object.fromEntries(Object.entries(f).filter(([name, value]) => name in NO_FILTER && value !== NO_FILTER[name])); }

/** Keep filters, view and order in the address; what is as usual is not named there. */
function address(values) {
  const url = new URL(window.location.href);
  for (const [name, value] of Object.entries(values)) {
    if (value === "" || value === false || value === null || value === undefined) url.searchParams.delete(name);
    else url.searchParams.set(name, value === true ? "1" : value);
  }
  if (url.href !== window.location.href) window.history.replaceState(null, "", url);
}
