"""The frame of every page: header, theme, and the place where a page puts its components."""

from functools import partial
from pathlib import Path
from typing import Any, Final

import panel as pn
from bokeh.document import Document
from jinja2 import Environment, FileSystemLoader

from app.auth.pages import caller
from app.components.language import (
    LANGUAGE_COOKIE,
    LANGUAGES,
    RIGHT_TO_LEFT,
    LanguageName,
    catalogue_json,
    language_of,
    t,
)
from app.components.local import MOUNT, local
from app.components.theme import THEME_COOKIE, ThemeName, stylesheet, theme_of

HERE: Final = Path(__file__).parent

# Bokeh hands over ready-made markup (scripts, roots), so nothing is escaped by itself: what a
# page puts into the markup is escaped where it stands (`| e`).
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(HERE), trim_blocks=True, lstrip_blocks=True
)
_SHELL_CSS: Final = stylesheet() + (HERE / "shell.css").read_text(encoding="utf-8")
_SHELL_JS: Final = "\n".join((
    MOUNT, *((HERE / f"{name}.js").read_text("utf-8") for name in ("keys", "tour", "layout")),
    local("alerts_bell"), local("preferences", languages=LANGUAGES),
))  # fmt: skip
KEYS: Final = {
    "Live": "l", "Portfolio": "p", "Risk": "i", "Research": "r", "Context": "c", "Journal": "j",
    "System": "s",
}  # fmt: skip
"""Which key goes to a page, after G."""


class Page(pn.Template):
    """A template that is quick to serve: a session is built on the loop that serves all others."""

    def __repr__(self) -> str:
        # Panel keeps a picture of the template in words for notebooks, redrawn for every root.
        return f"Page({', '.join(self._render_items)})"

    def server_doc(
        self, doc: Document | None = None, title: str | None = None, location: Any = True
    ) -> Document:
        """Put the page into its document, which takes stock of its models once."""
        wanted: Any = pn.state.curdoc if doc is None else doc
        with wanted.models.freeze():
            return super().server_doc(wanted, title, location)


def shell(name: str, title: str, roots: dict[str, Any], **facts: str) -> Page:
    """Put components into a page.

    Parameters
    ----------
    name : str
        Base name of `<name>.html` and `<name>.css` beside this module.
    title : str
        Title of the page.
    roots : dict
        Components by the name under which the markup embeds them.
    **facts : str
        `mark`, `mark_hint` and `universe` of the header; `theme` of the first picture; `skip`,
        the words of the link past the header.

    Returns
    -------
    Page
        Own markup and style throughout: no font, script or icon from outside.
    """
    page = Page(_TEMPLATES.get_template(f"{name}.html"))
    for key, root in roots.items():
        page.add_panel(key, root)
    language = chosen_language()
    page.add_variable("t", partial(t, language))
    page.add_variable("language", language)
    page.add_variable("direction", "rtl" if language in RIGHT_TO_LEFT else "ltr")
    page.add_variable("words", catalogue_json(language))
    page.add_variable("shell", _TEMPLATES.get_template("shell.html"))
    page.add_variable("page_css", _SHELL_CSS + (HERE / f"{name}.css").read_text(encoding="utf-8"))
    page.add_variable("shell_js", _SHELL_JS)
    page.add_variable("page_title", title)
    who = caller()
    page.add_variable("user", "" if who.how == "loopback" else who.name)
    page.add_variable("role", who.role.label)
    page.add_variable("pages", [
        (p.PATH.lstrip("/") or "./", p.TITLE, KEYS.get(p.TITLE, "")) for p in _pages()
    ])
    for key, fact in facts.items():
        page.add_variable(key, fact)
    return page


def _pages() -> Any:
    from app.pages import PAGES  # which imports the pages, and they this module

    return PAGES


def chosen_theme() -> ThemeName:
    """Return the theme that this browser chose before; dark when it never did."""
    return theme_of(pn.state.cookies.get(THEME_COOKIE))


def chosen_language() -> LanguageName:
    """Return the language that was chosen, else the first known that the browser asks for."""
    accepted = str(pn.state.headers.get("Accept-Language") or "")
    return language_of(pn.state.cookies.get(LANGUAGE_COOKIE) or "", accepted)


def asked(name: str, known: tuple[str, ...], default: str) -> str:
    """Return a query argument of the page's address when it is one of `known`."""
    values = pn.state.session_args.get(name) or [b""]
    value = values[0].decode("ascii", errors="ignore")
    return value if value in known else default
