"""Shorter bars inside the bars of a run: they tell which of stop and target came first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from opportunity.backtest.batches import Batches
from opportunity.backtest.execution import Finer
from opportunity.errors import BarError
from opportunity.market.bars import Bars
from opportunity.market.timeframe import divides, length_ms, utc_text


@dataclass(frozen=True, slots=True)
class Drilled:
    """How much of a run was walked in shorter bars.

    Parameters
    ----------
    timeframe : str
        Of the shorter bars.
    n_bars, n_all : int
        Bars that all their shorter ones were there for, and bars of the run.
    """

    timeframe: str
    n_bars: int
    n_all: int


def finer_of(
    finer: Sequence[Bars], symbols: Sequence[str], base: str, batches: Batches
) -> tuple[Finer, Drilled]:
    """Find the shorter bars of every row of some batches.

    A bar is walked in its shorter ones where all of them are there, and as it is elsewhere.

    Parameters
    ----------
    finer : sequence of Bars
        Valid bars of one timeframe, at most one series for each symbol.
    symbols : sequence of str
        What the rows number.
    base : str
        Timeframe of the rows.
    batches : Batches

    Raises
    ------
    ValueError
        If the bars are not shorter, or of a symbol that the run has not.
    BarError
        If shorter bars tell another open or close than the bar that they make.
    """
    small = str(finer[0].timeframe)
    if small == base or not divides(small, base):
        raise ValueError(f"finer must be bars that make {base}, was {small}")
    step, per = length_ms(small), length_ms(base) // length_ms(small)
    first = np.zeros(batches.n_rows + 1, np.int64)
    begins = np.zeros(batches.n_rows, np.int64)
    counts = np.zeros(batches.n_rows, np.int64)
    offset = 0
    for bars in finer:
        if bars.symbol not in symbols:
            raise ValueError(f"finer must be of symbols of the run, was {bars.symbol!r}")
        rows = np.flatnonzero(batches.symbol == symbols.index(bars.symbol))
        opened = batches.open_time[rows]
        found = np.searchsorted(bars.time, opened)
        last = np.searchsorted(bars.time, opened + length_ms(base))
        whole = last - found == per
        _agree(bars, batches, rows[whole], found[whole], last[whole])
        begins[rows] = found + offset
        counts[rows[whole]] = per
        offset += len(bars)
    time = np.concatenate([b.time for b in finer])
    values = np.concatenate([b.values for b in finer])
    first[1:] = np.cumsum(counts)
    picked = np.repeat(begins - first[:-1], counts) + np.arange(int(first[-1]))
    opened = time[picked]
    parts = Finer(first, opened, opened + step, np.ascontiguousarray(values[picked]))
    return parts, Drilled(small, int(np.count_nonzero(counts)), batches.n_rows)


def _agree(
    bars: Bars, batches: Batches, rows: np.ndarray, first: np.ndarray, last: np.ndarray
) -> None:
    opens, closes = bars.open[first], bars.close[last - 1]
    wrong = (opens != batches.values[rows, 0]) | (closes != batches.values[rows, 3])
    if wrong.any():
        i = int(np.argmax(wrong))
        raise BarError(
            f"{bars.symbol}: finer bars must make the bar of "
            f"{utc_text(int(batches.open_time[rows[i]]))}, their open and close were "
            f"{opens[i]} and {closes[i]}, its {batches.values[rows[i], 0]} and "
            f"{batches.values[rows[i], 3]}"
        )
