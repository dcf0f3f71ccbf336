"""Base bars of several symbols in the order in which a market gives them: closing together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opportunity.market.bars import Bars, FloatArray
from opportunity.market.timeframe import TimeArray, Timeframe, length_ms


@dataclass(frozen=True, slots=True, eq=False)
class Batches:
    """Base bars by the instant at which they closed.

    Parameters
    ----------
    time : ndarray of int64, shape (n_batches,)
        When the bars of each batch closed, ms UTC, ascending.
    opened : ndarray of int64, shape (n_batches,)
        When the earliest of them opened.
    first : ndarray of int64, shape (n_batches + 1,)
        Rows of batch `b` are ``first[b]`` to ``first[b + 1]``, by symbol.
    symbol, open_time : ndarray of int64, shape (n_rows,)
        Which symbol, and when its bar opened, ms UTC.
    values : ndarray of float64, shape (n_rows, 5)
        Open, high, low, close, volume.
    """

    time: TimeArray
    opened: TimeArray
    first: NDArray[np.int64]
    symbol: NDArray[np.int64]
    open_time: TimeArray
    values: FloatArray

    def __len__(self) -> int:
        return self.time.size

    @property
    def n_rows(self) -> int:
        """Bars of all symbols together."""
        return self.symbol.size

    def since(self, start: int) -> "Batches":
        """Return the batches from the one numbered `start` on; arrays are shared."""
        row = int(self.first[start])
        return Batches(
            self.time[start:], self.opened[start:], self.first[start:] - row, self.symbol[row:],
            self.open_time[row:], self.values[row:],
        )

    def split(self, symbols: Sequence[str], base: Timeframe, source: str) -> tuple[Bars, ...]:
        """Return the bars of each symbol again."""
        if len(symbols) == 1:
            return (Bars(self.open_time, self.values, base, symbols[0], source),)
        rows = [np.flatnonzero(self.symbol == i) for i in range(len(symbols))]
        return tuple(
            Bars(self.open_time[r], self.values[r], base, name, source)
            for r, name in zip(rows, symbols, strict=True)
        )


def batches_of(bars: Sequence[Bars], base: str) -> Batches:
    """Put the bars of symbols, numbered by their place, into batches.

    Parameters
    ----------
    bars : sequence of Bars
        Valid bars of timeframe `base`, one for each symbol.
    base : str

    Notes
    -----
    The bars of a single symbol are not copied.
    """
    length = length_ms(base)
    if len(bars) == 1:
        time, values = bars[0].time, bars[0].values
        number = np.arange(time.size + 1)
        return Batches(time + length, time, number, np.zeros(time.size, np.int64), time, values)
    times = np.concatenate([b.time for b in bars])
    symbols = np.repeat(np.arange(len(bars)), [len(b) for b in bars])
    order = np.argsort(times, kind="stable")  # equal times stay in the order of the symbols
    times = times[order]
    starts = np.flatnonzero(np.concatenate(([True], times[1:] != times[:-1])))
    opened = times[starts]
    values = np.concatenate([b.values for b in bars])[order]
    return Batches(
        opened + length, opened, np.append(starts, times.size), symbols[order], times, values
    )


def known_in(batches: Batches, times: TimeArray, length: int, base: TimeArray) -> TimeArray:
    """Return the batch in which each longer bar of one symbol became known.

    That is the batch of its own last base bar; where that is missing, the first batch whose bars
    open at or after its close.

    Parameters
    ----------
    batches : Batches
    times : ndarray of int64, shape (n,)
        Opening times of the longer bars, ms UTC, ascending.
    length : int
        Theirs, ms.
    base : ndarray of int64
        Opening times of the symbol's base bars.

    Returns
    -------
    ndarray of int64, shape (n,)
        Number of the batch; `len(batches)` for a bar that none tells of.
    """
    step = int(batches.time[0] - batches.opened[0])
    last = times + (length - step)
    own = np.searchsorted(base, last)
    there = (own < base.size) & (base[np.minimum(own, base.size - 1)] == last)
    wanted = np.where(there, last, times + length)
    return np.searchsorted(batches.opened, wanted)
