"""The Portfolio page: what the paper account holds, did and earned, and what hands may do."""

from typing import TYPE_CHECKING, Any, Final

import panel as pn

from app.pages.live import market_mark, universe
from app.pages.portfolio_session import PortfolioSession
from app.pages.shell import chosen_theme, shell

if TYPE_CHECKING:
    from app.services import Services

PATH: Final = "/portfolio"
TITLE: Final = "Portfolio"


def page(services: "Services") -> Any:
    """Build the page of one session: filled once the browser shows it."""
    doc = pn.state.curdoc
    if doc is None:
        raise RuntimeError("the Portfolio page must be built for a document, there was none")
    session = PortfolioSession(services, doc, chosen_theme())
    pn.state.onload(session.open)
    doc.on_session_destroyed(lambda session_context: session.close())
    mark, hint = market_mark(services.source)
    return shell(
        "portfolio", TITLE, session.roots(), theme=chosen_theme(), mark=mark, mark_hint=hint,
        universe=universe(services), skip="Skip to the account",
    )
