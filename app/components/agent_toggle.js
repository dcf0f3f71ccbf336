// Switches the agent; the button waits until the server says what became of it.

export function render({ model }) {
  const glyph = h("span", { class: "glyph" });
  const long = h("b");
  const button = h("button", { class: "chip", type: "button", onclick: press }, glyph, long, h("span", { class: "switch", "aria-hidden": "true" }));
  const problem = h("span", { class: "problem", role: "alert" });
  const root = h("div", { class: "agent" }, button, problem);
  let pending = false, timer = null, hiding = null;
  problem.addEventListener("click", () => tell(""));

  /** Say what went wrong beside the button; it stays until it was read, or pressed. */
  function tell(text) {
    clearTimeout(hiding);
    setText(problem, text);
    if (text) hiding = setTimeout(() => setText(problem, ""), 12000);
  }

  function press() {
    if (pending) return;
    pending = true;
    timer = setTimeout(() => { pending = false; tell(t("no answer")); draw(); }, 5000);
    draw();
    model.send_msg({ enabled: !model.enabled });
  }

  function draw() {
    const on = model.enabled;
    button.setAttribute("aria-pressed", on);
    button.setAttribute("aria-busy", pending);
    button.setAttribute("aria-label", on ? t("Agent: ON") : t("Agent: OFF"));
    button.disabled = pending || READ_ONLY;
    button.title = READ_ONLY ? t("Your role may look, and change nothing.")
      : on ? t("The agent looks at every closed bar. Press to stop new signals and entries; open paper positions stay managed, manual scans keep working.")
        : t("No new signals and no entries. Stops, targets and time stops of open paper positions stay managed. Press to start the agent.");
    glyph.replaceChildren(icon(on ? "bolt" : "off"));
    long.replaceChildren(h("span", { class: "word" }, on ? t("Agent: ON") : t("Agent: OFF")),
      h("span", { class: "short" }, on ? t("ON") : t("OFF")));
    button.classList.toggle("on", on);
    button.classList.toggle("pending", pending);
  }

  function settle() {
    clearTimeout(timer);
    pending = false;
    const answer = JSON.parse(model.answer || "{}");
    tell(answer.error ?? "");
    draw();
  }

  model.on("enabled", draw);
  model.on("answer", settle);
  model.on("remove", () => { clearTimeout(timer); clearTimeout(hiding); });
  draw();
  return root;
}
