// Champion against challengers: a list, the chosen one's curves, and the interval day by day.

const VERDICT = { better: ["▲", "bull"], worse: ["▼", "bear"] };
const HEIGHT = 170, LOWER = 130, RIGHT = 56;

export function render({ model }) {
  let rows = [], told = "", sure = "";
  const body = h("tbody"), empty = h("p", { class: "dim empty", role: "status" }), champion = h("span", { class: "dim" });
  const COLUMNS = [t("Challenger"), t("Earned"), t("Champion"), t("Days"), t("A day ahead"), t("Verdict"), ""];
  const table = h("table", {}, h("thead", {}, h("tr", {}, ...COLUMNS.map((name) => h("th", { scope: "col", title: name === t("A day ahead") ? t("Mean difference of a day, challenger less champion, with an interval that holds at all times at once with 95 %") : null }, name)))), body);
  const curves = plot(t("Both accounts, from the same start"), HEIGHT), band = plot(t("Mean difference of a day, with the interval that holds at all times"), LOWER);
  const story = h("div", { class: "story" }), title = h("h3");
  story.append(title, curves.box, band.box);
  const name = h("input", { class: "field", maxlength: 40, autocomplete: "off", spellcheck: "false", required: true }), preset = h("select", { class: "field" }), note = h("input", { class: "field", maxlength: 200 });
  const go = h("button", { class: "btn first", type: "submit" }, t("Run beside the champion"));
  const form = h("form", { onsubmit: add }, h("label", {}, h("span", { class: "note" }, t("Name, new")), name), h("label", {}, h("span", { class: "note" }, t("Weights")), preset), h("label", { class: "wide" }, h("span", { class: "note" }, t("Note")), note), go);
  const said = h("p", { class: "said", role: "status" }), problem = h("p", { class: "problem", role: "alert" });
  const about = h("p", { class: "note" }, t("A challenger trades on paper beside the champion, under weights of its own, on the same prices. It never touches the shared weights; put it to use from Research, past the guards."));
  const root = h("div", { class: "fill" }, h("div", { class: "head" }, h("h2", {}, t("Champion against challengers")), champion), h("div", { class: "both" },
    h("div", { class: "side" }, h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("Challengers") }, table, empty), READ_ONLY ? null : form, said, problem, about), story));

  const part = (v, digits = 0) => `${(100 * v).toFixed(digits)} %`;
  const earned = (v) => v === null ? "–" : percent(v, 2);

  function plot(label, height) {
    const svg = h("svg", { role: "img", preserveAspectRatio: "none", "aria-label": label }), labels = h("div", { class: "labels", "aria-hidden": "true" });
    const area = h("div", { class: "plot", dir: "ltr", style: `height:${height}px` }, svg, labels), key = h("p", { class: "key dim" });
    return { svg, labels, area, key, height, box: h("div", {}, key, area) };
  }

  function add(event) {
    event.preventDefault();
    if (!name.value.trim()) return;
    go.disabled = true;
    setText(problem, "");
    setText(said, t("asking …"));
    model.send_msg({ type: "add", name: name.value.trim(), preset: preset.value, note: note.value.trim() });
  }

  function stop(row, button) {
    if (sure !== row.name) {
      sure = row.name;
      setText(button, t("Really end it?"));
      return;
    }
    sure = "";
    button.disabled = true;
    setText(said, t("asking …"));
    model.send_msg({ type: "stop", name: row.name });
  }

  function line(r) {
    const [glyph, tone] = VERDICT[r.verdict] ?? ["●", "dim"], on = r.name === model.shown;
    const notes = [r.note, r.alike !== null && r.alike > 0.3 ? t("Neighbouring days are alike: it is about the days seen, less about those to come.") : "", r.clipped ? t("{n} days differed by more than {clip} and count as that much.", { n: r.clipped, clip: part(r.clip) }) : ""].filter(Boolean).join(" ");
    const press = h("button", { class: "name", type: "button", "aria-pressed": String(on), onclick: () => { model.chosen = r.name; remember({ challenger: r.name }); } }, r.name);
    const end = !r.runs || READ_ONLY ? null : h("button", { class: "pill", type: "button", "aria-label": t("End {name}", { name: r.name }), onclick: (event) => stop(r, event.currentTarget), onblur: (event) => { if (sure === r.name) { sure = ""; setText(event.currentTarget, t("End it")); } } }, t("End it"));
    return h("tr", { class: on ? "chosen" : null }, h("td", {}, press, r.runs ? null : h("small", { class: "dim" }, ` ${t("ended")}`), notes ? h("small", { class: "dim notes", dir: "auto" }, notes) : null),
      h("td", {}, h("span", { class: "fig" }, earned(r.earned))), h("td", {}, h("span", { class: "fig" }, earned(r.champion))), h("td", {}, h("span", { class: "fig" }, r.days)),
      h("td", {}, r.mean === null ? "–" : h("span", { class: "fig" }, percent(r.mean, 3), h("small", { class: "dim" }, ` ${percent(r.low, 2)} … ${percent(r.high, 2)}`))),
      h("td", { class: `verdict ${tone}` }, `${glyph} ${t(r.words)}`), h("td", {}, end));
  }

  function draw() {
    const s = JSON.parse(model.state || "{}");
    rows = s.rows ?? [];
    setText(champion, s.champion ? t("champion: {trades} trades, {drawdown} below its peak", { trades: s.champion.trades, drawdown: part(s.champion.drawdown, 1) }) : "");
    const names = JSON.parse(model.presets || "[]");
    if (preset.dataset.names !== model.presets) {
      const kept = preset.value;
      preset.dataset.names = model.presets;
      preset.replaceChildren(...names.map((one) => h("option", { value: one }, one)));
      if (names.includes(kept)) preset.value = kept;
    }
    if (!sure) body.replaceChildren(...rows.map(line));
    table.hidden = !rows.length;
    empty.hidden = rows.length > 0;
    setText(empty, s.rows === undefined ? t("Reading the challengers …") : t("No challenger runs. Name one and choose its weights: it trades from the next close on, and after some days it can be told whether it is better."));
    draw_story();
  }

  function draw_story() {
    const s = JSON.parse(model.story || "{}"), n = s.time?.length ?? 0;
    story.hidden = !s.name;
    if (!s.name) return;
    setText(title, t("{name} against the champion", { name: s.name }));
    curves.box.hidden = n < 2;
    band.box.hidden = (s.days?.length ?? 0) < 2;
    if (n >= 2) graph(curves, s.time, [["line theirs", s.champion], ["line", s.challenger]], null, (v) => percent(v - 1), 1);
    else setText(title, t("{name} has not traded long enough for a curve", { name: s.name }));
    if (!band.box.hidden) graph(band, s.days, [["line", s.mean]], [s.low, s.high], (v) => percent(v, 2), 0);
    curves.key.replaceChildren(h("span", { class: "swatch" }), ` ${s.name} ${n ? percent(s.challenger[n - 1] - 1, 2) : ""}   `, h("span", { class: "swatch theirs" }), ` ${t("champion")} ${n ? percent(s.champion[n - 1] - 1, 2) : ""}`);
    setText(band.key, t("Challenger less champion, a day. Once the band leaves zero the verdict stands, with an error of at most {alpha}.", { alpha: part(s.alpha ?? 0.05) }));
  }

  function graph(p, time, lines, edges, write, base) {
    const width = p.area.clientWidth;
    if (width < 80) return;
    const right = width - RIGHT, all = [...lines.flatMap(([, v]) => v), ...(edges ? edges.flat() : []), base];
    let low = Math.min(...all), high = Math.max(...all);
    const pad = (high - low || 1e-4) * 0.08;
    low -= pad; high += pad;
    const x = (v) => (v - time[0]) / (time[time.length - 1] - time[0] || 1) * right, y = (v) => 6 + (high - v) / (high - low) * (p.height - 26);
    const path = (values) => values.map((v, i) => `${i ? "L" : "M"}${x(time[i]).toFixed(1)} ${y(v).toFixed(1)}`).join("");
    p.svg.setAttribute("viewBox", `0 0 ${width} ${p.height}`);
    p.svg.setAttribute("width", width);
    p.svg.setAttribute("height", p.height);
    const backwards = edges ? edges[0].map((v, i) => `L${x(time[i]).toFixed(1)} ${y(v).toFixed(1)}`).reverse().join("") : "";
    p.svg.replaceChildren(h("path", { class: "base", d: `M0 ${y(base).toFixed(1)}H${right}` }), ...(edges ? [h("path", { class: "band", d: `${path(edges[1])}${backwards}Z` })] : []), ...lines.map(([css, values]) => h("path", { class: css, d: path(values) })));
    const tag = (left, top, text) => h("span", { style: `left:${left}px;top:${top.toFixed(0)}px` }, text);
    p.labels.replaceChildren(tag(right + 5, y(base), write(base)), ...[low + pad, high - pad].filter((v) => Math.abs(y(v) - y(base)) > 14).map((v) => tag(right + 5, y(v), write(v))), tag(0, p.height - 8, clock(time[0])), h("span", { class: "last", style: `left:${right}px;top:${p.height - 8}px` }, clock(time[time.length - 1])));
  }

  function settle() {
    const { n, text, error } = JSON.parse(model.answer || "{}");
    go.disabled = false;
    if (!n || `${n}` === told) return;
    told = `${n}`;
    setText(said, text ? t(text) : "");
    setText(problem, error ?? "");
    if (text) name.value = note.value = "";
    draw();
  }

  new ResizeObserver(() => draw_story()).observe(root);
  model.on("state", draw);
  model.on("story", draw_story);
  model.on("shown", draw);
  model.on("problem", () => setText(problem, model.problem ? t("The challengers could not be read: {why}", { why: model.problem }) : ""));
  model.on("presets", draw);
  model.on("answer", settle);
  draw();
  return root;
}
