// Somebody else applied other weights meanwhile: both versions side by side, and whose shall hold.

function makeConflict({ take, force }) {
  const said = h("p", { class: "why" });
  const rows = h("tbody");
  const dialog = h("dialog", { class: "sheet", "aria-label": t("Whose weights shall hold?") },
    h("h2", {}, t("Whose weights shall hold?")), said,
    h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("Detector")), h("th", { scope: "col" }, t("Before")),
      h("th", { scope: "col" }, t("Theirs")), h("th", { scope: "col" }, t("Mine")))), rows),
    h("div", { class: "choices" },
      h("button", { class: "btn first", type: "button", onclick: () => { dialog.close(); force(); } }, t("Apply mine")),
      h("button", { class: "btn", type: "button", onclick: () => { dialog.close(); take(); } }, t("Take theirs")),
      h("button", { class: "btn quiet", type: "button", onclick: () => dialog.close() }, t("Keep editing"))));
  const near = (a, b) => Math.abs(a - b) < 5e-3;

  function cell(value, before) {
    const away = before === undefined || near(value, before) ? "" : value > before ? "▲ " : "▼ ";
    return h("td", { dir: "ltr", class: away ? "changed" : "" }, `${away}${number(value)}`);
  }

  /** Show what was in force before, what is now, and the draft; `labels` are [name, label] pairs. */
  function show(text, labels, before, theirs, mine) {
    setText(said, text);
    rows.replaceChildren(...labels.map(([key, label]) => h("tr", { class: near(theirs[key], mine[key]) ? "" : "apart" },
      h("th", { scope: "row" }, label), h("td", { dir: "ltr", class: "dim" }, before ? number(before[key]) : "–"),
      cell(theirs[key], before?.[key]), cell(mine[key], before?.[key]))));
    if (!dialog.open && dialog.isConnected) dialog.showModal();
  }

  return { dialog, show };
}
