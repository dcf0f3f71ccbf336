// Puts the part of a curve that is in view into its source: extremes of equal stretches, or all.
if (source.waiting) return;
source.waiting = true;  // one drawing a frame, however often the range moves
requestAnimationFrame(() => {
  source.waiting = false;
  const after = (when) => {
    let low = 0, high = time.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (time[middle] < when) low = middle + 1; else high = middle;
    }
    return low;
  };
  const first = Math.max(0, after(range.start) - 1);
  const end = Math.min(time.length, after(range.end) + 1);
  const kept = [];
  const stretches = Math.floor(most / 2);
  if (end - first <= most) {
    for (let i = first; i < end; i++) kept.push(i);
  } else {
    for (let k = 0; k < stretches; k++) {
      const a = first + Math.floor((end - first) * k / stretches);
      const z = first + Math.floor((end - first) * (k + 1) / stretches);
      let low = a, high = a;
      for (let i = a; i < z; i++) {
        if (values[i] < values[low]) low = i;
        if (values[i] > values[high]) high = i;
      }
      kept.push(Math.min(low, high));
      if (low !== high) kept.push(Math.max(low, high));
    }
  }
  source.data = { time: kept.map((i) => time[i]), [name]: kept.map((i) => values[i]) };
});
