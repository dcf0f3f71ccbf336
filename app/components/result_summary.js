// Headline numbers first, then what must be known before believing them, then everything else.

export function render({ model }) {
  const root = h("div", { class: "summary" });
  const TONES = { 1: "bull", 0: "", "-1": "bear" };

  function tile([name, value, tone, hint]) {
    return h("div", { class: "tile", title: hint, tabindex: 0 },
      h("span", { class: "name" }, name),
      h("b", { class: TONES[tone] }, tone ? `${GLYPH[tone]} ` : "", value));
  }

  function group({ title, rows }) {
    return h("section", {}, h("h3", {}, title),
      h("dl", {}, ...rows.flatMap(([name, value, , hint]) => [h("dt", { title: hint }, name), h("dd", { title: hint }, value)])));
  }

  function link(state, format, table, text) {
    const query = table ? `?format=${format}&table=${table}` : `?format=${format}`;
    return h("a", { class: "pill", href: `api/backtest/export/${state.id}${query}`, download: "" }, text);
  }

  function draw() {
    const state = JSON.parse(model.state || "{}");
    document.documentElement.toggleAttribute("data-result", Boolean(state.id));  // shows the cards below
    if (!state.id) {
      root.replaceChildren(h("div", { class: "empty" }, h("b", {}, "No result yet"),
        h("p", { class: "dim" }, "Choose a symbol, a span and weights, and press Run. The same code decides and fills as in the live agent.")));
      return;
    }
    const refused = Object.entries(state.refused ?? {});
    root.replaceChildren(
      h("div", { class: "head" }, h("h2", {}, state.title),
        state.simulated ? h("span", { class: "chip stamp", title: "Prices are made up by the simulator" }, "SIMULATED") : h("span", { class: "chip" }, state.source),
        h("span", { class: "dim about", title: state.about }, state.about)),
      h("div", { class: "tiles" }, ...state.headline.map(tile)),
      h("ul", { class: "warnings", "aria-label": "What to know before believing a number" },
        ...(state.warnings ?? []).map((text) => h("li", {}, h("span", { "aria-hidden": "true" }, "⚠ "), text))),
      h("details", {}, h("summary", {}, "All metrics"), h("div", { class: "groups" }, ...state.groups.map(group)),
        refused.length ? h("p", { class: "note" }, "Entries refused: ", refused.map(([why, n]) => `${why} ${n}`).join(", ")) : null,
        h("p", { class: "note" }, `Capsule ${state.capsule}: equal capsules give equal results.`)),
      h("div", { class: "files" }, h("span", { class: "dim" }, "Files"),
        link(state, "csv", "trades", "trades.csv"), link(state, "csv", "equity", "equity.csv"),
        link(state, "parquet", "fills", "fills.parquet"), link(state, "json", "", "all.json"), link(state, "html", "", "report.html")));
  }

  model.on("state", draw);
  draw();
  return root;
}
