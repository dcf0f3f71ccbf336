// Scans on request: the ranking is live by itself; deep looks at every timeframe there is.

export function render({ model }) {
  const say = asking(model), told = outcome();
  const when = h("span", { class: "when dim" });
  const quick = h("button", { class: "pill", type: "button", title: `${t("Rank now what the agent has scored")} (Ctrl+Q)`, onclick: () => run("quick", quick) }, t("Quick scan"));
  const deep = h("button", { class: "pill", type: "button", title: `${t("Score every timeframe from history")} (Ctrl+S)`, onclick: () => run("deep", deep) }, t("Deep scan"));
  const bar = h("progress", { max: 1, value: 0, "aria-label": t("Progress of the scan") }), n = h("span", { class: "dim fig" });
  const stop = h("button", { class: "pill", type: "button", onclick: () => say("stop") }, t("Stop"));
  const busy = h("span", { class: "busy", hidden: true }, bar, n, stop);
  const root = h("div", { class: "scanbar" }, quick, deep, busy, when, ...told.parts);
  let timer = null;

  async function run(kind, button) {
    if (quick.disabled) return;
    told.say("");
    quick.disabled = deep.disabled = true;
    const { found, error } = await say(kind);
    if (error) told.fail(error);
    else told.say(t(found ?? ""));
    clearTimeout(timer);
    timer = setTimeout(() => told.say(""), 8000);
    draw();
    button.blur();
  }

  function draw() {
    const s = { time: null, frames: [], kind: "", running: null, ...JSON.parse(model.state || "{}") };
    busy.hidden = s.running === null;
    quick.disabled = deep.disabled = s.running !== null || s.time === null;
    if (s.running) {
      bar.max = s.running.total;
      bar.value = s.running.done;
      setText(n, `${s.running.done} / ${s.running.total}`);
    }
    when.hidden = s.running !== null;
    setText(when, s.time === null ? t("not scored yet") : s.kind ? t("Scan of {time}", { time: clock(s.time) }) : t("Live · {time}", { time: clock(s.time) }));
    when.title = s.kind || s.time === null ? "" : t("The ranking follows every bar that closes; nothing has to be refreshed.");
    deep.title = `${t("Score every timeframe from history")}: ${s.frames.join(" ")} (Ctrl+S)`;
  }

  onDo(model, { scan_quick: () => run("quick", quick), scan_deep: () => run("deep", deep), scan_live: () => say("live") });
  model.on("state", draw);
  model.on("remove", () => clearTimeout(timer));
  draw();
  return root;
}
