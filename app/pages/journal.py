"""The Journal page: signals and their outcomes, decisions not taken, decay, challengers."""

from typing import TYPE_CHECKING, Any, Final

from app.pages.frame import framed, own_document
from app.pages.journal_session import JournalSession
from app.pages.shell import chosen_theme

if TYPE_CHECKING:
    from app.services import Services

PATH: Final = "/journal"
TITLE: Final = "Journal"


def page(services: "Services") -> Any:
    """Build the page of one session: filled once the browser shows it."""
    session = JournalSession(services, own_document(), chosen_theme())
    return framed("journal", TITLE, session, services, "Skip to the signals")
