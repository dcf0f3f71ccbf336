// Users and their roles; a password is set here and never shown.

export function render({ model }) {
  const ask = asking(model), told = outcome(), body = h("tbody");
  const name = h("input", { class: "field", required: true, maxlength: 48, autocomplete: "off", spellcheck: "false" });
  const role = h("select", { class: "field" });
  const word = h("input", { class: "field", type: "password", autocomplete: "new-password", placeholder: t("none: by link or OAuth") });
  const add = h("button", { class: "btn first", type: "submit" }, t("Add"));
  const form = h("form", { class: "row", onsubmit: submit }, h("label", {}, t("Name"), name), h("label", {}, t("Role"), role), h("label", {}, t("Password"), word), add);
  const table = h("div", { class: "scroll list", tabindex: 0, role: "region", "aria-label": t("Users") }, h("table", {}, h("thead", {}, h("tr", {},
    h("th", { scope: "col", class: "start" }, t("Name")), h("th", { scope: "col", class: "start" }, t("Role")), h("th", { scope: "col" }, t("Logins")), h("th", { scope: "col" }, h("span", { class: "hidden" }, t("Action"))))), body));
  const note = h("p", { class: "note" }, t("A viewer reads, a trader also turns weights, limits and the agent, an admin also sees to users and keys."));
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Users"))), table, h("div", { class: "body" }, form, note, ...told.parts));
  const sure = confirming(root), rows = new Map();
  const secret = h("input", { class: "field", type: "password", autocomplete: "new-password", required: true });
  const change = h("button", { class: "btn first", type: "submit" }, t("Set password"));
  const whose = h("h3", { id: "whose" });
  const dialog = h("dialog", { "aria-labelledby": "whose" }, h("form", { onsubmit: setWord }, whose, h("label", { class: "rows" }, t("New password"), secret),
    h("p", { class: "note" }, t("All logins of this user end.")), h("div", { class: "actions" }, h("button", { class: "btn", type: "button", onclick: () => dialog.close() }, t("Cancel")), change)));
  root.append(dialog);
  let of = "";

  async function submit(event) {
    event.preventDefault();
    const found = await press(add, told, () => ask("add_user", { name: name.value, role: role.value, password: word.value || null }), () => t("Added: {name}", { name: name.value.trim() }));
    word.value = "";
    if (found) name.value = "";
  }

  async function setWord(event) {
    event.preventDefault();
    const password = secret.value;
    secret.value = "";
    dialog.close();
    await press(change, told, () => ask("change_user", { name: of, password }), t("Password set: {name}", { name: of }));
  }

  function open(user) {
    of = user;
    setText(whose, t("Password of {name}", { name: user }));
    dialog.showModal();
    secret.focus();
  }

  async function turn(user, select, was) {
    const role = select.value;  // a key on the list turns it at once: nobody is made an admin by a slip
    if (!await sure({ title: t("Make {name} {role}?", { name: user, role }), text: t("Open pages of this user end and are loaded again with the new role."), button: t("Change") })) {
      select.value = was;
      select.focus();
      return;
    }
    select.value = role;
    const { error } = await ask("change_user", { name: user, role: select.value });
    if (error) { select.value = was; told.fail(error); } else told.say(t("{name} is now {role}", { name: user, role: select.value }));
  }

  async function remove(user, button) {
    if (await sure({ title: t("Delete {name}?", { name: user }), text: t("All logins of this user end at once. What was done stays in the audit."), button: t("Delete") })) {
      await press(button, told, () => ask("remove_user", { name: user }), t("Deleted: {name}", { name: user }));
    } else button.focus();
  }

  function make(user, s) {
    const select = h("select", { class: "field", "aria-label": t("Role of {name}", { name: user.name }) }, ...s.roles.map((one) => h("option", { value: one }, one)));
    const gone = h("button", { class: "pill", type: "button", "aria-label": t("Delete {name}", { name: user.name }), onclick: () => remove(user.name, gone) }, t("Delete"));
    const key = h("button", { class: "pill", type: "button", "aria-label": t("Set the password of {name}", { name: user.name }), onclick: () => open(user.name) }, t("Password"));
    const logins = h("td");
    select.addEventListener("change", () => turn(user.name, select, rows.get(user.name).role));
    return { row: h("tr", {}, h("td", { class: "start" }, h("b", {}, h("bdi", {}, user.name)), user.name === s.me ? h("span", { class: "dim" }, ` ${t("you")}`) : null), h("td", { class: "start" }, select), logins,
      h("td", { class: "acts" }, key, gone)), select, logins, role: user.role };
  }

  function draw() {
    const s = JSON.parse(model.state || "{}"), users = s.users ?? [], names = new Set(users.map((u) => u.name));
    if (!role.options.length && s.roles) role.append(...s.roles.map((one) => h("option", { value: one }, one)));
    for (const [one, r] of rows) if (!names.has(one)) { r.row.remove(); rows.delete(one); }
    for (const user of users) {
      if (!rows.has(user.name)) { rows.set(user.name, make(user, s)); body.append(rows.get(user.name).row); }
      const r = rows.get(user.name);
      if (r.role !== user.role || r.select.value === "") r.select.value = user.role;
      if (r.row.getRootNode().activeElement !== r.select) r.select.value = user.role;
      r.role = user.role;
      r.logins.replaceChildren(figure(user.logins), user.password ? "" : h("span", { class: "dim" }, ` ${t("no password")}`));
    }
    table.hidden = !users.length;
  }

  model.on("state", draw);
  draw();
  return root;
}
