// The unfinished bar of the shown timeframe, put together from base bars as they come. Pure, so that
// it is tested by itself. A bar is [opened (ms), open, high, low, close, volume].
//
// Pictures of the server and messages of the line come by two ways, in any order. What was heard is
// therefore kept for a while and put on top of each picture again: between them there is no hole, and
// nothing is counted twice.

const HEARD = 240, RUNNING = 64;

class Fold {
  constructor() { this.begin(60_000, 0); }

  /** Follow another stream: length of its bars, ms, and when any of them opened. */
  begin(length, origin) {
    Object.assign(this, { length, origin, heard: new Map(), running: [], base: null, closed: -Infinity, ready: false });
  }

  opened(ms) { return this.origin + Math.floor((ms - this.origin) / this.length) * this.length; }

  /** Take a base bar of the line; true when the unfinished bar is another one by it. */
  hear(bar) {
    const newest = [...this.heard.keys()].at(-1) ?? -Infinity;
    if (bar[0] < newest) return false;
    this.heard.set(bar[0], bar);
    if (this.heard.size > HEARD) this.heard.delete(this.heard.keys().next().value);
    return this.ready && this.put(bar);
  }

  /** Take a picture of the server: the unfinished bar, and the base bar that it is counted up to. */
  picture(base, forming) {
    this.base = base;
    const until = forming ? forming[0] : base ? this.opened(base[0]) + 1 : -Infinity;
    this.running = this.running.filter((bar) => bar[0] < until);
    if (forming && forming[0] > this.closed) this.running.push([...forming]);
    this.ready = true;
    for (const bar of this.heard.values()) {
      if (!base || bar[0] > base[0] || (bar[0] === base[0] && bar[5] > base[5])) this.put(bar);
    }
  }

  /** Forget what has closed: the server has sent bars, with their scores, up to this one. */
  close(opened) {
    this.closed = opened;
    this.running = this.running.filter((bar) => bar[0] > opened);
  }

  put(bar) {
    const [time, open, high, low, close, volume] = bar, opened = this.opened(time);
    const last = this.running.at(-1), before = this.base;
    if (opened <= this.closed || (last && opened < last[0]) || (before && time < before[0])) return false;
    this.base = bar;
    if (!last || opened > last[0]) {
      this.running.push([opened, open, high, low, close, volume]);
      if (this.running.length > RUNNING) this.running.shift();
      return true;
    }
    last[2] = Math.max(last[2], high);
    last[3] = Math.min(last[3], low);
    last[4] = close;
    last[5] += before && before[0] === time ? volume - before[5] : volume;
    return true;
  }
}

const LONGER = new Set(["time", "opened", "open", "high", "low", "close", "volume", "top", "bottom", "body", "final",
  "confidence", "middle", "height", "half_volume"]);

/** Say what a bar without a score is in the columns of the chart, as `MarketChart` does. */
function cells([opened, open, high, low, close, volume], length) {
  const up = close >= open;
  return { time: opened + length / 2, opened, open, high, low, close, volume, top: Math.max(open, close), bottom: Math.min(open, close),
    tone: up ? "bull" : "bear", body: up ? 0.12 : 1, final: NaN, confidence: NaN, middle: (open + close) / 2,
    height: Math.abs(close - open), half_volume: volume / 2 };
}

/** Return the columns of closed bars with the unfinished ones after them. */
function extended(columns, n, bars, length) {
  const rows = bars.map((bar) => cells(bar, length));
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => {
    if (!LONGER.has(name)) return [name, [...Array.from(column).slice(0, n), ...rows.map((row) => row[name])]];
    const made = new Float64Array(n + rows.length);
    for (let i = 0; i < n; i += 1) made[i] = column[i];
    rows.forEach((row, i) => { made[n + i] = row[name]; });
    return [name, made];
  }));
}
