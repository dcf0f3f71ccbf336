"""The Research page: a form for a backtest, how it goes, and what came of it."""

from typing import TYPE_CHECKING, Any, Final

import panel as pn

from app.pages.frame import framed, own_document
from app.pages.research_session import ResearchSession
from app.pages.shell import chosen_theme

if TYPE_CHECKING:
    from app.services import Services

PATH: Final = "/research"
TITLE: Final = "Research"


def page(services: "Services") -> Any:
    """Build the page of one session: the form; results come once there are any."""
    return framed("research", TITLE, make_session(services), services, "Skip to the form")


def make_session(services: "Services") -> ResearchSession:
    """Return the view-model, with the result that the address asks for: `?job=...`."""
    job = (pn.state.session_args.get("job") or [b""])[0].decode("ascii", errors="ignore")
    return ResearchSession(services, own_document(), job, chosen_theme())
