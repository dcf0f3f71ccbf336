"""The Context page: mood of the market, news and whale prints, each with its age."""

from typing import TYPE_CHECKING, Any, Final

from app.pages.context_session import ContextSession
from app.pages.frame import framed, own_document
from app.pages.shell import chosen_theme

if TYPE_CHECKING:
    from app.services import Services

PATH: Final = "/context"
TITLE: Final = "Context"


def page(services: "Services") -> Any:
    """Build the page of one session: filled once the browser shows it."""
    session = ContextSession(services, own_document(), chosen_theme())
    return framed("context", TITLE, session, services, "Skip to the mood")
