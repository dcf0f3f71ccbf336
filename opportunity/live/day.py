"""Figures of every symbol of a live universe: price, last 24 hours, depth under the high."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import DAY_MS, HOUR_MS, TimeArray, Timeframe, length_ms
from opportunity.scoring.drawdown import needed_bars, rank_closes

Rows = NDArray[np.int64]

NEVER: Final = np.iinfo(np.int64).max


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
        self._times = np.zeros((n_symbols, n_bars), np.int64)
        self._opens = np.full((n_symbols, n_bars), np.nan)
        self._quote = np.zeros((n_symbols, n_bars))
        self.price = np.full(n_symbols, np.nan)

    def feed(self, rows: Rows, times: TimeArray, values: FloatArray) -> None:
        """Add one closed base bar for each row."""
        slot = times // self._base_ms % self._times.shape[1]
        self._times[rows, slot] = times
        self._opens[rows, slot] = values[:, 0]
        self._quote[rows, slot] = values[:, 3] * values[:, 4]
        self.price[rows] = values[:, 3]

    def change(self) -> FloatArray:
        """Return the price change over the last 24 hours as a fraction, shape (n_symbols,)."""
        oldest = np.where(self._fresh(), self._times, NEVER).argmin(axis=1)
        opened: FloatArray = self._opens[np.arange(len(self.price)), oldest]
        return self.price / opened - 1

    def volume(self) -> FloatArray:
        """Return the traded value of the last 24 hours in quote currency; NaN without bars."""
        fresh = self._fresh()
        traded = np.where(fresh, self._quote, 0.0).sum(axis=1)
        return np.where(fresh.any(axis=1), traded, np.nan)

    def _fresh(self) -> NDArray[np.bool_]:
        newest = self._times.max(axis=1, keepdims=True)
        fresh: NDArray[np.bool_] = (self._times > newest - DAY_MS) & (self._times > 0)
        return fresh


class DrawdownRanks:
    """Rank of each symbol's 30-day drawdown in its own past, on the finest timeframe >= 1h."""

    def __init__(self, n_symbols: int, timeframes: Sequence[Timeframe]) -> None:
        fit = [t for t in timeframes if length_ms(t) >= HOUR_MS]
        self.timeframe = sorted(fit, key=length_ms)[0] if fit else None
        self.rank = np.full(n_symbols, np.nan)
        n_bars = 0 if self.timeframe is None else needed_bars(self.timeframe)
        self._closes = np.full((n_symbols, n_bars), np.nan)

    @property
    def n_bars(self) -> int:
        """History that a full ranking needs, in bars of `timeframe`."""
        return self._closes.shape[1]

    def feed(self, rows: Rows, closes: FloatArray) -> None:
        """Add closes of `timeframe`, shape (k, n) with NaN where there is no bar, and rank."""
        if self.timeframe is None:
            return
        n = min(closes.shape[1], self.n_bars)
        kept = self._closes[rows]
        kept[:, : self.n_bars - n] = kept[:, n:]
        kept[:, self.n_bars - n :] = closes[:, closes.shape[1] - n :]
        self._closes[rows] = kept
        for row, history in zip(rows.tolist(), kept, strict=True):
            self.rank[row] = rank_closes(history[~np.isnan(history)], self.timeframe)
