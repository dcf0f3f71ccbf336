// What was not traded: each rule with what it is worth, then the newest ideas with their reasons.

const WORTH = { saves: ["▲", "bull"], costs: ["▼", "bear"], unknown: ["●", "dim"] };
const RESULT = { right: ["✓", "bull", t("would have been right")], wrong: ["✗", "bear", t("would have been wrong")], unknown: ["?", "dim", t("never to be judged: bars are missing")] };

export function render({ model }) {
  const gates = h("tbody"), list = h("tbody");
  const note = h("p", { class: "note under" });
  const head = (names) => h("thead", {}, h("tr", {}, ...names.map(([name, title]) => h("th", { scope: "col", title }, name))));
  const table = h("table", { class: "gates" }, head([[t("Stopped by")], [t("Ideas"), t("Ideas that it stopped, and in brackets those that nothing else stopped")],
    [t("Would have hit"), t("Of those that it alone stopped: share that went their way first, with bounds of 95 %")],
    [t("Would have made"), t("Of those that it alone stopped: mean R without costs, with bounds of 95 %")], [t("Worth")]]), gates);
  const none = h("p", { class: "dim empty", role: "status" }), nothing = h("p", { class: "dim empty", role: "status" });
  const ideas = h("table", { class: "ideas" }, head([[t("Time of the signal")], [t("Symbol")], [t("Side")], [t("Why not")], [t("What came"), t("How far the price moved along its side, at the horizon of the page")]]), list);
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Not traded, and why"))), h("div", { class: "scroll first", tabindex: 0, role: "region", "aria-label": t("Rules and limits") }, table, none), note,
    h("div", { class: "sub" }, h("h3", {}, t("Newest ideas that were not traded"))), h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("Newest ideas that were not traded") }, ideas, nothing));

  function range(found, write) {
    if (found.value === null) return h("td", { class: "dim", title: t("{n} judged, at least 20 are needed", { n: found.n }) }, "–");
    return h("td", {}, h("span", { class: "fig" }, write(found.value)), found.low === null ? null : h("small", { class: "dim fig" }, ` ${write(found.low)} … ${write(found.high)}`));
  }

  function gate(g) {
    const [glyph, tone] = WORTH[g.worth], chosen = model.stopped === g.name;
    const name = g.kind === "action" ? h("span", {}, t(g.said)) : h("button", { class: "name", type: "button", "aria-pressed": String(chosen), title: t("Show these signals alone"),
      onclick: () => { const stopped = chosen ? "" : g.name; model.stopped = stopped; remember({ stopped }); } }, t(g.said));
    return h("tr", { class: chosen ? "chosen" : null }, h("td", {}, name, " ", h("small", { class: "dim" }, t(g.is))),
      h("td", {}, h("span", { class: "fig" }, g.kind === "action" ? g.n : `${g.n} (${g.alone})`)), range(g.hit, (v) => `${(100 * v).toFixed(0)} %`), range(g.r, (v) => signed(v, 2)),
      h("td", { class: tone }, g.kind === "action" ? "" : `${glyph} ${t(g.words)}`));
  }

  function draw() {
    const s = JSON.parse(model.gates || "{}"), found = s.gates ?? [];
    gates.replaceChildren(...found.map(gate));
    table.hidden = !found.length;
    none.hidden = found.length > 0;
    setText(none, s.n === undefined ? t("Reading the journal …") : t("Nothing was stopped yet."));
    setText(note, s.n === undefined ? "" : t("Judged after {horizon} bars, {n} ideas. What a rule keeps away is told only where the bounds leave zero out.", { horizon: s.horizon, n: s.n }));
  }

  function newest() {
    const s = JSON.parse(model.state || "{}"), rows = s.rows ?? [];
    list.replaceChildren(...rows.map((r) => {
      const found = r.outcomes[s.horizon], [glyph, tone, word] = found ? RESULT[found.what] : ["◦", "dim", t("Not over yet")];
      const moved = found && found.what !== "unknown" ? `${glyph} ${percent(found.move)} · ${signed(found.r, 2)} R` : glyph;
      return h("tr", {}, h("td", { class: "dim" }, clock(r.time)), h("td", {}, h("b", {}, r.symbol.split("/")[0])), h("td", { class: TONE[r.side] }, r.side > 0 ? `▲ ${t("long")}` : `▼ ${t("short")}`),
        h("td", { class: "why" }, ...r.why.map((one) => h("span", { class: "tag" }, t(one)))), h("td", { class: tone, title: word }, h("span", { class: "fig" }, moved), h("span", { class: "hidden" }, word)));
    }));
    ideas.hidden = !rows.length;
    nothing.hidden = rows.length > 0;
    setText(nothing, s.rows === undefined ? t("Reading the journal …") : t("Every idea was traded, or none has come yet."));
  }

  model.on("gates", draw);
  model.on("stopped", draw);
  model.on("state", newest);
  draw();
  newest();
  return root;
}
