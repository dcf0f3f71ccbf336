"""What every feed gives: history, a stream of closed and forming bars, and its own time.

A feed's time is milliseconds UTC of its `clock`, which may run at any speed. All bars that have
closed by the time that `open` returns are history; `stream` goes on from there, so history and
stream together are one series without hole or repetition.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from opportunity.errors import unknown
from opportunity.feeds.clock import Clock
from opportunity.feeds.status import FeedStatus
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.notes import BarNote
from opportunity.market.observations import Record
from opportunity.market.timeframe import TimeArray, Timeframe, timeframe
from opportunity.market.trust import Faults

FORMING_S = 0.25
"""Wall time between two `Forming` records of a stream."""


@dataclass(frozen=True, slots=True, eq=False)  # arrays have no single truth value to compare by
class Closed:
    """Bars of the feed's base timeframe that closed at the same instant.

    Parameters
    ----------
    time : int
        The instant, milliseconds UTC.
    rows : ndarray of int64, shape (n_rows,)
        Indices into the feed's `symbols`, ascending.
    times : ndarray of int64, shape (n_rows,)
        Opening times.
    values : ndarray of shape (n_rows, 5)
        Open, high, low, close, volume.
    late : ndarray of bool, shape (n_rows,)
        Whether the bar came after later ones of other symbols were already out.
    settled : ndarray of int64, shape (n_symbols,), optional
        Up to which time the bars of each symbol of the feed are complete: none that closes at or
        before it will come any more. None: all of them up to one bar before this batch.
    """

    time: int
    rows: NDArray[np.int64]
    times: TimeArray
    values: FloatArray
    late: NDArray[np.bool_]
    settled: TimeArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Forming:
    """Bars of the base timeframe that are not closed yet, for display only.

    `time` is the feed's time, `times` the opening times; a row without a print is left out.
    """

    time: int
    rows: NDArray[np.int64]
    times: TimeArray
    values: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Corrected:
    """Bars that were given before have changed: from now on `history` says otherwise.

    `time` is the feed's time, `rows` are indices into the feed's `symbols`, ascending.
    """

    time: int
    rows: NDArray[np.int64]


Event = Closed | Forming | Corrected
"""What a stream gives."""


class Feed(ABC):
    """A source of bars for many symbols.

    Attributes
    ----------
    name : str
        Key in `FEEDS`.
    source : str
        Stamped on every bar, e.g. ``simulated`` or ``replay:binance``.
    symbols : tuple of str
        The universe; rows of `Closed` and `Forming` index it.
    base : Timeframe
        Timeframe of the streamed bars.
    clock : Clock
        The feed's time; its speed may be changed while the stream runs.
    lasting : bool
        Whether what it gave once can be asked for again at any time.
    on_wall_time : bool
        Whether its time is wall time, so that what others say now belongs to it.
    starts_over : bool
        Whether this run goes through a time that an earlier one went through: an account that is
        ahead of it is not this run's.
    """

    name: ClassVar[str]
    lasting: ClassVar[bool] = True
    on_wall_time: ClassVar[bool] = False
    starts_over: bool = False
    source: str
    symbols: tuple[str, ...]
    base: Timeframe
    clock: Clock

    @abstractmethod
    async def open(self) -> int:
        """Prepare, and return the feed time from which `stream` will go on."""

    @abstractmethod
    def stream(self) -> AsyncIterator[Event]:
        """Iterate over closed and forming bars in the order of time; ends with the data."""

    @abstractmethod
    async def close(self) -> None:
        """End the stream and let go of threads and files; may be called twice."""

    @abstractmethod
    async def histories(
        self, timeframe: str, n_bars: int, end_ms: int
    ) -> tuple[TimeArray, FloatArray]:
        """Return the newest closed bars of every symbol.

        Parameters
        ----------
        timeframe : str
            Any timeframe.
        n_bars : int
            How many bars of each symbol.
        end_ms : int
            Bars that have closed by then.

        Returns
        -------
        time : ndarray of int64, shape (n_symbols, n_bars)
            Opening times; 0 where a symbol has fewer bars (they are padded in front).
        values : ndarray of shape (n_symbols, n_bars, 5)
            Open, high, low, close, volume; NaN there.
        """

    @abstractmethod
    async def history(self, symbol: str, timeframe: str, n_bars: int, end_ms: int) -> Bars:
        """Return the newest `n_bars` closed bars of one symbol, also of one not in `symbols`.

        Raises
        ------
        ValueError, CoverageError
            If the feed has no such symbol or timeframe.
        """

    async def observations(
        self, kinds: tuple[type[Record], ...], since: int, until: int
    ) -> list[Record]:
        """Return what became known besides bars; nothing unless a feed says otherwise.

        Parameters
        ----------
        kinds : tuple of types
            Records of these kinds.
        since, until : int
            Those with since <= `available_at` < until, ms UTC of the feed, of the symbols that
            it streams and of the whole market.

        Returns
        -------
        list of records
            In the order in which they became known.
        """
        return []

    def faults(self) -> Faults | None:
        """Return what is wrong with the data of each symbol now; None where nothing can be."""
        return None

    def status(self) -> FeedStatus | None:
        """Return how the line to the market is; None for a feed that has none."""
        return None

    def notes(self) -> list[BarNote]:
        """Return what happened to single bars since the last call, e.g. corrections."""
        return []

    async def __aenter__(self) -> "Feed":
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def check_request(name: str, n_bars: int) -> Timeframe:
    """Check the arguments of a request for history and return the timeframe typed."""
    if n_bars < 1:
        raise ValueError(f"n_bars must be >= 1, was {n_bars}")
    return timeframe(name)


def pad(bars: list[Bars], n_bars: int) -> tuple[TimeArray, FloatArray]:
    """Stack bars of several symbols, the newest at the end, padded in front as `histories`."""
    time = np.zeros((len(bars), n_bars), np.int64)
    values = np.full((len(bars), n_bars, 5), np.nan)
    for i, part in enumerate(bars):
        n = min(n_bars, len(part))
        if n:
            time[i, n_bars - n :] = part.time[-n:]
            values[i, n_bars - n :] = part.values[-n:]
    return time, values


def require_known(symbol: str, known: tuple[str, ...]) -> None:
    """Raise a ValueError that names the nearest known symbol."""
    if symbol not in known:
        raise ValueError(unknown("symbol", symbol, known))
