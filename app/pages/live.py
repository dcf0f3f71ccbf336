"""The Live page: ranked table, chart, why, weights and signals of the running market."""

from typing import TYPE_CHECKING, Any, Final

import panel as pn

from app.pages.frame import framed, own_document
from app.pages.live_session import LiveSession
from app.pages.live_table import address_of
from app.pages.shell import asked, chosen_theme

if TYPE_CHECKING:
    from app.services import Services

PATH: Final = "/"
TITLE: Final = "Live"
FIRST_TIMEFRAME: Final = "1h"


def page(services: "Services") -> Any:
    """Build the page of one session: a skeleton, filled once the browser shows it."""
    return framed("live", TITLE, make_session(services), services, "Skip to the table")


def make_session(services: "Services") -> LiveSession:
    """Return the view-model, with what the address asks for: `?symbol=BTC-USDT&timeframe=4h`.

    The table's part of the address: see `live_table.address_of`.
    """
    names = {s.replace("/", "-"): s for s in services.symbols}
    frames = tuple(services.timeframes)
    first = FIRST_TIMEFRAME if FIRST_TIMEFRAME in frames else frames[len(frames) // 2]
    symbol = names.get(asked("symbol", tuple(names), ""), "")
    doc = own_document()
    session = LiveSession(
        services, doc, symbol, asked("timeframe", frames, first), chosen_theme()
    )
    session.table.param.update(**address_of(pn.state.session_args, services.symbols))
    return session
