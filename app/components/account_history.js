// The newest trades and fills, with their reasons in words.

const TABLES = {
  trades: [["closed", t("Ended")], ["symbol", t("Symbol")], ["side", t("Side")], ["entry", t("Entry")], ["exit", t("Exit")],
    ["quantity", t("Quantity")], ["pnl", t("P&L")], ["r", "R"], ["costs", t("Costs")], ["why", t("Why it ended")]],
  fills: [["time", t("Time")], ["symbol", t("Symbol")], ["fill", t("Fill")], ["quantity", t("Quantity")], ["price", t("Price")],
    ["fee", t("Fee")], ["slippage", t("Slippage")], ["why", t("Why")]],
};
const NAMES = { trades: t("Trades"), fills: t("Fills") };
const NONE = { trades: t("No trade has ended yet."), fills: t("Nothing was filled yet.") };
const HINTS = { pnl: t("After fees, slippage and funding"), r: t("The same by what was at risk at the first stop"), exit: t("Mean of its exits"),
  slippage: t("Money lost to slippage and spread"), costs: t("Fees and slippage") };
const LEFT = new Set(["closed", "time", "symbol", "side", "fill", "why"]);

export function render({ model }) {
  let chosen = "trades";
  const head = h("tr"), body = h("tbody"), count = h("span", { class: "dim" });
  const tabs = Object.keys(NAMES).map((name, i) => h("button", { class: "pill", type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "panel",
    onclick: () => choose(name), onkeydown: (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(i + step + tabs.length) % tabs.length];
      next.click();
      next.focus();
    } }, NAMES[name]));
  const files = ["csv", "json"].map((format) => h("a", { class: "pill file", download: true }, format.toUpperCase()));
  const panel = h("div", { class: "scroll", tabindex: 0, role: "tabpanel", id: "panel" }, h("table", {}, h("thead", {}, head), body));
  const problem = h("p", { class: "problem", role: "alert" });
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("History")), h("div", { class: "tabs", role: "tablist", "aria-label": t("History") }, ...tabs), count, h("span", { class: "spacer" }), ...files), problem, panel);

  function choose(name) {
    chosen = name;
    draw();
  }

  function cell(name, row) {
    const value = row[name];
    switch (name) {
      case "closed": case "time": return [clock(value), "dim"];
      case "symbol": return [fig(value), "name"];
      case "side": return [sideWord(row.side), row.side > 0 ? "bull" : "bear"];
      case "fill": return [row.side > 0 ? `▲ ${t("buy")}` : `▼ ${t("sell")}`, row.side > 0 ? "bull" : "bear"];
      case "entry": case "exit": case "price": return [price(value), ""];
      case "quantity": return [units(value), ""];
      case "pnl": return [fig(`${arrow(value)}${money(value, true)}`), tone(value)];
      case "r": return [value === null || value === undefined ? "–" : fig(signed(value, 2)), ""];
      case "fee": case "slippage": return [money(Math.abs(value), false, 4), "dim"];
      case "costs": return [money(value), "dim"];
      case "why": return [t(value), ""];
      default: return [String(value), ""];
    }
  }

  function draw() {
    const state = JSON.parse(model.state || "{}"), columns = TABLES[chosen], rows = state[chosen] ?? [];
    for (const [i, name] of Object.keys(NAMES).entries()) {
      tabs[i].setAttribute("aria-selected", String(name === chosen));
      tabs[i].tabIndex = name === chosen ? 0 : -1;
    }
    files.forEach((link) => {
      const format = link.textContent.toLowerCase();
      link.href = `api/export/${chosen}?format=${format}`;
      link.setAttribute("aria-label", t("Download {what} as {format}", { what: NAMES[chosen], format: format.toUpperCase() }));
    });
    panel.setAttribute("aria-labelledby", `tab-${chosen}`);
    setText(count, rows.length ? t("newest {n}", { n: rows.length }) : "");
    head.replaceChildren(...columns.map(([name, text]) => h("th", { class: LEFT.has(name) ? "left" : null, title: HINTS[name], scope: "col" }, text)));
    body.replaceChildren(...rows.map((row) => h("tr", {}, ...columns.map(([name]) => {
      const [text, tone] = cell(name, row);
      return h("td", { class: `${LEFT.has(name) ? "left" : ""} ${tone}`.trim() || null }, text);
    }))));
    setText(problem, model.problem ? t("The history could not be read: {why}", { why: model.problem }) : "");
    if (rows.length || (model.problem && !state[chosen])) return;
    body.append(h("tr", {}, h("td", { colspan: columns.length, class: "dim left" }, state[chosen] ? NONE[chosen] : t("Waiting for the account"))));
  }

  onDo(model, { export: () => files[0].click() });
  model.on("state", draw);
  model.on("problem", draw);
  draw();
  return root;
}
