// Switches the agent; the button waits until the server says what became of it.

export function render({ model }) {
  const glyph = h("span", { class: "glyph" });
  const long = h("b");
  const button = h("button", { class: "chip", type: "button", onclick: press }, glyph, long, h("span", { class: "switch", "aria-hidden": "true" }));
  const problem = h("span", { class: "problem", role: "alert" });
  const root = h("div", { class: "agent" }, button, problem);
  let pending = false, timer = null;

  function press() {
    if (pending) return;
    pending = true;
    timer = setTimeout(() => { pending = false; setText(problem, "no answer"); draw(); }, 5000);
    draw();
    model.send_msg({ enabled: !model.enabled });
  }

  function draw() {
    const on = model.enabled;
    button.setAttribute("aria-pressed", on);
    button.setAttribute("aria-busy", pending);
    button.setAttribute("aria-label", `Agent: ${on ? "ON" : "OFF"}`);
    button.disabled = pending || READ_ONLY;
    button.title = READ_ONLY ? "Your role may look, and change nothing." : on ? "The agent looks at every closed bar. Press to stop new signals and entries; open paper positions stay managed, manual scans keep working."
      : "No new signals and no entries. Stops, targets and time stops of open paper positions stay managed. Press to start the agent.";
    glyph.replaceChildren(icon(on ? "bolt" : "off"));
    long.replaceChildren(h("span", { class: "word" }, "Agent: "), on ? "ON" : "OFF");
    button.classList.toggle("on", on);
  }

  function settle() {
    clearTimeout(timer);
    pending = false;
    const answer = JSON.parse(model.answer || "{}");
    setText(problem, answer.error ?? "");
    draw();
  }

  model.on("enabled", draw);
  model.on("answer", settle);
  draw();
  return root;
}
