// Alerts and trades as they happen: how many are new, a list, and, where the reader allowed it, a
// notification of the browser and a tone. What was read is remembered in this browser.

const KEPT = 60, READ_KEY = "opportunity-read", CHANNELS = ["alert", "trade"];
const QUIET_MS = 2500;  // so long after a notification the next ones wait and come as one
const REASONS = {
  ENTRY: t("entry on a signal"), SL: t("stop reached"), TP: t("target reached"), TIME: t("held as long as the rules allow"),
  SIGNAL: t("the signal turned"), MANUAL: t("closed by hand"), GONE: t("not watched any more"),
};
const BREAKERS = { daily_loss: t("Daily loss"), drawdown: t("Drawdown"), losing_streak: t("Losing streak"), stale_data: t("Stale data") };
const STATES = { OPEN: t("open: no new entries"), HALF_OPEN: t("half open: one entry at a time"), CLOSED: t("closed: entries go on") };

const money = (value) => typeof value === "number"
  ? ltr(`${value < 0 ? "−" : "+"}${Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`) : "–";

/** Word an event: sign, tone, title, text; null for what is no news to people. */
function worded({ event, data = {}, symbol }) {
  const reason = REASONS[data.reason] ?? data.reason ?? "";
  if (event === "trade") {
    const won = data.pnl >= 0;
    return { sign: won ? "▲" : "▼", tone: won ? "bull" : "bear", text: [ltr(`${price(data.entry)} → ${price(data.exit)}`), reason],
      title: data.side < 0 ? t("{symbol} short ended {pnl}", { symbol, pnl: money(data.pnl) }) : t("{symbol} long ended {pnl}", { symbol, pnl: money(data.pnl) }) };
  }
  if (event === "fill") {
    if (data.reason !== "ENTRY") return null;  // the trade that it ends tells more
    return { sign: data.side < 0 ? "▽" : "△", tone: "dim", text: [price(data.price), reason],
      title: data.side < 0 ? t("{symbol} short entered", { symbol }) : t("{symbol} long entered", { symbol }) };
  }
  if (event === "breaker") {
    const open = data.state !== "CLOSED", name = BREAKERS[data.name] ?? data.name;
    return { sign: open ? "⚠" : "✓", tone: open ? "warn" : "bull", text: [STATES[data.state] ?? data.state, data.reason],
      title: t("Breaker: {name}", { name }), loud: open };
  }
  if (event === "price_alert") {
    const title = data.rule === "above" ? t("{symbol} at or above {price}", { symbol: data.symbol, price: price(data.price) })
      : t("{symbol} at or below {price}", { symbol: data.symbol, price: price(data.price) });
    return { sign: "◆", tone: "acc", title, text: [t("touched {price}", { price: price(data.touched) }), data.note], loud: true };
  }
  const titles = { storage: t("Storage"), lease: t("Lease"), alert: t("Decay alarm") };
  if (!(event in titles)) return null;
  return { sign: "⚠", tone: "warn", title: titles[event], text: [data.text ?? data.reason ?? data.why ?? data.state ?? data.what], loud: true };
}

/** A short tone, made here; it needs no file. Browsers are silent until the page was pressed once. */
let sound = null;
function tone() {
  sound ??= new AudioContext();
  sound.resume().then(() => {
    for (const [at, pitch] of [[0, 660], [0.13, 880]]) {
      const wave = sound.createOscillator(), volume = sound.createGain(), from = sound.currentTime + at;
      wave.frequency.value = pitch;
      volume.gain.setValueAtTime(0, from);
      volume.gain.linearRampToValueAtTime(0.12, from + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, from + 0.28);
      wave.connect(volume).connect(sound.destination);
      wave.start(from);
      wave.stop(from + 0.3);
    }
  }, () => {});
}

/** Tell whether this tab is the first of the browser's to tell of something. */
function firstToTell(id) {
  if (localStorage.getItem("opportunity-told") === id) return false;
  localStorage.setItem("opportunity-told", id);
  return true;
}

