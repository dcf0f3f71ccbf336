"""Returns of several symbols at the same times, made of closes and never of fillings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from opportunity.errors import CoverageError, unknown
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.timeframe import DAY_MS, TimeArray, Timeframe, length_ms

LEAST_ROWS: Final = 30
"""Fewer rows than this say nothing about a spread, whatever one computes of them."""

Kind = Literal["simple", "log"]


@dataclass(frozen=True, slots=True, eq=False)  # arrays have no single truth value to compare by
class Returns:
    """Returns of some symbols over the same bars.

    Parameters
    ----------
    symbols : tuple of str
        One a column.
    timeframe : Timeframe
        Length of the bar that a row spans.
    time : ndarray of int64, shape (n_rows,)
        Opening time of the bar at whose close the return ends, ms UTC, ascending. Two rows need
        not be neighbours: where a symbol lacks a bar there is no row.
    values : ndarray of shape (n_rows, n_symbols)
        Close by the close before, minus 1 (``simple``), or the logarithm of it (``log``).
    kind : {"simple", "log"}
    source : str
        Where the bars came from.
    """

    symbols: tuple[str, ...]
    timeframe: Timeframe
    time: TimeArray
    values: FloatArray = field(repr=False)
    kind: Kind = "simple"
    source: str = ""

    def __len__(self) -> int:
        return self.time.size

    @property
    def bars_per_day(self) -> float:
        """How many bars a day has."""
        return DAY_MS / length_ms(self.timeframe)

    def pick(self, symbols: Sequence[str]) -> FloatArray:
        """Return the columns of some symbols, shape (n_rows, len(symbols)).

        Raises
        ------
        ValueError
            If there is no such column.
        """
        for symbol in symbols:
            if symbol not in self.symbols:
                raise ValueError(unknown("symbol of the returns", symbol, self.symbols))
        return self.values[:, [self.symbols.index(symbol) for symbol in symbols]]

    def windows(self, n_bars: int) -> FloatArray:
        """Return what each symbol made over every `n_bars` neighbouring bars, compounded.

        Returns
        -------
        ndarray of shape (n_windows, n_symbols)
            Simple returns; windows across a hole are left out, so there may be none.
        """
        if n_bars < 1:
            raise ValueError(f"n_bars must be >= 1, was {n_bars}")
        logs = np.log1p(self.values) if self.kind == "simple" else self.values
        ends = np.cumsum(np.vstack([np.zeros((1, logs.shape[1])), logs]), axis=0)
        if len(self) < n_bars:
            return np.empty((0, logs.shape[1]))
        span = self.time[n_bars - 1 :] - self.time[: len(self) - n_bars + 1]
        whole = span == (n_bars - 1) * length_ms(self.timeframe)
        compounded: FloatArray = np.expm1(ends[n_bars:] - ends[:-n_bars])[whole]
        return compounded


def returns_of(bars: Sequence[Bars], kind: Kind = "simple") -> Returns:
    """Join bars on time and return what each symbol made from close to close.

    Parameters
    ----------
    bars : sequence of Bars
        One each symbol, all of one timeframe, times ascending.
    kind : {"simple", "log"}

    Returns
    -------
    found : Returns
        A row for each bar that every symbol has together with the bar right before it (the
        common span). Nothing is filled: a hole of one symbol costs all of them the returns into
        and out of it, rather than giving one a return over two bars.

    Raises
    ------
    ValueError
        If there are no bars, timeframes differ or are unknown, a symbol comes twice, times do
        not ascend, or a close is not finite and > 0.
    """
    frame = _check(bars)
    if kind not in ("simple", "log"):
        raise ValueError(unknown("kind of returns", kind, ("simple", "log")))
    common = bars[0].time
    for one in bars[1:]:
        common = np.intersect1d(common, one.time, assume_unique=True)
    closes = np.stack([b.close[np.searchsorted(b.time, common)] for b in bars], axis=1)
    next_to = np.diff(common) == length_ms(frame)
    ratio = (closes[1:] / closes[:-1])[next_to]
    return Returns(
        tuple(b.symbol for b in bars), frame, common[1:][next_to],
        ratio - 1.0 if kind == "simple" else np.log(ratio), kind,
        ", ".join(dict.fromkeys(b.source for b in bars if b.source)),
    )  # fmt: skip


def require_rows(n_rows: int, least: int = LEAST_ROWS, what: str = "a risk") -> None:
    """Refuse too few returns.

    Raises
    ------
    CoverageError
        With the least number of rows.
    """
    if n_rows < least:
        raise CoverageError(f"returns must have at least {least} rows for {what}, were {n_rows}")


def _check(bars: Sequence[Bars]) -> Timeframe:
    if not bars:
        raise ValueError("bars must be of one symbol or more, were of none")
    frames, names = {b.timeframe for b in bars}, [b.symbol for b in bars]
    frame = bars[0].timeframe
    if frame is None or len(frames) > 1:
        told = ", ".join(sorted(str(f) for f in frames))
        raise ValueError(f"bars must be of one known timeframe, were of {told}")
    if len(set(names)) < len(names):
        raise ValueError(f"bars must be of different symbols, were of {', '.join(names)}")
    for one in bars:
        if (np.diff(one.time) <= 0).any():
            raise ValueError(f"times of {one.symbol} must ascend, did not")
        if not (np.isfinite(one.close).all() and (one.close > 0).all()):
            raise ValueError(f"closes of {one.symbol} must be finite and > 0, were not all")
    return frame
