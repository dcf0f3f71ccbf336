"""The System page: feeds, queues, keys and roles, audit, alerts, backups, retention."""

from typing import TYPE_CHECKING, Any, Final

from app.components.audit_log import KINDS
from app.pages.frame import framed, own_document
from app.pages.shell import asked, chosen_theme
from app.pages.system_session import SystemSession

if TYPE_CHECKING:
    from app.services import Services

PATH: Final = "/system"
TITLE: Final = "System"


def page(services: "Services") -> Any:
    """Build the page of one session: filled once the browser shows it."""
    session = SystemSession(
        services, own_document(), chosen_theme(), asked("audit", ("", *KINDS), "")
    )
    return framed("system", TITLE, session, services)
