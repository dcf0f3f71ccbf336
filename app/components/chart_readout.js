// Runs inside Bokeh with `source`, `table` (that of what is pointed at), `above`, `below` and `cb_data`, after chart_axis.js: says in the titles
// which bar is pointed at. Nothing of it is sent to the server.
const d = source.data, n = d.time.length;
const hit = cb_data?.index?.indices ?? [];
if (n > 0) {
  const time = hit.length ? table.data.time[hit.at(-1)] : d.time[n - 1];
  const found = Array.from(d.time).lastIndexOf(time), k = found < 0 ? n - 1 : found;
  const show = (v) => {
    const size = Math.abs(v);
    const digits = size >= 1000 ? 1 : size >= 10 ? 2 : size >= 1 ? 3
      : Math.min(10, 3 - Math.floor(Math.log10(size || 1)));
    return v.toLocaleString("en-US",
      {minimumFractionDigits: digits, maximumFractionDigits: digits});
  };
  const change = d.close[k] / d.open[k] - 1;
  // Unfinished bars have no score: unless one is pointed at, the last scored bar is told.
  let j = k;
  while (!hit.length && j > 0 && !Number.isFinite(d.final[j])) j -= 1;
  const score = d.final[j];
  const volume = d.volume[k].toLocaleString("en-US",
    {maximumSignificantDigits: 4, notation: "compact"});
  above.setv({text: `${clocks.whole(d.opened[k])}   O ${show(d.open[k])}   H ${show(d.high[k])}   L ${show(d.low[k])}   ` +
    `C ${show(d.close[k])}   ${change >= 0 ? "▲ +" : "▼ −"}${Math.abs(100 * change).toFixed(2)} %` +
    `   Vol ${volume}`}, {sync: false});
  below.setv({text: Number.isFinite(score)
    ? `Score ${score >= 0.6 ? "▲" : score <= 0.4 ? "▼" : "●"} ${score.toFixed(2)}   ` +
      `Confidence (dashed) ${d.confidence[j].toFixed(2)}`
    : "Score and confidence: the bar is not closed yet"}, {sync: false});
}
