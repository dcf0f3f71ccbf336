"""Prices of a run's symbols side by side: what baselines trade on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.batches import Batches, batches_of
from opportunity.market.bars import Bars, FloatArray
from opportunity.market.timeframe import TimeArray


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Opens and closes of symbols on a common axis of time.

    Parameters
    ----------
    time : ndarray of int64, shape (n_bars,)
        Closes, ms UTC, ascending.
    opened : ndarray of int64, shape (n_bars, n_symbols)
        When each bar opened; 0 where a symbol has no bar.
    opens, closes : ndarray of float64, shape (n_bars, n_symbols)
        Quote currency; NaN where a symbol has no bar.
    """

    time: TimeArray
    opened: NDArray[np.int64]
    opens: FloatArray
    closes: FloatArray

    @classmethod
    def of_batches(cls, batches: Batches, n_symbols: int, start: int = 0) -> "Prices":
        """Take the prices of batches from number `start` on: those of a run without warm-up."""
        place = np.repeat(np.arange(len(batches)), np.diff(batches.first)), batches.symbol
        shape = (len(batches), n_symbols)
        opened = np.zeros(shape, np.int64)
        opens, closes = np.full(shape, np.nan), np.full(shape, np.nan)
        opened[place] = batches.open_time
        opens[place], closes[place] = batches.values[:, 0], batches.values[:, 3]
        return cls(batches.time[start:], opened[start:], opens[start:], closes[start:])

    @classmethod
    def of_bars(cls, bars: Sequence[Bars]) -> "Prices":
        """Take the prices of bars of one timeframe, an entry for each symbol.

        Raises
        ------
        ValueError
            If there are none, or timeframes differ or are not known.
        """
        frames = {b.timeframe for b in bars}
        base = frames.pop() if len(frames) == 1 else None
        if base is None:
            raise ValueError(f"bars must be of one known timeframe, were {len(bars)} symbols")
        return cls.of_batches(batches_of(bars, base), len(bars))
