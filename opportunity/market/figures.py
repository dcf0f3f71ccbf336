"""Figures of every symbol of a universe over the last 24 hours: price, change, quote volume."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.market.bars import FloatArray
from opportunity.market.day import add_bars, day_volumes, first_opens, running_volumes
from opportunity.market.timeframe import DAY_MS, TimeArray, Timeframe, length_ms

Rows = NDArray[np.int64]


def _slots(base_ms: int) -> int:
    return max(1, DAY_MS // base_ms)


class DayFigures:
    """Price, change and quote volume over 24 hours, from the base bars of that time.

    Parameters
    ----------
    n_symbols : int
        Rows.
    base : Timeframe
        Length of the bars that `feed` is given.
    """

    def __init__(self, n_symbols: int, base: Timeframe) -> None:
        self._base_ms = length_ms(base)
        n_bars = _slots(self._base_ms)
        # Rings by the number of the bar; NaN and 0 where the last 24 hours have no bar.
        self._opens = np.full((n_symbols, n_bars), np.nan)
        self._quote = np.zeros((n_symbols, n_bars))
        self._newest = np.zeros(n_symbols, np.int64)
        self.price = np.full(n_symbols, np.nan)

    def feed(self, rows: Rows, times: TimeArray, values: FloatArray) -> None:
        """Add one closed base bar for each row."""
        numbers = times // self._base_ms
        add_bars(self._opens, self._quote, self._newest, rows, numbers, values)
        self.price[rows] = values[:, 3]

    def adopt(self, rows: Rows, other: "DayFigures") -> None:
        """Take over the figures of the symbols of `other` as those of `rows`, in their order."""
        for mine, theirs in zip(self._arrays(), other._arrays(), strict=True):
            mine[rows] = theirs

    def _arrays(self) -> tuple[NDArray[Any], ...]:
        return self._opens, self._quote, self._newest, self.price

    @property
    def newest(self) -> TimeArray:
        """Opening time of the newest bar of each symbol, ms UTC; 0 before the first.

        Of the bar's number: bars that open off the epoch's grid count from its multiple before.
        """
        return self._newest * self._base_ms

    def change(self) -> FloatArray:
        """Return the price change over the last 24 hours as a fraction, shape (n_symbols,)."""
        opened = np.empty_like(self.price)
        first_opens(self._opens, self._newest, opened)
        return self.price / opened - 1

    def volume(self) -> FloatArray:
        """Return the traded value of the last 24 hours in quote currency; NaN without bars."""
        found = np.empty_like(self.price)
        day_volumes(self._quote, self._newest, found)
        return found


def volumes(
    times: TimeArray, values: FloatArray, base: Timeframe, known: Rows | None = None
) -> FloatArray:
    """Return the traded value of 24 hours at some moments of one symbol's history.

    Parameters
    ----------
    times : ndarray of int64, shape (n,)
        Opening times of base bars, ms UTC, ascending.
    values : ndarray, shape (n, 5)
    base : Timeframe
    known : ndarray of int64, shape (k,), optional
        Bars that are known at each moment, ascending; defaults to one more at each bar.

    Returns
    -------
    ndarray, shape (k,)
        Quote currency, NaN where no bar is known: the bits of `DayFigures.volume` then.
    """
    seen = np.arange(1, times.size + 1) if known is None else known
    base_ms = length_ms(base)
    found = np.empty(seen.size)
    running_volumes(np.zeros(_slots(base_ms)), times // base_ms, values, seen, found)
    return found
