"""Parts of a page that need nothing of the server's session: the browser alone draws them.

They are written like the components of `island`, in a shadow root of their own, but the server
makes no model for them: opening a page costs it nothing more.
"""

from pathlib import Path
from typing import Any, Final

from app.components.island import COMMON_CSS, COMMON_JS, dumps

HERE: Final = Path(__file__).parent
MOUNT: Final = f"{COMMON_JS}\n{(HERE / 'local.js').read_text(encoding='utf-8')}"
"""What scripts of a page begin with that have local parts."""

_EXPORT: Final = "export function render("


def local(name: str, **facts: Any) -> str:
    """Return the script that draws a part where the markup says ``<div data-part="name">``.

    Parameters
    ----------
    name : str
        Base name of `<name>.js` and `<name>.css` beside this module.
    **facts : plain values
        Properties of the `model` that its `render` gets.

    Raises
    ------
    ValueError
        If the module has not exactly one ``export function render(``.
    """
    source = (HERE / f"{name}.js").read_text(encoding="utf-8")
    if source.count(_EXPORT) != 1:
        raise ValueError(f"{name}.js must export one render, has {source.count(_EXPORT)}")
    body = source.replace(_EXPORT, "function render(")
    style = COMMON_CSS + (HERE / f"{name}.css").read_text(encoding="utf-8")
    given = ", ".join(dumps(value).replace("</", "<\\/") for value in (name, style, facts))
    return f"mount({given}, (() => {{\n{body}\nreturn render;\n}})());\n"
