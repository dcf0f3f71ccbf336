// The newest runs of this server: one press shows what came of an earlier one again.

const KINDS = { backtest: t("Backtest"), sweep: t("Sweep"), walk_forward: t("Walk-forward"), calibration: t("Calibration"), surface: t("Costs and delay") };
const STATES = { queued: t("waiting"), running: t("running"), cancelling: t("stopping"), failed: t("failed"), cancelled: t("stopped") };

export function render({ model }) {
  const list = h("ul", { "aria-label": t("Newest runs") });
  const none = h("p", { class: "note" }, t("No run yet."));
  const root = h("div", {}, h("div", { class: "head" }, h("h2", {}, t("Runs")), h("span", { class: "dim" }, t("newest first"))), list, none);
  const items = new Map();

  /** A word with its number in its own order, or the number alone. */
  function said(told) {
    if (typeof told === "string") return told;
    return t(told.text, Object.fromEntries(Object.entries(told.values).map(([name, value]) => [name, `\u2066${value}\u2069`])));
  }

  function item(run) {
    const kind = h("b"), what = h("span", { class: "dim what" }), said = h("span", { class: "said" });
    const button = h("button", { type: "button", onclick: () => model.send_msg({ open: run.id }) }, kind, said, what);
    return { row: h("li", {}, button), button, kind, what, said };
  }

  function draw() {
    const { runs = [], shown = "" } = JSON.parse(model.state || "{}");
    none.hidden = runs.length > 0;
    const known = new Set(runs.map((run) => run.id));
    for (const [id, { row }] of items) if (!known.has(id)) { row.remove(); items.delete(id); }
    runs.forEach((run, i) => {
      if (!items.has(run.id)) items.set(run.id, item(run));
      const it = items.get(run.id);
      if (list.children[i] !== it.row) list.insertBefore(it.row, list.children[i] ?? null);
      setText(it.kind, KINDS[run.kind] ?? run.kind);
      setText(it.what, run.title);
      setText(it.said, run.state === "done" ? said(run.said) : run.state === "running" ? `${Math.round(100 * run.progress)} %` : STATES[run.state]);
      setClass(it.said, `said ${run.state === "done" ? (run.tone > 0 ? "bull" : run.tone < 0 ? "bear" : "") : "dim"}`);
      it.button.setAttribute("aria-pressed", String(run.id === shown));
    });
  }

  model.on("state", draw);
  draw();
  return root;
}
