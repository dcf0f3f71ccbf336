// Fits the values' axis to what is in view, after the curves have shown what they have of it.
if (figure.waiting) return;
figure.waiting = true;
const fit = () => {
  figure.waiting = false;
  let low = Infinity, high = -Infinity;
  for (const { glyph, data_source } of figure.renderers) {
    if (!glyph || !data_source) continue;
    const column = (name) => data_source.data[glyph[name]?.field];
    const [xs, ys] = [["x", "x0", "left", "x1", "right"], ["y", "y0", "bottom", "y1", "top"]]
      .map((names) => names.map(column).filter((values) => values !== undefined));
    if (xs.length === 0 || glyph.type === "Patch") continue;
    const [first, last] = [xs[0], xs[xs.length - 1]];
    for (let i = 0; i < first.length; i++) {
      if (last[i] < figure.x_range.start || first[i] > figure.x_range.end) continue;
      for (const values of ys) {
        if (values[i] < low) low = values[i];
        if (values[i] > high) high = values[i];
      }
    }
  }
  if (low > high) return;
  const room = (high - low || Math.abs(high) || 1) * 0.08;
  figure.y_range.setv({ start: low - room, end: high + room });
};
requestAnimationFrame(() => requestAnimationFrame(fit));
