// The tour of the Live page: four steps, each beside the part that it is about. It starts by itself
// the first time, holds nothing up, and can be had again from the preferences.

const TOUR_KEY = "opportunity-tour";

function tourSteps() {
  return [
    [".live > .table", t("What stands out"),
      t("Every symbol, ranked by its score. ▲ and ▼ say the direction, the small cells what each timeframe says. Press a row to look at it.")],
    [".live > .chart", t("What happened"),
      t("Candles of the symbol that you chose, what the detectors see in them, and below the score and confidence of each bar.")],
    [".live > .why", t("Why this score"),
      t("Each part adds or takes away; together they make exactly the score, with the reason beside it.")],
    [".live > .side", t("Make it yours"),
      t("Turn the weights: the ranking follows your draft at once, and nobody else sees it until you press Apply.")],
  ];
}

/** Put the card beside its part: where there is room, never outside of the window. */
function besides(card, box) {
  const gap = 12, width = card.offsetWidth, height = card.offsetHeight;
  const { innerWidth: w, innerHeight: tall } = window;
  const rtl = document.documentElement.dir === "rtl";
  const sides = rtl ? [box.left - gap - width, box.right + gap] : [box.right + gap, box.left - gap - width];
  const side = sides.find((x) => x >= gap && x + width <= w - gap);
  const left = side ?? Math.max(gap, Math.min(w - width - gap, box.left + (box.width - width) / 2));
  const below = box.bottom + gap + height <= tall ? box.bottom + gap : box.top - gap - height;
  const top = side === undefined ? below : box.top + Math.min(64, Math.max(0, (box.height - height) / 2));
  card.style.left = `${left}px`;
  card.style.top = `${Math.max(gap, Math.min(tall - height - gap, top))}px`;
}

let tourOpen = null;

function tour() {
  const steps = tourSteps().filter(([place]) => document.querySelector(place));
  if (!steps.length) { window.location.assign("./#tour"); return; }
  let at = 0;
  const count = h("span", { class: "count" }), title = h("h2", { id: "tour-title" }), text = h("p", { id: "tour-text" });
  const back = h("button", { type: "button", onclick: () => go(at - 1) }, t("Back"));
  const next = h("button", { type: "button", class: "first", onclick: () => go(at + 1) });
  const skip = h("button", { type: "button", class: "shut", "aria-label": t("End the tour"), onclick: end }, icon("close"));
  const spot = h("div", { class: "spot", "aria-hidden": "true" });
  const card = h("dialog", { class: "tour", "aria-labelledby": "tour-title", "aria-describedby": "tour-text" },
    h("form", { method: "dialog", onsubmit: (event) => event.preventDefault() }, title, skip), text,
    h("div", { class: "steps" }, count, back, next));

  function place() {
    const box = document.querySelector(steps[at][0]).getBoundingClientRect();
    Object.assign(spot.style, { left: `${box.left}px`, top: `${box.top}px`, width: `${box.width}px`, height: `${box.height}px` });
    besides(card, box);
  }

  function go(to) {
    if (to >= steps.length) return end();
    at = Math.max(0, to);
    const [part, name, words] = steps[at];
    setText(title, name);
    setText(text, words);
    setText(count, t("{n} of {all}", { n: at + 1, all: steps.length }));
    setText(next, at + 1 < steps.length ? t("Next") : t("Done"));
    back.hidden = at === 0;
    const box = document.querySelector(part).getBoundingClientRect();
    if (box.top < 0 || box.bottom > window.innerHeight) document.querySelector(part).scrollIntoView({ block: "start" });
    place();
    next.focus({ preventScroll: true });
  }

  function end() {
    localStorage.setItem(TOUR_KEY, "seen");
    window.removeEventListener("resize", place);
    window.removeEventListener("scroll", place);
    tourOpen = null;
    card.remove();
    spot.remove();
  }

  tourOpen = end;
  card.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.preventDefault(); end(); } });
  window.addEventListener("resize", place);
  window.addEventListener("scroll", place, { passive: true });
  document.body.append(spot, card);
  card.show();
  go(0);
}

onDo(shellPage, { tour: () => { tourOpen?.(); tour(); } });

if (window.location.hash === "#tour") {
  window.history.replaceState(null, "", window.location.pathname + window.location.search);
  localStorage.removeItem(TOUR_KEY);
}
if (document.querySelector(tourSteps()[0][0]) && !localStorage.getItem(TOUR_KEY)) {
  document.addEventListener("opportunity:joined", () => tour(), { once: true });
}
