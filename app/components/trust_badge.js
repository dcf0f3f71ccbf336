// How far the market's data can be trusted, over all symbols; hidden before the first scan.

export function render({ model }) {
  const mark = h("span", { class: "sign", "aria-hidden": "true" });
  const words = h("span");
  const root = h("div", { class: "trust" }, h("span", { class: "chip" }, mark, words));

  function draw() {
    const { lowest = null, median = null, vetoed = 0, symbols = 0 } = JSON.parse(model.state || "{}");
    root.hidden = lowest === null;
    if (root.hidden) return;
    root.dataset.level = vetoed ? "vetoed" : lowest < 1 ? "low" : "full";
    setText(mark, lowest < 1 ? pie(lowest) : "✓");
    const said = lowest < 1 ? `${number(lowest)} / ${number(median)}` : number(lowest);
    setText(words, vetoed ? t("Data trust {said} · {vetoed} vetoed", { said, vetoed }) : t("Data trust {said}", { said }));
    root.firstChild.title = t("How far the data of {symbols} symbols can be trusted, 0 to 1: lowest {lowest}, median {median}. It lowers the confidence; {vetoed} of them are not ranked for lack of it.",
      { symbols, vetoed, lowest: number(lowest), median: number(median) });
  }

  model.on("state", draw);
  draw();
  return root;
}
