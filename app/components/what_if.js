// What the draft would have earned beside the weights in force: two lines over one stretch of time.

const ROOM = { height: 84, top: 6, bottom: 6 };

function makeWhatIf(model) {
  const svg = h("svg", { role: "img", dir: "ltr", preserveAspectRatio: "none" });
  const shape = (name) => { const e = h("path", { class: name }); svg.append(e); return e; };
  const zero = shape("zero"), nowLine = shape("now-line"), draftLine = shape("draft-line"), cross = shape("cross");
  const title = h("span"), said = h("span", { class: "said" }), tried = h("span", { class: "dim" });
  const nowSide = side("now"), draftSide = side("draft");
  const when = h("span", { class: "when dim", dir: "ltr" });
  const about = h("p", { class: "about dim", hidden: true });
  const more = h("button", { class: "link", type: "button", "aria-expanded": "false", onclick: () => {
    about.hidden = !about.hidden;
    more.setAttribute("aria-expanded", !about.hidden);
  } }, t("What is this?"));
  const plot = h("div", { class: "plot" }, svg, when);
  const ready = h("div", { class: "ready" }, plot, h("div", { class: "sides" }, nowSide.element, draftSide.element),
    h("p", { class: "verdict", role: "status" }, said, " ", tried, " ", more), about);
  const empty = h("p", { class: "empty dim" });
  const root = h("details", { class: "what-if", open: true, hidden: true }, h("summary", {}, title), ready, empty);
  let state = {}, width = 0, at = null;

  root.open = localStorage.getItem("opportunity-what-if") !== "closed";
  if (model.looked !== root.open) model.looked = root.open;
  root.addEventListener("toggle", () => {
    localStorage.setItem("opportunity-what-if", root.open ? "open" : "closed");
    if (model.looked !== root.open) model.looked = root.open;
    draw();
  });

  function side(kind) {
    const label = h("span", { class: "label" }, kind === "now" ? t("now") : t("draft"));
    const value = h("b", { dir: "ltr" }), detail = h("span", { class: "dim", dir: "auto" });
    return { value, detail, element: h("div", { class: kind }, h("div", {}, label, " ", value), detail) };
  }

  function take() {
    state = JSON.parse(model.what_if || "{}");
    root.hidden = !state.state;
    ready.hidden = state.state !== "ready";
    empty.hidden = state.state === "ready";
    setClass(empty, state.state === "waiting" ? "empty dim pending" : "empty dim");
    if (state.state !== "ready") {
      setText(title, t("What if"));
      setText(empty, state.state === "missing" ? t("There is no what-if here. {reason}", { reason: state.reason }) : t("Reading recent history…"));
      return;
    }
    setText(title, t("What if, last {days} days, {n} symbols", { days: state.days, n: state.symbols }));
    setText(said, t(state.verdict));
    setClass(said, state.draft && !state.noise ? "said" : "said dim");
    setText(tried, state.tried === 1 ? t("1 weight set tried.") : state.tried ? t("{n} weight sets tried.", { n: state.tried }) : "");
    setText(about, [
      t("Equal parts of a paper account, one for each symbol, traded under the present rules and limits at closes of {timeframes}. Each part is exactly the backtest of its symbol; limits that symbols share are left out.", { timeframes: state.timeframes.join(", ") }),
      state.draft ? t("Trades: now {now}, draft {draft}.", { now: state.now.trades, draft: state.draft.trades }) : t("Trades: {now}.", { now: state.now.trades }),
      state.absent.length ? t("Without history, so not in it: {names}.", { names: state.absent.join(", ") }) : "",
      t("Source: {source}. What was says little about what comes.", { source: state.source }),
    ].filter(Boolean).join(" "));
    draw();
  }

  function valueAt(curve, x) {
    let low = 0, high = curve.x.length - 1;
    while (low < high) { const mid = (low + high + 1) >> 1; if (curve.x[mid] <= x) low = mid; else high = mid - 1; }
    return curve.y[low] / 1e5;
  }

  function tell(part, curve) {
    const value = curve ? (at === null ? curve.earned : valueAt(curve, at)) : null;
    setText(part.value, percent(value));
    setText(part.detail, curve ? t("worst fall {fall}", { fall: percent(-curve.drawdown) }) : t("not turned"));
  }

  function draw() {
    if (state.state !== "ready" || !root.open) return;
    width = plot.clientWidth || width;
    const { now, draft } = state;
    tell(nowSide, now);
    tell(draftSide, draft);
    setClass(draftSide.element, draft ? "draft" : "draft none");
    setText(when, at === null ? "" : clock(state.since + at * 60_000));
    if (width < 40) return;
    const all = [...now.y, ...(draft ? draft.y : []), 0];
    const low = Math.min(...all), span = Math.max(...all) - low || 1, end = now.x[now.x.length - 1] || 1;
    const x = (v) => (1 + v / end * (width - 2)).toFixed(1);
    const y = (v) => (ROOM.top + (1 - (v - low) / span) * (ROOM.height - ROOM.top - ROOM.bottom)).toFixed(1);
    const path = (curve) => curve.x.map((v, i) => `${i ? "L" : "M"}${x(v)} ${y(curve.y[i])}`).join("");
    svg.setAttribute("viewBox", `0 0 ${width} ${ROOM.height}`);
    zero.setAttribute("d", `M0 ${y(0)}H${width}`);
    nowLine.setAttribute("d", path(now));
    draftLine.setAttribute("d", draft ? path(draft) : "");
    cross.setAttribute("d", at === null ? "" : `M${x(at)} 0V${ROOM.height}`);
    svg.setAttribute("aria-label", draft
      ? t("Equity over {days} days: now {now}, draft {draft}", { days: state.days, now: percent(now.earned), draft: percent(draft.earned) })
      : t("Equity over {days} days: now {now}", { days: state.days, now: percent(now.earned) }));
  }

  svg.addEventListener("pointermove", (event) => {
    if (state.state !== "ready" || !width) return;
    const share = (event.clientX - svg.getBoundingClientRect().left) / width;
    at = Math.max(0, Math.min(1, share)) * state.now.x[state.now.x.length - 1];
    draw();
  });
  svg.addEventListener("pointerleave", () => { at = null; draw(); });
  new ResizeObserver(() => { if (plot.clientWidth && plot.clientWidth !== width) draw(); }).observe(plot);
  model.on("what_if", take);
  take();
  return root;
}
