// Light or dark: kept in a cookie, so that the server draws the first picture right.

export function render({ model }) {
  const page = document.documentElement;
  const button = h("button", { class: "chip", type: "button", onclick: () => wear(now() === "dark" ? "light" : "dark") });

  function now() { return page.dataset.theme === "light" ? "light" : "dark"; }

  function wear(theme) {
    page.dataset.theme = theme;
    document.cookie = `opportunity-theme=${theme}; path=/; max-age=31536000; SameSite=Strict`;
    button.replaceChildren(icon(theme === "dark" ? "moon" : "sun"));
    const label = theme === "dark" ? "Theme: dark. Switch to light" : "Theme: light. Switch to dark";
    button.setAttribute("aria-label", label);
    button.title = label;
    if (model.theme !== theme) model.theme = theme;
  }

  wear(now());
  return button;
}
