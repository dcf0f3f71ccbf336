// Embeds figures that the server does not hold; a new drawing of the same thing keeps the view.

export function render({ model }) {
  const note = h("p", { class: "note", role: "status" });
  const place = h("div", { class: "place" });
  const root = h("div", { class: "charts" }, note, place);
  let views = null, shown = "", turn = 0;

  const figures = () => views === null ? [] : [...documentOf(views)._all_models.values()].filter((m) => m.type === "Figure");
  const documentOf = (made) => made.roots[0].model.document;

  function drop(made) {
    const held = documentOf(made), at = Bokeh.documents.indexOf(held);
    made.clear();
    held.clear();
    if (at >= 0) Bokeh.documents.splice(at, 1);
  }

  async function draw() {
    const mine = ++turn;
    const { id, item } = JSON.parse(model.item || "{}");
    const before = id === shown && views !== null ? figures()[0].x_range : null;
    const kept = before && { start: before.start, end: before.end };
    tell();
    if (!item) return;
    const fresh = h("div");
    place.append(fresh);
    const made = await Bokeh.embed.embed_item(item, fresh);
    if (mine !== turn) {  // a newer one has come meanwhile
      drop(made);
      fresh.remove();
      return;
    }
    if (views !== null) drop(views);
    place.replaceChildren(fresh);
    views = made;
    shown = id;
    if (kept) figures()[0].x_range.setv(kept);
  }

  function tell() {
    setText(note, model.note);
    note.hidden = !model.note;
    place.hidden = Boolean(model.note);
  }

  function move() {
    const { start, end } = JSON.parse(model.view || "{}");
    if (start === undefined || views === null) return;
    figures()[0].x_range.setv({ start, end });
    root.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  model.on("item", draw);
  model.on("note", tell);
  model.on("view", move);
  draw();
  return root;
}
