// Who changed what, newest first; older ones on request, narrowed by kind and by words.

function kindName(kind) {
  switch (kind) {
    case "weights": return t("Weights");
    case "preset": return t("Presets");
    case "agent": return t("Agent");
    case "rules": return t("Rules");
    case "limits": return t("Limits");
    case "hand": return t("By hand");
    case "reset": return t("Reset");
    case "shadow": return t("Challengers");
    case "audit": return t("Administration");
    default: return kind;
  }
}

export function render({ model }) {
  const ask = asking(model), told = outcome(), body = h("tbody"), shown = h("span", { class: "dim", role: "status" });
  const kind = h("select", { class: "field", "aria-label": t("Kind of change") });
  const search = h("input", { class: "field", type: "search", placeholder: t("who or what"), "aria-label": t("Search the audit by who, what or why"), oninput: () => draw() });
  const older = h("button", { class: "btn", type: "button", onclick: () => press(older, told, () => ask("older")) }, t("Older"));
  const none = h("p", { class: "none" });
  const table = h("div", { class: "scroll list", tabindex: 0, role: "region", "aria-label": t("Audit") }, h("table", {}, h("thead", {}, h("tr", {},
    ...[t("When"), t("Who"), t("What"), t("Change")].map((words) => h("th", { scope: "col", class: "start" }, words)))), body), none, h("div", { class: "foot" }, older));
  const root = h("div", { class: "fill" }, h("div", { class: "head tools" }, h("h2", {}, t("Audit")), shown, h("span", { class: "spacer" }), kind, search), table, ...told.parts);
  const asked = new URL(window.location.href).searchParams.get("find") ?? "";
  search.value = asked;

  kind.addEventListener("change", async () => {
    remember({ audit: kind.value });
    const { error } = await ask("kind", { kind: kind.value });
    if (error) told.fail(error);
  });

  function change([name, before, after]) {
    return h("span", { class: "change" }, name ? h("span", { class: "dim" }, `${name} `) : null,
      before ? h("bdi", { class: "was" }, before) : null, before && after ? " → " : null, after ? h("bdi", {}, after) : before ? h("span", { class: "dim" }, ` → ${t("gone")}`) : null);
  }

  function draw() {
    const s = JSON.parse(model.state || "{}"), loading = s.rows === undefined;
    if (kind.options.length === 0 && s.kinds) kind.append(h("option", { value: "" }, t("All kinds")), ...s.kinds.map((name) => h("option", { value: name }, kindName(name))));
    if (s.kind !== undefined && kind.value !== s.kind) kind.value = s.kind;
    const words = search.value.trim().toLowerCase();
    const rows = (s.rows ?? []).filter((r) => !words || `${r.by} ${r.what} ${r.why} ${kindName(r.kind)} ${r.changes.map((c) => c.join(" ")).join(" ")}`.toLowerCase().includes(words));
    body.replaceChildren(...rows.map((r) => {
      const most = r.changes.length > 3 ? 2 : 3;
      return h("tr", {}, h("td", { class: "start dim" }, h("bdi", {}, clock(r.at))), h("td", { class: "start" }, h("b", {}, h("bdi", {}, r.by || "–"))),
        h("td", { class: "start wrap what" }, kindName(r.kind), r.what !== r.kind ? h("span", { class: "dim" }, ` ${r.what}`) : null, r.why ? h("span", { class: "dim why" }, r.why) : null),
        h("td", { class: "start wrap" }, ...(r.changes.length ? r.changes.slice(0, most).map(change) : ["–"]),
          r.changes.length > most ? h("details", {}, h("summary", {}, t("{n} more", { n: r.changes.length - most })), ...r.changes.slice(most).map(change)) : null));
    }));
    none.hidden = loading ? false : rows.length > 0;
    if (loading) none.replaceChildren(t("Loading …"));
    else if (!rows.length) none.replaceChildren(h("b", {}, words ? t("Nothing of what is loaded fits") : t("Nothing was changed yet")),
      words ? t("Ask for older ones, or empty the search.") : t("Changes of weights, rules, limits, keys and the account appear here."));
    setText(shown, loading || !rows.length ? "" : t("{n} shown", { n: rows.length }));
    older.hidden = loading || s.next === null;
  }

  search.addEventListener("input", throttle(() => remember({ find: search.value.trim() }), 400));
  onDo(model, { search: () => { search.scrollIntoView({ block: "center" }); search.focus(); } });
  model.on("state", draw);
  draw();
  return root;
}
