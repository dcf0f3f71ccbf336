// The server at a glance: a line that says whether all is well, and tiles of what it stands on.

const UNIT = [[86400, "d"], [3600, "h"], [60, "m"]];

function span(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const i = UNIT.findIndex(([size]) => seconds >= size), [size, unit] = UNIT[i];
  const rest = UNIT[i + 1] ? Math.floor((seconds % size) / UNIT[i + 1][0]) : 0;
  return `${Math.floor(seconds / size)} ${unit}${rest ? ` ${rest} ${UNIT[i + 1][1]}` : ""}`;
}

export function render({ model }) {
  const verdict = h("span", { class: "state" }), quiet = h("span", { class: "dim" });
  const list = h("ul", { class: "troubles", role: "alert" }), tiles = h("div", { class: "tiles" });
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("System")), verdict, h("span", { class: "spacer" }), quiet), list, tiles);
  const made = new Map();

  function tile(name, title, value, below, tone = "") {
    if (!made.has(name)) {
      const b = h("b"), small = h("span", { class: "below" });
      made.set(name, { b, small });
      tiles.append(h("div", { class: "tile" }, h("span", { class: "name" }, title), b, small));
    }
    const { b, small } = made.get(name);
    b.dir = "auto";
    setText(b, value);
    setClass(b, tone);
    setText(small, below);
    small.title = below;
  }

  function draw() {
    const s = JSON.parse(model.state || "{}"), loading = s.version === undefined;
    const bad = s.troubles ?? [];
    setText(verdict, loading ? t("Loading …") : bad.length ? `▲ ${t("Needs attention")}` : `● ${t("All is well")}`);
    setClass(verdict, `state ${loading ? "off" : bad.length ? "bad" : "ok"}`);
    list.hidden = !bad.length;
    list.replaceChildren(...bad.map((one) => h("li", {}, t(one))));
    if (loading) return;
    setText(quiet, s.login ? t("Everybody logs in") : t("This machine only, no login"));
    tile("up", t("Up for"), span(s.uptime_s), t("version {version}", { version: s.version }));
    tile("agent", t("Agent"), s.running ? (s.enabled ? t("ON") : t("OFF")) : t("stopped"),
      t("{n} scans, heartbeat {s} s", { n: count(s.scans), s: s.heartbeat_ms / 1000 }), s.running ? "" : "bad");
    tile("scan", t("Last scan"), s.scan_ms === null ? "–" : `${number(s.scan_ms, s.scan_ms < 10 ? 1 : 0)} ms`,
      t("{n} symbols · {m} timeframes", { n: s.symbols, m: s.timeframes.length }));
    tile("market", t("Market time"), s.market_time ? clock(s.market_time) : "–", s.speed === 1 ? t("as the wall clock") : t("{n} times the wall clock", { n: s.speed }));
    tile("stream", t("Open WebSockets"), count(s.connections), t("{n} subscriptions, {m} messages", { n: count(s.subscriptions), m: count(s.sent) }));
    tile("database", t("Database"), s.database === "sqlite" ? (s.size === null ? t("in memory") : bytes(s.size)) : "PostgreSQL",
      s.database_ms === null ? t("no answer") : s.free === null ? t("answers in {n} ms", { n: number(s.database_ms, 1) })
        : t("answers in {n} ms, {free} free", { n: number(s.database_ms, 1), free: bytes(s.free) }), s.database_ms === null ? "bad" : "");
    tile("memory", t("Memory"), bytes(s.resident), s.recording ? t("a session is recorded") : t("no session is recorded"));
    tile("jobs", t("Jobs"), t("{n} running", { n: s.jobs.running }), t("{n} queued, {m} kept", { n: s.jobs.queued, m: s.jobs.kept }));
    tile("parts", t("Built on"), `Python ${s.parts.python}`, Object.entries(s.parts).filter(([name]) => name !== "python").map(([name, v]) => `${name} ${v}`).join(" · "));
  }

  model.on("state", draw);
  draw();
  return root;
}
