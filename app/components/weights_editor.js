// Nine sliders over one draft. Only Apply changes what everybody uses.

const STEP = 0.01;
const CENT = (value) => Math.round(value * 100) / 100;

export function render({ model }) {
  let names = [], draft = {}, active = {}, locked = new Set(), past = [], presets = [];
  const rows = new Map();
  let edits = 0;  // an echo of an older edit must not take back what was turned since
  const drafts = throttle(() => model.send_msg({ type: "draft", values: draft, n: edits }), 100);

  const preset = h("select", { class: "field", "aria-label": "Preset", title: "Load a preset into the draft",
    onchange: () => load(preset.value) });
  const list = h("div", { class: "list" });
  const total = h("span", { class: "total" });
  const changed = h("span");
  const normalise = h("button", { class: "link", type: "button", onclick: () => set(normalised()),
    title: "Scale the unlocked weights so that all add up to 1" }, "normalise");
  const undo = h("button", { class: "link", type: "button", onclick: back, title: "Take the last change back" }, "undo");
  const apply = h("button", { class: "btn first", type: "button", onclick: () => send("apply") }, "Apply");
  const save = h("button", { class: "btn", type: "button", "aria-expanded": "false", onclick: () => naming(nameRow.hidden) }, "Save…");
  const reset = h("button", { class: "btn", type: "button", title: "Back to the active weights",
    onclick: () => set({ ...active }) }, "Reset");
  const remove = h("button", { class: "btn", type: "button", title: "Delete this preset", "aria-label": "Delete this preset",
    onclick: () => model.send_msg({ type: "delete", name: preset.value }) }, icon("close"));
  const name = h("input", { class: "field", placeholder: "Name of the preset", "aria-label": "Name of the preset", maxlength: 40,
    onkeydown: (event) => { if (event.key === "Enter") store(); if (event.key === "Escape") naming(false); } });
  const nameRow = h("div", { class: "name", hidden: true }, name, h("button", { class: "btn", type: "button", onclick: store }, "Save"));
  const conflict = h("div", { class: "conflict", role: "alert", hidden: true });
  const note = h("p", { class: "note", role: "status" });
  const root = h("div", { class: "editor" },
    h("div", { class: "head" }, h("h2", {}, "Weights"), h("span", { class: "spacer" }), preset, remove),
    list,
    h("div", { class: "sum" }, total, h("span", { class: "spacer" }), changed, normalise, undo),
    conflict, nameRow,
    h("div", { class: "actions" }, apply, save, reset), note);

  function makeRow(key, label, hint) {
    const row = {
      slider: h("input", { type: "range", min: 0, max: 0.5, step: STEP, "aria-label": `Weight of ${label}`,
        onpointerdown: keep,
        onkeydown: (event) => { if (/^(Arrow|Page|Home|End)/.test(event.key) && !event.repeat) keep(); },
        oninput: () => { draft[key] = CENT(Number(row.slider.value)); edits += 1; show(); drafts(); } }),
      mark: h("i", { "aria-hidden": "true" }), value: h("output"),
      lock: h("button", { class: "lock", type: "button", "aria-label": `Lock ${label}`, title: "Lock: normalise and presets leave it",
        onclick: () => { locked.has(key) ? locked.delete(key) : locked.add(key); show(); } }),
    };
    row.element = h("div", { class: "row", "data-weight": key, title: hint }, h("span", {}, label),
      h("span", { class: "track" }, row.mark, row.slider), row.value, row.lock);
    return row;
  }

  function sum(values = draft) { return names.reduce((s, key) => s + (values[key] ?? 0), 0); }
  function differs(key) { return Math.abs((draft[key] ?? 0) - (active[key] ?? 0)) > 1e-9; }
  function keep() { past.push({ ...draft }); if (past.length > 100) past.shift(); }

  function set(values) {
    keep();
    draft = { ...draft, ...values };
    edits += 1;
    show();
    drafts();
  }

  function back() {
    if (past.length === 0) return;
    draft = past.pop();
    edits += 1;
    show();
    drafts();
  }

  function normalised() {
    const held = names.filter((key) => locked.has(key)).reduce((s, key) => s + draft[key], 0);
    const free = names.filter((key) => !locked.has(key));
    const rest = free.reduce((s, key) => s + draft[key], 0);
    if (rest <= 0 || held >= 1) return {};
    const scaled = Object.fromEntries(free.map((key) => [key, CENT(draft[key] * (1 - held) / rest)]));
    // Hundredths seldom add up to 1 by themselves: the largest takes the remainder.
    const largest = free.reduce((a, b) => (scaled[a] >= scaled[b] ? a : b));
    const others = free.filter((key) => key !== largest).reduce((s, key) => s + scaled[key], 0);
    scaled[largest] = CENT(1 - held - others);
    return scaled;
  }

  function load(chosen) {
    const found = presets.find((p) => p.name === chosen);
    if (!found) return;
    set(Object.fromEntries(names.filter((key) => !locked.has(key)).map((key) => [key, found.weights[key]])));
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

  function send(type, force = false) {
    apply.disabled = true;
    model.send_msg({ type, values: draft, n: edits, force });
  }

  function show() {
    const widest = Math.max(0.5, ...names.flatMap((key) => [draft[key] ?? 0, active[key] ?? 0]));
    const room = widest > 0.5 ? Math.max(1, Math.ceil(widest)) : 0.5;
    let n = 0;
    for (const [key, row] of rows) {
      const value = draft[key] ?? 0;
      row.slider.max = room;
      row.slider.value = value;
      row.slider.disabled = locked.has(key);
      row.slider.style.setProperty("--at", value / room);
      row.mark.style.setProperty("--at", (active[key] ?? 0) / room);
      row.mark.hidden = !differs(key);
      row.mark.title = `active ${number(active[key])}`;
      setText(row.value, number(value));
      setClass(row.value, differs(key) ? "changed" : "");
      row.value.title = differs(key) ? `active ${number(active[key])}, draft ${number(value)}` : "";
      if (row.lockedShown !== locked.has(key)) {
        row.lockedShown = locked.has(key);
        row.lock.replaceChildren(icon(row.lockedShown ? "lock" : "open"));
        row.lock.setAttribute("aria-pressed", row.lockedShown);
      }
      n += differs(key) ? 1 : 0;
    }
    const s = sum(), whole = Math.abs(s - 1) < 0.005;
    total.replaceChildren("Total ", h("b", { class: whole ? "bull" : "warn" }, `${number(s)} ${whole ? "✓" : "≠ 1"}`));
    setText(changed, n ? `${n} changed` : "");
    normalise.disabled = whole || s <= 0;
    undo.disabled = past.length === 0;
    reset.disabled = n === 0;
    apply.disabled = n === 0 || s <= 0 || model.readonly || READ_ONLY;
    save.disabled = READ_ONLY;
    setText(apply, whole ? "Apply" : "Normalise & apply");
    const same = presets.find((p) => names.every((key) => Math.abs(p.weights[key] - draft[key]) < 5e-3));
    preset.value = same ? same.name : "";
    remove.hidden = !same || same.protected || READ_ONLY;
  }

  function takeLabels() {
    const labels = JSON.parse(model.labels);
    names = labels.map(([key]) => key);
    rows.clear();
    for (const [key, label, hint] of labels) rows.set(key, makeRow(key, label, hint));
    list.replaceChildren(...[...rows.values()].map((row) => row.element));
    takeAbsent();
  }

  function takeAbsent() {
    const absent = new Set(JSON.parse(model.absent));
    for (const [key, , hint] of JSON.parse(model.labels)) {
      const row = rows.get(key).element;
      setClass(row, absent.has(key) ? "row absent" : "row");
      row.title = absent.has(key) ? `${hint}. Has nothing to read now: its weight goes to the others.` : hint;
    }
  }

  function takeDraft() {
    const { values, n } = JSON.parse(model.draft);
    if (n >= edits) { draft = values; show(); }
  }

  function takeActive() {
    active = JSON.parse(model.active);
    show();
  }

  function takePresets() {
    presets = JSON.parse(model.presets);
    preset.replaceChildren(h("option", { value: "", disabled: true }, "custom"),
      ...presets.map((p) => h("option", { value: p.name }, p.name)));
    preset.hidden = presets.length === 0;
    show();
  }

  function takeNote() {
    const { text = "", tone = "dim", conflict: clash = "" } = JSON.parse(model.note || "{}");
    setText(note, text);
    setClass(note, `note ${tone}`);
    note.hidden = !text;
    conflict.hidden = !clash;
    conflict.replaceChildren(h("span", {}, clash),
      h("button", { class: "link", type: "button", onclick: () => { model.send_msg({ type: "settle" }); set({ ...active }); } }, "take theirs"),
      h("button", { class: "link", type: "button", onclick: () => send("apply", true) }, "apply mine"));
    show();
  }

  for (const [property, take] of [["labels", takeLabels], ["absent", takeAbsent], ["active", takeActive], ["draft", takeDraft],
    ["presets", takePresets], ["note", takeNote]]) {
    take();
    model.on(property, take);
  }
  return root;
}
