"""Build the feed that the settings name."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog

from opportunity.config import Settings, SettingsError
from opportunity.feeds.base import Feed
from opportunity.feeds.exchange.feed import ExchangeFeed
from opportunity.feeds.replay import ReplayFeed
from opportunity.feeds.simulated import SimulatedFeed
from opportunity.feeds.sources import Sources, make_sources
from opportunity.market.store import BarStore
from opportunity.market.symbols import parse_symbol
from opportunity.market.timeframe import EARLIEST_MS, LATEST_MS

logger = structlog.get_logger(__name__)


def make_feed(
    settings: Settings, resume_ms: int | None, now_ms: int, before: Sequence[str] = ()
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

    Raises
    ------
    SettingsError
        If a flag that the feed needs is missing or a time cannot be read.
    """
    symbols = tuple(parse_symbol(s) for s in settings.symbols) or None
    start = parse_time(settings.start)
    if settings.feed == "replay":
        if settings.data is None:
            raise SettingsError("data must name a folder of recorded bars for the replay feed")
        store = BarStore(settings.data, settings.exchange or None)
        return ReplayFeed(store, symbols, speed=settings.speed, start=start)
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
            settings.top if symbols is None else symbols,
            quote=settings.quote,
            folder=settings.home,
            url=settings.exchange_url,
            before=before,
        )
    if start is None:
        start = now_ms if resume_ms is None else resume_ms
    return SimulatedFeed(
        40 if symbols is None else symbols,
        seed=settings.seed, speed=settings.speed, start_ms=start,
    )


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
