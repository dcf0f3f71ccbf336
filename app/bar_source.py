"""Where a backtest finds its bars: the data folder, or the simulated market of the server."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from opportunity.backtest.coverage import MissingHistoryError
from opportunity.config import Settings
from opportunity.errors import BarError, CoverageError
from opportunity.feeds.base import Feed
from opportunity.feeds.record_folder import FolderRecords
from opportunity.feeds.replay import ReplayFeed
from opportunity.feeds.simulated import SimulatedFeed
from opportunity.feeds.simulation.context import Context
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.feeds.simulation.records import ContextRecords
from opportunity.feeds.simulation.weeks import MARKET_START
from opportunity.market.bars import Bars
from opportunity.market.observations import FearGreed, Funding, Headline, Heartbeat, Record
from opportunity.market.store import BarStore
from opportunity.market.timeframe import DAY_MS, divides, length_ms, open_ms
from opportunity.market.timeframe import timeframe as checked

FOLDER: Final = "bars"
"""Of the data folder, where `opportunity fetch` keeps bars by exchange."""

LEAD_MS: Final = 100 * DAY_MS
"""Longer than any record matters."""

KINDS: Final = (Headline, Heartbeat, FearGreed, Funding)
"""What is read of the simulated market besides bars; its prints are too many for a long span."""


class BarSource(Protocol):
    """Gives history; what is not there is not made up."""

    def load(self, symbol: str, timeframe: str, start: int, end: int) -> Bars:
        """Return the bars there are that open from `start` on and close by `end`, ms UTC.

        Raises
        ------
        CoverageError
            If there is nothing under that name; the text lists what is there.
        ValueError
            If the name is not known.
        """

    def records(self, bars: Iterable[Bars]) -> list[Record]:
        """Return what was known besides these bars."""

    def span(self, symbol: str, timeframe: str) -> tuple[int, int] | None:
        """Return from when to when there are bars, ms UTC; None without any."""


@contextmanager
def telling(source: BarSource, timeframe: str) -> Iterator[None]:
    """Have an error about missing history tell what the source has, not only what was read."""
    try:
        yield
    except MissingHistoryError as error:
        symbols = [s.symbol for s in error.coverage.symbols]
        error.hold({s: source.span(s, timeframe) for s in symbols if s})
        raise


class StoredBars:
    """Bars of one exchange in a folder."""

    def __init__(self, store: BarStore) -> None:
        self._store = store

    def load(self, symbol: str, timeframe: str, start: int, end: int) -> Bars:
        """See `BarSource`."""
        until = end - length_ms(timeframe) + 1
        try:
            return self._store.load(symbol, timeframe, start, max(start, until))
        except BarError as error:  # clients of the server read this: where its folders are is ours
            folder = f"{self._store.folder.parent}{os.sep}"
            raise BarError(str(error).replace(folder, "")) from error

    def records(self, bars: Iterable[Bars]) -> list[Record]:
        """Return what the data folder holds besides bars."""
        beside = FolderRecords(self._store.folder.parent)
        return [record for one in bars if len(one) for record in beside.about(one)]

    def span(self, symbol: str, timeframe: str) -> tuple[int, int] | None:
        """See `BarSource`."""
        name, found = checked(timeframe), []
        for stored_as in self._store.timeframes(symbol):
            if divides(stored_as, name):
                held = self._store.coverage(symbol, stored_as)
                if held.n_bars:
                    found.append((held.first, held.last + length_ms(stored_as)))
        return (min(f for f, _ in found), max(t for _, t in found)) if found else None


class SimulatedBars:
    """The server's simulated market, up to its present: nobody sees its future."""

    def __init__(self, market: SimulatedMarket, now: Callable[[], int]) -> None:
        self._market, self._now = market, now

    def load(self, symbol: str, timeframe: str, start: int, end: int) -> Bars:
        """See `BarSource`."""
        name, length = checked(timeframe), length_ms(timeframe)
        row = np.array([self._market.row(symbol)])
        first = open_ms(max(start, MARKET_START) + length - 1, timeframe)
        last = open_ms(min(end, self._now()), timeframe)
        time = np.arange(first, last, length, dtype=np.int64)
        values = self._market.bars(row, name, time)
        return Bars(time, values[0], name, symbol, "simulated")

    def records(self, bars: Iterable[Bars]) -> list[Record]:
        """Return headlines, funding and Fear & Greed of the market."""
        some = [one for one in bars if len(one)]
        if not some:
            return []
        since = min(int(one.time[0]) for one in some) - LEAD_MS
        until = max(int(one.time[-1]) for one in some)
        symbols = tuple(one.symbol for one in some)
        return ContextRecords(Context(self._market), symbols).between(KINDS, since, until)

    def span(self, symbol: str, timeframe: str) -> tuple[int, int] | None:
        """See `BarSource`."""
        return MARKET_START, open_ms(self._now(), timeframe)


def stored(folder: Path, exchange: str | None) -> StoredBars:
    """Return the bars in a folder.

    Raises
    ------
    CoverageError
        If there is no such exchange.
    """
    store = BarStore(folder, exchange)
    if not store.folder.is_dir():
        there = sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
        listed = ", ".join(there) or "none; `opportunity fetch` downloads some"
        raise CoverageError(f"exchange must be one whose bars are stored, was {exchange!r}: "
                            f"there are {listed}")
    return StoredBars(store)


def source_of(
    settings: Settings, feed: Feed, now: Callable[[], int], exchange: str | None
) -> BarSource:
    """Return where the bars of a request come from.

    Parameters
    ----------
    settings, feed
        Of the server.
    now : callable
        Feed time, ms UTC.
    exchange : str or None
        Stored bars of that exchange; None: the server's own market.

    Raises
    ------
    CoverageError
        If there are no stored bars of the exchange.
    """
    if exchange is None and isinstance(feed, SimulatedFeed):
        return SimulatedBars(feed.market, now)
    if exchange is None and isinstance(feed, ReplayFeed):
        return StoredBars(feed.store)
    name = exchange or feed.source.replace(":", "-")
    return stored(settings.home / FOLDER, name)
