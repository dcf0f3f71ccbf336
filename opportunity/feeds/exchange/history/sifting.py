"""Keeps of a venue's rows what is a closed, valid bar on our grid, and counts the rest."""

from dataclasses import dataclass

import numpy as np

from opportunity.feeds.exchange.history.spans import Span
from opportunity.feeds.exchange.records import Rows
from opportunity.market.bars import Bars
from opportunity.market.timeframe import Timeframe, length_ms, on_grid

GRACE_MS = 2_000
"""After its close by the exchange's clock, from when on a row that is asked for is final."""


@dataclass(slots=True)
class Tally:
    """Rows of a stream that were left out, and pages that were asked for.

    `still_open` were not closed (with grace) when they were asked for; `off_grid` were no opening
    times; `invalid` broke another rule of bars (NaN, price, range, negative volume).
    """

    pages: int = 0
    still_open: int = 0
    off_grid: int = 0
    invalid: int = 0

    @property
    def refused(self) -> int:
        """Rows that should not have been there; the open one is normal."""
        return self.off_grid + self.invalid


@dataclass(frozen=True, slots=True, eq=False)
class Sifted:
    """What is left of an answer.

    Parameters
    ----------
    bars : Bars
        Valid closed bars with opening time in the wanted span, ascending, each once.
    reached : int or None
        Up to where the answer went on from the start of the span, ms UTC: the close of its last
        row on our grid; None when it has none there.
    all_off : bool
        Whether there were rows, and none of them on our grid.
    """

    bars: Bars
    reached: int | None
    all_off: bool


def sift(rows: Rows, timeframe: Timeframe, span: Span, grace_ms: int, tally: Tally) -> Sifted:
    """Keep the closed and valid bars of an answer that open in `span`.

    Parameters
    ----------
    rows : Rows
        In any order, with repetitions (of equal times the last one counts).
    timeframe : Timeframe
        Of the bars.
    span : tuple of int
        Opening times in [start, end), ms UTC; others are left out and not counted.
    grace_ms : int
        How long after its close a bar must have been asked for.
    tally : Tally
        Counts what is left out.
    """
    length = length_ms(timeframe)
    inside = (rows.times >= span[0]) & (rows.times < span[1])
    fits = on_grid(rows.times, timeframe)
    closed = rows.times + (length + grace_ms) <= rows.asked_at
    good = _valid(rows.values)
    tally.off_grid += int((inside & ~fits).sum())
    tally.still_open += int((inside & fits & ~closed).sum())
    tally.invalid += int((inside & fits & closed & ~good).sum())
    there = rows.times[inside & fits & closed]
    kept = np.flatnonzero(inside & fits & closed & good)[::-1]
    times, first = np.unique(rows.times[kept], return_index=True)
    values = rows.values[kept[first]]
    return Sifted(
        Bars(times, values, timeframe),
        int(there.max()) + length if there.size else None,
        bool(rows.times.size and not fits.any()),
    )


def _valid(values: np.ndarray) -> np.ndarray:
    if not values.size:
        return np.zeros(0, np.bool_)
    finite: np.ndarray = np.isfinite(values).all(axis=1)
    shown = np.where(finite[:, None], values, 1.0)
    prices, volume = shown[:, :4], shown[:, 4]
    opened, high, low, close = prices.T
    fits: np.ndarray = (
        finite
        & (prices > 0).all(axis=1)
        & (low <= np.minimum(opened, close))
        & (high >= np.maximum(opened, close))
        & (volume >= 0)
    )
    return fits
