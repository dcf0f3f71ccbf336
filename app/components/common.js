// What every component of the page shares: elements, numbers and words.
// Text from the server only ever becomes a text node, so it cannot become markup.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element: h("b", {class: "bull", onclick: f}, "text", child). */
function h(tag, attributes = {}, ...children) {
  const svg = tag === "svg" || tag === "path";
  const element = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const WORDS = globalThis.opportunityWords ?? {};

/**
 * Say a text in the reader's language: t("{n} symbols", {n: 40}); English is the key, and what
 * stands when a word is missing. A phrase of the server, {text, values}, is one argument.
 */
function t(text, values = {}) {
  if (text !== null && typeof text === "object") return t(text.text, text.values);
  return (WORDS[text] ?? text ?? "").replace(/\{(\w+)\}/g, (hole, name) => values[name] ?? hole);
}

/**
 * Do what a key, the tour or another component asks for while this component is on the page:
 * onDo(model, {search: () => field.focus()}). An action may return false: it was not for it.
 */
function onDo(model, actions) {
  const hear = (event) => {
    if (event.detail.what === "known") for (const what of Object.keys(actions)) event.detail.known.add(what);
    if (actions[event.detail.what]?.(event.detail) !== false && event.detail.what in actions) event.preventDefault();
  };
  document.addEventListener("opportunity:do", hear);
  model.on("remove", () => document.removeEventListener("opportunity:do", hear));
}

/** Ask whoever can for something; true when somebody did it. */
function ask(what, detail = {}) {
  return !document.dispatchEvent(new CustomEvent("opportunity:do", { detail: { ...detail, what }, cancelable: true }));
}

/**
 * Hear messages of the page's one WebSocket: f(message) for each, and `joined(say)` whenever the
 * line is up, to subscribe with say({action: "subscribe", ...}).
 */
function onLine(model, f, joined = () => {}) {
  const say = (command) => document.dispatchEvent(new CustomEvent("opportunity:say", { detail: command }));
  const hear = (event) => f(event.detail);
  const up = () => joined(say);
  document.addEventListener("opportunity:message", hear);
  document.addEventListener("opportunity:joined", up);
  model.on("remove", () => {
    document.removeEventListener("opportunity:message", hear);
    document.removeEventListener("opportunity:joined", up);
  });
  if (document.documentElement.dataset.line === "connected") up();
}

/** Whether who looks may change nothing: then what changes something is out of reach. */
const READ_ONLY = document.documentElement.dataset.role === "viewer";

/** Set the text of an element only when it differs: an untouched node costs no layout. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setClass(element, name) {
  if (element.className !== name) element.className = name;
}

const ICONS = {
  bell: "M8 1a1 1 0 0 1 1 1v.6a4 4 0 0 1 3 3.9V10l1.5 2h-11L4 10V6.5a4 4 0 0 1 3-3.9V2a1 1 0 0 1 1-1zM6.3 13h3.4a1.7 1.7 0 0 1-3.4 0z",
  contrast: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM8 3a5 5 0 0 1 0 10z",
  gear: "M6.9 1h2.2l.3 1.8 1.2.5 1.5-1.1 1.6 1.6-1.1 1.5.5 1.2 1.9.4v2.2l-1.9.3-.5 1.2 1.1 1.5-1.6 1.6-1.5-1.1-1.2.5-.3 1.9H6.9l-.3-1.9-1.2-.5-1.5 1.1-1.6-1.6 1.1-1.5-.5-1.2L1 9.1V6.9l1.9-.4.5-1.2-1.1-1.5 1.6-1.6 1.5 1.1 1.2-.5zM8 5.7a2.3 2.3 0 1 0 0 4.6 2.3 2.3 0 0 0 0-4.6z",
  more: "M3 6.6a1.4 1.4 0 1 1 0 2.8 1.4 1.4 0 0 1 0-2.8zm5 0a1.4 1.4 0 1 1 0 2.8 1.4 1.4 0 0 1 0-2.8zm5 0a1.4 1.4 0 1 1 0 2.8 1.4 1.4 0 0 1 0-2.8z",
  undo: "M6 2.5v3h3.2a4.3 4.3 0 0 1 0 8.6H5v-1.5h4.2a2.8 2.8 0 0 0 0-5.6H6v3L1.5 6.2z",
  redo: "M10 2.5v3H6.8a4.3 4.3 0 0 0 0 8.6H11v-1.5H6.8a2.8 2.8 0 0 1 0-5.6H10v3l4.5-3.8z",
  lock: "M5 7V5a3 3 0 0 1 6 0v2h1v7H4V7zm1.4 0h3.2V5a1.6 1.6 0 0 0-3.2 0z",
  open: "M5 7V4.6a3 3 0 0 1 5.9-.7l-1.4.4a1.6 1.6 0 0 0-3.1.3V7H12v7H4V7z",
  bolt: "M9 1 3 9h4l-1 6 6-8H8z",
  off: "M9 1 6.9 3.8 10 7h2l-1 1.4 3.3 3.3-1 1L1.7 2.1l1-1 3.2 3.2zM6.1 8 4.4 7.1 3 9h4l-1 6 2.6-3.5z",
  moon: "M13.5 10A6 6 0 0 1 6 2.5a6 6 0 1 0 7.5 7.5z",
  sun: "M8 4.6a3.4 3.4 0 1 0 0 6.8 3.4 3.4 0 0 0 0-6.8zM7.3 1h1.4v2.2H7.3zm0 11.8h1.4V15H7.3zM1 7.3h2.2v1.4H1zm11.8 0H15v1.4h-2.2zM2.6 3.6l1-1 1.5 1.6-.9.9zm8.3 8.3.9-.9 1.6 1.5-1 1zM2.6 12.4l1.6-1.5.9.9-1.5 1.6zm8.3-8.3 1.5-1.5 1 1-1.6 1.4z",
  search: "M7 2a5 5 0 1 0 3 9l3 3 1-1-3-3a5 5 0 0 0-4-8zm0 1.4a3.6 3.6 0 1 1 0 7.2 3.6 3.6 0 0 1 0-7.2z",
  list: "M2 3h12v1.6H2zm0 4.2h12v1.6H2zm0 4.2h12V13H2z",
  cards: "M2 2h5v5H2zm7 0h5v5H9zM2 9h5v5H2zm7 0h5v5H9z",
  chart: "M2 14V8h3v6zm4.5 0V2h3v12zm4.5 0V6h3v8z",
  heat: "M2 2h7v8H2zm8 0h4v4h-4zm0 5h4v7h-4zM2 11h7v3H2z",
  compare: "M2 3h5v10H2zm1.4 1.4v7.2h2.2V4.4zM9 3h5v10H9z",
  filter: "M1.5 3h13L9.5 9v5l-3-1.8V9z",
  target: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM8 3a5 5 0 1 1 0 10A5 5 0 0 1 8 3zm0 2.6a2.4 2.4 0 1 0 0 4.8 2.4 2.4 0 0 0 0-4.8z",
  scales: "M7.3 1.5h1.4v1.6L13 4l2 5a2.5 2.5 0 0 1-5 0l1.6-4-2.9-.6V13H12v1.5H4V13h3.3V4.4L4.4 5 6 9a2.5 2.5 0 0 1-5 0l2-5 4.3-.9z",
  star: "m8 1.5 2 4.3 4.6.6-3.4 3.2.9 4.7L8 12l-4.1 2.3.9-4.7L1.4 6.4 6 5.8z",
  close: "m4 3 4 4 4-4 1 1-4 4 4 4-1 1-4-4-4 4-1-1 4-4-4-4z",
};

function icon(name) {
  return h("svg", { viewBox: "0 0 16 16", "aria-hidden": "true", class: "icon" },
    h("path", { d: ICONS[name] }));
}

const GLYPH = { 1: "▲", 0: "●", "-1": "▼" };
const TONE = { 1: "bull", 0: "dim", "-1": "bear" };
const WORD = { 1: "bullish", 0: "neutral", "-1": "bearish" };

/**
 * Write a price with as many digits as its size needs: 103,412.5 or 1.234; many zeros are counted
 * by a small figure, 0.0₅9725 for 0.000009725, so that a column of prices stays narrow.
 */
function price(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size > 0 && size < 0.001) {
    const [digits, power] = size.toExponential(3).split("e-");
    const zeros = [...String(Number(power) - 1)].map((c) => "₀₁₂₃₄₅₆₇₈₉"[c]).join("");
    return `${value < 0 ? "−" : ""}0.0${zeros}${digits.replace(".", "")}`;
  }
  const digits = size >= 1000 ? 1 : size >= 10 ? 2 : size >= 1 ? 3
    : Math.min(10, 3 - Math.floor(Math.log10(size || 1)));
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Keep a figure with its sign and unit together in a line that runs from right to left. */
const ltr = document.documentElement.dir === "rtl" ? (text) => `\u2066${text}\u2069` : (text) => text;

/** Draw a share as a pie of quarters, full only for 1. */
function pie(share) { return share >= 1 ? "●" : share >= 0.75 ? "◕" : share >= 0.5 ? "◑" : share > 0 ? "◔" : "○"; }

function number(value, digits = 2) {
  return value === null || value === undefined ? "–" : value.toFixed(digits);
}

/** Write a fraction as a signed percent. */
function percent(value, digits = 1) {
  if (value === null || value === undefined) return "–";
  return ltr(`${value >= 0 ? "+" : "−"}${Math.abs(100 * value).toFixed(digits)} %`);
}

function signed(value, digits = 3) {
  return ltr(`${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`);
}

/** Write how long ago something was. */
function ago(ms) {
  const s = Math.max(0, ms) / 1000;
  if (s < 1.5) return t("now");
  if (s < 60) return t("{n} s", { n: Math.floor(s) });
  if (s < 3600) return t("{n} m", { n: Math.floor(s / 60) });
  if (s < 172800) return t("{n} h", { n: Math.floor(s / 3600) });
  return t("{n} d", { n: Math.floor(s / 86400) });
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** Time zone that the reader chose: an IANA name, "UTC", or undefined for that of the browser. */
const ZONE = /(?:^|; )opportunity-zone=([^;]+)/.exec(document.cookie)?.[1];

function inZone(options) {
  try {
    return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: ZONE && decodeURIComponent(ZONE) });
  } catch {
    return new Intl.DateTimeFormat("en-GB", options);  // a zone that this browser does not know
  }
}
const PARTS = inZone({ day: "numeric", month: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** Write a time of the market in the reader's time zone: 3 Jul 14:05. */
function clock(ms) {
  const part = Object.fromEntries(PARTS.formatToParts(ms).map(({ type, value }) => [type, value]));
  return `${part.day} ${t(MONTHS[Number(part.month) - 1])} ${part.hour}:${part.minute}`;
}

/** Keep page state in the address, so that a reload or a shared link shows the same. */
function remember(values) {
  const url = new URL(window.location.href);
  for (const [name, value] of Object.entries(values)) url.searchParams.set(name, value);
  window.history.replaceState(null, "", url);
}

/** Call `f` at most once in `ms`, with the newest arguments, the last call always. */
function throttle(f, ms) {
  let last = 0, timer = null, newest = null;
  const run = () => { timer = null; last = performance.now(); f(...newest); };
  return (...args) => {
    newest = args;
    if (timer !== null) return;
    timer = setTimeout(run, Math.max(0, last + ms - performance.now()));
  };
}

/** Tell whether a key press is meant for a field that takes text. */
function typing(event) {
  const target = event.composedPath()[0];
  return target instanceof HTMLElement &&
    (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));
}
