// What is shown, as a file or on the clipboard; the server has the same as a stream under /api.

function exported(rows, state) {
  return rows.map((row) => ({
    rank: row.ranked ? row.rank : null, symbol: row.symbol, price: row.price, change_24h: row.change, volume_24h: row.volume,
    score: row.score, direction: WORD[row.direction].toUpperCase(), confidence: row.confidence, consensus: row.consensus,
    action: row.action, risk: row.risk, success: row.success, trust: row.trust, active_signals: activeSignals(row), tf_count: scored(row),
    ...Object.fromEntries(state.frames.map((frame, i) => [`score_${frame}`, row.frames[i] === null ? null : row.frames[i][1]])),
    ...Object.fromEntries(state.parts.map((name, i) => [name.toLowerCase().replaceAll(" ", "_"), row.parts[i]])),
    patterns: row.badges.join("; "), stopped_by: row.stopped, time: state.time === null ? null : new Date(state.time).toISOString(), source: state.source,
  }));
}

/** One value of a csv file: text that a spreadsheet would take for a formula is told apart. */
function csvValue(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return `"${text.replaceAll('"', '""')}"`;
}

function csv(records) {
  const names = Object.keys(records[0] ?? {});
  const lines = [names.map(csvValue), ...records.map((record) => names.map((name) => csvValue(record[name])))];
  return `\ufeff${lines.map((line) => line.join(",")).join("\r\n")}\r\n`;
}

function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = h("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = h("textarea", { style: "position:fixed;opacity:0" });  // no clipboard without TLS
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** A button with a menu of ways out; `wanted()` gives [rows, state]. */
function exportMenu(wanted, say) {
  const stamp = (state) => `opportunities-${new Date(state.time ?? 0).toISOString().slice(0, 16).replace(/[-:]/g, "")}${state.source ? `-${state.source.replace(/[^a-z0-9]+/gi, "-")}` : ""}`;
  const ways = {
    csv: (rows, state) => save(`${stamp(state)}.csv`, "text/csv;charset=utf-8", csv(exported(rows, state))),
    json: (rows, state) => save(`${stamp(state)}.json`, "application/json", `${JSON.stringify(exported(rows, state), null, 1)}\n`),
    copy: (rows) => copy(rows.map((r) => `${r.symbol}: ${Math.round(100 * (r.score ?? 0.5))}% - ${WORD[r.direction].toUpperCase()}`).join("\n")),
  };
  const item = (way, text) => h("button", { type: "button", role: "menuitem", "data-way": way, onclick: () => go(way) }, text);
  const items = [item("csv", t("CSV for spreadsheets")), item("json", t("JSON")), item("copy", t("Copy as lines"))];
  const menu = h("div", { class: "menu", role: "menu", hidden: true, "aria-label": t("Export") }, ...items);
  const button = h("button", { class: "pill", type: "button", "aria-haspopup": "menu", "aria-expanded": "false", title: t("Export what is shown"), "aria-label": t("Export what is shown"), onclick: () => open(menu.hidden) }, "⤓");
  const root = h("span", { class: "export" }, button, menu);

  function open(on) {
    menu.hidden = !on;
    button.setAttribute("aria-expanded", on);
    if (on) items[0].focus();
  }

  async function go(way) {
    open(false);
    const [rows, state] = wanted();
    try {
      await ways[way](rows, state);
      say(way === "copy" ? t("{n} lines copied", { n: rows.length }) : t("{n} rows exported", { n: rows.length }));
    } catch (error) {
      say(t("Not exported: {why}", { why: error.message }));
    }
    button.focus();
  }

  root.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" && !menu.hidden) { event.stopPropagation(); open(false); button.focus(); }
    if (step && !menu.hidden) {
      event.preventDefault();
      const at = items.indexOf(root.getRootNode().activeElement);
      items[(at + step + items.length) % items.length].focus();
    }
  });
  root.addEventListener("focusout", (event) => { if (!root.contains(event.relatedTarget)) open(false); });
  return { root, open, enable: (on) => { button.disabled = !on; } };
}
