// API keys: a table, a form for a new one, and the new one itself, which is shown once.

export function render({ model }) {
  const ask = asking(model), told = outcome(), body = h("tbody"), none = h("p", { class: "none" }, h("b", {}, t("No API key yet")), t("Programs need one where everybody must log in."));
  const name = h("input", { class: "field", required: true, maxlength: 48, placeholder: t("e.g. notebook"), autocomplete: "off" });
  const role = h("select", { class: "field" });
  const days = h("input", { class: "field days", type: "number", min: 1, max: 3650, step: 1, placeholder: t("for ever") });
  const make = h("button", { class: "btn first", type: "submit" }, t("Make a key"));
  const secret = h("code", { class: "secret", tabindex: 0, dir: "ltr" });
  const fresh = h("div", { class: "fresh", hidden: true, role: "status" }, h("b", {}, t("The new key is shown now and never again:")), secret,
    h("div", { class: "actions" }, h("button", { class: "btn first", type: "button", onclick: copy }, t("Copy")), h("button", { class: "btn", type: "button", onclick: forget }, t("I have it"))));
  const form = h("form", { class: "row", onsubmit: submit }, h("label", {}, t("Name"), name), h("label", {}, t("Role"), role), h("label", {}, t("Days"), days), make);
  const table = h("div", { class: "scroll list", tabindex: 0, role: "region", "aria-label": t("API keys") }, h("table", {}, h("thead", {}, h("tr", {},
    h("th", { scope: "col", class: "start" }, t("Name")), h("th", { scope: "col", class: "start" }, t("Role")), h("th", { scope: "col" }, t("Last used")), h("th", { scope: "col" }, t("Ends")),
    h("th", { scope: "col" }, h("span", { class: "hidden" }, t("Action"))))), body));
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("API keys"))), table, none, h("div", { class: "body" }, fresh, form, ...told.parts));
  const sure = confirming(root);

  async function submit(event) {
    event.preventDefault();
    const found = await press(make, told, () => ask("make_key", { name: name.value.trim(), role: role.value, days: days.value ? Number(days.value) : null }));
    if (!found) return;
    setText(secret, found.token);
    fresh.hidden = false;
    name.value = days.value = "";
    secret.focus();
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(secret.textContent);
      told.say(t("Copied."));
    } catch {
      window.getSelection().selectAllChildren(secret);
      told.say(t("Press Ctrl+C: the browser does not let the page copy."));
    }
  }

  function forget() {
    setText(secret, "");
    fresh.hidden = true;
    told.say("");
    name.focus();
  }

  async function revoke(key, button) {
    if (await sure({ title: t("Revoke {name}?", { name: key.name }), text: t("Programs that use this key are refused from now on. It cannot be undone."), button: t("Revoke") })) {
      await press(button, told, () => ask("revoke_key", { id: key.id }), t("Revoked: {name}", { name: key.name }));
    } else button.focus();
  }

  function draw() {
    const s = JSON.parse(model.state || "{}"), keys = s.keys ?? [];
    if (!role.options.length && s.roles) role.append(...s.roles.map((one) => h("option", { value: one }, one)));
    if (s.most_days) days.max = s.most_days;
    table.hidden = !keys.length;
    none.hidden = keys.length > 0 || s.keys === undefined;
    body.replaceChildren(...keys.map((key) => {
      const button = h("button", { class: "pill", type: "button", "aria-label": t("Revoke {name}", { name: key.name }), onclick: () => revoke(key, button) }, t("Revoke"));
      return h("tr", {}, h("td", { class: "start", title: t("made by {who}, {when}", { who: key.made_by, when: clock(key.created) }) }, h("b", {}, h("bdi", {}, key.name))), h("td", { class: "start dim" }, key.role),
        h("td", {}, key.used ? since(key.used, s.now) : t("never")), h("td", { class: key.ended ? "mid" : null }, key.ended ? `▲ ${t("ended")}` : key.expires ? h("bdi", {}, clock(key.expires)) : t("never")), h("td", {}, button));
    }));
  }

  model.on("state", draw);
  draw();
  return root;
}
