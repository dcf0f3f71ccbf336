// The newest trades; a row is a button that moves the charts to its trade.

const HEADS = [
  ["number", "#"], ["symbol", "Symbol"], ["side", "Side"], ["entry_ts", "In, UTC"], ["exit_ts", "Out, UTC"],
  ["entry_price", "Entry"], ["exit_price", "Exit"], ["quantity", "Quantity"], ["profit", "Profit"],
  ["profit_fraction", "%"], ["r_multiple", "R"], ["exit_reason", "Why out"],
];
const HINTS = { profit: "After fees, slippage and funding", r_multiple: "Profit by what was at risk at the first stop",
  exit_price: "Mean of its exits", exit_reason: "SL stop, TP target, TIME time stop, SIGNAL opposite or withdrawn, END_OF_TEST closed at the end" };
const LEFT = new Set(["symbol", "side", "exit_reason"]);

export function render({ model }) {
  const count = h("span", { class: "dim" });
  const head = h("tr"), body = h("tbody");
  const table = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Trades, newest first" },
    h("table", {}, h("thead", {}, head), body));
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, "Trades"), count), table);

  function cell(name, value) {
    if (name === "number") return [String(value + 1), ""];
    if (name === "side") return [`${value === "LONG" ? "▲ long" : "▼ short"}`, value === "LONG" ? "bull" : "bear"];
    if (name.endsWith("_ts")) return [clock(value), ""];
    if (name.endsWith("price")) return [price(value), ""];
    if (name === "profit") return [value === null ? "–" : `${value < 0 ? "−" : "+"}${Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`, value > 0 ? "bull" : "bear"];
    if (name === "profit_fraction") return [percent(value, 2), ""];
    if (name === "r_multiple") return [value === null ? "–" : signed(value, 2), ""];
    if (name === "quantity") return [value.toPrecision(5), ""];
    return [String(value), ""];
  }

  function choose(number, row) {
    for (const other of body.children) other.classList.toggle("selected", other === row);
    model.send_msg({ trade: number });
  }

  function draw() {
    const state = JSON.parse(model.rows || "{}"), columns = state.columns ?? {};
    root.hidden = !state.columns;
    const heads = HEADS.filter(([name]) => name !== "symbol" || state.several);
    const n = columns.number?.length ?? 0;
    setText(count, n < state.total ? `newest ${n} of ${state.total.toLocaleString("en-US")}` : `${n}`);
    head.replaceChildren(...heads.map(([name, text]) => h("th", { class: LEFT.has(name) ? "left" : null, title: HINTS[name], scope: "col" }, text)));
    const rows = Array.from({ length: n }, (_, i) => {
      const row = h("tr", { tabindex: 0, "aria-label": `Trade ${columns.number[i] + 1}: show it in the charts`,
        onclick: () => choose(columns.number[i], row),
        onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(columns.number[i], row); } } },
        ...heads.map(([name]) => {
          const [text, tone] = cell(name, columns[name][i]);
          return h("td", { class: `${LEFT.has(name) ? "left" : ""} ${tone}`.trim() || null }, text);
        }));
      return row;
    });
    body.replaceChildren(...rows);
    if (n === 0) body.append(h("tr", {}, h("td", { colspan: heads.length, class: "dim left" }, "No trade was closed.")));
  }

  model.on("rows", draw);
  draw();
  return root;
}
