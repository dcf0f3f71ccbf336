// The limits as a draft: the rule stands beside each field, Apply tells the version it started from.

export function render({ model }) {
  let version = 0, base = 0, fields = new Map(), clash = null, busy = false;
  const rows = new Map(), form = h("div", { class: "groups" });
  const why = h("input", { class: "field", maxlength: 500, placeholder: t("why, for the audit"), "aria-label": t("why, for the audit") });
  const changed = h("span", { class: "dim", role: "status" });
  const apply = h("button", { class: "btn first", type: "submit", disabled: true }, t("Apply"));
  const reset = h("button", { class: "btn", type: "button", disabled: true, onclick: () => takeBack() }, t("Take back"));
  const said = h("p", { class: "said", role: "status" }), problem = h("p", { class: "problem", role: "alert" });
  const past = h("ul", { class: "past" }), history = h("details", {}, h("summary", {}, t("Last changes")), past);
  const dialog = h("dialog", { "aria-labelledby": "clash-title" });
  const root = h("form", { class: "fill", novalidate: true, onsubmit: submit },
    h("div", { class: "head" }, h("h2", {}, t("Limits")), h("span", { class: "dim" }, t("Every entry keeps them; a change is in force at once and audited.")), h("span", { class: "spacer" }), changed),
    form, h("div", { class: "actions" }, apply, reset, why), said, problem, history, dialog);

  const scale = (unit) => unit === "share" ? 100 : 1;
  const MARKS = { share: "%", times: "×", hours: t("h"), count: "", number: "" };
  const clean = (value) => Number(value.toPrecision(12));
  const toText = (value, unit) => value === null || value === undefined ? "" : String(clean(value * scale(unit)));
  function withUnit(value, unit) { return value === null || value === undefined ? "–" : fig(`${toText(value, unit)}${MARKS[unit] ? ` ${MARKS[unit]}` : ""}`); }

  function rule(f) {
    const range = f.above ? t("above 0, at most {high}", { high: withUnit(f.high, f.unit) })
      : t("{low} to {high}", { low: withUnit(f.low, f.unit), high: withUnit(f.high, f.unit) });
    return [f.whole ? t("whole") : "", range, f.off ? t("0: off") : ""].filter(Boolean).join(" · ");
  }

  /** Return the value of a field as a fraction or number; null where it is left as it is; NaN where it breaks its rule. */
  function read(f) {
    const text = rows.get(f.name).input.value.trim();
    if (text === "") return f.value === null ? null : NaN;
    const value = clean(Number(text) / scale(f.unit));
    if (!Number.isFinite(value) || value < f.low || value > f.high || (f.above && value <= f.low) || (f.whole && !Number.isInteger(value))) return NaN;
    return value;
  }

  const differs = (f) => !Object.is(read(f), f.value) && Math.abs((read(f) ?? NaN) - (f.value ?? NaN)) !== 0;

  function makeField(f) {
    const id = `limit-${f.name}`;
    const input = h("input", { class: "field", id, inputmode: "decimal", autocomplete: "off", spellcheck: "false", dir: "ltr", "aria-describedby": `${id}-rule ${id}-means`, disabled: READ_ONLY,
      oninput: () => { if (!drafted()) base = version; check(); } });
    const was = h("span", { class: "was" });
    const box = h("div", { class: "row", "data-limit": f.name },
      h("label", { for: id }, tell(f.title)), h("span", { class: "entry" }, input, h("span", { class: "unit dim" }, MARKS[f.unit])),
      h("span", { class: "rule", id: `${id}-rule` }, rule(f)), h("span", { class: "means dim", id: `${id}-means` }, tell(f.means)), was);
    return { root: box, input, was };
  }

  function drafted() { return [...rows.values()].some((r) => r.root.classList.contains("changed") || r.root.classList.contains("wrong")); }

  function check() {
    let n = 0, wrong = 0;
    for (const [name, f] of fields) {
      const r = rows.get(name), bad = Number.isNaN(read(f)), other = !bad && differs(f);
      setClass(r.root, `row ${bad ? "wrong" : other ? "changed" : f.value !== null && f.value !== f.usual ? "unusual" : ""}`);
      r.input.setAttribute("aria-invalid", String(bad));
      setText(r.was, bad ? t("✗ breaks the rule") : other ? t("was {value}", { value: withUnit(f.value, f.unit) })
        : f.value !== null && f.value !== f.usual ? t("usually {value}", { value: withUnit(f.usual, f.unit) }) : "");
      n += other; wrong += bad;
    }
    setText(changed, wrong ? t("{n} to mend", { n: wrong }) : n ? t("{n} changed", { n }) : "");
    apply.disabled = READ_ONLY || busy || wrong > 0 || n === 0;
    reset.disabled = busy || (n === 0 && wrong === 0);
    why.disabled = READ_ONLY;
  }

  function takeBack() {
    for (const [name, f] of fields) rows.get(name).input.value = toText(f.value, f.unit);
    base = version;
    setText(problem, "");
    check();
  }

  function draft() {
    return Object.fromEntries([...fields.values()].filter((f) => !Number.isNaN(read(f)) && differs(f)).map((f) => [f.name, read(f)]));
  }

  function submit(event) {
    event.preventDefault();
    if (!apply.disabled) send(base);
  }

  function send(from) {
    busy = true;
    check();
    setText(said, t("asking …"));
    setText(problem, "");
    model.send_msg({ type: "limits", values: draft(), version: from, why: why.value.trim() });
  }

  function draw() {
    const s = JSON.parse(model.state || "{}");
    if (s.groups === undefined) return;
    const all = s.groups.flatMap((g) => g.fields);
    if (!rows.size) {
      for (const f of all) { rows.set(f.name, makeField(f)); }
      form.replaceChildren(...s.groups.map((g) => h("fieldset", {}, h("legend", {}, tell(g.title)), ...g.fields.map((f) => rows.get(f.name).root))));
    }
    const kept = new Set([...fields.values()].filter((f) => Number.isNaN(read(f)) || differs(f)).map((f) => f.name));
    fields = new Map(all.map((f) => [f.name, f]));
    for (const f of all) if (!kept.has(f.name)) rows.get(f.name).input.value = toText(f.value, f.unit);
    version = s.version;  // a draft keeps the version that it was begun from
    if (!kept.size) base = version;
    check();
  }

  function settle() {
    busy = false;
    const { text, error } = JSON.parse(model.answer || "{}");
    setText(said, tell(text ?? ""));
    setText(problem, tell(error ?? ""));
    if (text) { why.value = ""; base = version; takeBack(); }
    check();
  }

  function contend() {
    clash = JSON.parse(model.conflict || "{}");
    busy = false;
    if (clash.values === undefined) { if (dialog.open) dialog.close(); return; }
    setText(said, "");
    const mine = draft(), touched = [...fields.values()].filter((f) => f.name in mine);
    const line = (f) => h("tr", {}, h("th", { class: "left", scope: "row" }, tell(f.title)), h("td", {}, withUnit(mine[f.name], f.unit)), h("td", {}, withUnit(clash.values[f.name], f.unit)));
    dialog.replaceChildren(h("h3", { id: "clash-title" }, t("Somebody else changed the limits")),
      h("p", { class: "dim" }, t("Your draft began from an older version. Both are below; nothing has changed yet.")),
      h("table", {}, h("thead", {}, h("tr", {}, h("th", { class: "left" }, t("Limit")), h("th", {}, t("Yours")), h("th", {}, t("In force now")))), h("tbody", {}, ...touched.map(line))),
      h("div", { class: "actions" },
        h("button", { class: "btn first", type: "button", onclick: () => { dialog.close(); send(clash.version); } }, t("Apply mine")),
        h("button", { class: "btn", type: "button", onclick: () => { dialog.close(); takeBack(); } }, t("Keep theirs")),
        h("button", { class: "btn", type: "button", onclick: () => dialog.close() }, t("Decide later"))));
    if (!dialog.open) dialog.showModal();
    check();
  }

  function tellPast() {
    const list = JSON.parse(model.changes || "[]");
    history.hidden = !list.length;
    past.replaceChildren(...list.map((one) => h("li", {}, h("span", { class: "dim" }, clock(one.at)), h("b", {}, one.by),
      h("span", {}, one.changed.map((c) => `${tell(c.title)} ${fig(`${withUnit(c.before, c.unit)} → ${withUnit(c.after, c.unit)}`)}`).join(" · ") || t("nothing")),
      one.why ? h("span", { class: "dim", dir: "auto" }, `“${one.why}”`) : null)));
  }

  model.on("state", draw);
  model.on("answer", settle);
  model.on("conflict", contend);
  model.on("changes", tellPast);
  draw();
  tellPast();
  return root;
}
