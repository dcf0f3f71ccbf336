// What components share that ask the server for things.

/** Return ask(what, detail): a promise of {found, error} that the server answers with. */
function asking(model) {
  const waiting = new Map();
  let n = 0;
  model.on("msg:custom", (event) => {
    const answer = event.data ?? event;
    waiting.get(answer.n)?.(answer);
    waiting.delete(answer.n);
  });
  return (what, detail = {}) => new Promise((resolve) => {
    n += 1;
    waiting.set(n, resolve);
    model.send_msg({ ...detail, what, n });
  });
}

/** A line below that says what became of a press: told.say(text), told.fail(text). */
function outcome() {
  const said = h("p", { class: "said", role: "status" }), problem = h("p", { class: "problem", role: "alert" });
  return {
    parts: [said, problem],
    say(text) { setText(said, text); setText(problem, ""); },
    fail(text) { setText(problem, text ? t("Not done: {why}", { why: text }) : ""); setText(said, ""); },
  };
}

/** Carry out a press: the button waits meanwhile, and a failure is told. Returns what was found, null if refused. */
async function press(button, told, work, fine = "") {
  const focused = button.getRootNode().activeElement === button;
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  const { found, error } = await work();
  button.disabled = READ_ONLY;
  button.removeAttribute("aria-busy");
  if (focused && button.isConnected) button.focus();
  if (error) told.fail(error);
  else told.say(typeof fine === "function" ? fine(found) : fine);
  return error ? null : found ?? true;
}

/** Make the one dialog of a component that asks whether it is meant: sure({title, text, button}). */
function confirming(root) {
  const title = h("h3", { id: "sure-title" }), text = h("p", { id: "sure-text" });
  const go = h("button", { class: "btn danger", type: "submit" });
  const leave = h("button", { class: "btn", type: "button", onclick: () => dialog.close("no") }, t("Cancel"));
  const form = h("form", { method: "dialog", onsubmit: (event) => { event.preventDefault(); dialog.close("yes"); } },
    title, text, h("div", { class: "actions" }, leave, go));
  const dialog = h("dialog", { "aria-labelledby": "sure-title", "aria-describedby": "sure-text" }, form);
  root.append(dialog);
  return (words) => new Promise((resolve) => {
    setText(title, words.title);
    setText(text, words.text);
    setText(go, words.button);
    dialog.returnValue = "no";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
    leave.focus();
  });
}

/** Write a size of a file. */
function bytes(n) {
  if (n === null || n === undefined) return "–";
  if (n >= 2 ** 30) return `${(n / 2 ** 30).toFixed(1)} GiB`;
  if (n >= 2 ** 20) return `${(n / 2 ** 20).toFixed(1)} MiB`;
  return `${Math.max(n ? 1 : 0, Math.round(n / 1024))} KiB`;
}

/** Write a count with its thousands apart. */
function count(n) { return n === null || n === undefined ? "–" : Math.round(n).toLocaleString("en-US"); }

/** Figures stay left to right in every language. */
function figure(text, attributes = {}) { return h("bdi", { dir: "ltr", ...attributes }, text); }

/** Word how long ago a wall time was: "5 m ago". */
function since(ms, now) {
  if (ms === null || ms === undefined) return "–";
  const age = ago(now - ms);
  return age === t("now") ? age : t("{age} ago", { age });
}
