// How late the loops are, how long work takes, and what waits somewhere.

function rowName({ kind, label }) {
  switch (kind) {
    case "loop_lag": return label === "agent" ? t("Agent's loop, late by") : label === "server" ? t("Server's loop, late by") : t("Loop {name}, late by", { name: label });
    case "scan": return t("Ranking of all symbols");
    case "commit": return t("Writing of the account");
    default: return label;
  }
}

function queueName(name) {
  switch (name) {
    case "states": return t("States for the page");
    case "events": return t("Events for the page");
    case "postings": return t("Postings to store");
    case "notices": return t("Notices to send");
    case "jobs": return t("Jobs queued");
    default: return t("Messages for the bus");
  }
}

/** Durations are known by bins: what is shown is the end of the bin. */
function atMost(ms, n) {
  if (!n) return "–";
  if (ms === null) return "> 10 s";
  return `≤ ${ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`}`;
}

export function render({ model }) {
  const body = h("tbody"), parts = h("tbody"), waiting = h("ul", { class: "queues", "aria-label": t("Queues") });
  const th = (words, hint, name = "") => h("th", { scope: "col", title: hint, class: name }, words);
  const heads = () => h("thead", {}, h("tr", {}, th(h("span", { class: "hidden" }, t("What")), null, "start"), th(t("Times"), t("In the last minute"), "roomy"), th(t("Half"), t("Half of the last minute's took at most this long")),
    th("99 %", t("99 of 100 of the last minute's took at most this long")), th(t("Worst"), t("The longest of the last minute")), th(t("99 % ever"), t("Since the start of the server"), "roomy")));
  const more = h("details", {}, h("summary", {}, t("Detectors, one batch each")), h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("Detectors, one batch each") }, h("table", {}, heads(), parts)));
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Latency and queues")), h("span", { class: "dim" }, t("last minute"))),
    waiting, h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("Latency") }, h("table", {}, heads(), body)), more);

  function line(r) {
    return h("tr", {}, h("td", { class: "start name" }, rowName(r)), h("td", { class: "dim roomy" }, figure(count(r.n))), h("td", {}, figure(atMost(r.half, r.n))),
      h("td", {}, figure(atMost(r.most, r.n))), h("td", { class: r.over ? "mid" : null, title: r.limit === null ? null : t("Should stay under {n} ms", { n: r.limit }) },
        r.over ? "▲ " : "", figure(atMost(r.worst, r.n))), h("td", { class: "dim roomy" }, figure(atMost(r.ever, r.total))));
  }

  function draw() {
    const s = JSON.parse(model.state || "{}"), rows = s.rows ?? [];
    root.setAttribute("aria-busy", String(s.rows === undefined));
    body.replaceChildren(...rows.filter((r) => r.kind !== "detector").map(line));
    const detectors = rows.filter((r) => r.kind === "detector");
    more.hidden = !detectors.length;
    parts.replaceChildren(...detectors.map(line));
    waiting.replaceChildren(...(s.queues ?? []).map((q) => h("li", {}, h("span", { class: "dim" }, queueName(q.name)),
      h("b", { class: q.n > q.most ? "mid" : null }, q.n > q.most ? "▲ " : "", figure(count(q.n))))));
  }

  model.on("state", draw);
  draw();
  return root;
}
