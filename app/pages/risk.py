"""The Risk page: exposure, value at risk, breakers, limits, sizing and stress."""

from typing import TYPE_CHECKING, Any, Final

from app.pages.frame import framed, own_document
from app.pages.risk_session import RiskSession
from app.pages.shell import chosen_theme

if TYPE_CHECKING:
    from app.services import Services

PATH: Final = "/risk"
TITLE: Final = "Risk"


def page(services: "Services") -> Any:
    """Build the page of one session: filled once the browser shows it."""
    session = RiskSession(services, own_document(), chosen_theme())
    return framed("risk", TITLE, session, services, "Skip to the risk")
