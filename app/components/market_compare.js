// Up to four symbols side by side: what is best in a line is marked.

const MOST_COMPARED = 4;

/** What stands in the lines: name, value to compare by (null: no best), text, tone. */
function compareLines(at) {
  const plain = (row) => row.direction;
  return [
    [t("Price"), null, (r) => price(at.prices[r.symbol] ?? r.price)],
    [t("Change in 24 hours"), null, (r) => changeText(r.change), (r) => changeTone(r.change)],
    [t("Volume of 24 hours"), (r) => r.volume, (r) => amount(r.volume)],
    [t("Score"), strength, (r) => (r.score === null ? "–" : `${GLYPH[plain(r)]} ${number(r.score)}`), (r) => TONE[plain(r)]],
    [t("Direction"), null, (r) => t(WORD[plain(r)]), (r) => TONE[plain(r)]],
    [t("Confidence"), (r) => r.confidence, (r) => number(r.confidence)],
    [t("Consensus"), (r) => r.consensus, (r) => number(r.consensus)],
    [t("Timeframes that agree"), (r) => (scored(r) ? onSide(r) / scored(r) : null), (r) => `${onSide(r)} / ${scored(r)}`],
    [t("Active signals"), activeSignals, (r) => `${activeSignals(r)} / 9`],
    [t("Chance of success"), (r) => r.success, (r) => (r.success === null ? "–" : `${Math.round(100 * r.success)} %`)],
    [t("Advice"), null, (r) => (r.stopped ? t("none") : advice(r))],
    [t("Risk"), (r) => -{ LOW: 0, MEDIUM: 1, HIGH: 2 }[r.risk], (r) => t(r.risk)],
    [t("Recommendation"), null, (r) => recommended(r)],
    [t("Trust in the data"), null, (r) => number(r.trust)],
  ];
}

function recommended(row) {
  const along = strength(row);
  return along >= 0.7 ? `● ${t("good")}` : along >= 0.5 && row.direction !== 0 ? `◐ ${t("moderate")}` : `○ ${t("weak")}`;
}

function compareView(at) {
  const place = h("div", { class: "scroll compare" });
  const empty = h("div", { class: "empty" }, h("p", {}, t("Nothing to compare yet")),
    h("p", { class: "note" }, t("Mark up to four symbols in the list: press the rank, or Space on the chosen row.")),
    h("p", {}, h("button", { class: "btn", type: "button", onclick: () => at.compareBest() }, t("Compare the best four"))));
  const root = h("div", { class: "scroll" }, place, empty);
  let newest = "", rows = [];

  function bars(row) {
    return h("span", { class: "parts" }, ...at.state.parts.map((name, i) => {
      const value = row.parts[i] ?? 0;
      return h("span", { class: "axis", title: `${name} ${row.parts[i] === null ? "–" : signed(value, 2)}` },
        h("i", { class: value > 0 ? "up" : "down", style: `width: ${(50 * Math.min(1, Math.abs(value))).toFixed(1)}%` }));
    }));
  }

  function draw(all) {
    const by = new Map(at.rows.map((row) => [row.symbol, row]));
    rows = [...at.marked].map((symbol) => by.get(symbol)).filter(Boolean).slice(0, MOST_COMPARED);
    const text = JSON.stringify([rows.map((row) => [row.text, at.prices[row.symbol]]), at.state.frames]);
    place.hidden = rows.length === 0;
    empty.hidden = rows.length > 0;
    if (text === newest && all !== undefined) return;
    newest = text;
    const { drop, symbol } = root.getRootNode().activeElement?.dataset ?? {};
    const focused = drop ? `[data-drop="${drop}"]` : symbol ? `[data-symbol="${symbol}"]` : "";
    const head = h("tr", {}, h("th", { scope: "col" }, h("span", { class: "hidden" }, t("Figure"))), ...rows.map((row) => h("th", { scope: "col" },
      symbolButton(at, row.symbol, "pick", symbolName(row.symbol)),
      h("button", { class: "drop", type: "button", "data-drop": row.symbol, "aria-label": t("Do not compare {symbol}", { symbol: row.symbol }), onclick: () => at.toggle(row.symbol) }, "×"))));
    const lines = compareLines(at).map(([name, best, say, tone]) => {
      const values = best ? rows.map(best) : [], top = Math.max(...values.filter((v) => v !== null && v === v));
      const clear = values.filter((v) => v === top).length < rows.length;
      return h("tr", {}, h("th", { scope: "row" }, name), ...rows.map((row, i) => h("td", { class: `${tone ? tone(row) : ""} ${best && clear && values[i] === top ? "best" : ""}` },
        h("span", { class: "ltr" }, say(row)), best && clear && values[i] === top ? h("span", { class: "hidden" }, t("best")) : null)));
    });
    const frames = h("tr", {}, h("th", { scope: "row" }, t("Timeframes")), ...rows.map((row) => {
      const cells = h("span", { class: "cells" });
      drawCells(cells, row, at.state.frames);
      return h("td", {}, cells);
    }));
    const parts = h("tr", {}, h("th", { scope: "row", class: "partnames" }, ...at.state.parts.map((name) => h("span", {}, name))), ...rows.map((row) => h("td", {}, bars(row))));
    place.replaceChildren(h("table", { class: "comparison", "aria-label": t("Comparison") }, h("thead", {}, head), h("tbody", {}, ...lines, frames, parts)));
    if (focused) (place.querySelector(focused) ?? place.querySelector("[data-drop]"))?.focus();
  }

  return { root, draw, mark: () => draw(at.rows), reprice: () => draw(at.rows), focus: () => place.querySelector("button")?.focus(), close: () => {}, again: () => { newest = ""; } };
}
