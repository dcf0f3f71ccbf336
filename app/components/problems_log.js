// The last warnings and errors of the log, newest first, without secrets.

export function render({ model }) {
  const shown = h("span", { class: "dim" }), list = h("ol"), none = h("p", { class: "none" });
  const scroll = h("div", { class: "scroll list", tabindex: 0, role: "region", "aria-label": t("Last problems of the log") }, list, none);
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Last problems")), shown), scroll);

  function draw() {
    const s = JSON.parse(model.state || "{}"), rows = s.rows ?? [];
    list.replaceChildren(...rows.map((r) => h("li", {}, h("span", { class: r.level === "error" ? "bad" : "mid" }, r.level === "error" ? "✖ " : "▲ ", r.level === "error" ? t("error") : t("warning")),
      h("span", { class: "dim when" }, h("bdi", {}, clock(r.at)), r.n > 1 ? figure(`×${r.n}`, { class: "times" }) : null), h("bdi", { class: "text", dir: "ltr" }, r.text), r.detail ? h("bdi", { class: "dim detail", dir: "ltr" }, r.detail) : null)));
    none.hidden = rows.length > 0;
    none.replaceChildren(...(s.rows === undefined ? [t("Loading …")] : [h("b", {}, `● ${t("No problem was logged")}`), t("Warnings and errors since the start appear here.")]));
    setText(shown, rows.length ? t("{n} since the start", { n: count(s.seen) }) : "");
  }

  model.on("state", draw);
  draw();
  return root;
}
