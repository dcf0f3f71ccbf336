// Runs inside Bokeh: where the time axis has its ticks and what stands there, in the reader's time zone.
const clocks = globalThis.opportunityClock ??= (() => {
  const zone = /(?:^|; )opportunity-zone=([^;]+)/.exec(document.cookie)?.[1];
  const options = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", hourCycle: "h23" };
  let format;
  try { format = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone && decodeURIComponent(zone) }); }
  catch { format = new Intl.DateTimeFormat("en-GB", options); }
  const known = new Map();
  /** How far the zone is ahead of UTC at a time, ms; it changes at whole quarters of an hour only. */
  const ahead = (ms) => {
    const at = Math.floor(ms / 900000) * 900000;
    if (!known.has(at)) {
      if (known.size > 4000) known.clear();
      const p = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
      known.set(at, Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute) - at);
    }
    return known.get(at);
  };
  const M = 60000, H = 60 * M, D = 24 * H;
  const steps = [M, 2 * M, 5 * M, 10 * M, 15 * M, 30 * M, H, 2 * H, 3 * H, 6 * H, 12 * H, D, 2 * D, 4 * D, 7 * D, 14 * D];
  const months = [1, 2, 3, 6, 12, 24];
  const within = (start, end, most) => {
    if (!(end > start)) return [];
    const step = steps.find((one) => (end - start) / one <= most), ticks = [];
    const push = (local) => {
      const guess = local - ahead(local), tick = local - ahead(guess);
      if (tick >= start && tick <= end) ticks.push(tick);
    };
    if (step) {
      // Weeks begin on Monday: the first day of all was a Thursday.
      const shift = step >= 7 * D ? 4 * D : 0;
      const first = start + ahead(start);
      for (let local = Math.ceil((first - shift) / step) * step + shift; local <= end + ahead(end); local += step) push(local);
      return ticks;
    }
    const each = months.find((one) => (end - start) / (30.4 * D * one) <= most) ?? 60;
    const from = new Date(start + ahead(start));
    for (let m = Math.ceil((from.getUTCFullYear() * 12 + from.getUTCMonth()) / each) * each; ; m += each) {
      const local = Date.UTC(Math.floor(m / 12), m % 12, 1);
      if (local > end + ahead(end)) return ticks;
      push(local);
    }
  };
  const names = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const word = (name) => (globalThis.opportunityWords ?? {})[name] ?? name;
  const two = (n) => String(n).padStart(2, "0");
  const label = (ms) => {
    const at = new Date(ms + ahead(ms)), month = word(names[at.getUTCMonth()]);
    if (at.getUTCHours() || at.getUTCMinutes()) return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
    if (at.getUTCDate() === 1 && at.getUTCMonth() === 0) return String(at.getUTCFullYear());
    return `${at.getUTCDate()} ${month}`;
  };
  const whole = (ms) => {
    const at = new Date(ms + ahead(ms));
    return `${at.getUTCDate()} ${word(names[at.getUTCMonth()])} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  };
  return { within, label, whole };
})();
