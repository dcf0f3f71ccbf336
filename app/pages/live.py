"""The Live page: ranked table, chart, why, weights and signals of the running market."""

from typing import TYPE_CHECKING, Any, Final

import panel as pn

from app.pages.live_session import LiveSession
from app.pages.shell import asked, chosen_theme, shell

if TYPE_CHECKING:
    from app.services import Services

PATH: Final = "/"
TITLE: Final = "Live"
FIRST_TIMEFRAME: Final = "1h"


def page(services: "Services") -> Any:
    """Build the page of one session: a skeleton, filled once the browser shows it."""
    session = make_session(services)
    pn.state.onload(session.open)
    session.doc.on_session_destroyed(lambda session_context: session.close())
    mark, hint = market_mark(services.source)
    return shell(
        "live", TITLE, session.roots(), theme=chosen_theme(), mark=mark, mark_hint=hint,
        universe=universe(services),
    )


def make_session(services: "Services") -> LiveSession:
    """Return the view-model, with what the address asks for: `?symbol=BTC-USDT&timeframe=4h`."""
    names = {s.replace("/", "-"): s for s in services.symbols}
    frames = tuple(services.timeframes)
    first = FIRST_TIMEFRAME if FIRST_TIMEFRAME in frames else frames[len(frames) // 2]
    symbol = names.get(asked("symbol", tuple(names), ""), "")
    doc = pn.state.curdoc
    if doc is None:
        raise RuntimeError("the Live page must be built for a document, there was none")
    return LiveSession(services, doc, symbol, asked("timeframe", frames, first), chosen_theme())


def market_mark(source: str) -> tuple[str, str]:
    """Return the header's mark of where prices come from, and what it means."""
    if source == "simulated":
        return "SIMULATED MARKET", "Prices are made up by the simulator; nothing here is real."
    if source.startswith("replay"):
        name = source.partition(":")[2]
        return f"REPLAY {name.upper()}".strip(), "Recorded prices are played back."
    return source.upper(), "Prices come from this exchange."


def universe(services: "Services") -> str:
    """Say how many symbols and timeframes are watched."""
    n, frames = len(services.symbols), len(services.timeframes)
    if not n:
        return "opening the market"
    return (
        f"{n} symbol{'' if n == 1 else 's'} · {frames} timeframe{'' if frames == 1 else 's'}"
    )
