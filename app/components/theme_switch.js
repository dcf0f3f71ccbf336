// Dark, light or high contrast: kept in a cookie, so that the server draws the first picture right.

const THEMES = ["dark", "light", "contrast"], LOOKS = { dark: "moon", light: "sun", contrast: "contrast" };

export function render({ model }) {
  const page = document.documentElement;
  const button = h("button", { class: "chip", type: "button", onclick: () => wear(after(now())) });

  function now() { return THEMES.includes(page.dataset.theme) ? page.dataset.theme : "dark"; }
  function after(theme) { return THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]; }

  function wear(theme, chosen = true) {
    const names = { dark: t("dark"), light: t("light"), contrast: t("high contrast") };
    page.dataset.theme = theme;
    if (chosen) document.cookie = `opportunity-theme=${theme}; path=/; max-age=31536000; SameSite=Strict`;
    button.replaceChildren(icon(LOOKS[theme]));
    const label = t("Theme: {now}. Switch to {next}", { now: names[theme], next: names[after(theme)] });
    button.setAttribute("aria-label", label);
    button.title = label;
    if (model.theme !== theme) model.theme = theme;
    document.dispatchEvent(new CustomEvent("opportunity:theme"));
  }

  onDo(model, { theme: ({ theme }) => THEMES.includes(theme) && wear(theme) });
  wear(now(), false);
  return button;
}
