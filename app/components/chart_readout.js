// Runs inside Bokeh with `source`, `above`, `below` and `cb_data`: says in the titles which bar is pointed at.
const d = source.data, n = d.time.length;
const hit = cb_data?.index?.indices ?? [];
if (n > 0) {
  const k = hit.length && hit.at(-1) < n ? hit.at(-1) : n - 1;
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
  const at = new Date(d.opened[k]).toISOString().slice(0, 16).replace("T", " ");
  const volume = d.volume[k].toLocaleString("en-US",
    {maximumSignificantDigits: 4, notation: "compact"});
  above.text = `${at}   O ${show(d.open[k])}   H ${show(d.high[k])}   L ${show(d.low[k])}   ` +
    `C ${show(d.close[k])}   ${change >= 0 ? "▲ +" : "▼ −"}${Math.abs(100 * change).toFixed(2)} %` +
    `   Vol ${volume}`;
  below.text = Number.isFinite(score)
    ? `Score ${score >= 0.6 ? "▲" : score <= 0.4 ? "▼" : "●"} ${score.toFixed(2)}   ` +
      `Confidence (dashed) ${d.confidence[j].toFixed(2)}`
    : "Score and confidence: the bar is not closed yet";
}
