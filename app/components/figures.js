// Money, shares and sides, the same in every table of the account and of risk.

const RIGHT_TO_LEFT = document.documentElement.dir === "rtl";

/** Keep a figure left to right inside a line that runs the other way. */
function fig(text) { return RIGHT_TO_LEFT ? `\u2066${text}\u2069` : text; }

function money(value, sign = false, digits = 2) {
  if (value === null || value === undefined) return "–";
  const text = Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return fig(`${value < 0 ? "−" : sign && value > 0 ? "+" : ""}${text}`);
}

/** Write a fraction as a percent without a plus. */
function share(value, digits = 1) {
  if (value === null || value === undefined) return "–";
  return fig(`${value < 0 ? "−" : ""}${Math.abs(100 * value).toFixed(digits)} %`);
}

function units(value) {
  if (value === null || value === undefined) return "–";
  return fig(Number(value.toPrecision(5)).toLocaleString("en-US", { maximumSignificantDigits: 5 }));
}

function tone(value) { return value > 0 ? "bull" : value < 0 ? "bear" : ""; }
function arrow(value) { return value > 0 ? "▲ " : value < 0 ? "▼ " : ""; }
function sideWord(side) { return side > 0 ? `▲ ${t("long")}` : `▼ ${t("short")}`; }

/** Draw a symbol with its quote dimmed; it runs left to right in every language. */
function pair(symbol) {
  const [base, quote] = symbol.split("/");
  return h("bdi", { dir: "ltr" }, h("b", {}, base), quote ? h("span", { class: "dim" }, `/${quote}`) : null);
}

/** Say a text or a phrase of the server, of which a value may be a phrase, too. */
function tell(text) {
  if (Array.isArray(text)) return text.map(tell).join(t(", "));
  if (text === null || typeof text !== "object") return t(text);
  const values = Object.entries(text.values ?? {}).map(([name, v]) => [name, v !== null && typeof v === "object" ? tell(v) : v]);
  return t(text.text, Object.fromEntries(values));
}

/** Mark where the figures come from. */
function mark(element, source, simulated) {
  element.hidden = !source;
  setText(element, simulated ? t("SIMULATED") : source ?? "");
  element.title = simulated ? t("Prices are made up by the simulator; so is every result here.") : t("Where prices come from");
  element.classList.toggle("invented", Boolean(simulated));
}

/** Keep one child for each key, in order; what is there already is changed, not made anew. */
function keep(parent, made, rows, key, make, fill) {
  const names = new Set(rows.map(key));
  for (const [name, part] of made) if (!names.has(name)) { part.root.remove(); made.delete(name); }
  rows.forEach((row, i) => {
    const name = key(row);
    if (!made.has(name)) made.set(name, make(row));
    const part = made.get(name);
    if (parent.children[i] !== part.root) parent.insertBefore(part.root, parent.children[i] ?? null);
    fill(part, row);
  });
}
