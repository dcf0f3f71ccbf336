// As much of a browser as the components need to be drawn in node: elements, text, focus, events.
// Nothing has a size here, and styles do nothing; what only a browser can show is in tests/browser.

class Events {
  heard = new Map();
  addEventListener(type, f) { this.heard.set(type, [...(this.heard.get(type) ?? []), f]); }
  removeEventListener(type, f) { this.heard.set(type, (this.heard.get(type) ?? []).filter((one) => one !== f)); }
  dispatchEvent(event) {
    event.target ??= this;
    for (const f of this.heard.get(event.type) ?? []) f(event);
    if (event.bubbles && !event.stopped && this.parentNode) this.parentNode.dispatchEvent(event);
    return !event.defaultPrevented;
  }
}

class Happening {
  constructor(type, more = {}) { Object.assign(this, { type, defaultPrevented: false, bubbles: false }, more); }
  preventDefault() { this.defaultPrevented = true; }
  stopPropagation() { this.stopped = true; }
  composedPath() { return [this.target]; }
}

const dashed = (name) => `data-${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
const WORDS_OF_ATTRIBUTES = ["id", "title", "type", "role", "name"];
const SWITCHES = ["hidden", "disabled", "required"];

class Element extends Events {
  parentNode = null;
  attributes = new Map();
  childNodes = [];
  style = { setProperty() {}, removeProperty() {} };
  clientWidth = 0; clientHeight = 0; offsetHeight = 0; scrollTop = 0; tabIndex = 0; checked = false;
  constructor(tag) {
    super();
    this.tagName = tag.toUpperCase();
    const self = this;
    this.dataset = new Proxy({}, {
      get: (_, name) => self.attributes.get(dashed(name)),
      set: (_, name, value) => { self.attributes.set(dashed(name), String(value)); return true; },
      deleteProperty: (_, name) => { self.attributes.delete(dashed(name)); return true; },
    });
    this.classList = {
      names: () => new Set(self.className.split(" ").filter(Boolean)),
      contains: (name) => self.classList.names().has(name),
      add: (name) => self.classList.toggle(name, true),
      remove: (name) => self.classList.toggle(name, false),
      toggle: (name, on = !self.classList.contains(name)) => {
        const names = self.classList.names();
        if (on) names.add(name); else names.delete(name);
        self.className = [...names].join(" ");
        return on;
      },
    };
  }
  get className() { return this.attributes.get("class") ?? ""; }
  set className(value) { this.attributes.set("class", value); }
  get value() { return this.typed ?? this.attributes.get("value") ?? (this.tagName === "SELECT" ? this.options[0]?.value ?? "" : ""); }
  set value(value) { this.typed = String(value); }
  get max() { return this.attributes.get("max"); }
  set max(value) { this.attributes.set("max", String(value)); }
  get options() { return this.childNodes.filter((one) => one.tagName === "OPTION"); }
  get children() { return this.childNodes.filter((one) => one instanceof Element); }
  get firstChild() { return this.childNodes[0] ?? null; }
  get lastChild() { return this.childNodes.at(-1) ?? null; }
  get nextSibling() { return this.parentNode?.childNodes[this.parentNode.childNodes.indexOf(this) + 1] ?? null; }
  get isConnected() { return this.getRootNode() === document.documentElement; }
  get tHead() { return this.querySelector("thead"); }
  get textContent() { return this.childNodes.map((one) => one.textContent).join(""); }
  set textContent(text) { this.replaceChildren(...(text === "" ? [] : [text])); }
  getAttribute(name) { return this.attributes.get(name) ?? null; }
  setAttribute(name, value) { this.attributes.set(name, String(value)); }
  hasAttribute(name) { return this.attributes.has(name); }
  removeAttribute(name) { this.attributes.delete(name); }
  toggleAttribute(name, on) { if (on) this.attributes.set(name, ""); else this.attributes.delete(name); }
  append(...nodes) { for (const node of nodes) this.insertBefore(node, null); }
  prepend(...nodes) { for (const node of nodes.reverse()) this.insertBefore(node, this.firstChild); }
  insertBefore(node, before) {
    const one = node instanceof Element ? node : { textContent: String(node), remove() {} };
    if (one instanceof Element) one.remove();
    const at = before === null ? -1 : this.childNodes.indexOf(before);
    this.childNodes.splice(at < 0 ? this.childNodes.length : at, 0, one);
    one.parentNode = this;
    return node;
  }
  replaceChildren(...nodes) {
    for (const one of [...this.childNodes]) { if (one instanceof Element) one.remove(); }
    this.childNodes = [];
    this.append(...nodes);
  }
  remove() {
    if (!this.parentNode) return;
    if (this.contains(document.activeElement)) document.activeElement = document.body;
    this.parentNode.childNodes = this.parentNode.childNodes.filter((one) => one !== this);
    this.parentNode = null;
  }
  contains(other) { for (let one = other; one; one = one.parentNode) if (one === this) return true; return false; }
  getRootNode() { let one = this; while (one.parentNode) one = one.parentNode; one.activeElement = document.activeElement; return one; }
  closest(selector) { for (let one = this; one; one = one.parentNode) if (one.matches(selector)) return one; return null; }
  matches(selector) {
    return selector.split(",").some((one) => {
      const parts = one.trim().match(/^([a-z0-9]*)((?:[.#][\w-]+|\[[^\]]+\]|:\w+)*)$/i);
      if (!parts || (parts[1] && parts[1].toUpperCase() !== this.tagName)) return false;
      return (parts[2].match(/[.#][\w-]+|\[[^\]]+\]|:\w+/g) ?? []).every((part) => {
        if (part[0] === ".") return this.classList.contains(part.slice(1));
        if (part[0] === ":") return false;
        if (part[0] === "#") return this.attributes.get("id") === part.slice(1);
        const [, name, value] = /^\[([\w-]+)(?:="?([^"]*)"?)?\]$/.exec(part);
        return value === undefined ? this.attributes.has(name) : this.attributes.get(name) === value;
      });
    });
  }
  querySelectorAll(selector) { return this.children.flatMap((one) => [...(one.matches(selector) ? [one] : []), ...one.querySelectorAll(selector)]); }
  querySelector(selector) { return this.querySelectorAll(selector)[0] ?? null; }
  focus() { if (this.isConnected) document.activeElement = this; }
  blur() { document.activeElement = document.body; }
  select() {}
  click() { if (!this.disabled) this.dispatchEvent(new Happening("click", { bubbles: true })); }
  showModal() { this.open = true; }
  close() { this.open = false; this.dispatchEvent(new Happening("close")); }
  getBoundingClientRect() { return { left: 0, right: 0, top: 0, bottom: 0, width: 0, height: 0 }; }
}
for (const name of WORDS_OF_ATTRIBUTES) Object.defineProperty(Element.prototype, name, {
  get() { return this.attributes.get(name) ?? ""; }, set(value) { this.attributes.set(name, String(value)); },
});
for (const name of SWITCHES) Object.defineProperty(Element.prototype, name, {
  get() { return this.attributes.has(name); }, set(on) { this.toggleAttribute(name, on); },
});

class Watcher { observe() {} disconnect() {} }
const kept = new Map();
const document = Object.assign(new Events(), { createElement: (tag) => new Element(tag), createElementNS: (_, tag) => new Element(tag), cookie: "", hidden: false, baseURI: "http://127.0.0.1/" });
document.documentElement = new Element("html");
document.querySelector = (selector) => document.documentElement.querySelector(selector);
document.querySelectorAll = (selector) => document.documentElement.querySelectorAll(selector);
document.getElementById = (id) => document.querySelector(`#${id}`);
document.body = new Element("body");
document.documentElement.append(document.body);
document.activeElement = document.body;
const window = Object.assign(new Events(), { location: { href: "http://127.0.0.1/" }, history: { replaceState() {} }, matchMedia: () => ({ matches: false }) });
Object.assign(globalThis, {
  document, window, HTMLElement: Element, CustomEvent: Happening, ResizeObserver: Watcher, MutationObserver: Watcher,
  requestAnimationFrame: (f) => setTimeout(f, 0), cancelAnimationFrame: clearTimeout,
  localStorage: { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value) },
});

/** The browser's side of a component: `set` is a change by the server, `said` what it was sent. */
class Model {
  heard = new Map();
  said = [];
  constructor(values) { Object.assign(this, values); }
  on(names, f) { for (const name of [names].flat()) this.heard.set(name, [...(this.heard.get(name) ?? []), f]); }
  send_msg(message) { this.said.push(message); }
  tell(name, value) { for (const f of this.heard.get(name) ?? []) f(value); }
  set(values) { Object.assign(this, values); for (const name of Object.keys(values)) this.tell(name); }
  answer(found, error = "") { this.tell("msg:custom", { n: this.said.at(-1).n, found, error }); }
}

const type = (field, text) => { field.focus(); field.value = text; for (const kind of ["input", "change"]) field.dispatchEvent(new Happening(kind, { bubbles: true })); };
const pressed = (element, key) => element.dispatchEvent(new Happening("keydown", { key, bubbles: true }));
const rest = () => new Promise((done) => setTimeout(done, 0));
