// Copies of the database: a list and a button that makes one while all goes on.

export function render({ model }) {
  const ask = asking(model), told = outcome(), body = h("tbody"), note = h("p", { class: "note" });
  const make = h("button", { class: "btn first", type: "button", disabled: READ_ONLY, onclick: go }, t("Back up now"));
  const none = h("p", { class: "none" }, h("b", {}, t("No copy yet")), t("A copy is made while the server runs and is read to its last page before it counts."));
  const table = h("div", { class: "scroll list", tabindex: 0, role: "region", "aria-label": t("Copies of the database") }, h("table", {}, h("thead", {}, h("tr", {},
    h("th", { scope: "col", class: "start" }, t("Copy")), h("th", { scope: "col" }, t("Made")), h("th", { scope: "col" }, t("Size")))), body));
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Backups")), h("span", { class: "spacer" }), make), table, none, h("div", { class: "body" }, note, ...told.parts));

  async function go() {
    told.say(t("Copying …"));
    await press(make, told, () => ask("back_up"), (found) => t("Made and checked: {name}, {size} in {s} s", { name: found.name, size: bytes(found.size), s: found.seconds.toFixed(1) }));
    draw();
  }

  function draw() {
    const s = JSON.parse(model.state || "{}"), copies = s.copies ?? [];
    table.hidden = !copies.length;
    none.hidden = copies.length > 0 || s.copies === undefined;
    if (make.getAttribute("aria-busy") !== "true") make.disabled = READ_ONLY || s.making === true;
    body.replaceChildren(...copies.map((c) => h("tr", {}, h("td", { class: "start" }, figure(c.name), c.automatic ? h("span", { class: "dim" }, ` ${t("before a migration")}`) : null),
      h("td", { title: clock(c.at) }, since(c.at, s.now)), h("td", {}, figure(bytes(c.size))))));
    setText(note, s.copies === undefined ? "" : s.old ? `▲ ${t("The newest copy is over 30 days old.")}` : t("In the folder {folder} of the data folder; opportunity restore puts one back.", { folder: s.folder }));
    note.classList.toggle("mid", s.old === true);
  }

  model.on("state", draw);
  draw();
  return root;
}
