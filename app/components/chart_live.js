// Moves the newest bar by the page's WebSocket, and says what stands under the pointer. Columns are
// changed in the browser only: nothing of it travels back to the server.

const PAINT_MS = 95, QUIET = { sync: false }, ROOM = 5.5, HEAD_PX = 26, TAG_PX = 9;

function find(id) {
  for (const doc of globalThis.Bokeh?.documents ?? []) {
    const found = id && doc.get_model_by_id(id);
    if (found) return found;
  }
  return null;
}

export function render({ model }) {
  const fold = new Fold();
  const cell = (label) => { const value = h("b"); return [h("span", {}, h("span", { class: "name" }, label), value), value]; };
  const when = h("span"), change = h("span"), words = [["O", "open"], ["H", "high"], ["L", "low"], ["C", "close"]].map(([name, key]) => [...cell(name), key]);
  const [volume, amount] = cell(t("Vol"));
  volume.classList.add("traded");
  const read = h("div", { class: "read", role: "group", "aria-label": t("Bar under the pointer") }, when, ...words.map(([one]) => one), change, volume);
  const said = h("p"), wait = h("span", { class: "bars", "aria-hidden": "true" }, ...Array.from({ length: 5 }, () => h("i")));
  const veil = h("div", { class: "veil", role: "status" }, wait, said);
  const back = h("button", { class: "now", type: "button", hidden: true, onclick: toNow }, t("Go to the newest bar"));
  const tag = h("span", { class: "tag", "aria-hidden": "true", hidden: true });
  const root = h("div", {}, tag, read, back, veil);
  let state = {}, part = {}, kept = null, n = 0, pointed = null, ahead = null, following = "", say = () => {};

  // -- the stream ----------------------------------------------------------------------------

  function follow(symbol) {
    const before = following;
    following = symbol ?? "";
    if (before && before !== following && !ask("wants_price", { symbol: before })) {
      say({ action: "unsubscribe", channels: ["price"], symbols: [before] });
    }
    if (before !== following) model.joined = false;
    if (following) say({ action: "subscribe", channels: ["price"], symbols: [following], id: "chart" });
  }

  onLine(model, (message) => {
    if (message.type === "subscribed" && message.id === "chart") model.joined = message.symbols.includes(following);
    if (message.type !== "price" || message.symbol !== state.symbol) return;
    const { ts, open, high, low, close, volume: traded } = message;
    if (fold.hear([ts, open, high, low, close, traded])) paint();
  }, (tell) => { say = tell; if (following) follow(following); });

  // The badge says when the line is down; then the server's own words come more often.
  const watched = new MutationObserver(() => { if (document.documentElement.dataset.line !== "connected") model.joined = false; });
  watched.observe(document.documentElement, { attributes: true, attributeFilter: ["data-line"] });

  // -- what is drawn -------------------------------------------------------------------------

  function join(models) {
    if (part.source && JSON.stringify(part.ids) === JSON.stringify(models)) return;
    part.source?.properties.data.change.disconnect(arrived);
    part = { ids: models, ...Object.fromEntries(Object.entries(models).map(([name, id]) => [name, find(id)])) };
    part.source?.properties.data.change.connect(arrived);
    part.times?.change.connect(moved);
    part.prices?.change.connect(place);
    kept = null;
  }

  /** Other bars have come from the server: keep them, and put the unfinished ones after them. */
  function arrived() {
    const { source } = part;
    kept = source.data;
    n = kept.opened.length;
    while (n > 0 && kept.opened[n - 1] > state.closed) n -= 1;
    source.setv({ data: extended(kept, n, fold.running, state.length) }, { silent: true });
    point();
  }

  const paint = throttle(() => {
    const { source } = part;
    if (!source || kept === null || document.hidden) return;
    const data = source.data, bars = fold.running, last = n + bars.length - 1;
    if (data.opened.length === last + 1 && bars.length && data.opened[last] === bars.at(-1)[0]) {
      for (const [name, value] of Object.entries(cells(bars.at(-1), state.length))) data[name][last] = value;
    } else {
      source.setv({ data: extended(kept, n, bars, state.length) }, { silent: true });
    }
    source.change.emit();
    point();
  }, PAINT_MS);

  /** Move the line of the newest price and what hangs on it. */
  function point() {
    const { source, last, volumes, preview } = part, data = source.data, k = data.close.length - 1;
    if (k < 0) return;
    last?.setv({ location: data.close[k] }, QUIET);
    setText(tag, price(data.close[k]));
    place();
    const end = ROOM * data.volume[k];
    if (volumes && end > volumes.end) volumes.setv({ end }, QUIET);
    if (preview) mark(preview, data, k);
    tell();
  }

  /** Put the newest price where it lies on the axis; nothing while it is out of view. */
  function place() {
    const { prices, figure, source } = part, close = source?.data.close.at(-1);
    if (!prices || close === undefined || figure.properties.inner_height.is_unset) return;
    const down = (prices.end - close) / (prices.end - prices.start);
    tag.hidden = !(down >= 0 && down <= 1);
    if (!tag.hidden) tag.style.transform = `translateY(${(HEAD_PX + down * figure.inner_height - TAG_PX).toFixed(1)}px)`;
  }

  function mark(preview, data, k) {
    const there = ahead && Number.isFinite(ahead.final) && !Number.isFinite(data.final[k]) && data.opened[k] + state.length === ahead.closed;
    const next = there ? ahead.final : null;
    if (!there && preview.data.time.length === 0) return;
    preview.setv({ data: !there ? { time: [], final: [], tone: [], text: [] } : { time: [data.time[k]], final: [next],
      tone: [next >= 0.5 ? "bull" : "bear"],
      text: [t("Preview: score {score}, confidence {trust}, if the bar closed now", { score: number(next), trust: number(ahead.confidence) })] } },
    { silent: true });
    preview.change.emit();
  }

  // -- what is said --------------------------------------------------------------------------

  function tell() {
    const data = part.source?.data, count = data?.close.length ?? 0;
    if (!count) return;
    const k = pointed !== null && pointed < count ? pointed : count - 1;
    setText(when, clock(data.opened[k]));
    for (const [, value, key] of words) setText(value, price(data[key][k]));
    const moves = data.close[k] / data.open[k] - 1;
    setText(change, `${moves >= 0 ? "▲" : "▼"} ${percent(moves, 2)}`);
    setClass(change, moves >= 0 ? "bull" : "bear");
    setText(amount, data.volume[k].toLocaleString("en-US", { maximumSignificantDigits: 4, notation: "compact" }));
    // Unfinished bars have no score: unless one is pointed at, that of the last scored bar is told.
    let j = k;
    while (pointed === null && j > 0 && !Number.isFinite(data.final[j])) j -= 1;
    const next = k === count - 1 && ahead && data.opened[k] + state.length === ahead.closed ? ahead : null;
    document.dispatchEvent(new CustomEvent("opportunity:bar-read", { detail: { final: data.final[j], confidence: data.confidence[j], ahead: next } }));
  }

  function hover(event) {
    if (event.detail.source !== part.ids?.source) return;
    const { at } = event.detail;
    pointed = at;
    tell();
  }

  function moved() {
    const data = part.source?.data, count = data?.time.length ?? 0;
    back.hidden = !count || part.times.end >= data.time[count - 1];
  }

  function toNow() { part.figure?.reset.emit(); back.hidden = true; }

  function draw() {
    const next = JSON.parse(model.state || "{}");
    const another = next.symbol !== state.symbol || next.timeframe !== state.timeframe || !state.models;  // what failed has begun nothing
    veil.hidden = !(next.loading || next.error || !next.symbol);
    veil.classList.toggle("faint", Boolean(next.loading && kept));
    wait.hidden = Boolean(next.error);
    setText(said, next.error ? t("No chart of {symbol} {timeframe} now: {why}", { symbol: next.symbol, timeframe: next.timeframe, why: next.error })
      : next.symbol ? t("Loading {symbol} {timeframe}", next) : t("Waiting for the first bars of the market"));
    if (!next.models) {
      if (next.error) { state = next; follow(""); }
      return;
    }
    state = next;
    if (another) { fold.begin(state.length, state.origin); pointed = ahead = null; }
    fold.close(state.closed);
    join(state.models);
    if (another || following !== state.symbol) follow(state.symbol);
    picture();
    if (part.source && kept === null && part.source.data.opened.length) { arrived(); part.source.change.emit(); }
  }

  function picture() {
    const seen = JSON.parse(model.picture || "{}");
    if (seen.symbol !== state.symbol || seen.timeframe !== state.timeframe) return;
    ahead = seen.ahead;
    fold.picture(seen.base, seen.forming);
    paint();
  }

  document.addEventListener("opportunity:bar", hover);
  model.on("state", draw);
  model.on("picture", picture);
  model.on("remove", () => {
    watched.disconnect();
    document.removeEventListener("opportunity:bar", hover);
    part.source?.properties.data.change.disconnect(arrived);
    part.times?.change.disconnect(moved);
    part.prices?.change.disconnect(place);
  });
  draw();
  return root;
}
