"""The Portfolio page: what the paper account holds, did and earned, and what hands may do."""

from typing import TYPE_CHECKING, Any, Final

from app.pages.frame import framed, own_document
from app.pages.portfolio_session import PortfolioSession
from app.pages.shell import chosen_theme

if TYPE_CHECKING:
    from app.services import Services

PATH: Final = "/portfolio"
TITLE: Final = "Portfolio"


def page(services: "Services") -> Any:
    """Build the page of one session: filled once the browser shows it."""
    session = PortfolioSession(services, own_document(), chosen_theme())
    return framed("portfolio", TITLE, session, services, "Skip to the account")
