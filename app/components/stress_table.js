// What bad days would do: one diverging bar a scenario, what it takes for granted below its name.

export function render({ model }) {
  const list = h("div", { class: "rows", role: "list" }), empty = h("div", { class: "empty" });
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Stress")),
    h("span", { class: "dim" }, t("at once, with no stop on the way"))), list, empty);
  const made = new Map();

  function make(one) {
    const bar = h("i"), zero = h("i", { class: "zero" }), value = h("b"), part = h("span", { class: "dim" }), worst = h("span", { class: "dim" });
    const box = h("div", { class: "row", role: "listitem" },
      h("div", { class: "text" }, h("span", { class: "title" }, tell(one.title)), h("span", { class: "dim assumes" }, tell(one.assumes))),
      h("span", { class: "track", "aria-hidden": "true" }, bar, zero), h("div", { class: "figures" }, value, part), worst);
    setClass(worst, "dim worst");
    return { root: box, bar, zero, value, part, worst };
  }

  function fillRow(p, one) {
    const room = one.high - one.low, from = Math.min(0, one.pnl ?? 0) - one.low;
    p.bar.style.left = `${100 * from / room}%`;
    p.bar.style.width = `${100 * Math.abs(one.pnl ?? 0) / room}%`;
    setClass(p.bar, one.pnl < 0 ? "down" : "up");
    p.zero.style.left = `${-100 * one.low / room}%`;
    setText(p.value, one.pnl === null ? "–" : `${arrow(one.pnl)}${money(one.pnl, true)}`);
    setClass(p.value, one.pnl === null ? "dim" : tone(one.pnl));
    setText(p.part, one.share === null ? "" : fig(percent(one.share)));
    setText(p.worst, one.pnl === null ? one.note : one.worst ? t("most in {symbol}", { symbol: fig(one.worst) }) : "");
  }

  function draw() {
    const s = JSON.parse(model.state || "{}"), ready = s.scenarios !== undefined, held = ready && !s.empty;
    list.hidden = !held;
    empty.hidden = held;
    empty.replaceChildren(h("b", {}, ready ? t("Nothing is held") : t("Waiting for the account")), h("p", {}, t("Scenarios are applied to what is held: now there is nothing.")));
    if (!held) return;
    const known = s.scenarios.map((one) => one.pnl ?? 0), low = Math.min(-1e-9, ...known), high = Math.max(1e-9, ...known);
    keep(list, made, s.scenarios.map((one) => ({ ...one, low, high })), (one) => one.name, make, fillRow);
  }

  model.on("state", draw);
  draw();
  return root;
}
