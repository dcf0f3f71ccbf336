// What is said of each symbol: one row each, to sort and to choose from.

const COLUMNS = [
  ["symbol", t("Symbol"), t("Press a row to see its news and prints alone")],
  ["sentiment", t("Mood"), t("What the sentiment detector makes of funding, positions and Fear & Greed: −1 bearish to +1 bullish")],
  ["news", t("News"), t("What the news detector makes of the headlines: −1 bearish to +1 bullish")],
  ["whales", t("Whales"), t("What the whales detector makes of large prints, takers and the book: −1 bearish to +1 bullish")],
  ["funding", t("Funding"), t("What longs pay shorts, as a percentile of its own last 90 days; high is a crowd of longs")],
  ["interest", t("OI"), t("Growth of open interest, in standard deviations from usual")],
  ["accounts", t("L/S"), t("Accounts long against short, in standard deviations from usual")],
];

export function render({ model }) {
  let sort = "symbol", up = true, rows = [];
  const heads = COLUMNS.map(([key, label, title]) => h("th", { scope: "col", title }, h("button", { type: "button", onclick: () => order(key) }, label)));
  const body = h("tbody"), empty = h("p", { class: "dim empty", role: "status" });
  const all = h("button", { class: "pill", type: "button", onclick: () => { model.symbol = ""; } }, t("All symbols"));
  const table = h("table", {}, h("thead", {}, h("tr", {}, ...heads)), body);
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("By symbol")), h("span", { class: "spacer" }), all),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("By symbol") }, table), empty);

  function order(key) {
    up = sort === key ? !up : key === "symbol";
    sort = key;
    draw();
  }

  function said(value) {
    if (value === null) return h("td", { class: "dim" }, "–");
    const side = Math.abs(value) < 0.005 ? 0 : Math.sign(value);
    const bar = h("i", { class: "bar", "aria-hidden": "true" }, h("i", { class: side < 0 ? "down" : "up", style: `width:${Math.min(50, 50 * Math.abs(value)).toFixed(0)}%` }));
    return h("td", { class: TONE[side] }, h("span", { class: "fig" }, bar, `${GLYPH[side]} ${signed(value, 2)}`));
  }

  function row(r) {
    const base = r.symbol.split("/");
    const name = h("button", { class: "name", type: "button", "aria-pressed": String(r.symbol === model.symbol), onclick: () => choose(r.symbol) },
      h("b", {}, base[0]), h("span", { class: "dim" }, `/${base[1]}`));
    return h("tr", { class: r.symbol === model.symbol ? "selected" : null }, h("td", {}, name), said(r.sentiment), said(r.news), said(r.whales),
      h("td", {}, h("span", { class: "fig" }, r.funding === null ? "–" : r.funding.toFixed(0))),
      ...[r.interest, r.accounts].map((v) => h("td", {}, h("span", { class: "fig" }, v === null ? "–" : signed(v, 1)))));
  }

  function choose(symbol) { model.symbol = model.symbol === symbol ? "" : symbol; }

  function draw() {
    const s = JSON.parse(model.state || "{}");
    rows = s.rows ?? [];
    empty.hidden = rows.length > 0;
    table.parentElement.hidden = !rows.length;
    setText(empty, t("The agent warms up; symbols follow."));
    all.hidden = !model.symbol;
    const value = (r) => sort === "symbol" ? r.symbol : r[sort] ?? -Infinity;
    const sorted = [...rows].sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0) * (up ? 1 : -1));
    heads.forEach((head, i) => head.setAttribute("aria-sort", COLUMNS[i][0] !== sort ? "none" : up ? "ascending" : "descending"));
    const held = root.getRootNode().activeElement?.closest?.("tr")?.dataset.symbol;
    for (const [i, key] of [[4, "funding"], [5, "interest"], [6, "accounts"]]) table.classList.toggle(`no${i + 1}`, rows.every((r) => r[key] === null));
    body.replaceChildren(...sorted.map((r) => { const line = row(r); line.dataset.symbol = r.symbol; return line; }));
    if (held) [...body.rows].find((line) => line.dataset.symbol === held)?.querySelector("button").focus();
  }

  model.on("state", draw);
  model.on("symbol", draw);
  draw();
  return root;
}
