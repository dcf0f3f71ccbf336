// Nine sliders over one draft. Only Apply changes what everybody uses.

const STEP = 0.01, REST_MS = 600;
const CENT = (value) => Math.round(value * 100) / 100;

export function render({ model }) {
  let names = [], labels = [], draft = {}, active = {}, before = null, presets = [];
  const locked = new Set(), past = [], future = [], rows = new Map();
  let edits = 0;  // an echo of an older edit must not take back what was turned since
  let settled = false, resting = null;
  const drafts = throttle(() => { model.send_msg({ type: "draft", values: draft, n: edits, rest: settled }); settled = false; }, 100);

  const preset = h("select", { class: "field", "aria-label": t("Preset"), title: t("Load a preset into the draft"),
    onchange: () => load(preset.value) });
  const list = h("div", { class: "list" });
  const total = h("span", { class: "total" });
  const changed = h("button", { class: "link", type: "button", "aria-expanded": "false", title: t("What differs from the active weights"),
    onclick: () => { diff.hidden = !diff.hidden; show(); } });
  const diff = h("ul", { class: "diff", hidden: true });
  const normalise = h("button", { class: "link", type: "button", onclick: () => { set(normalised()); undo.focus(); },
    title: t("Scale the unlocked weights so that all add up to 1") }, t("normalise"));
  const undo = step("undo", t("Undo"), () => travel(past, future));
  const redo = step("redo", t("Redo"), () => travel(future, past));
  const apply = h("button", { class: "btn first", type: "button", onclick: () => send() });
  const save = h("button", { class: "btn", type: "button", "aria-expanded": "false", onclick: () => naming(nameRow.hidden) }, t("Save…"));
  const reset = h("button", { class: "btn", type: "button", title: t("Back to the active weights"), onclick: () => set({ ...active }) }, t("Reset"));
  const name = h("input", { class: "field", placeholder: t("Name of the preset"), "aria-label": t("Name of the preset"), maxlength: 40,
    onkeydown: (event) => { if (event.key === "Enter") store(); if (event.key === "Escape") { naming(false); save.focus(); } } });
  const nameRow = h("div", { class: "name", hidden: true }, name, h("button", { class: "btn", type: "button", onclick: store }, t("Save")));
  const clash = makeConflict({ take: settle, force: () => send(true) });
  const { menu, dialog: history, remove } = makeMenu({ model, set: (values) => set(pick(values)), current: () => ({ name: preset.value, weights: draft, active, labels }),
    drop: () => model.send_msg({ type: "delete", name: preset.value }) });
  const conflict = h("div", { class: "conflict", role: "alert", hidden: true });
  const note = h("p", { class: "note", role: "status" });
  const root = h("div", { class: "editor", onkeydown: keys },
    h("div", { class: "head" }, h("h2", {}, t("Weights")), h("span", { class: "spacer" }), undo, redo, preset, menu),
    list,
    h("div", { class: "sum" }, total, h("span", { class: "spacer" }), changed, normalise),
    diff, makeWhatIf(model),
    h("div", { class: "foot" }, conflict, nameRow, h("div", { class: "actions" }, apply, save, reset), note), clash.dialog, history);

  function step(kind, words, f) {
    return h("button", { class: "step", type: "button", onclick: f, "aria-label": words, title: words }, icon(kind));
  }

  function makeRow(key, label, hint) {
    const row = {
      slider: h("input", { type: "range", min: 0, max: 0.5, step: STEP, "aria-label": t("Weight of {name}", { name: label }), title: t(hint),
        onpointerdown: keep,
        onkeydown: (event) => { if (/^(Arrow|Page|Home|End)/.test(event.key) && !event.repeat) keep(); },
        oninput: () => { draft[key] = CENT(Number(row.slider.value)); moved(); } }),
      mark: h("i", { "aria-hidden": "true" }), value: h("output", { dir: "ltr" }),
      lock: h("button", { class: "lock", type: "button", "aria-label": t("Lock {name}", { name: label }), title: t("Lock: normalise and presets leave it"),
        onclick: () => { if (!locked.delete(key)) locked.add(key); show(); } }),
    };
    row.element = h("div", { class: "row", "data-weight": key }, h("span", { class: "label" }, label),
      h("span", { class: "track" }, row.mark, row.slider), row.value, row.lock);
    return row;
  }

  function sum(values = draft) { return names.reduce((s, key) => s + (values[key] ?? 0), 0); }
  function differs(key) { return Math.abs((draft[key] ?? 0) - (active[key] ?? 0)) > 1e-9; }
  function equal(a, b) { return names.every((key) => a[key] === b[key]); }
  function pick(values) { return Object.fromEntries(names.filter((key) => !locked.has(key)).map((key) => [key, values[key]])); }

  function keep() {
    past.push({ ...draft });
    if (past.length > 100) past.shift();
    future.length = 0;
  }

  function moved() {
    edits += 1;
    show();
    drafts();
    clearTimeout(resting);
    resting = setTimeout(() => { settled = true; drafts(); }, REST_MS);
  }

  function set(values) {
    keep();
    draft = { ...draft, ...values };
    moved();
  }

  function travel(from, to) {
    while (from.length && equal(from[from.length - 1], draft)) from.pop();  // a press that moved nothing
    if (from.length === 0) { show(); return; }
    to.push({ ...draft });
    draft = from.pop();
    moved();
  }

  function keys(event) {
    const key = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || event.altKey || !["z", "y"].includes(key) || event.target === name) return;
    event.preventDefault();
    event.stopPropagation();
    if (key === "z" && !event.shiftKey) travel(past, future); else travel(future, past);
  }

  function normalised() {
    const held = names.filter((key) => locked.has(key)).reduce((s, key) => s + draft[key], 0);
    const free = names.filter((key) => !locked.has(key));
    const rest = free.reduce((s, key) => s + draft[key], 0);
    if (rest <= 0 || held >= 1) return null;
    // Hundredths seldom add up to 1 by themselves: those that were cut most take one more each.
    const parts = free.map((key) => ({ key, exact: 100 * draft[key] * (1 - held) / rest }))
      .map((one) => ({ ...one, whole: Math.floor(one.exact + 1e-9) })).sort((a, b) => (b.exact - b.whole) - (a.exact - a.whole));
    const left = Math.round(100 * (1 - held)) - parts.reduce((s, { whole }) => s + whole, 0);
    return Object.fromEntries(parts.map(({ key, whole }, i) => [key, CENT((whole + (i < left ? 1 : 0)) / 100)]));
  }

  function load(chosen) {
    const found = presets.find((p) => p.name === chosen);
    if (found) set(pick(found.weights));
  }

  function naming(open) {
    nameRow.hidden = !open;
    save.setAttribute("aria-expanded", open);
    if (open) { name.value = ""; name.focus(); }
  }

  function store() {
    if (!name.value.trim()) return;
    model.send_msg({ type: "save", name: name.value.trim(), values: draft });
    naming(false);
  }

  function send(force = false) {
    const scaled = Math.abs(sum() - 1) < 0.005 ? null : normalised();
    if (scaled) set(scaled);  // what is locked stays as it is
    apply.disabled = true;
    model.send_msg({ type: "apply", values: draft, n: edits, force });
  }

  function settle() {
    model.send_msg({ type: "settle" });
    set({ ...active });
  }

  function show() {
    const widest = Math.max(0.5, ...names.flatMap((key) => [draft[key] ?? 0, active[key] ?? 0]));
    const room = widest > 0.5 ? Math.max(1, Math.ceil(widest)) : 0.5;
    for (const [key, row] of rows) showRow(key, row, room);
    const s = sum(), whole = Math.abs(s - 1) < 0.005, apart = labels.filter(([key]) => differs(key));
    total.replaceChildren(t("Total"), " ", h("b", { class: whole ? "bull" : "warn", dir: "ltr" }, `${number(s)} ${whole ? "✓" : "≠ 1"}`));
    setText(changed, apart.length ? t("{n} changed", { n: apart.length }) : "");
    changed.hidden = apart.length === 0;
    diff.hidden ||= apart.length === 0;
    changed.setAttribute("aria-expanded", !diff.hidden);
    if (!diff.hidden) diff.replaceChildren(...apart.map(([key, label]) => showDifference(label, active[key] ?? 0, draft[key] ?? 0)));
    const fits = whole || normalised() !== null;
    normalise.disabled = whole || !fits;
    undo.disabled = !past.some((one) => !equal(one, draft));
    redo.disabled = !future.some((one) => !equal(one, draft));
    reset.disabled = apart.length === 0;
    apply.disabled = apart.length === 0 || s <= 0 || !fits || model.readonly || READ_ONLY;
    apply.title = READ_ONLY ? t("Who may only look changes nothing") : fits ? "" : t("The locked weights leave nothing for the others: unlock one");
    save.disabled = READ_ONLY;
    setText(apply, whole ? t("Apply") : t("Normalise & apply"));
    const same = presets.find((p) => names.every((key) => Math.abs(p.weights[key] - draft[key]) < 5e-3));
    preset.value = same ? same.name : "";
    remove.hidden = !same || same.protected || READ_ONLY;
  }

  function showRow(key, row, room) {
    const value = draft[key] ?? 0, now = active[key] ?? 0;
    row.slider.max = room;
    row.slider.value = value;
    row.slider.disabled = locked.has(key);
    row.slider.style.setProperty("--at", value / room);
    row.mark.style.setProperty("--at", now / room);
    row.mark.hidden = !differs(key);
    setText(row.value, number(value));
    setClass(row.value, differs(key) ? "changed" : "");
    row.value.title = differs(key) ? t("active {now}, draft {value}", { now: number(now), value: number(value) }) : "";
    row.slider.setAttribute("aria-valuetext", differs(key) ? t("{value}, active {now}", { now: number(now), value: number(value) }) : number(value));
    if (row.lockedShown === locked.has(key)) return;
    row.lockedShown = locked.has(key);
    row.lock.replaceChildren(icon(row.lockedShown ? "lock" : "open"));
    row.lock.setAttribute("aria-pressed", row.lockedShown);
  }

  function showDifference(label, now, value) {
    return h("li", {}, h("span", {}, label), h("span", { class: "dim", dir: "ltr" }, `${number(now)} → ${number(value)}`),
      h("b", { dir: "ltr" }, `${value > now ? "▲" : "▼"} ${signed(value - now, 2)}`));
  }

  function takeLabels() {
    labels = JSON.parse(model.labels);
    names = labels.map(([key]) => key);
    rows.clear();
    for (const [key, label, hint] of labels) rows.set(key, makeRow(key, label, hint));
    list.replaceChildren(...[...rows.values()].map((row) => row.element));
    takeAbsent();
  }

  function takeAbsent() {
    const absent = new Set(JSON.parse(model.absent));
    for (const [key, , hint] of labels) {
      const row = rows.get(key).element;
      setClass(row, absent.has(key) ? "row absent" : "row");
      row.title = absent.has(key) ? t("{hint}. Has nothing to read now: its weight goes to the others.", { hint: t(hint) }) : t(hint);
    }
  }

  function takeDraft() {
    const { values, n } = JSON.parse(model.draft);
    if (n >= edits) { draft = values; show(); }
  }

  function takeActive() {
    const found = JSON.parse(model.active);
    if (names.length && !equal(found, active)) before = Object.keys(active).length ? active : null;
    active = found;
    show();
  }

  function takePresets() {
    presets = JSON.parse(model.presets);
    preset.replaceChildren(h("option", { value: "", disabled: true }, t("custom")),
      ...presets.map((p) => h("option", { value: p.name }, p.name)));
    preset.hidden = presets.length === 0;
    show();
  }

  function takeNote() {
    const { text = "", tone = "dim", conflict: why = "", asks = false } = JSON.parse(model.note || "{}");
    setText(note, t(text));
    setClass(note, `note ${tone}`);
    note.hidden = !text;
    conflict.hidden = !why;
    const compare = () => clash.show(t(why), labels, before, active, draft);
    conflict.replaceChildren(h("span", {}, t(why)),
      h("button", { class: "link", type: "button", onclick: compare }, t("compare")),
      h("button", { class: "link", type: "button", onclick: settle }, t("take theirs")),
      h("button", { class: "link", type: "button", onclick: () => send(true) }, t("apply mine")));
    show();
    if (why && asks) compare(); else if (!why && clash.dialog.open) clash.dialog.close();
  }

  for (const [property, take] of [["labels", takeLabels], ["absent", takeAbsent], ["active", takeActive], ["draft", takeDraft],
    ["presets", takePresets], ["note", takeNote]]) {
    take();
    model.on(property, take);
  }
  model.on("remove", () => clearTimeout(resting));
  return root;
}
