/** Draw a part that needs nothing of the server: it lives as long as the page. */
function mount(name, css, facts, render) {
  for (const place of document.querySelectorAll(`[data-part=${name}]`)) {
    const root = place.attachShadow({ mode: "open" });
    root.append(h("style", {}, css), render({ model: { ...facts, on() {} } }));
  }
}
