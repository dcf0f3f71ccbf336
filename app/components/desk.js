// What the small tools of the Live page share: a button, and a dialog behind it.

/** A button with a dialog: deskOf({name, sign, title, opened}); `body` is where its content goes. */
function deskOf({ name, sign, title, opened = () => {} }) {
  const told = outcome(), badge = h("span", { class: "badge", hidden: true });
  const button = h("button", { class: "pill tool", type: "button", "aria-haspopup": "dialog", title, onclick: () => open() }, icon(sign), h("span", { class: "word" }, name), badge);
  const body = h("div", { class: "content" });
  const dialog = h("dialog", { class: "desk", "aria-label": title },
    h("header", {}, h("h3", {}, title), h("button", { class: "shut", type: "button", "aria-label": t("Close"), onclick: () => dialog.close() }, icon("close"))),
    body, ...told.parts);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  const root = h("div", { class: "toolbox" }, button, dialog);

  function open() {
    told.say("");
    opened();
    if (!dialog.open) dialog.showModal();
  }

  function tell(n) {
    badge.hidden = !n;
    setText(badge, n ? String(n) : "");
  }

  return { root, button, dialog, body, told, open, tell };
}

/** A field for a symbol that is watched, with a list of them to choose from. */
function symbolField(label) {
  const options = h("datalist", { id: "symbols" });
  const field = h("input", { class: "field symbol", list: "symbols", "aria-label": label, placeholder: "BTC/USDT", autocomplete: "off", spellcheck: "false", maxlength: 32 });
  const fill = (symbols) => {
    if (options.dataset.text === symbols.join()) return;
    options.dataset.text = symbols.join();
    options.replaceChildren(...symbols.map((value) => h("option", { value })));
  };
  return { field, options, fill };
}

/** The symbol that somebody means: "sol" is SOL/USDT where that is watched. */
function meantSymbol(text, symbols) {
  const plain = text.trim().toUpperCase().replace("-", "/");
  return symbols.find((s) => s === plain || s.replace("/", "") === plain) ?? symbols.find((s) => s.split("/")[0] === plain) ?? plain;
}
