// Signals and what became of them; a row opens to show what it was made of.

const SIDES = [["all", t("All")], ["bullish", `▲ ${t("Bullish")}`], ["bearish", `▼ ${t("Bearish")}`]];
const MADE = { all: t("Whatever was done"), untraded: t("Not traded"), entered: t("Entered"), refused: t("Refused by a limit"), filtered: t("Stopped by a rule"), held: t("Held already"), off: t("Agent was off") };
const TURNED = { all: t("Any outcome"), right: t("Was right"), wrong: t("Was wrong"), open: t("Not over yet") };
const RESULT = { right: ["✓", "bull", t("right")], wrong: ["✗", "bear", t("wrong")], unknown: ["?", "dim", t("never to be judged: bars are missing")] };
const STOPS = { min_score: t("Score too low"), min_confidence: t("Confidence too low"), max_disagreement: t("Detectors disagree"), min_trust: t("Data not trusted"), direction: t("Side not allowed"),
  gap: t("Gap in the data"), "too small": t("Size too small"), max_positions: t("Too many positions"), max_daily_loss: t("Loss of the day"), max_drawdown: t("Drawdown limit"), max_losses: t("Losing streak"),
  stale_data: t("No news of the market"), half_open: t("One position at a time") };
const BARRIER = { up: t("upper barrier first"), down: t("lower barrier first"), both: t("both in one bar"), time: t("no barrier within the horizon") };
const NAMES = { smc: "SMC", sar: "SAR", price_action: "Price action" };

/** Write a detector's name as people do. */
function spoken(name) { return NAMES[name] ?? name.charAt(0).toUpperCase() + name.slice(1); }

