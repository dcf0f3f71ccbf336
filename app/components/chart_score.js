// Above the strip: score and confidence of the bar that the chart's read-out tells.

export function render({ model }) {
  const score = h("b"), trust = h("b"), note = h("span");
  const scored = h("span", {}, h("i", { class: "key", "aria-hidden": "true" }), h("span", { class: "name" }, t("Score")), score);
  const trusted = h("span", {}, h("i", { class: "key dash", "aria-hidden": "true" }), h("span", { class: "name" }, t("Confidence")), trust);
  const root = h("div", { class: "read" }, scored, trusted, note);

  function tell(event) {
    const { final, confidence, ahead } = event.detail;
    const known = Number.isFinite(final), side = final >= 0.6 ? 1 : final <= 0.4 ? -1 : 0;
    setText(score, known ? `${GLYPH[side]} ${final.toFixed(2)}` : "–");
    setClass(score, known ? TONE[side] : "");
    setText(trust, Number.isFinite(confidence) ? confidence.toFixed(2) : "–");
    setText(note, ahead ? t("preview {score}, if the bar closed now", { score: ahead.final.toFixed(2) })
      : known ? "" : t("scored when the bar closes"));
  }

  document.addEventListener("opportunity:bar-read", tell);
  model.on("remove", () => document.removeEventListener("opportunity:bar-read", tell));
  return root;
}
