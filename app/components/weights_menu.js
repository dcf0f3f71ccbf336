// What is seldom done with weights: delete a preset, files, what was in force before.

const MOST_BYTES = 65_536;

function makeMenu({ model, set, current, drop }) {
  const file = h("input", { type: "file", accept: ".json,application/json", hidden: true, onchange: read });
  const item = (text, f) => h("button", { type: "button", role: "menuitem", onclick: () => { menu.open = false; f(); } }, text);
  const remove = item(t("Delete this preset"), drop);
  const history = item(t("History…"), () => model.send_msg({ type: "history" }));
  const list = h("div", { class: "items", role: "menu" }, item(t("Import…"), () => { file.value = ""; file.click(); }),
    item(t("Export"), write), history, remove);
  const menu = h("details", { class: "menu" },
    h("summary", { "aria-label": t("More"), title: t("Import, export, history") }, icon("more")), list, file);
  const rows = h("ol", { class: "versions" });
  const dialog = h("dialog", { class: "sheet", "aria-label": t("History of the weights") }, h("h2", {}, t("History of the weights")), rows,
    h("div", { class: "choices" }, h("button", { class: "btn", type: "button", onclick: () => dialog.close() }, t("Close"))));
  const shut = (event) => { if (!event.composedPath().includes(menu)) menu.open = false; };
  let shown = 0, offered = 0;

  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
      event.stopPropagation();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !menu.open) return;
    event.preventDefault();
    const items = [...list.children].filter((one) => !one.hidden && !one.disabled);
    const from = items.indexOf(menu.getRootNode().activeElement);
    items[(from + step + items.length) % items.length].focus();
  });
  document.addEventListener("pointerdown", shut);
  model.on("remove", () => document.removeEventListener("pointerdown", shut));

  async function read() {
    const chosen = file.files[0];
    if (chosen) model.send_msg({ type: "import", text: chosen.size > MOST_BYTES ? " ".repeat(MOST_BYTES + 1) : await chosen.text() });
  }

  function write() {
    const { name, weights } = current();
    const url = URL.createObjectURL(new Blob([JSON.stringify({ name, weights }, null, 2)], { type: "application/json" }));
    h("a", { href: url, download: `weights-${name.replace(/[^\w.-]+/g, "-") || "draft"}.json` }).click();
    URL.revokeObjectURL(url);
  }

  function differences(weights) {
    const { active, labels } = current();
    return labels.filter(([key]) => Math.abs(weights[key] - active[key]) >= 5e-3)
      .map(([key, label]) => `${label} ${signed(weights[key] - active[key], 2)}`).join(", ");
  }

  function takeVersions() {
    const { n = 0, rows: found = [] } = JSON.parse(model.versions || "{}");
    if (n === shown) return;
    shown = n;
    rows.replaceChildren(...found.map((one) => h("li", {},
      h("div", {}, h("b", { dir: "ltr" }, `v${one.version}`), " ", h("span", { class: "dim" }, `${clock(one.at)} · ${one.by}`),
        h("p", { class: "dim" }, differences(one.weights) || t("as it is now"))),
      h("button", { class: "btn", type: "button", onclick: () => { dialog.close(); set(one.weights); } }, t("Load")))));
    if (dialog.isConnected && !dialog.open) dialog.showModal();
  }

  function takeOffer() {
    const { n = 0, values } = JSON.parse(model.offer || "{}");
    if (n === offered) return;
    offered = n;
    set(values);
  }

  shown = JSON.parse(model.versions || "{}").n ?? 0;  // of before this was drawn again: not asked for now
  offered = JSON.parse(model.offer || "{}").n ?? 0;
  model.on("versions", takeVersions);
  model.on("offer", takeOffer);
  return { menu, dialog, remove };
}
