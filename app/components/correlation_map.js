// Correlations as a square of cells; each has its number, and a mark where it is beyond the limit.

const NAMES_OF = { held: t("Held"), watched: t("Watched") };

export function render({ model }) {
  const about = h("span", { class: "dim" }), grid = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("Correlations") });
  const empty = h("div", { class: "empty" }), note = h("p", { class: "note pad" });
  const buttons = Object.keys(NAMES_OF).map((of) => h("button", { class: "pill", type: "button", onclick: () => choose(of) }, NAMES_OF[of]));
  const root = h("div", { class: "fill" },
    h("div", { class: "head" }, h("h2", {}, t("Correlation")), h("div", { class: "choice", role: "group", "aria-label": t("Which assets") }, ...buttons), about), grid, empty, note);

  function choose(of) {
    remember({ map: of });
    model.send_msg({ type: "map", of });
  }

  function cell(value, row, column, limit) {
    if (value === null) return h("td", { class: "blank" }, "–");
    const over = row !== column && value > limit, weight = Math.round(50 * Math.abs(value));
    const ink = value < 0 ? "--info" : over ? "--bear" : "--acc";
    const back = row === column ? "var(--chip)" : `color-mix(in srgb, var(${ink}) ${weight}%, var(--panel))`;
    return h("td", { style: `background:${back}`, class: over ? "over" : null },
      row === column ? "" : fig(`${over ? "! " : ""}${value < 0 ? "−" : ""}${Math.abs(value).toFixed(2)}`));
  }

  function name(symbol, side) {
    return h("bdi", { dir: "ltr" }, side ? h("span", { class: side > 0 ? "bull" : "bear" }, side > 0 ? "▲ " : "▼ ") : null, symbol.split("/")[0]);
  }

  function draw() {
    const s = JSON.parse(model.state || "{}"), of = s.of ?? model.chosen, n = s.symbols?.length ?? 0;
    buttons.forEach((b, i) => b.setAttribute("aria-pressed", String(Object.keys(NAMES_OF)[i] === model.chosen)));
    const drawn = n > 1 && of === model.chosen;
    grid.hidden = !drawn;
    empty.hidden = drawn;
    const why = Object.entries(s.missing ?? {}).map(([symbol, text]) => `${symbol}: ${text}`).join("; ");
    empty.replaceChildren(...(s.of === undefined || of !== model.chosen ? [h("p", {}, t("Reading the history …"))]
      : s.unknown ? [h("b", {}, t("Correlations are not known")), h("p", { dir: "auto" }, why || t("no history"))]
        : [h("b", {}, t("Two positions are needed")), h("p", {}, t("Choose Watched for how the watched assets move together."))]));
    setText(about, drawn ? (of === "held" ? t("of the positions' P&L: a hedge is below 0") : t("of the assets, each taken as a long")) : "");
    note.hidden = !drawn;
    setText(note, t("! above the limit of {limit}", { limit: fig(s.limit ?? 0) }) + (s.more ? ` · ${t("and {n} smaller ones", { n: s.more })}` : ""));
    if (!drawn) return;
    grid.replaceChildren(h("table", { style: `--n:${n}` },
      h("thead", {}, h("tr", {}, h("td"), ...s.symbols.map((x, i) => h("th", { scope: "col" }, name(x, s.sides[i]))))),
      h("tbody", {}, ...s.values.map((row, i) => h("tr", {}, h("th", { scope: "row" }, name(s.symbols[i], s.sides[i])), ...row.map((v, k) => cell(v, i, k, s.limit)))))));
  }

  model.on("state", draw);
  model.on("chosen", draw);
  draw();
  return root;
}