export function render({ model }) {
  let s = {}, opened = null;
  const choice = (name, label, options) => h("select", { class: "field", "aria-label": label, onchange: (event) => keep({ [name]: event.target.value }) }, ...options.map(([value, text]) => h("option", { value }, text)));
  const symbol = choice("symbol", t("Symbol"), []), made = choice("made", t("What was done"), Object.entries(MADE)), outcome = choice("outcome", t("Outcome"), Object.entries(TURNED));
  const detector = choice("detector", t("Led by"), [["all", t("Led by any detector")]]);
  const sides = SIDES.map(([value, label]) => h("button", { class: "pill", type: "button", "data-side": value, onclick: () => keep({ side: value }) }, label));
  const stop = h("button", { class: "pill stop", type: "button", hidden: true, onclick: () => keep({ stopped: "" }) });
  const reset = h("button", { class: "link", type: "button", onclick: clear }, t("Reset filters"));
  const count = h("span", { class: "dim", role: "status" });
  const files = h("span", { class: "group" });
  const head = h("tr"), body = h("tbody");
  const table = h("table", {}, h("thead", {}, head), body);
  const more = h("button", { class: "btn", type: "button", onclick: () => { model.wanted = Math.min(500, model.wanted + 100); } }, t("Older signals"));
  const empty = h("div", { class: "empty dim" });
  const scroller = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("Signals and outcomes") }, table, empty, h("div", { class: "more" }, more));
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Signals and outcomes")), count, h("span", { class: "spacer" }), files),
    h("div", { class: "filters" }, symbol, h("span", { class: "group", role: "group", "aria-label": t("Side") }, ...sides), made, detector, outcome, stop, reset), scroller);

  function keep(values) {
    for (const [name, value] of Object.entries(values)) model[name] = value;
    model.wanted = 100;
    remember(values);
  }

  function clear() { keep({ symbol: "", side: "all", made: "all", detector: "all", outcome: "all", stopped: "" }); }

  const filtered = () => Boolean(model.symbol || model.stopped) || ["side", "made", "detector", "outcome"].some((name) => model[name] !== "all");

  function offer() {
    const about = model.symbol ? `&symbol=${encodeURIComponent(model.symbol)}` : "";
    files.replaceChildren(...[["decisions", t("Signals")], ["journal", t("Outcomes")]].flatMap(([what, label]) => ["csv", "json"].map((format) =>
      h("a", { class: "pill file", href: `api/export/${what}?format=${format}${about}`, download: `${what}.${format}`, title: t("Download the newest {what} as {format}; of one symbol when one is chosen", { what: label, format: format.toUpperCase() }) }, `↓ ${label} ${format.toUpperCase()}`))));
  }

  function draw() {
    s = JSON.parse(model.state || "{}");
    const names = s.symbols ?? [];
    if (symbol.options.length !== names.length + 1) symbol.replaceChildren(h("option", { value: "" }, t("All symbols")), ...names.map((name) => h("option", { value: name }, name)));
    const known = [...new Set((s.rows ?? []).flatMap((r) => r.parts.map(([name]) => name)))];
    if (detector.options.length < known.length + 1) detector.replaceChildren(h("option", { value: "all" }, t("Led by any detector")), ...known.map((name) => h("option", { value: name }, t("Led by {detector}", { detector: spoken(name) }))));
    if (model.detector !== "all" && ![...detector.options].some((o) => o.value === model.detector)) detector.append(h("option", { value: model.detector }, t("Led by {detector}", { detector: spoken(model.detector) })));
    settle();
    const horizons = s.horizons ?? [];
    head.replaceChildren(...[t("Time of the signal"), t("Symbol"), t("Side"), t("Score"), t("Conf"), t("Success"), t("What was done")].map((name) => h("th", { scope: "col" }, name)),
      ...horizons.map((n) => h("th", { scope: "col", class: n === model.horizon ? "now" : null, title: t("After {n} bars: ✓ right, ✗ wrong, and how far the price moved along the side", { n }) }, t("{n} bars", { n }))));
    const focused = root.getRootNode().activeElement?.dataset?.id;
    const rows = s.rows ?? [];
    body.replaceChildren(...rows.flatMap((r) => r.id === opened ? [line(r, horizons), inside(r, horizons)] : [line(r, horizons)]));
    if (focused) body.querySelector(`[data-id="${focused}"]`)?.focus();
    table.hidden = !rows.length;
    empty.hidden = rows.length > 0;
    more.parentElement.hidden = !s.more || model.wanted >= 500;
    if (!rows.length) nothing();
    offer();
  }

  function nothing() {
    if (model.problem) empty.replaceChildren(t("The journal could not be read: {why}", { why: model.problem }));
    else if (s.stamp === undefined) empty.replaceChildren(t("Reading the journal …"));
    else if (filtered()) empty.replaceChildren(h("p", {}, t("No signal fits the filters; {n} were looked at.", { n: s.looked })), h("button", { class: "btn", type: "button", onclick: clear }, t("Reset filters")));
    else empty.replaceChildren(t("No idea had a direction yet. The first comes with a close of the decision timeframe; its outcomes follow some bars later."));
  }

  function settle() {
    for (const [name, field] of [["symbol", symbol], ["made", made], ["detector", detector], ["outcome", outcome]]) field.value = model[name];
    for (const pill of sides) pill.setAttribute("aria-pressed", String(pill.dataset.side === model.side));
    stop.hidden = !model.stopped;
    const rule = STOPS[model.stopped] ?? model.stopped;
    stop.replaceChildren(rule, " ", icon("close"));
    stop.setAttribute("aria-label", t("Remove the filter {rule}", { rule }));
    reset.hidden = !filtered();
    const n = (s.rows ?? []).length;
    setText(count, model.busy && !n ? t("reading …") : n ? t("newest {n}", { n }) : "");
    root.setAttribute("aria-busy", String(model.busy));
  }

  function cell(found) {
    if (!found) return h("td", { class: "dim", title: t("Not over yet") }, "◦");
    const [glyph, tone, word] = RESULT[found.what];
    if (found.what === "unknown") return h("td", { class: tone, title: word }, glyph);
    const title = [word, BARRIER[found.barrier], `${signed(found.r, 2)} R`, t("best {best} ATR, worst {worst} ATR", { best: signed(found.best, 1), worst: signed(found.worst, 1) })].join(" · ");
    return h("td", { class: tone, title }, h("span", { class: "fig" }, `${glyph} ${percent(found.move)}`), h("span", { class: "hidden" }, word));
  }

  function line(r, horizons) {
    const open = r.id === opened, [base, quote] = r.symbol.split("/");
    const press = h("button", { class: "name", type: "button", "data-id": r.id, "aria-expanded": String(open), onclick: () => { opened = open ? null : r.id; draw(); } },
      h("span", { class: "turn", "aria-hidden": "true" }, open ? "▾" : "▸"), h("b", {}, base), h("span", { class: "dim" }, `/${quote}`));
    const why = r.action === "entered" ? [r.made, ...r.why] : r.why;
    return h("tr", { class: open ? "open" : null }, h("td", { class: "dim" }, clock(r.time)), h("td", {}, press),
      h("td", { class: TONE[r.side] }, r.side > 0 ? `▲ ${t("long")}` : `▼ ${t("short")}`), h("td", {}, h("span", { class: "fig" }, number(r.score))), h("td", {}, h("span", { class: "fig" }, number(r.confidence))),
      h("td", { title: t("Stated probability that the side is right") }, h("span", { class: "fig" }, r.success === null ? "–" : `${(100 * r.success).toFixed(0)} %`)),
      h("td", { class: "why" }, ...why.map((one, i) => h("span", { class: r.action === "entered" && !i ? "tag did" : "tag" }, t(one)))),
      ...horizons.map((n) => cell(r.outcomes[n])));
  }

  function inside(r, horizons) {
    const most = Math.max(0.05, ...r.parts.map(([, v]) => Math.abs(v)));
    const parts = r.parts.map(([name, v]) => h("div", { class: "part" }, h("span", {}, spoken(name)),
      h("span", { class: "track", "aria-hidden": "true" }, h("i", { class: v < 0 ? "down" : "up", style: `width:${(50 * Math.abs(v) / most).toFixed(1)}%` })), h("span", { class: `fig ${TONE[Math.abs(v) < 0.0005 ? 0 : Math.sign(v)]}` }, signed(v))));
    const facts = [[t("Price at the close"), price(r.price)], [t("Timeframe"), r.timeframe], [t("Confidence"), number(r.confidence)], [t("Stated success"), r.success === null ? "–" : `${(100 * r.success).toFixed(0)} %`], [t("Consensus"), number(r.consensus)], [t("Trust in the data"), number(r.trust)], [t("Led by"), r.led ? spoken(r.led) : "–"]];
    const later = horizons.map((n) => [n, r.outcomes[n]]).filter(([, o]) => o && o.what !== "unknown");
    return h("tr", { class: "detail" }, h("td", { colspan: 7 + horizons.length }, h("div", { class: "inside" },
      h("div", { class: "parts" }, ...parts, h("div", { class: "part net" }, h("span", {}, t("Net, their sum")), h("span"), h("span", { class: "fig" }, signed(r.net)))),
      h("dl", {}, ...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", { class: "fig" }, value)])),
      h("dl", {}, ...(later.length ? later.flatMap(([n, o]) => [h("dt", {}, t("{n} bars", { n })), h("dd", {}, h("span", { class: `fig ${RESULT[o.what][1]}` }, `${RESULT[o.what][0]} ${signed(o.r, 2)} R`), ` · ${BARRIER[o.barrier]} · `, h("span", { class: "fig" }, `${signed(o.worst, 1)} … ${signed(o.best, 1)} ATR`))]) : [h("dt", {}, t("Outcomes")), h("dd", {}, t("Not over yet"))])))));
  }

  model.on("state", draw);
  for (const name of ["busy", "symbol", "side", "made", "detector", "outcome", "stopped"]) model.on(name, settle);
  model.on("horizon", draw);
  model.on("problem", draw);
  onDo(model, {
    search: () => symbol.focus(),
    filters: () => made.focus(),
    direction: ({ side }) => keep({ side }),
    export: () => files.querySelector("a").click(),
  });
  draw();
  return root;
}
