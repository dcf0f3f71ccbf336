// Fear & Greed: a half circle with a needle, and the days before it.

const HEIGHT = 120, PAD = 8;

export function render({ model }) {
  const arcs = [0, 1, 2, 3, 4].map((i) => h("path", { class: `arc a${i}` }));
  const needle = h("path", { class: "needle" });
  const dial = h("svg", { viewBox: "0 0 200 112", class: "dial", "aria-hidden": "true" }, ...arcs, needle);
  const value = h("b", { class: "value fig" }), mood = h("span", { class: "mood" }), change = h("span", { class: "dim change" });
  const low = h("span", { class: "dim end" }, `0 ${t("fear")}`), high = h("span", { class: "dim end" }, `${t("greed")} 100`);
  const gauge = h("div", { class: "gauge", role: "img" }, dial, h("div", { class: "reading" }, value, mood, change),
    h("div", { class: "ends", "aria-hidden": "true" }, low, high));
  const bands = h("path", { class: "bands" }), line = h("path", { class: "line" }), dot = h("path", { class: "dot" }), cross = h("path", { class: "cross" });
  const svg = h("svg", { role: "img", tabindex: 0, preserveAspectRatio: "none", class: "history" }, bands, line, cross, dot);
  const labels = h("div", { class: "labels", "aria-hidden": "true" });
  const plot = h("div", { class: "plot", dir: "ltr" }, svg, labels);
  const readout = h("p", { class: "dim readout" });
  const age = h("span", { class: "dim age" }), stale = h("span", { class: "tag warn", hidden: true }, t("stale"));
  const empty = h("p", { class: "dim empty", role: "status" }), problem = h("p", { class: "problem", role: "alert" });
  const note = h("p", { class: "note foot" }, t("Mood of the whole market. Extremes are read against the crowd: deep fear counts as bullish, deep greed as bearish."));
  const body = h("div", { class: "body" }, gauge, h("div", { class: "past" }, plot, readout), note);
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Fear & Greed")), stale, h("span", { class: "spacer" }), age), empty, problem, body);
  let s = {}, width = 0, at = -1, place = null;

  const turn = (v) => Math.PI * (1 - v / 100);
  const spot = (v, r) => `${(100 + r * Math.cos(turn(v))).toFixed(1)} ${(104 - r * Math.sin(turn(v))).toFixed(1)}`;

  function draw() {
    s = JSON.parse(model.state || "{}");
    const there = s.value !== null && s.value !== undefined;
    body.hidden = !there;
    empty.hidden = there;
    setText(empty, s.stamp === undefined ? t("The agent warms up; the mood follows.")
      : t("No source of Fear & Greed has said anything yet. A server on an exchange reads it with --fear-greed."));
    setText(problem, model.problem ? t("What surrounds the market could not be read: {why}", { why: model.problem }) : s.problem ? t("The history could not be read: {why}", { why: s.problem }) : "");
    tick();
    if (!there) return;
    const ends = [0, ...s.ends, 100];
    arcs.forEach((arc, i) => arc.setAttribute("d", `M${spot(ends[i] + (i ? 0.8 : 0), 88)}A88 88 0 0 1 ${spot(ends[i + 1] - (i < 4 ? 0.8 : 0), 88)}`));
    needle.setAttribute("d", `M${spot(s.value, 76)}L${spot(s.value, 98)}`);
    setText(value, s.value.toFixed(0));
    setText(mood, t(s.mood));
    setText(change, s.change === null ? "" : t("{change} in 7 days", { change: `${s.change > 0 ? "▲ +" : s.change < 0 ? "▼ −" : "● "}${Math.abs(s.change).toFixed(0)}` }));
    gauge.setAttribute("aria-label", t("Fear & Greed {value} of 100: {mood}", { value: s.value.toFixed(0), mood: t(s.mood) }));
    history();
  }

  function tick() {
    const known = s.known ?? null;
    setText(age, known === null ? "" : t("{age} old · {source}", { age: ago(model.clock - known), source: s.source }));
    age.title = known === null ? "" : t("Known since {time}; the index is of one day each", { time: clock(known) });
    stale.hidden = known === null || s.current;
  }

  function history() {
    const n = s.time.length;
    plot.parentElement.hidden = n < 2;
    width = plot.clientWidth || width;
    if (n < 2 || width < 60) return;
    const right = width - 30, first = s.time[0], span = s.time[n - 1] - first || 1;
    const x = (time) => 4 + (time - first) / span * (right - 10), y = (v) => PAD + (100 - v) / 100 * (HEIGHT - 2 * PAD);
    place = { x, y, right };
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    svg.setAttribute("width", width);
    svg.setAttribute("height", HEIGHT);
    bands.setAttribute("d", s.ends.map((e) => `M0 ${y(e).toFixed(1)}H${right}`).join(""));
    line.setAttribute("d", s.time.map((time, i) => `${i ? "L" : "M"}${x(time).toFixed(1)} ${y(s.values[i]).toFixed(1)}`).join(""));
    labels.replaceChildren(...s.ends.filter((e, i, all) => !i || y(all[i - 1]) - y(e) > 12).map((e) => h("span", { style: `left:${right + 5}px;top:${y(e).toFixed(0)}px` }, String(e))));
    svg.setAttribute("aria-label", t("Fear & Greed of {n} days, from {low} to {high}. Arrow keys read single days.", { n, low: Math.min(...s.values), high: Math.max(...s.values) }));
    point(at >= n ? -1 : at);
  }

  function point(i) {
    at = i;
    const n = s.time?.length ?? 0, k = i < 0 ? n - 1 : i;
    if (n < 2 || !place) return;
    const px = place.x(s.time[k]), py = place.y(s.values[k]);
    cross.setAttribute("d", i < 0 ? "" : `M${px.toFixed(1)} 0V${HEIGHT}`);
    dot.setAttribute("d", `M${px.toFixed(1)} ${py.toFixed(1)}h.01`);
    setText(readout, i < 0 ? t("{n} days; the line ends on {day}", { n, day: clock(s.time[k]).replace(/ \d\d:\d\d$/, "") })
      : `${clock(s.time[k]).replace(/ \d\d:\d\d$/, "")} · ${s.values[k]}`);
  }

  svg.addEventListener("pointermove", (event) => {
    if (!place) return;
    const first = s.time[0], last = s.time[s.time.length - 1];
    const time = first + (event.clientX - svg.getBoundingClientRect().left - 4) / (place.right - 10) * (last - first);
    point(s.time.reduce((best, one, i) => Math.abs(one - time) < Math.abs(s.time[best] - time) ? i : best, 0));
  });
  svg.addEventListener("pointerleave", () => point(-1));
  svg.addEventListener("blur", () => point(-1));
  svg.addEventListener("keydown", (event) => {
    const last = (s.time?.length ?? 0) - 1, from = at < 0 ? last : at;
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last }[event.key];
    if (to === undefined || last < 1) return;
    event.preventDefault();
    point(Math.max(0, Math.min(last, to)));
  });
  new ResizeObserver(() => { if (plot.clientWidth !== width) history(); }).observe(root);
  model.on("state", draw);
  model.on("clock", tick);
  model.on("problem", draw);
  draw();
  return root;
}
