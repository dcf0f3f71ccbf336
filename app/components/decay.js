// Detectors: what they knew, window by window; an alarm says that one knows less than it did.

const NAMES = { smc: "SMC", sar: "SAR", price_action: "Price action", score: t("Whole score") };
const WIDE = 150, HIGH = 30;

function spoken(name) { return NAMES[name] ?? name.charAt(0).toUpperCase() + name.slice(1); }

export function render({ model }) {
  let sort = "", up = false;
  const COLUMNS = [["name", t("Detector"), ""], ["hit", t("Hit rate"), t("Share of the signals it spoke on that went its own way first, with bounds of 95 %")],
    ["r", t("Mean R"), t("What its own side made in R, without costs")], ["agreed", t("Agreed"), t("Share of the signals it spoke on whose side was its own")],
    ["information", t("IC"), t("Information coefficient: rank correlation of what it said and how the price moved; 0 knows nothing")],
    ["line", t("IC by window"), t("Each window is some days of signals; the line in the middle is zero, a ring is an alarm")], ["fall", t("Decay"), t("Running sum of falls below what it knew; an alarm at the limit")]];
  const heads = COLUMNS.map(([key, label, title]) => h("th", { scope: "col", title }, key === "line" ? label : h("button", { type: "button", onclick: () => order(key) }, label)));
  const body = h("tbody"), empty = h("p", { class: "dim empty", role: "status" }), note = h("p", { class: "note under" });
  const table = h("table", {}, h("thead", {}, h("tr", {}, ...heads)), body);
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Detectors: what they knew, and decay"))),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("Detectors: what they knew, and decay") }, table, empty), note);

  function order(key) {
    up = sort === key ? !up : key === "name";
    sort = key;
    draw();
  }

  function line(r) {
    const n = r.coefficient.length;
    if (n < 2) return h("td", { class: "dim line" }, n ? t("one window") : t("no window is over"));
    const most = Math.max(0.2, ...r.coefficient.map(Math.abs)), x = (i) => 3 + i / (n - 1) * (WIDE - 6), y = (v) => HIGH / 2 - v / most * (HIGH / 2 - 3);
    const words = t("{n} windows, newest {value}, mean {mean}", { n, value: signed(r.coefficient[n - 1], 2), mean: signed(r.mean, 2) });
    const rings = r.alarm.map((on, i) => on ? `M${(x(i) - 4).toFixed(1)} ${y(r.coefficient[i]).toFixed(1)}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0` : "").join("");
    return h("td", { class: "line", title: words }, h("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, width: WIDE, height: HIGH, role: "img", "aria-label": words },
      h("path", { class: "zero", d: `M0 ${HIGH / 2}H${WIDE}` }), h("path", { class: "ic", d: r.coefficient.map((v, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join("") }),
      h("path", { class: "last", d: `M${x(n - 1).toFixed(1)} ${y(r.coefficient[n - 1]).toFixed(1)}h.01` }), rings ? h("path", { class: "ring", d: rings }) : null));
  }

  function state(r, s) {
    if (r.fall === null) return h("td", { class: "dim" }, "–");
    const last = r.alarms.length ? r.alarms[r.alarms.length - 1] : null, recent = last !== null && last >= r.start[Math.max(0, r.start.length - 3)];
    if (recent) return h("td", { class: "bear", title: t("It foretells less than it did, since the window from {time}", { time: clock(last) }) }, `⚠ ${t("alarm")}`);
    const share = Math.min(1, r.fall / s.limit), title = t("{fall} of {limit}; {n} alarms before", { fall: r.fall.toFixed(1), limit: s.limit.toFixed(0), n: r.alarms.length });
    return h("td", { title }, h("span", { class: "meter", "aria-hidden": "true" }, h("i", { class: share > 0.6 ? "near" : "", style: `width:${(100 * share).toFixed(0)}%` })),
      h("span", { class: `fig ${share > 0.6 ? "warn" : "dim"}` }, `${r.fall.toFixed(1)} / ${s.limit.toFixed(0)}`));
  }

  function range(found, write, middle) {
    if (found.value === null) return h("td", { class: "dim", title: t("{n} judged, at least 20 are needed", { n: found.n }) }, "–");
    const side = found.low === null ? 0 : found.low > middle ? 1 : found.high < middle ? -1 : 0;
    return h("td", { title: t("{n} judged", { n: found.n }) }, h("span", { class: `fig ${side ? TONE[side] : ""}` }, `${side ? `${GLYPH[side]} ` : ""}${write(found.value)}`), found.low === null ? null : h("small", { class: "dim fig" }, ` ${write(found.low)} … ${write(found.high)}`));
  }

  function draw() {
    const s = JSON.parse(model.state || "{}"), rows = [...(s.rows ?? [])];
    const value = (r) => ({ name: r.name, hit: r.hit.value, r: r.r.value, agreed: r.agreed, information: r.information, fall: r.fall })[sort] ?? -Infinity;
    if (sort) rows.sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0) * (up ? 1 : -1));
    heads.forEach((head, i) => head.setAttribute("aria-sort", COLUMNS[i][0] !== sort ? "none" : up ? "ascending" : "descending"));
    body.replaceChildren(...rows.map((r) => h("tr", { class: r.whole ? "whole" : null }, h("td", {}, spoken(r.name)), range(r.hit, (v) => `${(100 * v).toFixed(0)} %`, 0.5), range(r.r, (v) => signed(v, 2), 0),
      h("td", {}, h("span", { class: "fig" }, r.agreed === null ? "–" : `${(100 * r.agreed).toFixed(0)} %`)), h("td", {}, h("span", { class: "fig" }, r.information === null ? "–" : signed(r.information, 3))), line(r), state(r, s))));
    table.hidden = !rows.length;
    empty.hidden = rows.length > 0;
    setText(empty, t("Reading the journal …"));
    setText(note, s.window_ms ? t("Windows of {days} days. An alarm for nothing comes once in about {n} windows; the first {reference} are only looked at.", { days: (s.window_ms / 864e5).toFixed(0), n: s.run_length, reference: s.reference }) : "");
  }

  model.on("state", draw);
  draw();
  return root;
}
