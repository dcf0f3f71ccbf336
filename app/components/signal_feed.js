// Signals as they come: newest on top, one line each time a symbol's story changes.

export function render({ model }) {
  const title = h("span", { class: "dim" });
  const list = h("ol", { class: "signals", "aria-label": t("Signals, newest first") });
  const root = h("div", { class: "fill feed" }, h("div", { class: "head" }, h("h2", {}, t("Signals")), title), list);
  let state = {}, seen = 0, now = 0;

  function line(s) {
    const age = h("span", { class: "dim age" });
    const item = h("li", {}, h("button", { type: "button", "data-symbol": s.symbol,
      title: [clock(s.ts), t("confidence {value}", { value: number(s.confidence) }), t("risk {level}", { level: t(s.risk) }),
        typeof s.success === "number" ? t("success {value} %", { value: Math.round(100 * s.success) }) : ""].filter(Boolean).join(" · "),
      onclick: () => model.send_msg({ symbol: s.symbol }) },
    h("span", { class: `mark ${TONE[s.direction]}`, dir: "ltr" }, `${GLYPH[s.direction]} ${number(s.score)}`), h("b", { dir: "ltr" }, s.symbol),
    h("span", { class: "words dim" }, t(s.words)), age));
    item.age = age;
    item.at = s.ts;
    return item;
  }

  function tick() {
    for (const item of list.children) if (item.age) setText(item.age, ago(now - item.at));
  }

  function draw() {
    state = JSON.parse(model.state || "{}");
    now = state.now ?? 0;
    const { items = [], enabled = true, count = 0 } = state;
    setText(title, !enabled ? t("paused: the agent is off") : count ? t("live · {n} received", { n: count.toLocaleString("en-US") }) : t("live"));
    root.classList.toggle("paused", !enabled);
    if (items.length === 0) {
      list.replaceChildren(h("li", { class: "none dim" }, enabled
        ? t("None yet: a signal comes when a bar closes and the story of a symbol changes.") : t("Switch the agent on to receive signals.")));
      seen = 0;
      return;
    }
    const fresh = items.filter((s) => s.n > seen);
    if (seen === 0) list.replaceChildren();
    for (const s of fresh.reverse()) list.prepend(line(s));
    while (list.children.length > items.length) list.lastChild.remove();
    seen = Math.max(seen, ...items.map((s) => s.n));
    tick();
  }

  /** Signals may be hours apart: in between the header tells the time of the market. */
  const beaten = (event) => { now = Math.max(now, event.detail); tick(); };
  document.addEventListener("opportunity:beat", beaten);
  model.on("remove", () => document.removeEventListener("opportunity:beat", beaten));
  model.on("state", draw);
  draw();
  return root;
}
