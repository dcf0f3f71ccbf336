// What comes in: the line to the market, its streams by timeframe, and what the detectors read.

const STATES = { live: ["●", "ok"], polling: ["●", "ok"], connecting: ["◐", "mid"], recovering: ["◐", "mid"], limited: ["◐", "mid"], banned: ["▲", "bad"], down: ["▲", "bad"] };

function stateWords(name) {
  switch (name) {
    case "live": return t("live");
    case "polling": return t("polling");
    case "connecting": return t("connecting");
    case "recovering": return t("recovering");
    case "limited": return t("asked to wait");
    case "banned": return t("banned");
    case "down": return t("down");
    default: return name;
  }
}

function readName(name) {
  switch (name) {
    case "bars": return t("bars");
    case "feargreed": return t("Fear & Greed");
    case "funding": return t("funding");
    case "headline": return t("headlines");
    case "longshort": return t("long/short ratio");
    case "openinterest": return t("open interest");
    case "orderbook": return t("order book");
    case "transfer": return t("transfers");
    case "trade": case "trades": case "printminute": return t("prints");
    case "social": case "socialvolume": return t("social mood");
    default: return name;
  }
}

export function render({ model }) {
  const stamp = h("span", { class: "chip stamp" }), facts = h("dl", { class: "facts" }), text = h("p", { class: "note text" });
  const streams = h("tbody"), sources = h("tbody");
  const th = (words, start, name = "") => h("th", { scope: "col", class: start ? "start" : name }, words);
  const first = h("table", { "aria-label": t("Streams by timeframe") }, h("thead", {}, h("tr", {}, th(t("Timeframe"), true), th(t("Streams"), false, "roomy"), th(t("Newest close")), th(t("Age")), th(t("Late")), th(t("Lowest trust")))), streams);
  const second = h("table", { "aria-label": t("Detectors and what they read") }, h("thead", {}, h("tr", {}, th(t("Detector"), true), th(t("Reads"), true), th(t("There")), th(t("Speaks on")))), sources);
  const none = h("p", { class: "none" }, h("b", {}, t("Nothing is scored yet")), t("The agent is still reading history."));
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Feeds")), h("span", { class: "spacer" }), stamp),
    facts, text, none, h("div", { class: "pair" }, h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("Streams by timeframe") }, first),
      h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("Detectors and what they read") }, second)));

  function fact(name, value, tone = "", hint = "") {
    return h("div", { title: hint || null }, h("dt", {}, name), h("dd", { class: tone || null }, h("bdi", {}, value)));
  }

  function drawLine(s) {
    const line = s.line, [glyph, tone] = STATES[line?.state] ?? ["●", s.age_s === null ? "off" : "ok"];
    const slow = s.age_s !== null && s.age_s > 3 * s.bar_s + 5;
    const found = [
      h("div", {}, h("dt", {}, t("Line")), h("dd", { class: `state ${tone}` }, `${glyph} ${line ? stateWords(line.state) : s.age_s === null ? t("nothing yet") : t("runs here")}`)),
      fact(t("Bars closed"), s.age_s === null ? "–" : `${ago(s.age_s * 1000)}`, slow ? "mid" : "", t("Wall time since bars of the base timeframe closed last")),
      fact(t("One bar lasts"), s.bar_s >= 1 ? ago(s.bar_s * 1000) : `${number(s.bar_s, 2)} s`, "", t("Wall time between two closes of the base timeframe")),
    ];
    if (line) found.push(
      fact(t("Delay"), line.delay_ms === null ? "–" : `${number(line.delay_ms, 0)} ms`, "", t("From the close of a batch to its release, median")),
      fact(t("Clock skew"), line.skew_ms === null ? "–" : `${line.skew_ms} ms`, "", t("The exchange's clock minus this machine's")),
      fact(t("Reconnects"), count(line.reconnects)), fact(t("Corrected bars"), count(line.corrections)), fact(t("Refused rows"), count(line.refused)));
    facts.replaceChildren(...found);
    setText(text, line?.text ?? (s.simulated ? t("Prices are made up by the simulator in this process; nothing here is real.") : t("This feed has no line that could break.")));
  }

  function draw() {
    const s = JSON.parse(model.state || "{}");
    const loading = s.feed === undefined;
    stamp.hidden = loading;
    root.setAttribute("aria-busy", String(loading));
    if (loading) return;
    setText(stamp, s.simulated ? t("SIMULATED") : `${s.feed} · ${s.source}`);
    stamp.classList.toggle("invented", s.simulated);
    drawLine(s);
    none.hidden = s.streams.length > 0;
    first.hidden = !s.streams.length;
    streams.replaceChildren(...s.streams.map((r) => h("tr", {}, h("td", { class: "start" }, h("b", {}, figure(r.timeframe))), h("td", { class: "roomy" }, figure(`${r.streams} / ${r.of}`)),
      h("td", {}, r.newest === null ? "–" : h("bdi", {}, clock(r.newest))), h("td", {}, r.age_ms === null ? "–" : h("bdi", {}, ago(r.age_ms))),
      h("td", {}, r.late ? h("span", { class: "mid" }, "▲ ", figure(r.late)) : h("span", { class: "ok" }, "● ", figure(0))),
      h("td", { class: r.trust !== null && r.trust < 0.5 ? "mid" : null }, figure(number(r.trust))))));
    sources.replaceChildren(...s.sources.map((r) => h("tr", {}, h("td", { class: "start" }, r.name), h("td", { class: "start dim wrap" }, [...new Set(r.reads.filter((one) => one !== "heartbeat").map(readName))].join(", ") || t("{n} errors", { n: r.errors ?? 0 })),
      h("td", {}, r.there ? h("span", { class: "ok" }, "● ", t("yes")) : h("span", { class: "off" }, "○ ", t("no"))),
      h("td", {}, figure(r.share === null ? "–" : `${Math.round(100 * r.share)} %`)))));
  }

  model.on("state", draw);
  draw();
  return root;
}
