// The newest trades, in the order that is asked for; a row is a button that moves the charts to it.

const HEADS = [
  ["number", "#"], ["symbol", t("Symbol")], ["side", t("Side")], ["entry_ts", t("In")], ["exit_ts", t("Out")],
  ["entry_price", t("Entry")], ["exit_price", t("Exit")], ["quantity", t("Quantity")], ["profit", t("Profit")],
  ["profit_fraction", "%"], ["r_multiple", "R"], ["exit_reason", t("Why out")],
];
const HINTS = { profit: t("After fees, slippage and funding"), r_multiple: t("Profit by what was at risk at the first stop"),
  exit_price: t("Mean of its exits"), exit_reason: t("What closed it: stop, target, time, an opposite signal, or the end of the test") };
const REASONS = { SL: t("stop"), TP: t("target"), TIME: t("time"), SIGNAL: t("signal"), END_OF_TEST: t("end of test"), MANUAL: t("by hand"), GONE: t("gone") };
const LEFT = new Set(["symbol", "side", "exit_reason"]);

export function render({ model }) {
  const count = h("span", { class: "dim" });
  const csv = file("trades.csv", "text/csv;charset=utf-8", shown);
  const head = h("tr"), body = h("tbody");
  const grid = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("Trades") }, h("table", { class: "list" }, h("thead", {}, head), body));
  const inner = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Trades")), count, h("span", { class: "spacer" }), csv), grid);
  const root = h("div", {}, inner);
  const leave = hints(root);
  let columns = {}, several = false, by = "number", down = true, chosen = null;

  function cell(name, value) {
    if (name === "number") return [String(value + 1), ""];
    if (name === "side") return [value === "LONG" ? `▲ ${t("long")}` : `▼ ${t("short")}`, value === "LONG" ? "bull" : "bear"];
    if (name === "exit_reason") return [REASONS[value] ?? value, ""];
    if (name.endsWith("_ts")) return [clock(value), ""];
    if (name.endsWith("price")) return [price(value), ""];
    if (name === "profit") return [value === null ? "–" : `${value < 0 ? "−" : "+"}${Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`, value > 0 ? "bull" : value < 0 ? "bear" : ""];
    if (name === "profit_fraction") return [percent(value, 2), ""];
    if (name === "r_multiple") return [value === null ? "–" : signed(value, 2), ""];
    if (name === "quantity") return [value.toPrecision(5), ""];
    return [String(value), ""];
  }

  const heads = () => HEADS.filter(([name]) => name !== "symbol" || several);

  function order() {
    const values = columns[by] ?? [];
    return values.map((_, i) => i).sort((a, b) => {
      const x = values[a], y = values[b];
      if (x === y) return columns.number[b] - columns.number[a];
      if (x === null || y === null) return x === null ? 1 : -1;  // what is not known comes last
      return (x < y ? -1 : 1) * (down ? -1 : 1);
    });
  }

  /** The rows that are shown, in their order, as csv; times as ISO 8601. */
  function shown() {
    const names = Object.keys(columns);
    return table([names, ...order().map((i) => names.map((name) => name.endsWith("_ts") ? new Date(columns[name][i]).toISOString() : columns[name][i]))]);
  }

  function choose(number, row) {
    chosen = number;
    for (const other of body.children) other.classList.toggle("selected", other === row);
    model.send_msg({ trade: number });
  }

  function sort(name) {
    down = name === by ? !down : !LEFT.has(name);
    by = name;
    drawHeads();
    drawRows();
  }

  function drawHeads() {
    head.replaceChildren(...heads().map(([name, text]) => h("th", { class: LEFT.has(name) ? "left" : null, scope: "col", "aria-sort": name === by ? (down ? "descending" : "ascending") : null },
      h("button", { class: "sort", type: "button", "data-hint": HINTS[name], onclick: () => { sort(name); head.querySelector("[aria-sort] button")?.focus(); } },
        text, h("span", { "aria-hidden": "true" }, name === by ? (down ? " ↓" : " ↑") : "")))));
  }

  function drawRows() {
    const rows = order().map((i) => {
      const number = columns.number[i];
      const row = h("tr", { tabindex: 0, class: number === chosen ? "selected" : null, "aria-label": t("Trade {n}: show it in the charts", { n: number + 1 }),
        onclick: () => choose(number, row),
        onkeydown: (event) => {
          const to = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
          if (to) { event.preventDefault(); to.focus(); }
          if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(number, row); }
        } },
        ...heads().map(([name]) => {
          const [text, tone] = cell(name, columns[name][i]);
          return h("td", { class: `${LEFT.has(name) ? "left" : ""} ${tone}`.trim() || null }, text);
        }));
      return row;
    });
    body.replaceChildren(...rows);
    if (rows.length === 0) body.append(h("tr", {}, h("td", { colspan: heads().length, class: "dim left" }, t("No trade was closed."))));
  }

  function draw() {
    const state = JSON.parse(model.rows || "{}");
    columns = state.columns ?? {};
    several = Boolean(state.several);
    chosen = null;
    inner.hidden = !state.columns;
    const n = columns.number?.length ?? 0;
    setText(count, n < state.total ? t("newest {n} of {all}", { n, all: state.total.toLocaleString("en-US") }) : `${n}`);
    csv.disabled = n === 0;
    drawHeads();
    if (state.columns) drawRows();
  }

  onDo(model, { export: () => {
    if (document.documentElement.dataset.result !== "backtest" || !columns.number?.length) return false;
    csv.click();
    return true;
  } });
  model.on("rows", draw);
  model.on("remove", leave);
  draw();
  return root;
}
