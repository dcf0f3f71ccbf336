// Headline numbers first, then what must be known before believing them, then everything else.

export function render({ model }) {
  const body = h("div", { class: "summary" }), root = h("div", {}, body);
  const leave = hints(root);

  const tile = ([name, value, tone, hint]) => fact([t(name), value, t(hint), tone]);

  function group({ title, rows }) {
    return h("section", {}, h("h3", {}, t(title)),
      h("dl", {}, ...rows.map(([name, value, , hint]) => h("div", { "data-hint": t(hint), tabindex: 0 }, h("dt", {}, t(name)), h("dd", {}, value)))));
  }

  function link(state, format, table, text) {
    const query = table ? `?format=${format}&table=${table}` : `?format=${format}`;
    return h("a", { class: "pill", href: `api/backtest/export/${state.id}${query}`, download: "" }, text);
  }

  function nothing() {
    return h("div", { class: "empty" }, h("b", {}, t("No result yet")),
      h("p", { class: "dim" }, t("Choose what to ask, a symbol and a span, and press Run. The same code decides and fills as in the live agent.")));
  }

  function waiting(shown) {
    return h("div", { class: "empty", role: "status" }, h("b", {}, t("Reading the result …")), h("p", { class: "dim" }, t(shown)));
  }

  function draw() {
    const state = JSON.parse(model.state || "{}"), shown = JSON.parse(model.shown || "{}");
    document.documentElement.dataset.result = shown.kind ?? "";  // says which cards are there
    if (shown.id) remember({ job: shown.id });
    if (!shown.id) { body.replaceChildren(nothing()); return; }
    if (state.id !== shown.id) { body.replaceChildren(waiting(shown.title ?? "")); return; }
    const refused = Object.entries(state.refused ?? {});
    body.replaceChildren(
      h("div", { class: "head" }, h("h2", {}, state.title), stamp(state), h("span", { class: "dim about", title: state.about }, state.about)),
      h("div", { class: "tiles" }, ...state.headline.map(tile)),
      h("ul", { class: "warnings", "aria-label": t("What to know before believing a number") },
        ...(state.warnings ?? []).map((text) => h("li", {}, h("span", { "aria-hidden": "true" }, "⚠ "), text))),
      h("details", {}, h("summary", {}, t("All metrics")), h("div", { class: "groups" }, ...state.groups.map(group)),
        refused.length ? h("p", { class: "note" }, t("Entries refused: {reasons}", { reasons: refused.map(([why, n]) => `${why} ${n}`).join(", ") })) : null,
        h("p", { class: "note" }, t("Capsule {id}: equal capsules give equal results.", { id: state.capsule.id }))),
      h("div", { class: "files" }, h("span", { class: "dim" }, t("Files")),
        link(state, "csv", "trades", "trades.csv"), link(state, "csv", "equity", "equity.csv"),
        link(state, "parquet", "fills", "fills.parquet"), link(state, "json", "", "all.json"), link(state, "html", "", "report.html"),
        file("capsule.json", "application/json", () => `${JSON.stringify(state.capsule, null, 2)}\n`)));
  }

  model.on("state", draw);
  model.on("shown", draw);
  model.on("remove", leave);
  draw();
  return root;
}
