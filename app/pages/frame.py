"""How a page is made of its session: the shell around it, opened and closed with its document."""

from typing import TYPE_CHECKING, Any, Final, Protocol

import panel as pn
from bokeh.document import Document

from app.components.language import LanguageName, t
from app.pages.head import Head
from app.pages.shell import chosen_language, chosen_theme, shell

if TYPE_CHECKING:
    from app.services import Services

SKIP: Final = "Skip to the content"


class Session(Protocol):
    """View-model of one open page."""

    doc: Document
    head: Head

    def roots(self) -> dict[str, Any]:
        """Return the components by their name in the markup."""

    def open(self) -> None:
        """Begin to follow the news; called once the browser shows the page."""

    def close(self) -> None:
        """Leave everything; called when the document is gone."""


def framed(
    name: str, title: str, session: Session, services: "Services", skip: str = SKIP
) -> Any:
    """Return the page of a session, which is filled once the browser shows it.

    Parameters
    ----------
    name : str
        Base name of `<name>.html` and `<name>.css` beside this module.
    title : str
        Title of the page, as in the navigation.
    session : Session
        Of this browser page.
    skip : str
        Words of the link past the header.
    """
    pn.state.onload(session.head.open)
    pn.state.onload(session.open)
    session.doc.on_session_destroyed(lambda session_context: session.close())
    mark, hint = market_mark(services.source)
    return shell(
        name, title, session.roots(), theme=chosen_theme(), mark=mark, mark_hint=hint,
        universe=universe(services, chosen_language()), skip=skip,
    )


def own_document() -> Document:
    """Return the document that a page is built for.

    Raises
    ------
    RuntimeError
        If it is built for none.
    """
    doc = pn.state.curdoc
    if doc is None:
        raise RuntimeError("a page must be built for a document, there was none")
    return doc


def market_mark(source: str) -> tuple[str, str]:
    """Return the header's mark of where prices come from, and what it means."""
    if source == "simulated":
        return "SIMULATED MARKET", "Prices are made up by the simulator; nothing here is real."
    if source.startswith("replay"):
        name = source.partition(":")[2]
        return f"REPLAY {name.upper()}".strip(), "Recorded prices are played back."
    return source.upper(), "Prices come from this exchange."


def universe(services: "Services", language: LanguageName = "en") -> str:
    """Say how many symbols and timeframes are watched."""
    n, frames = len(services.symbols), len(services.timeframes)
    if not n:
        return t(language, "opening the market")
    symbols = "1 symbol" if n == 1 else "{n} symbols"
    times = "1 timeframe" if frames == 1 else "{n} timeframes"
    return f"{t(language, symbols, n=n)} · {t(language, times, n=frames)}"
