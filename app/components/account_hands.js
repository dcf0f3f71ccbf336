// Flatten all and reset: a dialog that wants a word typed, so that no slip of the hand does it.

const ACTS = {
  flatten: { title: "Flatten all", word: "FLATTEN", button: "Leave every position",
    text: "Every open position is left at its next open, and entries that wait are withdrawn. The agent goes on and may enter again; switch it off to stop that." },
  reset: { title: "Reset account", word: "RESET", button: "Begin anew",
    text: "The paper account begins anew with the cash below and nothing else. Its history stays in the database, but this page begins empty." },
};

export function render({ model }) {
  const title = h("h3", { id: "what" }), text = h("p", { class: "dim", id: "means" });
  const cash = h("input", { class: "field", type: "number", min: 1, step: "any", value: 10000 });
  const cashRow = h("label", { class: "row" }, h("span", {}, "Start cash, quote currency"), cash);
  const typed = h("input", { class: "field", autocomplete: "off", spellcheck: "false" });
  const word = h("b");
  const why = h("input", { class: "field", maxlength: 200, placeholder: "optional, for the audit" });
  const go = h("button", { class: "btn danger", type: "submit", disabled: true });
  const leave = h("button", { class: "btn", type: "button", onclick: () => dialog.close() }, "Cancel");
  const form = h("form", { onsubmit: submit }, title, text, cashRow,
    h("label", { class: "row" }, h("span", {}, "Type ", word, " to go on"), typed),
    h("label", { class: "row" }, h("span", {}, "Why"), why), h("div", { class: "actions" }, go, leave));
  const dialog = h("dialog", { "aria-labelledby": "what", "aria-describedby": "means" }, form);
  const said = h("span", { class: "said", role: "status" }), problem = h("span", { class: "problem", role: "alert" });
  const flatten = h("button", { class: "btn", type: "button", onclick: () => open("flatten", flatten) }, "Flatten all …");
  const reset = h("button", { class: "btn", type: "button", onclick: () => open("reset", reset) }, "Reset account …");
  const root = h("div", { class: "hands" }, h("span", { class: "dim" }, "By hand"), flatten, reset, said, problem, dialog);
  let act = "", from = flatten;

  function open(name, button) {
    act = name;
    from = button;
    const a = ACTS[name], s = JSON.parse(model.state || "{}");
    setText(title, a.title);
    setText(text, a.text);
    setText(word, a.word);
    setText(go, a.button);
    cashRow.hidden = name !== "reset";
    if (s.start_cash) cash.value = s.start_cash;
    typed.value = why.value = "";
    check();
    dialog.showModal();
    typed.focus();
  }

  function check() {
    go.disabled = typed.value.trim() !== ACTS[act]?.word || (act === "reset" && !(Number(cash.value) > 0));
  }

  function submit(event) {
    event.preventDefault();
    check();
    if (go.disabled) return;
    setText(said, "asking …");
    setText(problem, "");
    model.send_msg({ type: act, why: why.value.trim(), ...(act === "reset" ? { cash: Number(cash.value) } : {}) });
    dialog.close();
  }

  function draw() {
    const s = JSON.parse(model.state || "{}");
    flatten.disabled = !s.open || READ_ONLY;
    reset.disabled = !s.ready || s.recorded || READ_ONLY;
    reset.title = s.recorded ? "A session is recorded: its log holds one account, so it cannot begin anew" : "";
    flatten.title = s.open ? "" : "Nothing is held and nothing waits";
  }

  function settle() {
    const { text: fine, error } = JSON.parse(model.answer || "{}");
    setText(said, fine ?? "");
    setText(problem, error ?? "");
  }

  typed.addEventListener("input", check);
  cash.addEventListener("input", check);
  dialog.addEventListener("close", () => from.focus());
  model.on("state", draw);
  model.on("answer", settle);
  draw();
  return root;
}
