"""Longer bars from shorter ones: in batch, and streaming for a whole universe.

Both are the same compiled fold over the same state, so they agree bit for bit. A longer bar is
complete when its close time has passed and it has at least one constituent; the share of its
constituents that were there is its coverage. Every timeframe is folded from the base bars
directly: volumes are added in the order of time, never in another grouping.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opportunity.errors import BarError
from opportunity.market.bars import Bar, Bars, FloatArray
from opportunity.market.fold import FORMING, check, expire, fold, fresh, room
from opportunity.market.timeframe import (
    TimeArray,
    Timeframe,
    divides,
    length_ms,
    offset_ms,
    on_grid,
    utc_text,
)
from opportunity.market.timeframe import timeframe as check_timeframe


@dataclass(frozen=True, slots=True, eq=False)
class Closed:
    """Bars of one timeframe that closed at the same instant.

    Parameters
    ----------
    timeframe : Timeframe
        Their length.
    close_time : int
        The instant, milliseconds UTC.
    rows : ndarray of int64, shape (k,)
        Which symbols, as numbered by the caller; each at most once.
    times : ndarray of int64, shape (k,)
        Opening times.
    values : ndarray of float64, shape (k, 5)
        Open, high, low, close, volume.
    coverage : ndarray of float64, shape (k,)
        Share of the constituents that were there, in (0, 1].
    """

    timeframe: Timeframe
    close_time: int
    rows: NDArray[np.int64]
    times: TimeArray
    values: FloatArray
    coverage: FloatArray


class Resampler:
    """Fold the base bars of many symbols into longer timeframes as they close.

    Parameters
    ----------
    base : str
        Timeframe of the bars that are pushed. They are passed on as closed bars themselves.
    targets : iterable of str
        Longer timeframes made of whole base bars, in any order; the base is added if missing.
    n_symbols : int
        Number of rows; what a row stands for is the caller's business.

    Raises
    ------
    ValueError
        If a target is not made of whole base bars.

    Notes
    -----
    Equal bit for bit to `resample` over the same bars. Not thread-safe: one owner pushes.
    """

    def __init__(self, base: str, targets: Iterable[str], n_symbols: int) -> None:
        names = {check_timeframe(t) for t in targets} - {base}
        for name in sorted(names, key=length_ms):
            _require_divides(base, name)
        self.base: Timeframe = check_timeframe(base)
        self.timeframes: tuple[Timeframe, ...] = (self.base, *sorted(names, key=length_ms))
        self.n_symbols = n_symbols
        self._lengths = np.array([length_ms(t) for t in self.timeframes])
        self._offsets = np.array([offset_ms(t) for t in self.timeframes])
        self._scratch = np.empty(n_symbols, np.int64)
        self.state = fresh(n_symbols, len(self.timeframes))

    @property
    def late(self) -> int:
        """Constituents that came after `flush` had closed their bar, in all rows together."""
        return int(self.state["late"].sum())

    def push(self, rows: ArrayLike, times: ArrayLike, values: ArrayLike) -> list[Closed]:
        """Take base bars that closed; return every bar that is complete because of them.

        Parameters
        ----------
        rows : array-like of int, shape (k,)
            Symbols; one may come several times if its times ascend.
        times : array-like of int, shape (k,)
            Opening times, milliseconds UTC.
        values : array-like of float, shape (k, 5)
            Open, high, low, close, volume; valid bars, which is not checked again here.

        Returns
        -------
        list of Closed
            By close time, then longest timeframe first; inside by order of arrival.

        Raises
        ------
        BarError
            If a row is unknown, or a bar is off the base grid or not later than the newest of
            its row. Nothing is changed then.
        """
        rows = np.ascontiguousarray(rows, np.int64)
        times = np.ascontiguousarray(times, np.int64)
        values = np.ascontiguousarray(values, np.float64)
        if rows.ndim != 1 or times.shape != rows.shape or values.shape != (rows.size, 5):
            raise ValueError(
                "rows, times and values must be of shape (k,), (k,) and (k, 5), "
                f"were {rows.shape}, {times.shape} and {values.shape}"
            )
        place = check(
            self.state, rows, times, self._lengths[0], self._offsets[0], self._scratch
        )
        if place >= 0:
            raise BarError(self._explain(int(rows[place]), int(times[place])))
        out = room(2 * rows.size * len(self.timeframes))
        n = fold(self.state, rows, times, values, self._lengths, self._offsets, *out)
        return self._group(n, *out)

    def flush(self, now_ms: int | TimeArray) -> list[Closed]:
        """Close the bars whose close time has passed although constituents are missing.

        Parameters
        ----------
        now_ms : int or ndarray of int64, shape (n_symbols,)
            Time of the feed's clock, milliseconds UTC, or up to when the bars of each row are
            complete; grace for late bars is the caller's.

        Returns
        -------
        list of Closed
            As `push`. Constituents that come later are not folded in but counted in `late`.
        """
        out = room(self.state.size)
        n = expire(self.state, now_ms, self._lengths, *out)
        return self._group(n, *out)

    @property
    def newest(self) -> TimeArray:
        """Opening time of the newest base bar of each row, `fold.NEVER` before the first."""
        return np.asarray(self.state["closed"][:, 0])

    def begin(self, time: int | TimeArray) -> None:
        """Refuse base bars that closed by `time`: they are in what the owner starts from."""
        last = np.asarray(time, np.int64) - self._lengths[0]
        last = last - (last - self._offsets[0]) % self._lengths[0]
        np.maximum(self.newest, last, out=self.state["closed"][:, 0])

    def forming(self, row: int, timeframe: str) -> Bar | None:
        """Return the part of a bar that its closed base bars make so far, None without any."""
        name = check_timeframe(timeframe)
        if name not in self.timeframes:
            raise ValueError(
                f"timeframe must be one of {', '.join(self.timeframes)}, was {timeframe!r}"
            )
        bar = self.state[row, self.timeframes.index(name)]
        if not bar["count"]:
            return None
        return Bar(int(bar["time"]), *bar["value"].tolist())

    def snapshot(self) -> NDArray[Any]:
        """Return a copy of the state of all rows, for `restore`."""
        return self.state.copy()

    def restore(self, state: NDArray[Any]) -> None:
        """Go on from a snapshot of a resampler with the same timeframes and rows.

        Raises
        ------
        ValueError
            If the snapshot has another shape or type.
        """
        if state.dtype != FORMING or state.shape != self.state.shape:
            raise ValueError(
                f"snapshot must be of shape {self.state.shape} and type FORMING, "
                f"was {state.shape} and {state.dtype}"
            )
        self.state = state.copy()

    def _explain(self, row: int, time: int) -> str:
        if not 0 <= row < self.n_symbols:
            return f"row must be in 0..{self.n_symbols - 1}, was {row}"
        if not on_grid(np.array([time]), self.base).all():
            return f"row {row}: time must be an opening time of {self.base}, was {utc_text(time)}"
        return f"row {row}: time must be later than the bar before it, was {utc_text(time)}"

    def _group(
        self, n: int, rows: Any, frames: Any, times: Any, values: Any, counts: Any
    ) -> list[Closed]:
        if not n:
            return []
        frames, lengths = frames[:n], self._lengths[frames[:n]]
        closes = times[:n] + lengths
        # Longest first inside one close time: a frame's number grows with its length.
        order = np.lexsort((-frames, closes))
        frames, closes = frames[order], closes[order]
        edges = np.flatnonzero((np.diff(frames) != 0) | (np.diff(closes) != 0)) + 1
        rows, times, values = rows[order], times[order], values[order]
        coverage = counts[order] * self._lengths[0] / lengths[order]
        return [
            Closed(self.timeframes[frames[a]], int(closes[a]),
                   rows[a:b], times[a:b], values[a:b], coverage[a:b])
            for a, b in zip([0, *edges.tolist()], [*edges.tolist(), n], strict=True)
        ]


def resample(bars: Bars, timeframe: str, now: int | None = None) -> Bars:
    """Fold bars into a longer timeframe; only complete bars are returned.

    Parameters
    ----------
    bars : Bars
        Valid bars with a known timeframe, gaps allowed.
    timeframe : str
        Target, made of whole bars of the given ones; the same timeframe returns `bars`.
    now : int, optional
        Time up to which the market is known, milliseconds UTC: bars that close by then are
        complete even without their last constituents. Default: the close of the last bar.

    Returns
    -------
    Bars
        Bars with at least one constituent whose close time has passed. The first may lack
        constituents from before the history: see `coverage`.

    Raises
    ------
    ValueError
        If the timeframe of `bars` is unknown or does not divide the target.
    BarError
        If times do not ascend or are off their grid.
    """
    if bars.timeframe == check_timeframe(timeframe):
        return bars
    return _fold(bars, timeframe, now)[0]


def coverage(bars: Bars, timeframe: str, now: int | None = None) -> FloatArray:
    """Return the share of constituents that each bar of `resample` was made of, in (0, 1]."""
    if bars.timeframe == check_timeframe(timeframe):
        return np.ones(len(bars))
    return _fold(bars, timeframe, now)[1]


def _fold(bars: Bars, timeframe: str, now: int | None) -> tuple[Bars, FloatArray]:
    if bars.timeframe is None:
        raise ValueError("bars must have a timeframe to be resampled, was None")
    _require_divides(bars.timeframe, timeframe)
    base, target = length_ms(bars.timeframe), check_timeframe(timeframe)
    rows, state = np.zeros(len(bars), np.int64), fresh(1, 2)
    place = check(state, rows, bars.time, base, offset_ms(bars.timeframe), np.empty(1, np.int64))
    if place >= 0:
        raise BarError(
            f"{bars.symbol or 'bars'}: times must ascend on the grid of {bars.timeframe}, "
            f"was {utc_text(int(bars.time[place]))} at bar {place}"
        )
    lengths = np.array([base, length_ms(target)])
    offsets = np.array([offset_ms(bars.timeframe), offset_ms(target)])
    out = room(len(bars) * 2 + 2)
    n = fold(state, rows, bars.time, bars.values, lengths, offsets, *out)
    if now is not None:
        n += expire(state, now, lengths, *(a[n:] for a in out))
    made = slice(len(bars), n)  # the base bars come first, each closed by itself
    _, _, times, values, counts = (a[made].copy() for a in out)
    whole = Bars(times, values, target, bars.symbol, bars.source)
    return whole, counts * base / lengths[1]


def _require_divides(small: str, large: str) -> None:
    if not divides(small, large):
        raise ValueError(f"timeframe must be made of whole bars of {small}, was {large}")
