// Headlines: filtered here, so that a press answers at once.

const IMPACTS = { all: t("Any impact"), high: t("High impact"), medium: t("Medium impact"), low: t("Low impact") };
const MARKS = { high: 3, medium: 2, low: 1 };
const TONES = [["all", t("All")], ["bullish", `▲ ${t("Good")}`], ["bearish", `▼ ${t("Bad")}`]];

export function render({ model }) {
  let s = {};
  const symbol = h("select", { class: "field", "aria-label": t("Symbol"), onchange: () => keep({ symbol: symbol.value }) });
  const impact = h("select", { class: "field", "aria-label": t("Impact"), onchange: () => keep({ impact: impact.value }) },
    ...Object.entries(IMPACTS).map(([value, label]) => h("option", { value }, label)));
  const tones = TONES.map(([value, label]) => h("button", { class: "pill", type: "button", "data-tone": value, onclick: () => keep({ tone: value }) }, label));
  const count = h("span", { class: "dim", role: "status" }), age = h("span", { class: "dim age" });
  const list = h("ol", { class: "list", tabindex: 0, "aria-label": t("Headlines") });
  const empty = h("div", { class: "empty dim" });
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("News")), count, h("span", { class: "spacer" }), age),
    h("div", { class: "filters" }, symbol, impact, h("span", { class: "group", role: "group", "aria-label": t("Tone") }, ...tones)), list, empty);
  let ages = [];

  function keep(values) {
    for (const [name, value] of Object.entries(values)) model[name] = value;
    remember(values);
  }

  function passes(item) {
    return (!model.symbol || !item.symbols.length || item.symbols.includes(model.symbol)) &&
      (model.impact === "all" || item.impact === model.impact) &&
      (model.tone === "all" || Math.sign(item.tone) === (model.tone === "bullish" ? 1 : -1));
  }

  function entry(item) {
    const side = Math.sign(item.tone), when = h("time", { class: "dim", title: t("Known {known}, written {written}", { known: clock(item.known), written: clock(item.written) }) });
    ages.push([when, item.known]);
    const tone = h("span", { class: `tone ${TONE[side]}`, title: t("Tone of the title, −1 to +1; 0 says nothing of a side") }, h("span", { class: "fig" }, side ? `${GLYPH[side]} ${signed(item.tone, 2)}` : "● 0"));
    const about = item.symbols.length ? item.symbols.map((name) => h("button", { class: "coin", type: "button", title: t("News and prints of {symbol} alone", { symbol: name }), onclick: () => keep({ symbol: name }) }, name.split("/")[0]))
      : [h("span", { class: "coin plain" }, t("market"))];
    return h("li", {}, tone, h("div", { class: "told" }, h("p", { class: "title", dir: "auto" }, item.title),
      h("p", { class: "meta dim" }, h("span", { dir: "auto" }, item.publisher), when,
        h("span", { title: IMPACTS[item.impact] }, h("span", { class: "marks", "aria-hidden": "true" }, ...[1, 2, 3].map((i) => h("i", { class: i <= MARKS[item.impact] ? "on" : null }))), h("span", { class: "hidden" }, IMPACTS[item.impact])),
        item.publishers > 1 ? h("span", {}, t("{n} publishers", { n: item.publishers })) : null,
        h("span", { title: t("Weight of the publisher, 0 to 1") }, t("trust {value}", { value: item.trust.toFixed(2) })), ...about)));
  }

  function tick() {
    for (const [node, known] of ages) setText(node, t("{age} ago", { age: ago(model.clock - known) }));
    const newest = s.items?.[0];
    setText(age, newest ? t("newest {age} old · {source}", { age: ago(model.clock - newest.known), source: s.stamp }) : s.stamp ?? "");
  }

  function draw() {
    s = JSON.parse(model.state || "{}");
    const names = s.symbols ?? [];
    if (symbol.options.length !== names.length + 1)
      symbol.replaceChildren(h("option", { value: "" }, t("All symbols")), ...names.map((name) => h("option", { value: name }, name)));
    filter();
  }

  function filter() {
    symbol.value = model.symbol;
    impact.value = model.impact;
    for (const pill of tones) pill.setAttribute("aria-pressed", String(pill.dataset.tone === model.tone));
    const items = s.items ?? [], shown = items.filter(passes), top = list.scrollTop;
    ages = [];
    list.replaceChildren(...shown.map(entry));
    list.scrollTop = top;
    list.hidden = !shown.length;
    empty.hidden = shown.length > 0;
    setText(count, items.length ? t("{shown} of {all}", { shown: shown.length, all: items.length }) : "");
    if (!shown.length) nothing(items.length);
    tick();
  }

  function nothing(n) {
    if (s.stamp === undefined) empty.replaceChildren(t("The agent warms up; headlines follow."));
    else if (!n) empty.replaceChildren(t("No headline in the last four days, or no source of news is connected."));
    else empty.replaceChildren(h("p", {}, t("No headline fits the filters.")),
      h("button", { class: "btn", type: "button", onclick: () => keep({ symbol: "", impact: "all", tone: "all" }) }, t("Reset filters")));
  }

  model.on("state", draw);
  model.on("clock", tick);
  for (const name of ["symbol", "impact", "tone"]) model.on(name, filter);
  onDo(model, {
    search: () => symbol.focus(),
    direction: ({ side }) => keep({ tone: side }),
    filters: () => impact.focus(),
  });
  draw();
  return root;
}
