// Flatten all and reset: a dialog that wants a word typed, so that no slip of the hand does it.

const ACTS = {
  flatten: { title: t("Flatten all"), word: "FLATTEN", button: t("Leave every position"),
    text: t("Every open position is left at its next open, and entries that wait are withdrawn. The agent goes on and may enter again; switch it off to stop that.") },
  reset: { title: t("Reset account"), word: "RESET", button: t("Begin anew"),
    text: t("The paper account begins anew with the cash below and nothing else. Its history stays in the database, but this page begins empty.") },
};

export function render({ model }) {
  const title = h("h3", { id: "what" }), text = h("p", { class: "dim", id: "means" });
  const cash = h("input", { class: "field", type: "number", min: 1, step: "any", value: 10000, dir: "ltr" });
  const cashRow = h("label", { class: "row" }, h("span", {}, t("Start cash, quote currency")), cash);
  const typed = h("input", { class: "field", autocomplete: "off", spellcheck: "false", dir: "ltr" });
  const order = h("span");
  const why = h("input", { class: "field", maxlength: 200, placeholder: t("optional, for the audit") });
  const go = h("button", { class: "btn danger", type: "submit", disabled: true });
  const leave = h("button", { class: "btn", type: "button", onclick: () => dialog.close() }, t("Cancel"));
  const form = h("form", { onsubmit: submit }, title, text, cashRow,
    h("label", { class: "row" }, order, typed),
    h("label", { class: "row" }, h("span", {}, t("Why")), why), h("div", { class: "actions" }, go, leave));
  const dialog = h("dialog", { "aria-labelledby": "what", "aria-describedby": "means" }, form);
  const said = h("span", { class: "said", role: "status" }), problem = h("span", { class: "problem", role: "alert" });
  const flatten = h("button", { class: "btn", type: "button", onclick: () => open("flatten", flatten) }, t("Flatten all …"));
  const reset = h("button", { class: "btn", type: "button", onclick: () => open("reset", reset) }, t("Reset account …"));
  const root = h("div", { class: "hands" }, h("span", { class: "dim" }, t("By hand")), flatten, reset, said, problem, dialog);
  let act = "", from = flatten;

  function open(name, button) {
    act = name;
    from = button;
    const a = ACTS[name], s = JSON.parse(model.state || "{}");
    setText(title, a.title);
    setText(text, a.text);
    setText(order, t("Type {word} to go on", { word: a.word }));
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
    setText(said, t("asking …"));
    setText(problem, "");
    model.send_msg({ type: act, why: why.value.trim(), ...(act === "reset" ? { cash: Number(cash.value) } : {}) });
    dialog.close();
  }

  function draw() {
    const s = JSON.parse(model.state || "{}");
    flatten.disabled = !s.open || READ_ONLY;
    reset.disabled = !s.ready || s.recorded || READ_ONLY;
    reset.title = s.recorded ? t("A session is recorded: its log holds one account, so it cannot begin anew") : "";
    flatten.title = s.open ? "" : t("Nothing is held and nothing waits");
  }

  function settle() {
    const { text: fine, error } = JSON.parse(model.answer || "{}");
    setText(said, tell(fine ?? ""));
    setText(problem, tell(error ?? ""));
  }

  typed.addEventListener("input", check);
  cash.addEventListener("input", check);
  dialog.addEventListener("close", () => from.focus());
  model.on("state", draw);
  model.on("answer", settle);
  draw();
  return root;
}
