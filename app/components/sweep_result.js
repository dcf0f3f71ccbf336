// What a search found: the best, whether it stands alone, and where in the weights the good ones lie.

export function render({ model }) {
  const body = h("div", {}), root = h("div", { class: "fill" }, body);
  const leave = hints(root);
  const down = h("select", { class: "field", "aria-label": t("Weight that goes down") });
  const across = h("select", { class: "field", "aria-label": t("Weight that goes across") });
  const figure = h("select", { class: "field", "aria-label": t("What a cell shows") }, h("option", { value: "mean" }, t("mean")), h("option", { value: "best" }, t("best")));
  const place = h("div", {});
  const words = (name) => name.replace("_", " ");
  const file_ = (name) => `${name}.csv`;
  let state = {};
  const spread = plot(232, paint);

  function paint(pen, width) {
    const { counts = [], edges = [] } = state.spread ?? {};
    if (!counts.length) return;
    const low = edges[0], high = edges[edges.length - 1], span = high - low || 1, most = Math.max(...counts), bottom = 208;
    const x = (v) => 8 + (v - low) / span * (width - 16), y = (n) => bottom - n / most * 172;
    const ticks = roundSteps(low, high, Math.max(2, Math.floor(width / 90)));
    pen.path("grid", `M8 ${bottom}H${width - 8}`);
    counts.forEach((n, i) => { if (n) pen.path("bar", `M${x(edges[i]) + 0.5} ${bottom}V${y(n)}H${x(edges[i + 1]) - 0.5}V${bottom}Z`); });
    for (const v of ticks) pen.text(x(v), bottom + 13, String(Number(v.toPrecision(6))).replace("-", "−"), "mid");
    const marks = [["median", state.median, t("median")], ["equal", state.equal, t("equal weights")], ["best", state.value, t("best")]].filter(([, v]) => v !== null);
    marks.forEach(([name, v, text], i) => {
      const at = x(Math.min(high, Math.max(low, v)));
      pen.path(name === "best" ? "mark" : "base", `M${at} ${14 + 11 * i}V${bottom}`);
      const end = at > width * 0.6;
      pen.text(at + (end ? -5 : 5), 14 + 11 * i, text, end ? "end" : "");
    });
    pen.say(t("{n} vectors: median {median}, equal weights {equal}, best {best}", { n: state.judged, median: minus(state.median), equal: minus(state.equal), best: minus(state.value) }));
  }

  function drawHeat() {
    const { names, edges, pairs } = state.land;
    const a = Number(down.value), b = Number(across.value);
    const k = pairs.findIndex(([x, y]) => (x === a && y === b) || (x === b && y === a));
    if (k < 0) { place.replaceChildren(h("p", { class: "note" }, t("Choose two different weights."))); return; }
    const turned = pairs[k][0] !== a, n = edges[a].length - 1;
    const at = (table, i, j) => (turned ? table[k][j * n + i] : table[k][i * n + j]);
    const bin = (d, i) => edges[d][i].toFixed(2).replace(/^0/, "");
    const range = (d, i) => `${words(names[d])} ${i === n - 1 ? `≥ ${edges[d][i].toFixed(2)}` : `${edges[d][i].toFixed(2)}–${edges[d][i + 1].toFixed(2)}`}`;
    const shown = state.land[figure.value], reach = Math.max(...state.land.best[k].map((v) => Math.abs(v ?? 0)));
    const cells = (i) => Array.from({ length: n }, (_, j) => ({ value: at(shown, i, j), i, j }));
    const bestAt = [state.land.at[a], state.land.at[b]];
    place.replaceChildren(heat({
      label: t("{aim} over two weights", { aim: t(state.aim) }), first: 44,
      columns: Array.from({ length: n }, (_, j) => bin(b, j)),
      rows: Array.from({ length: n }, (_, i) => [bin(a, i), cells(i)]),
      cell: ({ value, i, j }) => ({
        text: value === null ? "" : minus(value), style: heatTone(value, reach), mark: i === bestAt[0] && j === bestAt[1],
        hint: value === null ? null : `${range(a, i)}, ${range(b, j)}. ` + t("{n} vectors: mean {mean}, best {best}", { n: at(state.land.count, i, j), mean: minus(at(state.land.mean, i, j)), best: minus(at(state.land.best, i, j)) }),
      }),
    }));
  }

  function choices() {
    const { names } = state.land;
    for (const [control, i] of [[down, state.land.first[0]], [across, state.land.first[1]]]) {
      control.replaceChildren(...names.map((name, k) => h("option", { value: k }, words(name))));
      control.value = String(i);
    }
  }

  function best() {
    const heads = [["#", ""], [t(state.aim), ""], [t("Return"), ""], [t("Deepest fall"), ""], [t("Trades"), ""], [t("Weights"), "left"], ["", ""]];
    return h("div", { class: "scroll best", tabindex: 0, role: "region", "aria-label": t("The best vectors") }, h("table", { class: "list" },
      h("thead", {}, h("tr", {}, ...heads.map(([text, side]) => h("th", { scope: "col", class: side || null }, text)))),
      h("tbody", {}, ...state.best.map((row, i) => h("tr", { class: row.equal ? "equal" : null }, h("td", {}, String(i + 1)), h("td", {}, minus(row.value)),
        h("td", { class: row.total_return > 0 ? "bull" : row.total_return < 0 ? "bear" : null }, percent(row.total_return)), h("td", {}, `${(100 * row.max_drawdown).toFixed(1)} %`),
        h("td", {}, String(Math.round(row.trades))), h("td", { class: "left wide" }, row.equal ? t("equal weights") : weightWords(row.weights)),
        h("td", {}, h("button", { class: "pill", type: "button", disabled: READ_ONLY, "aria-label": t("Test vector {n} alone", { n: i + 1 }), onclick: () => model.send_msg({ test: i }) }, t("Test"))))))));
  }

  function draw() {
    state = JSON.parse(model.state || "{}");
    if (!state.id) { body.replaceChildren(); return; }
    const ranked = Boolean(state.best.length);
    body.replaceChildren(
      h("div", { class: "head" }, h("h2", {}, t("Sweep")), h("b", {}, state.title), stamp(state), h("span", { class: "dim about" }, state.about)),
      verdict(state.tone, t(state.verdict), t(state.more)),
      h("div", { class: "tiles" }, ...state.facts.map(([name, text, hint, tone]) => fact([t(name), typeof text === "string" ? text : t(text), t(hint), tone]))),
      ranked ? h("div", { class: "split" },
        h("section", { class: "block" }, h("h3", {}, t("All vectors"), h("span", { class: "note" }, t(state.aim))), spread.root),
        state.land.pairs.length ? h("section", { class: "block" }, h("h3", {}, t("Where the good ones lie"), h("span", { class: "axis" }, "↓ ", down), h("span", { class: "axis" }, "→ ", across), figure), place,
          h("p", { class: "note" }, t("Rows and columns are named by the weight where they begin; the frame marks the cell of the best. A broad green field may be believed; a single green cell is luck."))) : null) : null,
      ranked ? h("section", { class: "block" }, h("h3", {}, t("Best of {n}", { n: state.judged.toLocaleString("en-US") }),
        h("span", { class: "note" }, t("The best of many is also the luckiest: test one alone, then ask the guards."))), best()) : null,
      ranked ? h("div", { class: "files" }, h("span", { class: "dim" }, t("Files")), file(file_("sweep"), "text/csv;charset=utf-8", csv),
        file("sweep.json", "application/json", () => JSON.stringify({ ...state, n: undefined }, null, 1))) : "");
    if (ranked && state.land.pairs.length) { choices(); drawHeat(); }
    spread.draw();
  }

  function csv() {
    const names = Object.keys(state.best[0].weights), keys = ["value", "total_return", "max_drawdown", "trades"];
    return table([[...keys, ...names], ...state.best.map((row) => [...keys.map((key) => row[key]), ...names.map((name) => row.weights[name])])]);
  }

  for (const control of [down, across, figure]) control.addEventListener("change", drawHeat);
  onDo(model, { export: () => {
    if (document.documentElement.dataset.result !== "sweep" || !state.best?.length) return false;
    body.querySelector(".files button")?.click();
    return true;
  } });
  model.on("state", draw);
  model.on("remove", leave);
  draw();
  return root;
}
