"""The Research page: a form for a backtest, how it goes, and what came of it."""

from typing import TYPE_CHECKING, Any, Final

import panel as pn

from app.pages.live import market_mark, universe
from app.pages.research_session import ResearchSession
from app.pages.shell import chosen_theme, shell

if TYPE_CHECKING:
    from app.services import Services

PATH: Final = "/research"
TITLE: Final = "Research"


def page(services: "Services") -> Any:
    """Build the page of one session: the form; results come once there are any."""
    session = make_session(services)
    pn.state.onload(session.open)
    session.doc.on_session_destroyed(lambda session_context: session.close())
    mark, hint = market_mark(services.source)
    return shell(
        "research", TITLE, session.roots(), theme=chosen_theme(), mark=mark, mark_hint=hint,
        universe=universe(services), skip="Skip to the form",
    )


def make_session(services: "Services") -> ResearchSession:
    """Return the view-model, with the result that the address asks for: `?job=...`."""
    doc = pn.state.curdoc
    if doc is None:
        raise RuntimeError("the Research page must be built for a document, there was none")
    job = (pn.state.session_args.get("job") or [b""])[0].decode("ascii", errors="ignore")
    return ResearchSession(services, doc, job, chosen_theme())
