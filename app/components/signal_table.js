// The scanner: what is shown of the rows and how. Rows, filters and views are in the modules before.

const SIDES = [["all", "", "All"], ["bullish", "▲", "Bullish"], ["bearish", "▼", "Bearish"]];
const VIEWS = { list: ["List", listView], cards: ["Cards", cardsView], chart: ["Bar chart", barsView], heat: ["Heat map", heatView], compare: ["Compare", compareView] };
const VIEW_WORDS = () => ({ list: t("List"), cards: t("Cards"), chart: t("Bar chart"), heat: t("Heat map"), compare: t("Compare") });
const SORT_WORDS = () => ({ rank: t("rank"), symbol: t("symbol"), price: t("price"), change: t("change"), volume: t("volume"), score: t("score"), confidence: t("confidence"), agreement: t("agreement"), badges: t("patterns") });
const NOTHING = { frames: [], rows: [], total: 0, passed: 0, parts: [], uncalibrated: "", time: null, source: "", scan: "", problem: "", held_up: "" };

export function render({ model }) {
  const at = { model, state: NOTHING, rows: [], prices: {}, marked: new Set(JSON.parse(model.compared || "[]")), order, choose, toggle, alert, compareBest,
    lists: () => Object.values(JSON.parse(model.lists || "{}")) };
  let shown = [], view = null;

  const count = h("span", { class: "dim count", role: "status" });
  const words = VIEW_WORDS();
  const views = Object.keys(VIEWS).map((name, i) => h("button", { class: "view", type: "button", role: "radio", "data-view": name, "aria-label": words[name], title: `${words[name]} (${i + 1})`, onclick: () => show(name) }, icon(name)));
  const sideWords = { all: t("All"), bullish: t("Bullish"), bearish: t("Bearish") };
  const sides = SIDES.map(([value, glyph]) => h("button", { class: "pill", type: "button", role: "radio", "data-side": value, "aria-label": sideWords[value], title: `${sideWords[value]} (${{ all: "R", bullish: "B", bearish: "N" }[value]})`, onclick: () => take({ ...panel.told(), side: value }) },
    glyph, h("span", { class: glyph ? "word" : "" }, glyph ? ` ${sideWords[value]}` : sideWords[value])));
  const panel = filterPanel(model, take);
  const some = h("b");
  const filters = h("button", { class: "pill filtering", type: "button", "aria-expanded": "false", title: `${t("Filters")} (F)`, "aria-label": t("Filters"), onclick: () => unfold(panel.root.hidden) }, icon("filter"), some);
  const search = h("input", { class: "field search", type: "search", placeholder: t("Search"), "aria-label": t("Search symbols"), title: `${t("Search symbols")} (Ctrl+F, /)`, spellcheck: "false", autocomplete: "off", oninput: () => take({ ...panel.told(), q: search.value }) });
  const said = h("span", { class: "hidden", role: "status" });
  const out = exportMenu(() => [at.marked.size ? shown.filter((row) => at.marked.has(row.symbol)) : shown, at.state], say);
  const sortBy = h("select", { class: "field", "aria-label": t("Sort by"), onchange: () => order(sortBy.value) }, ...Object.entries(SORT_WORDS()).map(([value, text]) => h("option", { value }, text)));
  const turned = h("button", { class: "pill", type: "button", title: t("Turn the order round"), "aria-label": t("Turn the order round"), onclick: () => order(model.sort) }, "↑");
  const sorting = h("span", { class: "sorting" }, sortBy, turned);
  const strip = h("div", { class: "strip", role: "status", hidden: true });
  const place = h("div", { class: "place" });
  const empty = h("div", { class: "empty", role: "status", hidden: true });
  const nMarked = h("b"), marks = h("div", { class: "marks", hidden: true }, nMarked,
    h("button", { class: "pill", type: "button", onclick: () => show("compare") }, t("Compare")),
    h("button", { class: "pill", type: "button", onclick: () => ask("watch", { symbols: [...at.marked] }) }, t("To a watchlist")),
    h("button", { class: "pill", type: "button", onclick: () => out.open(true) }, t("Export")), h("span", { class: "spacer" }),
    h("button", { class: "link", type: "button", onclick: clear }, t("Clear")));
  const top = h("div", { class: "head" }, h("h2", {}, t("Opportunities")), count, h("span", { class: "spacer" }),
    h("span", { role: "radiogroup", "aria-label": t("Direction"), class: "group" }, ...sides), filters, search,
    h("span", { role: "radiogroup", "aria-label": t("View"), class: "views" }, ...views), out.root);
  const table = h("div", { class: "fill table" }, top, panel.root, strip, place, empty, marks, said);
  const root = h("div", { class: "outer" }, table);

  /** Tell for a moment what was done. */
  function say(text) {
    setText(said, text);
    strip.dataset.flash = text;
    drawStrip();
    setTimeout(() => { if (strip.dataset.flash === text) { delete strip.dataset.flash; drawStrip(); } }, 4000);
  }

  function take(f) {
    const text = JSON.stringify(onlyChanged(f));
    if (model.filters !== text) model.filters = text;
    address(Object.fromEntries(Object.keys(NO_FILTER).map((name) => [name, f[name] === NO_FILTER[name] ? "" : f[name]])));
    takeFilters();
  }

  function order(key) {
    const down = key === model.sort ? !model.down : false;
    if (model.sort !== key) model.sort = key;
    if (model.down !== down) model.down = down;
    address({ sort: key === "rank" ? "" : key, down });
    draw();
  }

  function show(name) {
    if (model.view !== name) model.view = name;
    address({ view: name === "list" ? "" : name });
    turnTo();
    view.focus();
  }

  /** Put the view that was chosen in the place of the one before. */
  function turnTo() {
    if (view?.name === model.view) return;
    view?.close();
    view = { ...VIEWS[model.view][1](at), name: model.view };
    place.replaceChildren(view.root);
    for (const button of views) {
      const on = button.dataset.view === model.view;
      button.setAttribute("aria-checked", on);
      button.tabIndex = on ? 0 : -1;
    }
    sorting.hidden = !["cards", "chart"].includes(model.view);
    if (!sorting.isConnected) top.insertBefore(sorting, filters);
    draw();
  }

  function unfold(open) {
    panel.root.hidden = !open;
    filters.setAttribute("aria-expanded", open);
    if (open) panel.root.querySelector("input").focus();
  }

  function choose(symbol, frame) {
    if (frame && frame !== model.timeframe) model.timeframe = frame;
    if (symbol && symbol !== model.selected) model.selected = symbol;
    view.mark();
    if (frame) draw();
  }

  function toggle(symbol) {
    if (!at.marked.delete(symbol)) at.marked.add(symbol);
    keepMarks();
  }

  function keepMarks() {
    model.compared = JSON.stringify([...at.marked].slice(0, 100));
    address({ compare: [...at.marked].slice(0, MOST_COMPARED).map((s) => s.replace("/", "-")).join(",") });
    draw();
  }

  function clear() { at.marked.clear(); keepMarks(); }

  function compareBest() {
    for (const row of shown.slice(0, MOST_COMPARED)) at.marked.add(row.symbol);
    keepMarks();
  }

  function alert(symbol) {
    const row = at.rows.find((one) => one.symbol === symbol);
    ask("price_alert", { symbol, price: at.prices[symbol] ?? row?.price ?? null });
  }

  function draw() {
    const f = panel.told(), list = f.list ? JSON.parse(model.lists || "{}")[f.list] : null;
    const members = list ? new Set(list) : null;
    shown = inOrder(at.rows.filter((row) => passes(row, f, members)), model.sort, model.down);
    view.draw(shown);
    drawTop(f);
    drawEmpty(f);
    drawStrip();
  }

  function drawTop(f) {
    const { passed, total, rows, draft } = at.state, filtered = nFilters(f) > 0;
    const more = rows.length < total && !filtered ? ` · ${t("first {n}", { n: rows.length })}` : "", mine = draft ? ` · ${t("draft")}` : "";
    const all = nFilters({ ...f, side: "all" }), cut = shown.length < total && filtered ? `${t("{n} shown", { n: shown.length })} · ` : "";
    setText(count, total ? `${cut}${t("{passed} of {total} pass", { passed, total })}${more}${mine}` : "");
    count.title = total ? `${count.textContent}. ${t("Scored symbols, and how many pass the scan's rules; it is live, nothing has to be refreshed.")}` : "";
    for (const pill of sides) pill.setAttribute("aria-checked", pill.dataset.side === f.side);
    setText(some, all ? ` ${all}` : "");
    filters.setAttribute("aria-label", all ? t("Filters: {n} on", { n: all }) : t("Filters"));
    filters.classList.toggle("on", all > 0);
    sortBy.value = model.sort;
    setText(turned, model.down ? "↓" : "↑");
    out.enable(shown.length > 0);
    marks.hidden = at.marked.size === 0 || model.view === "compare";
    setText(nMarked, t("{n} marked", { n: at.marked.size }));
  }

  function drawEmpty(f) {
    const state = at.state, none = state.total === 0;  // of very many the server sends what its filters let through
    empty.hidden = shown.length > 0 || (model.view === "compare" && !none);
    place.hidden = !empty.hidden;
    if (empty.hidden) return;
    const text = JSON.stringify([state.total, state.held_up, state.problem, f]);
    if (empty.dataset.text === text) return;
    empty.dataset.text = text;
    if (none) {
      empty.replaceChildren(h("div", { class: "ghosts", "aria-hidden": "true" }, ...Array.from({ length: 6 }, () => h("i"))),
        h("p", {}, state.problem ? t("The agent has stopped") : t("Waiting for the first scan…")),
        h("p", { class: state.problem ? "bear" : "note" }, state.problem || state.held_up || t("A score needs 100 closed bars.")));
    } else {
      empty.replaceChildren(h("p", {}, t("No symbol matches.")), h("p", { class: "note" }, t("{n} symbols are hidden by the filters.", { n: state.total })),
        h("button", { class: "btn", type: "button", onclick: () => { search.value = ""; take({ ...NO_FILTER }); } }, t("Show all")));
    }
  }

  /** One line above the rows: a scan on request, old data, what went wrong, or what was just done. */
  function drawStrip() {
    const { scan, problem, time, source } = at.state, stale = document.documentElement.hasAttribute("data-stale");
    const text = strip.dataset.flash ?? (problem && at.rows.length ? t("The agent has stopped: {why}", { why: problem })
      : stale && at.rows.length ? t("Not live: nothing has come for a while. Ranking of {time}.", { time: clock(time) })
        : scan ? t("{kind} scan of {time}, {frames}; not live", { kind: t(scan), time: clock(time), frames: at.state.frames.join(" ") }) : "");
    const tone = strip.dataset.flash ? "" : problem ? "bad" : stale ? "stale" : "scan", key = `${text}${tone}${source}`;
    strip.hidden = !text;
    if (strip.dataset.key === key) return;
    strip.dataset.key = key;
    strip.dataset.tone = tone;
    strip.replaceChildren(h("span", {}, text), ...(tone === "scan" ? [h("span", { class: "dim" }, source), h("button", { class: "pill", type: "button", onclick: () => ask("scan_live") }, t("Back to live"))] : []));
  }

  function takeRows() {
    const before = at.state;
    at.state = { ...NOTHING, ...JSON.parse(model.rows || "{}") };
    // A row that did not change stays the same object, so nothing of it is drawn again.
    const old = new Map(at.rows.map((row) => [row.symbol, row]));
    at.rows = at.state.rows.map((values) => {
      const text = JSON.stringify(values), same = old.get(values[1]);
      if (same && same.text === text) return same;
      return { ...Object.fromEntries(FIELDS.map((name, i) => [name, values[i]])), text };
    });
    if (before.uncalibrated !== at.state.uncalibrated || before.frames.join() !== at.state.frames.join()) view?.again();
    if (view) draw();
  }

  function takePrices() {
    at.prices = JSON.parse(model.prices || "{}");
    view?.reprice();
  }

  function takeFilters() {
    if (root.getRootNode().activeElement !== search) search.value = panel.told().q;
    panel.draw();
    draw();
  }

  search.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") { event.preventDefault(); view.focus(); }
    if (event.key !== "Escape") return;
    event.stopPropagation();
    if (search.value) { search.value = ""; take({ ...panel.told(), q: "" }); } else view.focus();
  });
  panel.root.addEventListener("keydown", (event) => {  // its fields take text, so the page's own Escape rests
    if (event.key !== "Escape") return;
    event.stopPropagation();
    unfold(false);
    filters.focus();
  });
  top.addEventListener("keydown", (event) => {
    const group = event.target.closest("[role=radiogroup]"), step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!group || !step) return;
    event.preventDefault();
    const all = [...group.children], to = all[(all.indexOf(event.target) + step + all.length) % all.length];
    to.click();
    to.focus();
  });
  onDo(model, {
    search: () => { search.focus(); search.select(); },
    filters: () => unfold(panel.root.hidden),
    direction: ({ side }) => take({ ...panel.told(), side }),
    view: ({ view: name }) => (name in VIEWS ? show(name) : false),
    select_all: () => { for (const row of shown) at.marked.add(row.symbol); keepMarks(); },
    clear_selection: clear,
    export: () => (shown.length ? out.open(true) : false),
    filter: (change) => take({ ...panel.told(), ...Object.fromEntries(Object.entries(change).filter(([name]) => name in NO_FILTER)) }),
    close: () => (panel.root.hidden ? false : unfold(false)),
  });
  const slash = (event) => { if (event.key === "/" && !typing(event) && !event.ctrlKey && !event.metaKey) { event.preventDefault(); search.focus(); search.select(); } };
  const arrows = (event) => { if (event.composedPath()[0] === document.body && event.key.startsWith("Arrow")) view.move?.(event); };
  document.addEventListener("keydown", slash);
  document.addEventListener("keydown", arrows);
  const aged = new MutationObserver(() => { if (view) drawStrip(); });
  aged.observe(document.documentElement, { attributes: true, attributeFilter: ["data-stale"] });
  model.on("rows", takeRows);
  model.on("prices", takePrices);
  model.on(["filters", "lists"], takeFilters);
  model.on("view", turnTo);
  model.on("selected", () => { address({ symbol: model.selected.replace("/", "-") }); view.mark(); });
  model.on("timeframe", () => { address({ timeframe: model.timeframe }); draw(); });
  model.on("remove", () => {
    document.removeEventListener("keydown", slash);
    document.removeEventListener("keydown", arrows);
    aged.disconnect();
    view.close();
  });
  takeRows();
  turnTo();
  takePrices();
  takeFilters();
  return root;
}