export function render({ model }) {
  const count = h("span", { class: "count" }), voice = h("span", { class: "hidden", role: "status" });
  const button = h("button", { class: "chip", type: "button", popovertarget: "panel", "aria-haspopup": "dialog" }, icon("bell"), count);
  const list = h("ul", { class: "list" }), note = h("p", { class: "note" });
  const panel = h("div", { id: "panel", class: "panel", popover: "auto", role: "dialog", "aria-label": t("Alerts and trades") },
    h("div", { class: "top" }, h("h2", {}, t("Alerts and trades")), h("button", { class: "shut", type: "button", "aria-label": t("Close"), onclick: () => panel.hidePopover() }, icon("close"))),
    list, note);
  const root = h("div", { class: "bell" }, button, panel, voice);
  let events = [], read = remembered(), loaded = false, failed = false, waiting = [], quiet = null, epoch = read.epoch;

  function remembered() {
    try { return JSON.parse(localStorage.getItem(READ_KEY)) ?? {}; } catch { return {}; }
  }

  const isNew = (one) => one.seq > (read[one.channel] ?? Infinity);

  function draw() {
    const fresh = events.filter(isNew).length;
    setText(count, fresh > 99 ? "99+" : String(fresh));
    root.classList.toggle("fresh", fresh > 0);
    const label = fresh ? t("Alerts and trades, {n} new", { n: fresh }) : t("Alerts and trades, none new");
    button.setAttribute("aria-label", label);
    button.title = label;
    if (panel.matches(":popover-open")) fill();
  }

  function item(one) {
    const { sign, tone: colour, title, text } = one.words;
    return h("li", { class: isNew(one) ? "new" : "" },
      h("span", { class: `sign ${colour}`, "aria-hidden": "true" }, sign),
      h("div", {}, h("b", {}, h("bdi", {}, title)), h("div", { class: "dim" }, ...text.filter(Boolean).flatMap((part, i) => [i ? " · " : null, h("bdi", {}, part)]))),
      h("time", { class: "dim", title: t("Market time") }, clock(one.time)));
  }

  function fill() {
    list.replaceChildren(...events.map(item));
    const marked = events.some((one) => one.source === "simulated");
    setText(note, failed ? t("The older ones cannot be had now; new ones appear here.")
      : !loaded ? t("Waiting for the connection…")
        : events.length ? (marked ? t("Simulated: prices, trades and alerts are made up.") : "")
          : t("Nothing yet. Price alerts, breakers and the trades of the paper account appear here."));
  }

  function keepRead() {
    read = { epoch };
    for (const channel of CHANNELS) read[channel] = Math.max(heads[channel] ?? 0, ...events.filter((e) => e.channel === channel).map((e) => e.seq));
    localStorage.setItem(READ_KEY, JSON.stringify(read));
  }

  const heads = {};

  /** Take events of one channel into the list, the newest first; what is there already is passed over. */
  function take(found) {
    const there = new Set(events.map((one) => `${one.channel} ${one.seq}`));
    const added = found.filter((one) => !there.has(`${one.channel} ${one.seq}`))
      .map((one) => ({ ...one, words: worded(one) })).filter((one) => one.words);
    if (!added.length) return [];
    events = [...added, ...events].sort((a, b) => b.ts - a.ts || b.seq - a.seq).slice(0, KEPT);
    return added;
  }

  async function history() {
    failed = false;
    for (const channel of CHANNELS) {
      try {
        const after = Math.max(0, heads[channel] - KEPT);
        const answer = await fetch(new URL(`api/stream/events?channel=${channel}&after=${after}`, document.baseURI));
        if (!answer.ok) throw new Error(String(answer.status));
        take((await answer.json()).events);
      } catch { failed = true; }
    }
    loaded = true;
    draw();
  }

  function hear(message) {
    if (message.type === "subscription_confirmed" && CHANNELS.every((c) => message.channels?.includes(c))) {
      if (epoch !== message.epoch) { events = []; read = { epoch: message.epoch, ...message.seqs }; epoch = message.epoch; localStorage.setItem(READ_KEY, JSON.stringify(read)); }
      Object.assign(heads, message.seqs);
      history();
    } else if (CHANNELS.includes(message.type) && message.seq !== undefined) {
      const added = take([{ ...message, channel: message.type }]);
      heads[message.type] = Math.max(heads[message.type] ?? 0, message.seq);
      if (added.length) tellOf(added[0]);
      draw();
    }
  }

  /** Notify and sound, at most once in a while; what comes meanwhile is told together. */
  function tellOf(one) {
    waiting.push(one);
    if (quiet === null) speak();
  }

  function speak() {
    quiet = null;
    if (!waiting.length) return;
    const loud = waiting.find((one) => one.words.loud) ?? waiting.at(-1), many = waiting.length;
    const id = `${loud.channel} ${loud.seq}`;
    waiting = [];
    quiet = setTimeout(speak, QUIET_MS);
    setText(voice, loud.words.title);
    if (!firstToTell(id)) return;
    if (localStorage.getItem("opportunity-sound") === "on") tone();
    if (localStorage.getItem("opportunity-notify") !== "on" || globalThis.Notification?.permission !== "granted") return;
    if (document.hasFocus() && panel.matches(":popover-open")) return;
    const more = many > 1 ? t("and {n} more", { n: many - 1 }) : "";
    const mark = loud.source === "simulated" ? `[${t("simulated")}] ` : "";
    const told = new Notification(mark + loud.words.title, { body: [...loud.words.text, more].filter(Boolean).join(" · "), tag: id, silent: true });
    told.onclick = () => { window.focus(); told.close(); };
  }

  function place() {
    const box = button.getBoundingClientRect(), rtl = document.documentElement.dir === "rtl";
    const narrow = window.innerWidth <= 620;
    panel.style.top = `${box.bottom + 13}px`;
    panel.style.left = narrow ? "8px" : rtl ? `${Math.max(8, box.left)}px` : "auto";
    panel.style.right = narrow ? "8px" : rtl ? "auto" : `${Math.max(8, document.documentElement.clientWidth - box.right)}px`;
  }

  panel.addEventListener("beforetoggle", (event) => { if (event.newState === "open") { place(); fill(); } });
  panel.addEventListener("toggle", (event) => {
    button.setAttribute("aria-expanded", event.newState === "open");
    if (event.newState === "closed") { keepRead(); draw(); }
  });
  button.setAttribute("aria-expanded", "false");
  const other = (event) => { if (event.key === READ_KEY) { read = remembered(); draw(); } };
  window.addEventListener("storage", other);
  onDo(model, { tone: () => tone(), alerts: () => panel.showPopover() });
  onLine(model, hear, (say) => say({ action: "subscribe", channels: CHANNELS }));
  model.on("remove", () => { clearTimeout(quiet); window.removeEventListener("storage", other); sound?.close(); sound = null; });
  draw();
  return root;
}
