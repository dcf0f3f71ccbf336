// The browser's own line to the server: is it up, how far is it, how old is what we see?
// It also brings the page back: after a restart of the server the page loads itself again.

const LABEL = { connecting: t("WS: CONNECTING"), connected: t("WS: CONNECTED"), reconnecting: t("WS: RECONNECTING"),
  disconnected: t("WS: DISCONNECTED"), error: t("WS: ERROR") };
const SIGN = { connecting: "◐", connected: "●", reconnecting: "◐", disconnected: "○", error: "✕" };
const FIRST_MS = 1500, LONGEST_MS = 30000, PING_MS = 3000, DEAF_MS = 10000, QUICK = 10;
const LOGGED_OUT = 4001;  // the login has ended: the server sends the page to log in again
const REFUSED = { 1008: t("refused by the server"), 1013: t("the server is full"), 4010: t("this page was too slow") };

/** Wait before attempt n: exponential, with full jitter so that many pages do not come at once. */
function backoff(n, random = Math.random) {
  return Math.max(250, random() * Math.min(LONGEST_MS, FIRST_MS * 1.5 ** (n - 1)));
}

export function render({ model }) {
  const sign = h("span", { class: "sign", "aria-hidden": "true" }), label = h("span"), detail = h("span", { class: "dim detail" });
  const badge = h("button", { class: "chip badge", type: "button", onclick: again }, sign, label, detail);
  const market = h("span", { class: "chip market", title: t("Time of the market, in your time zone: {zone}", { zone: PARTS.resolvedOptions().timeZone }) });
  const stale = h("span", { class: "chip stale", role: "alert", hidden: true });
  const voice = h("span", { class: "hidden", role: "status" });
  const root = h("div", { class: "line" }, stale, market, badge, voice);
  let socket = null, state = "connecting", attempt = 0, due = 0, timer = null, rtt = null, heard = performance.now();
  let asked = new Map(), id = 0, reason = "", lost = false, leaving = false, beat = performance.now();

  function address() {
    const url = new URL(model.path, document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return url;
  }

  function enter(next) {
    if (state !== next) setText(voice, LABEL[next]);
    state = next;
    document.documentElement.dataset.line = next;
    draw();
  }

  function connect() {
    clearTimeout(timer);
    timer = null;
    enter(attempt === 0 ? "connecting" : "reconnecting");
    const own = new WebSocket(address());
    socket = own;
    own.onopen = () => { if (own === socket) opened(); };
    own.onmessage = (event) => { if (own === socket) message(JSON.parse(event.data)); };
    own.onclose = (event) => { if (own === socket) closed(event.code); };
  }

  function opened() {
    attempt = 0;
    reason = "";
    heard = performance.now();
    asked.clear();
    enter("connected");
    ping();
    document.dispatchEvent(new CustomEvent("opportunity:joined"));
    if (lost) reload();
  }

  function closed(code) {
    socket = null;
    rtt = null;
    if (leaving) return;
    if (code === LOGGED_OUT) {  // where somebody pressed Log out, the page is on its way already
      setTimeout(() => { if (!leaving) reload(); }, 1500);
      return enter("disconnected");
    }
    attempt += 1;
    reason = REFUSED[code] ?? "";
    const wait = backoff(Math.min(attempt, QUICK));
    due = performance.now() + wait;
    timer = setTimeout(connect, wait);
    enter(!navigator.onLine ? "disconnected" : reason ? "error" : "reconnecting");
  }

  function again() {
    if (state === "connected") return ping();
    if (socket) { const old = socket; socket = null; old.close(); }
    attempt = Math.max(1, attempt);
    connect();
  }

  function ping() {
    if (socket?.readyState !== WebSocket.OPEN) return;
    id += 1;
    asked.set(String(id), performance.now());
    if (asked.size > 8) asked.delete(asked.keys().next().value);
    socket.send(JSON.stringify({ action: "ping", id: String(id) }));
  }

  function say(event) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(event.detail));
  }

  function message(data) {
    heard = performance.now();
    document.dispatchEvent(new CustomEvent("opportunity:message", { detail: data }));
    if (data.type === "pong") {
      const sent = asked.get(String(data.id)) ?? [...asked.values()].at(-1);
      if (sent !== undefined) rtt = performance.now() - sent;
      asked.clear();
      if (lost) reload();
    }
    const epoch = data.ws?.run;
    if (data.type === "status" && epoch && model.epoch && epoch !== model.epoch) reload();
    draw();
  }

  function reload() {
    if (leaving) return;
    const before = Number(sessionStorage.getItem("opportunity-reload") ?? 0);
    const wait = Math.max(0, before + 3000 - Date.now());
    leaving = true;
    setTimeout(() => {
      sessionStorage.setItem("opportunity-reload", String(Date.now()));
      window.location.reload();
    }, wait);
  }

  function draw() {
    const now = performance.now();
    setText(sign, SIGN[state]);
    setText(label, LABEL[state]);
    badge.dataset.state = state;
    const seconds = Math.max(0, Math.ceil((due - now) / 1000));
    const tries = timer === null ? t("attempt {n}", { n: attempt }) : t("attempt {n} in {seconds} s", { n: attempt, seconds });
    const turn = rtt === null ? "…" : rtt < 10 ? rtt.toFixed(1) : Math.round(rtt);
    const text = state === "connected" ? t("{turn} ms · {seconds} s ago", { turn, seconds: ((now - heard) / 1000).toFixed(0) })
      : state === "connecting" ? "" : `${reason ? `${reason} · ` : ""}${tries}`;
    setText(detail, text);
    badge.title = state === "connected" ? t("Round trip of a ping · age of the last message. Click to measure again.")
      : t("Click to try again now.");
    const silent = (now - beat) / 1000;
    const old = model.beat > 0 && !document.hidden && silent > model.stale_s;
    stale.hidden = !old;
    if (old) setText(stale, t("⚠ STALE: no price for {seconds} s", { seconds: Math.floor(silent) }));
    document.documentElement.toggleAttribute("data-stale", old);
    setText(market, model.beat > 0 ? `${clock(model.beat)}${model.speed && model.speed !== 1 ? ` · ${model.speed}×` : ""}` : "");
    market.hidden = model.beat <= 0;
  }

  function beaten() {
    beat = performance.now();
    draw();
    document.dispatchEvent(new CustomEvent("opportunity:beat", { detail: model.beat }));
  }
  function shown() { beat = performance.now(); model.visible = !document.hidden; if (!document.hidden) draw(); }
  function online() { again(); }
  function offline() { if (state !== "connected") enter("disconnected"); }
  function left() { leaving = true; }

  const pulse = setInterval(() => {
    // A line that is open but silent is as good as cut: three unanswered pings.
    if (state === "connected" && asked.size > 0 && performance.now() - heard > DEAF_MS) {
      const deaf = socket;
      socket = null;
      deaf.close();
      closed(0);
    }
    draw();
  }, 1000);
  const asking = setInterval(ping, PING_MS);
  // The page's own session lives on the other socket; once that is gone, only loading again helps.
  model.document?.on_event("connection_lost", () => { lost = true; if (state === "connected") ping(); });
  document.addEventListener("opportunity:say", say);
  model.on("beat", beaten);
  model.on("epoch", reload);
  window.addEventListener("online", online);
  window.addEventListener("offline", offline);
  window.addEventListener("pagehide", left);
  document.addEventListener("visibilitychange", shown);
  model.on("remove", () => {
    leaving = true;
    clearInterval(pulse);
    clearInterval(asking);
    clearTimeout(timer);
    socket?.close();
    window.removeEventListener("online", online);
    window.removeEventListener("offline", offline);
    window.removeEventListener("pagehide", left);
    document.removeEventListener("visibilitychange", shown);
    document.removeEventListener("opportunity:say", say);
  });
  connect();
  return root;
}
