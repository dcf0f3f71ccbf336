// What is left under other costs, and when every decision comes late: an edge that is gone is none.

export function render({ model }) {
  const metric = h("select", { class: "field", "aria-label": t("Metric") });
  const place = h("div", {});
  const body = h("div", {}), root = h("div", { class: "fill" }, body);
  const leave = hints(root);
  let state = {};

  const word = (name, value) => value === null ? "–" : state.shares.includes(name) ? percent(value, 1) : name === "trades" ? String(Math.round(value)) : minus(value);

  function drawHeat() {
    const name = metric.value || state.metrics[0][0], values = state.values[name];
    const reach = Math.max(...values.flat().map((v) => Math.abs(v ?? 0)));
    const plain = name === "trades" || name === "win_rate" || name === "max_drawdown";
    place.replaceChildren(heat({
      label: t("{metric} by costs and delay", { metric: t(state.metrics.find(([key]) => key === name)[1]) }), corner: `${t("costs")} ↓ ${t("bars late")} →`,
      columns: state.delays.map((d) => String(d)), rows: state.multiples.map((m, i) => [`× ${m}`, values[i].map((value, k) => ({ value, here: m === 1 && state.delays[k] === 0 }))]),
      cell: ({ value, here }) => ({ text: word(name, value), style: plain ? shareTone(value, reach) : heatTone(value, reach), mark: here }),
    }));
  }

  function draw() {
    state = JSON.parse(model.state || "{}");
    if (!state.id) { body.replaceChildren(); return; }
    const kept = metric.value;
    metric.replaceChildren(...state.metrics.map(([name, text]) => h("option", { value: name }, t(text))));
    metric.value = state.metrics.some(([name]) => name === kept) ? kept : state.metrics[0][0];
    body.replaceChildren(
      h("div", { class: "head" }, h("h2", {}, t("Costs and delay")), h("b", {}, state.title), stamp(state), h("span", { class: "dim about" }, state.about)),
      verdict(state.tone, t(state.verdict), t(state.more)),
      h("section", { class: "block" }, h("h3", {}, metric, h("span", { class: "note" }, t("The frame marks what was assumed."))), place),
      h("section", { class: "block" }, h("h3", {}, t("Breaks even at"), h("span", { class: "note" }, t("Costs of one fill, fee and slippage together; assumed: {cost}", { cost: `${(100 * state.cost).toFixed(3)} %` }))),
        h("div", { class: "tiles even" }, ...state.even.map(([late, text, tone]) => fact([t(late), typeof text === "string" ? text : t(text), "", tone])))));
    drawHeat();
  }

  metric.addEventListener("change", drawHeat);
  model.on("state", draw);
  model.on("remove", leave);
  draw();
  return root;
}
