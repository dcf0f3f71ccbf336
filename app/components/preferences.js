// What a reader sets for this browser alone: language, time zone, theme, sound, notifications. The
// layout and the tour are here, too. Cookies hold what the server has to know, the rest stays here.

const YEAR_S = 31536000;

function cookie(name, value) {
  document.cookie = value ? `${name}=${encodeURIComponent(value)}; path=/; max-age=${YEAR_S}; SameSite=Strict`
    : `${name}=; path=/; max-age=0; SameSite=Strict`;
}

const here = () => new Intl.DateTimeFormat().resolvedOptions().timeZone;

function zones() {
  const own = ZONE === undefined ? "" : decodeURIComponent(ZONE);
  const all = Intl.supportedValuesOf?.("timeZone") ?? [];
  const areas = new Map();
  for (const zone of all.filter((name) => name.includes("/"))) {
    const area = zone.split("/")[0];
    areas.set(area, [...(areas.get(area) ?? []), zone]);
  }
  const option = (value, text) => h("option", { value, selected: value === own, dir: value ? "ltr" : null }, text);
  const known = own === "" || own === "UTC" || all.includes(own) ? [] : [option(own, own)];
  return [option("", t("This computer's: {zone}", { zone: here() })), option("UTC", "UTC"), ...known,
    ...[...areas].map(([area, names]) => h("optgroup", { label: area }, ...names.map((name) => option(name, name.replaceAll("_", " ")))))];
}

export function render({ model }) {
  const page = document.documentElement, names = model.languages;
  const code = h("span", { class: "code" }, page.lang.toUpperCase());
  const button = h("button", { class: "chip", type: "button", popovertarget: "panel", "aria-haspopup": "dialog", "aria-expanded": "false",
    "aria-label": t("Preferences: language, time zone, theme, alerts"), title: t("Preferences: language, time zone, theme, alerts") }, icon("gear"), code);
  const problem = h("p", { class: "problem", role: "alert" });
  const panel = h("div", { id: "panel", class: "panel", popover: "auto", role: "dialog", "aria-label": t("Preferences") });
  const root = h("div", {}, button, panel);

  function choices(label, options, chosen, choose) {
    const group = h("div", { class: "choices", role: "radiogroup", "aria-label": label });
    const pills = options.map(([value, text, attributes]) => h("button", { type: "button", class: "pill", role: "radio", "aria-checked": String(value === chosen),
      tabindex: value === chosen ? "0" : "-1", ...attributes, onclick: () => choose(value) }, text));
    group.addEventListener("keydown", (event) => {
      const rtl = page.dir === "rtl" ? -1 : 1;
      const way = { ArrowRight: rtl, ArrowDown: 1, ArrowLeft: -rtl, ArrowUp: -1 }[event.key];
      if (!way) return;
      event.preventDefault();
      const at = pills.indexOf(event.composedPath()[0]);
      pills[(at + way + pills.length) % pills.length].focus();
    });
    group.append(...pills);
    return group;
  }

  function row(label, control, hint) {
    return h("div", { class: "row" }, h("span", { class: "label" }, label), control, hint ? h("p", { class: "note" }, hint) : null);
  }

  function turn(label, on, press) {
    return h("button", { type: "button", class: `turn${on ? " on" : ""}`, role: "switch", "aria-checked": String(on), "aria-label": label, onclick: press },
      h("span", { class: "knob", "aria-hidden": "true" }), h("span", {}, on ? t("on") : t("off")));
  }

  function sound() {
    const on = localStorage.getItem("opportunity-sound") !== "on";
    localStorage.setItem("opportunity-sound", on ? "on" : "off");
    if (on) ask("tone");
    draw("sound");
  }

  async function notify() {
    if (localStorage.getItem("opportunity-notify") === "on" && Notification.permission === "granted") localStorage.setItem("opportunity-notify", "off");
    else {
      const answer = await Notification.requestPermission();
      localStorage.setItem("opportunity-notify", answer === "granted" ? "on" : "off");
      setText(problem, answer === "granted" ? "" : t("The browser does not allow notifications of this page; its settings can."));
    }
    draw("notify");
  }

  function notifying() {
    if (globalThis.Notification === undefined || !window.isSecureContext) return h("span", { class: "dim" }, t("only over a secure connection"));
    const on = localStorage.getItem("opportunity-notify") === "on" && Notification.permission === "granted";
    return turn(t("Notifications of the browser"), on, notify);
  }

  function speak(language) {
    if (language === page.lang) return;
    cookie("opportunity-language", language);
    window.location.reload();
  }

  function live(zone) {
    cookie("opportunity-zone", zone);
    window.location.reload();
  }

  function draw(focused) {
    const themes = [["dark", t("Dark")], ["light", t("Light")], ["contrast", t("High contrast")]];
    const zone = h("select", { class: "field", "aria-label": t("Time zone"), onchange: (event) => live(event.target.value) }, ...zones());
    const alerts = turn(t("Sound"), localStorage.getItem("opportunity-sound") === "on", sound), notices = notifying();
    panel.replaceChildren(
      h("div", { class: "top" }, h("h2", {}, t("Preferences")), h("button", { class: "shut", type: "button", "aria-label": t("Close"), onclick: () => panel.hidePopover() }, icon("close"))),
      row(t("Language"), choices(t("Language"), Object.entries(names).map(([code, name]) => [code, name, { lang: code }]), page.lang, speak)),
      row(t("Theme"), choices(t("Theme"), themes, page.dataset.theme, (theme) => { ask("theme", { theme }); draw("theme"); })),
      row(t("Time zone"), zone),
      row(t("Sound"), alerts, t("A short tone when an alert or a trade comes.")),
      row(t("Notifications"), notices), problem,
      h("div", { class: "foot" },
        h("button", { class: "btn", type: "button", onclick: () => { panel.hidePopover(); ask("tour"); } }, t("Show the tour")),
        h("button", { class: "btn", type: "button", onclick: () => { panel.hidePopover(); ask("help"); } }, t("Keyboard shortcuts")),
        h("button", { class: "btn", type: "button", onclick: () => ask("layout_reset") }, t("Reset the layout"))));
    const again = { sound: alerts, notify: notices, theme: panel.querySelectorAll("[role=radiogroup]")[1]?.querySelector("[aria-checked=true]") }[focused];
    again?.focus();
  }

  function place() {
    const box = button.getBoundingClientRect(), rtl = page.dir === "rtl", narrow = window.innerWidth <= 620;
    panel.style.top = `${box.bottom + 13}px`;
    panel.style.left = narrow ? "8px" : rtl ? `${Math.max(8, box.left)}px` : "auto";
    panel.style.right = narrow ? "8px" : rtl ? "auto" : `${Math.max(8, page.clientWidth - box.right)}px`;
  }

  const worn = () => { if (panel.matches(":popover-open")) draw(); };
  panel.addEventListener("beforetoggle", (event) => { if (event.newState === "open") { setText(problem, ""); draw(); place(); } });
  panel.addEventListener("toggle", (event) => button.setAttribute("aria-expanded", event.newState === "open"));
  onDo(model, { preferences: () => panel.showPopover() });
  document.addEventListener("opportunity:theme", worn);
  model.on("remove", () => document.removeEventListener("opportunity:theme", worn));
  return root;
}
