// For how long rows are kept: days of each table, 0 for ever; less is asked twice.

function tableName(name) {
  switch (name) {
    case "event": return t("Events and audit");
    case "candidate": return t("Judged candidates");
    case "equity_mark": return t("Equity, bar by bar");
    case "outbox": return t("Sent notices");
    case "idempotent": return t("Answers to repeated requests");
    case "bar_note": return t("Notes on single bars");
    case "observation": return t("News, whales and moods");
    default: return name;
  }
}

export function render({ model }) {
  const ask = asking(model), told = outcome(), body = h("tbody"), fields = new Map();
  const save = h("button", { class: "btn first", type: "submit", disabled: true }, t("Apply")), undo = h("button", { class: "btn", type: "button", disabled: true, onclick: () => fill(true) }, t("Reset"));
  const table = h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col", class: "start" }, t("What")), h("th", { scope: "col" }, t("Rows")), h("th", { scope: "col", class: "roomy" }, t("Oldest")), h("th", { scope: "col" }, t("Days kept")))), body);
  const form = h("form", { onsubmit: submit, oninput: changed }, h("div", { class: "scroll" }, table),
    h("div", { class: "body" }, h("p", { class: "note" }, t("0 is for ever. Fills and trades are never let go. What is older goes once a day.")), h("div", { class: "actions" }, save, undo), ...told.parts));
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Retention"))), form);
  const sure = confirming(root);
  let from = null;

  const differs = () => from ? [...fields].filter(([name, r]) => r.field.value === "" || Number(r.field.value) !== from.days[name]) : [];

  function changed() {
    const turned = new Set(differs().map(([name]) => name));
    for (const [name, r] of fields) r.row.classList.toggle("turned", turned.has(name));
    save.disabled = READ_ONLY || !turned.size;
    undo.disabled = !turned.size;
  }

  function make(one, most) {
    const field = h("input", { class: "field", type: "number", min: 0, max: most, step: 1, required: true, disabled: READ_ONLY, "aria-label": t("Days kept: {what}", { what: tableName(one.name) }), title: t("usually {n}", { n: one.usual }) });
    const rows = h("td"), oldest = h("td", { class: "roomy" });
    return { field, rows, oldest, row: h("tr", {}, h("td", { class: "start" }, tableName(one.name)), rows, oldest, h("td", {}, field)) };
  }

  function fill(anyway) {
    const s = JSON.parse(model.state || "{}");
    if (!s.tables) return;
    if (!anyway && from && differs().length) {
      if (s.version !== from.version) told.say(t("Somebody else has changed them meanwhile; Reset shows theirs."));
      return;
    }
    from = { version: s.version, days: Object.fromEntries(s.tables.map((one) => [one.name, one.days])) };
    for (const [name, r] of fields) r.field.value = from.days[name];
    if (anyway === true) told.say("");
    changed();
  }

  async function submit(event) {
    event.preventDefault();
    const values = Object.fromEntries(differs().map(([name, r]) => [name, Number(r.field.value)]));
    const fewer = Object.entries(values).filter(([name, days]) => days !== 0 && (from.days[name] === 0 || days < from.days[name]));
    if (fewer.length && !await sure({ title: t("Keep less?"), button: t("Keep less"),
      text: t("Rows beyond the new days go within a day and do not come back: {what}", { what: fewer.map(([name]) => tableName(name)).join(", ") }) })) { save.focus(); return; }
    const found = await press(save, told, () => ask("retention", { values, version: from.version }), t("Applied."));
    if (found) from = { version: found.version, days: found.days };
    changed();
  }

  function draw() {
    const s = JSON.parse(model.state || "{}");
    for (const one of s.tables ?? []) {
      if (!fields.has(one.name)) { fields.set(one.name, make(one, s.most)); body.append(fields.get(one.name).row); }
      const r = fields.get(one.name);
      r.rows.replaceChildren(figure(count(one.rows)));
      r.oldest.replaceChildren(one.oldest === null ? "–" : h("bdi", {}, clock(one.oldest)));
    }
    fill(false);
  }

  model.on("state", draw);
  draw();
  return root;
}
