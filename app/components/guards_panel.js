// May these weights be believed, and put to use? The guards answer; whoever overrides them signs.

export function render({ model }) {
  const body = h("div", {}), root = h("div", { class: "fill" }, body);
  const leave = hints(root);
  const why = h("textarea", { class: "field", rows: 2, maxlength: 500, spellcheck: "true" });
  const preset = h("input", { class: "field", maxlength: 40, spellcheck: "false", autocomplete: "off" });
  const live = h("input", { type: "radio", name: "target", checked: true }), saved = h("input", { type: "radio", name: "target" });
  const problem = h("p", { class: "problem", role: "alert" });
  const go = h("button", { class: "btn first", type: "submit" });
  const title = h("h2", { id: "promote-title" }), lead = h("p", {}), whyName = h("span", {});
  const form = h("form", { method: "dialog", onsubmit: send }, title, lead,
    h("fieldset", {}, h("legend", {}, t("Where to")), h("label", {}, live, t("Live agent: they decide from now on")), h("label", {}, saved, t("Only a preset, named")), preset),
    h("label", { class: "why" }, whyName, why), problem,
    h("div", { class: "actions" }, go, h("button", { class: "btn", type: "button", onclick: () => dialog.close() }, t("Cancel"))));
  const dialog = h("dialog", { "aria-labelledby": "promote-title" }, form);
  let state = {}, told = -1;

  function send(event) {
    event.preventDefault();
    if (!state.passed && !why.value.trim()) { say(t("Say why: it is kept for good.")); why.focus(); return; }
    if (saved.checked && !preset.value.trim()) { say(t("Name the preset.")); preset.focus(); return; }
    say("");
    go.disabled = true;
    model.send_msg({ type: "promote", why: why.value.trim(), force: !state.passed, preset: saved.checked ? preset.value.trim() : "" });
  }

  function say(text) { problem.hidden = !text; setText(problem, text); }

  function open() {
    say("");
    setText(title, state.passed ? t("Put these weights to use") : t("Put them to use against the guards"));
    setText(lead, state.passed ? t("All guards pass. What you do is written down with your name.")
      : t("A guard fails: the data gives no reason to believe in these weights. Your name and reason are kept for good."));
    setText(whyName, state.passed ? t("Reason (may be empty)") : t("Reason"));
    setText(go, state.passed ? t("Promote") : t("Force"));
    go.disabled = false;
    if (!dialog.isConnected) root.append(dialog);
    dialog.showModal();
  }

  function line(guard) {
    const known = guard.value !== null;
    const reach = guard.name === "pbo" ? t("at most {x}", { x: number(guard.threshold, 2) })
      : guard.threshold === null ? "–" : t("at least {x}", { x: guard.whole ? Math.ceil(guard.threshold).toLocaleString("en-US") : number(guard.threshold, 2) });
    return h("tr", {},
      h("td", { class: `mark ${guard.passed ? "bull" : "bear"}` }, guard.passed ? `✓ ${t("passes")}` : `✕ ${t("fails")}`),
      h("td", { class: "left q", "data-hint": t(guard.meaning), tabindex: 0 }, t(guard.question)),
      h("td", {}, known ? (guard.whole ? Math.round(guard.value).toLocaleString("en-US") : minus(guard.value, 3)) : "–"),
      h("td", { class: "dim" }, reach),
      h("td", { class: "left wide", lang: "en" }, guard.text));
  }

  function asking() {
    return h("div", { class: "asking", role: "status" },
      h("span", {}, state.job === "queued" ? t("waiting") : t("Asking: the run, equal weights and forty others are traded …")),
      h("progress", { max: 1, value: state.progress > 0 ? state.progress : null, "aria-label": t("Progress") }),
      READ_ONLY ? null : h("button", { class: "btn", type: "button", onclick: () => model.send_msg({ type: "cancel" }) }, t("Cancel")));
  }

  function idle() {
    return h("div", { class: "ask" },
      h("p", { class: "note" }, t("Six questions stand between a nice curve and your agent: enough trades, a Sharpe ratio above zero, enough history, more than luck among all trials, no overfitting, better than equal weights.")),
      h("button", { class: "btn first", type: "button", disabled: READ_ONLY, onclick: () => model.send_msg({ type: "ask" }) }, t("Ask the guards")));
  }

  function draw() {
    state = JSON.parse(model.state || "{}");
    if (state.n !== told) { told = state.n; go.disabled = false; say(dialog.open ? state.error ?? "" : ""); }
    if (state.done && dialog.open && !state.error) dialog.close();
    const done = state.done, busy = state.job === "queued" || state.job === "running" || state.job === "cancelling";
    body.replaceChildren(...[
      h("div", { class: "head" }, h("h2", {}, t("May it be believed?")), h("span", { class: "dim" }, state.guards ? t("{n} trials on this data so far", { n: state.trials.toLocaleString("en-US") }) : ""),
        h("span", { class: "spacer" }), state.guards ? h("button", { class: "btn", type: "button", disabled: READ_ONLY || busy, onclick: open }, state.passed ? t("Promote …") : t("Promote anyway …")) : null),
      state.guards ? verdict(state.passed ? 1 : -1, t(state.verdict), t(state.advice)) : null,
      done ? h("p", { class: "done", role: "status" }, `✓ ${t(done)}`) : null,
      state.error && !dialog.open ? h("p", { class: "problem", role: "alert" }, state.error) : null,
      busy ? asking() : state.guards ? h("div", { class: "scroll" }, h("table", { class: "list" },
        h("thead", {}, h("tr", {}, ...[["", "left"], [t("Question"), "left"], [t("Measured"), ""], [t("Asked for"), ""], [t("Answer"), "left"]].map(([text, side]) => h("th", { scope: "col", class: side || null }, text)))),
        h("tbody", {}, ...state.guards.map(line)))) : idle()].filter(Boolean));
  }

  preset.addEventListener("input", () => { saved.checked = true; });
  preset.setAttribute("aria-label", t("Name of the preset"));
  problem.hidden = true;
  model.on("state", draw);
  model.on("remove", leave);
  draw();
  return root;
}
