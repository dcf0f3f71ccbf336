"""Figures of every symbol of a live universe: price, last 24 hours, depth under the high."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.market.bars import FloatArray
from opportunity.market.day import add_bars, first_opens
from opportunity.market.timeframe import DAY_MS, HOUR_MS, TimeArray, Timeframe, length_ms
from opportunity.scoring.drawdown import (
    HIGHEST,
    N_RANKED,
    needed_bars,
    rank_rows,
    window_bars,
)

Rows = NDArray[np.int64]


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
        n_bars = max(1, DAY_MS // self._base_ms)
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
        return np.where(self._newest > 0, self._quote.sum(axis=1), np.nan)


class DrawdownRanks:
    """Rank of each symbol's 30-day drawdown in its own past, on the finest timeframe >= 1h.

    Equals `scoring.drawdown.drawdown_rank` of the closes fed so far, bit for bit.
    """

    def __init__(self, n_symbols: int, timeframes: Sequence[Timeframe]) -> None:
        fit = [t for t in timeframes if length_ms(t) >= HOUR_MS]
        self.timeframe = sorted(fit, key=length_ms)[0] if fit else None
        self.rank = np.full(n_symbols, np.nan)
        self.n_bars = 0 if self.timeframe is None else needed_bars(self.timeframe)
        """History that a full ranking needs, in bars of `timeframe`."""
        n_window = 1 if self.timeframe is None else window_bars(self.timeframe)
        self._states = np.zeros(n_symbols, HIGHEST)
        self._closes = np.zeros((n_symbols, n_window))
        self._drawdowns = np.zeros((n_symbols, N_RANKED))

    def adopt(self, rows: Rows, other: "DrawdownRanks") -> None:
        """Take over the ranks of the symbols of `other` as those of `rows`, in their order."""
        for mine, theirs in zip(self._arrays(), other._arrays(), strict=True):
            mine[rows] = theirs

    def _arrays(self) -> tuple[NDArray[Any], ...]:
        return self._states, self._closes, self._drawdowns, self.rank

    def feed(self, rows: Rows, closes: FloatArray) -> None:
        """Add closes of `timeframe`, shape (k, n) with NaN where there is no bar, and rank."""
        if self.timeframe is not None:
            if closes.shape[1] >= self.n_bars:  # a whole history replaces what was known
                self._states[rows] = 0
                self.rank[rows] = np.nan
            rank_rows(self._states, self._closes, self._drawdowns, rows, closes, self.rank)
