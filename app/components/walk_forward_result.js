// Chosen on the past, traded on what came next: what was promised, what was kept, what was chosen.

export function render({ model }) {
  const body = h("div", {}), root = h("div", { class: "fill" }, body);
  const leave = hints(root);
  const readout = h("span", { class: "note", role: "status" });
  let state = {}, at = -1, view = null;
  const curve = plot(230, paint);

  function paint(pen, width) {
    const { time = [], equity = [], equal = [] } = state.curve ?? {};
    if (time.length < 2) return;
    const right = width - 62, bottom = 206, top = 12, cash = state.cash;
    let low = Math.min(cash, ...equity, ...equal), high = Math.max(cash, ...equity, ...equal);
    const pad = Math.max((high - low) * 0.06, Math.abs(high) * 1e-4);
    low -= pad; high += pad;
    const span = time[time.length - 1] - time[0] || 1;
    const x = (ms) => (ms - time[0]) / span * right, y = (v) => top + (high - v) / (high - low) * (bottom - top);
    view = { x, time, right };
    for (const v of roundSteps(low, high, 4)) { pen.path("grid", `M0 ${y(v)}H${right}`); pen.text(right + 6, y(v), v.toLocaleString("en-US", { maximumFractionDigits: high - low < 20 ? 2 : 0 })); }
    state.folds.forEach((fold, i) => {
      if (i) pen.path("grid", `M${x(fold.first)} ${top}V${bottom}`);
      if (right / state.folds.length > 26) pen.text(x(fold.first) + 4, top + 2, String(i + 1));
    });
    pen.path("base", `M0 ${y(cash)}H${right}`);
    pen.path("other", joined(time.map((ms, i) => [x(ms), y(equal[i])])));
    pen.path("line", joined(time.map((ms, i) => [x(ms), y(equity[i])])));
    const dates = Math.max(2, Math.floor(right / 120));
    for (let i = 0; i < dates; i++) pen.text(right * i / dates + (i ? 0 : 4), bottom + 13, day(time[0] + span * i / dates, span), i ? "mid" : "");
    if (at >= 0) pen.path("base", `M${x(time[at])} ${top}V${bottom}`);
    pen.say(t("Equity out of sample: {from} to {to}, with equal weights {equal}. Arrow keys read single points.", { from: money(cash), to: money(equity[equity.length - 1]), equal: money(equal[equal.length - 1]) }));
    const k = at < 0 ? time.length - 1 : at;
    setText(readout, `${clock(time[k])} · ${money(equity[k])} · ${t("equal weights")} ${money(equal[k])}`);
  }

  const money = (v) => v.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

  function move(to) {
    const last = (state.curve?.time.length ?? 0) - 1;
    at = to < 0 ? -1 : Math.min(last, to);
    curve.draw();
  }

  const near = throttle((event) => {
    if (!view) return;
    const { time, right } = view, ms = time[0] + (event.clientX - curve.svg.getBoundingClientRect().left) / right * (time[time.length - 1] - time[0]);
    let low = 0, high = time.length - 1;
    while (low < high) { const mid = (low + high) >> 1; if (time[mid] < ms) low = mid + 1; else high = mid; }
    move(low);
  }, 40);
  curve.svg.setAttribute("tabindex", "0");
  curve.svg.addEventListener("pointermove", near);
  curve.svg.addEventListener("pointerleave", () => setTimeout(() => move(-1), 50));
  curve.svg.addEventListener("blur", () => move(-1));
  curve.svg.addEventListener("keydown", (event) => {
    const last = (state.curve?.time.length ?? 1) - 1, from = at < 0 ? last : at;
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(Math.max(0, to));
  });

  function folds() {
    const heads = [["#", ""], [t("Tested"), "left"], [t("Judged"), ""], [t("Promised"), ""], [t("Kept"), ""], [t("equal weights"), ""], [t("Return"), ""], [t("Trades"), ""]];
    return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("Folds") }, h("table", { class: "list" },
      h("thead", {}, h("tr", {}, ...heads.map(([text, side]) => h("th", { scope: "col", class: side || null }, text)))),
      h("tbody", {}, ...state.folds.map((fold, i) => h("tr", {}, h("td", {}, String(i + 1)), h("td", { class: "left" }, `${day(fold.first, fold.last - fold.first)} – ${day(fold.last, fold.last - fold.first)}`),
        h("td", {}, fold.judged.toLocaleString("en-US")), h("td", {}, fold.found ? minus(fold.promised) : h("span", { class: "dim", title: t("No vector had a value: equal weights were taken.") }, "–")),
        h("td", { class: fold.kept > 0 ? "bull" : fold.kept < 0 ? "bear" : null }, fold.kept === null ? "–" : signed(fold.kept, 2)), h("td", {}, minus(fold.equal)),
        h("td", { class: fold.total_return > 0 ? "bull" : fold.total_return < 0 ? "bear" : null }, percent(fold.total_return)), h("td", {}, String(Math.round(fold.trades))))))));
  }

  function chosen() {
    const reach = Math.max(...state.weights.flatMap(({ shares }) => shares));
    return heat({
      label: t("Weights that each fold chose"), corner: t("fold"), least: 34, columns: state.folds.map((_, i) => String(i + 1)),
      rows: state.weights.map(({ name, shares }) => [name.replace("_", " "), shares]),
      cell: (value) => ({ text: value < 0.005 ? "" : value.toFixed(2).replace(/^0/, ""), style: shareTone(value, reach) }),
    });
  }

  function csv() {
    const names = state.weights.map(({ name }) => name), keys = ["promised", "kept", "equal", "total_return", "max_drawdown", "trades", "judged"];
    return table([["fold", "first", "last", ...keys, ...names], ...state.folds.map((fold, i) => [i + 1, new Date(fold.first).toISOString(), new Date(fold.last).toISOString(),
      ...keys.map((key) => fold[key]), ...state.weights.map(({ shares }) => shares[i])])]);
  }

  function draw() {
    state = JSON.parse(model.state || "{}");
    at = -1;
    if (!state.id) { body.replaceChildren(); return; }
    body.replaceChildren(
      h("div", { class: "head" }, h("h2", {}, t("Walk-forward")), h("b", {}, state.title), stamp(state), h("span", { class: "dim about" }, state.about)),
      verdict(state.tone, t(state.verdict), t(state.more)),
      h("div", { class: "tiles" }, ...state.facts.map(([name, text, hint, tone]) => fact([t(name), text, t(hint), tone]))),
      h("section", { class: "block" }, h("h3", {}, t("Out of sample"), h("span", { class: "legend" }, h("span", {}, h("i", {}), t("chosen weights")), h("span", {}, h("i", { class: "other" }), t("equal weights"))), readout), curve.root),
      h("div", { class: "split" },
        h("section", { class: "block" }, h("h3", {}, t("Fold by fold"), h("span", { class: "note" }, t(state.aim))), folds()),
        h("section", { class: "block" }, h("h3", {}, t("What each fold chose"), h("span", { class: "note" }, t("Choices that jump are those of noise."))), chosen())),
      h("div", { class: "files" }, h("button", { class: "btn", type: "button", disabled: READ_ONLY, onclick: () => model.send_msg({ test: state.folds.length - 1 }) }, t("Test the newest choice")),
        h("span", { class: "spacer" }), h("span", { class: "dim" }, t("Files")), file("walk_forward.csv", "text/csv;charset=utf-8", csv)));
    curve.draw();
  }

  onDo(model, { export: () => {
    if (document.documentElement.dataset.result !== "walk_forward") return false;
    body.querySelector(".files .pill")?.click();
    return true;
  } });
  model.on("state", draw);
  model.on("remove", leave);
  draw();
  return root;
}
