"""Build the feed that the settings name."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog

from app.universe import SIMULATED_TOP, Choice, in_force
from opportunity.config import Settings, SettingsError
from opportunity.feeds.base import Feed
from opportunity.feeds.exchange.feed import ExchangeFeed
from opportunity.feeds.replay import ReplayFeed
from opportunity.feeds.simulated import SimulatedFeed
from opportunity.feeds.simulation.universe import exists, symbols_of
from opportunity.feeds.sources import Sources, make_sources
from opportunity.market.store import BarStore
from opportunity.market.timeframe import EARLIEST_MS, LATEST_MS, TIMEFRAMES

logger = structlog.get_logger(__name__)


def make_feed(
    settings: Settings,
    resume_ms: int | None,
    now_ms: int,
    before: Sequence[str] = (),
    choice: Choice | None = None,
    held: Sequence[str] = (),
) -> Feed:
    """Return the feed, not yet opened.

    Parameters
    ----------
    settings : Settings
        Names the feed, its symbols, speed and start.
    resume_ms : int or None
        Where the simulated market stood when the server stopped, ms UTC.
    now_ms : int
        Where it starts the first time, when the settings name no start, ms UTC.
    before : sequence of str
        Symbols of an exchange that were watched when the server stopped.
    choice : Choice, optional
        What people chose to watch; settings that name symbols or their number win.
    held : sequence of str
        Symbols with an open position: watched whatever was chosen, where the feed has them.

    Raises
    ------
    SettingsError
        If a flag that the feed needs is missing or a time cannot be read.
    """
    wanted = in_force(settings, choice)
    start = parse_time(settings.start)
    if settings.feed == "replay":
        return _replay(settings, wanted, held, start)
    if settings.feed == "exchange":
        if start is not None:
            raise SettingsError("start must be empty for the exchange feed: its time is now")
        if settings.exchange_url and settings.exchange not in ("", "binance"):
            raise SettingsError(
                "exchange must be binance with exchange_url: a local exchange speaks its format, "
                f"was {settings.exchange!r}"
            )
        return ExchangeFeed(
            settings.exchange or "binance",
            wanted.symbols or wanted.top or settings.top,
            quote=wanted.quote,
            folder=settings.home,
            url=settings.exchange_url,
            before=before,
            held=held,
        )
    goes_on = now_ms if resume_ms is None else resume_ms
    names = wanted.symbols or symbols_of(wanted.top or SIMULATED_TOP)
    names = tuple(dict.fromkeys((*names, *(s for s in held if exists(s)))))
    feed = SimulatedFeed(
        names, seed=settings.seed, speed=settings.speed,
        start_ms=goes_on if start is None else start,
    )  # fmt: skip
    feed.starts_over = start is not None  # somebody wants that time again
    return feed


def _replay(
    settings: Settings, wanted: Choice, held: Sequence[str], start: int | None
) -> ReplayFeed:
    if settings.data is None:
        raise SettingsError("data must name a folder of recorded bars for the replay feed")
    store = BarStore(settings.data, settings.exchange or None)
    if not wanted.symbols:
        return ReplayFeed(store, None, speed=settings.speed, start=start)
    there = {symbol for t in TIMEFRAMES for symbol in store.symbols(t)}
    names = dict.fromkeys((*wanted.symbols, *(s for s in held if s in there)))
    return ReplayFeed(store, tuple(names), speed=settings.speed, start=start)


def sources_of(
    settings: Settings, feed: Feed, now_ms: Callable[[], int]
) -> Sources | None:
    """Return the pollers that the settings name, for a feed that lives in the same time."""
    if not settings.news_sources and not settings.fear_greed:
        return None
    if not feed.on_wall_time:
        logger.warning("sources not read", feed=feed.name, reason="its time is not wall time")
        return None
    return make_sources(
        settings.news_sources, now_ms, settings.news_every_s, settings.fear_greed
    )


def parse_time(text: str) -> int | None:
    """Read an ISO 8601 time as ms UTC (naive means UTC); None for an empty text.

    Raises
    ------
    SettingsError
        If the text is not a time between 2009 and 2100.
    """
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"start must be an ISO 8601 time, was {text!r}") from error
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    time = round(aware.timestamp() * 1000)
    if not EARLIEST_MS <= time < LATEST_MS:
        raise SettingsError(f"start must lie between 2009 and 2100, was {text!r}")
    return time
