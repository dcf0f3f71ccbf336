"""Rank of every symbol of a live universe by its depth under the high."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import HOUR_MS, Timeframe, length_ms
from opportunity.scoring.drawdown import (
    HIGHEST,
    N_RANKED,
    needed_bars,
    rank_rows,
    window_bars,
)

Rows = NDArray[np.int64]


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
