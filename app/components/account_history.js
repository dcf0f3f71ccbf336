// The newest trades and fills, with their reasons in words.

const TABLES = {
  trades: [["closed", "Ended, UTC"], ["symbol", "Symbol"], ["side", "Side"], ["entry", "Entry"], ["exit", "Exit"],
    ["quantity", "Quantity"], ["pnl", "P&L"], ["r", "R"], ["why", "Why it ended"]],
  fills: [["time", "Time, UTC"], ["symbol", "Symbol"], ["fill", "Fill"], ["quantity", "Quantity"], ["price", "Price"],
    ["fee", "Fee"], ["slippage", "Slippage"], ["why", "Why"]],
};
const NAMES = { trades: "Trades", fills: "Fills" };
const NONE = { trades: "No trade has ended yet.", fills: "Nothing was filled yet." };
const HINTS = { pnl: "After fees, slippage and funding", r: "The same by what was at risk at the first stop", exit: "Mean of its exits",
  slippage: "Money lost to slippage and spread" };
const LEFT = new Set(["closed", "time", "symbol", "side", "fill", "why"]);

function plain(value, digits = 2) {
  return value === null || value === undefined ? "–" : Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

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
  const panel = h("div", { class: "scroll", tabindex: 0, role: "tabpanel", id: "panel" }, h("table", {}, h("thead", {}, head), body));
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, "History"), h("div", { class: "tabs", role: "tablist", "aria-label": "History" }, ...tabs), count), panel);

  function choose(name) {
    chosen = name;
    draw();
  }

  function cell(name, row) {
    const value = row[name];
    switch (name) {
      case "closed": case "time": return [clock(value), "dim"];
      case "side": return [row.side > 0 ? "▲ long" : "▼ short", row.side > 0 ? "bull" : "bear"];
      case "fill": return [row.side > 0 ? "▲ buy" : "▼ sell", row.side > 0 ? "bull" : "bear"];
      case "entry": case "exit": case "price": return [price(value), ""];
      case "quantity": return [Number(value.toPrecision(5)).toLocaleString("en-US", { maximumSignificantDigits: 5 }), ""];
      case "pnl": return [`${value > 0 ? "▲ +" : value < 0 ? "▼ −" : ""}${plain(value)}`, value > 0 ? "bull" : value < 0 ? "bear" : ""];
      case "r": return [value === null || value === undefined ? "–" : signed(value, 2), ""];
      case "fee": case "slippage": return [plain(value, 4), "dim"];
      default: return [String(value), ""];
    }
  }

  function draw() {
    const state = JSON.parse(model.state || "{}"), columns = TABLES[chosen], rows = state[chosen] ?? [];
    for (const [i, name] of Object.keys(NAMES).entries()) {
      tabs[i].setAttribute("aria-selected", String(name === chosen));
      tabs[i].setAttribute("aria-pressed", String(name === chosen));
      tabs[i].tabIndex = name === chosen ? 0 : -1;
    }
    panel.setAttribute("aria-labelledby", `tab-${chosen}`);
    setText(count, rows.length ? `newest ${rows.length}` : "");
    head.replaceChildren(...columns.map(([name, text]) => h("th", { class: LEFT.has(name) ? "left" : null, title: HINTS[name], scope: "col" }, text)));
    body.replaceChildren(...rows.map((row) => h("tr", {}, ...columns.map(([name]) => {
      const [text, tone] = cell(name, row);
      return h("td", { class: `${LEFT.has(name) ? "left" : ""} ${tone}`.trim() || null }, text);
    }))));
    if (!rows.length) body.append(h("tr", {}, h("td", { colspan: columns.length, class: "dim left" }, NONE[chosen])));
  }

  model.on("state", draw);
  draw();
  return root;
}
