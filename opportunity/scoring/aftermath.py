"""What came after single ideas, some bars later: the barrier that was touched, and the moves.

The same two barriers as those that success is learned from (`scoring.barriers`), around the close
of the bar at which the idea was judged. Costs are left out: an idea is judged here, not a trade.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.market.bars import Bars, FloatArray
from opportunity.market.timeframe import TimeArray
from opportunity.scoring.barriers import BARRIER, outcomes

HORIZONS: Final = (4, 12, 24, 48)
"""Bars of the decision timeframe after which an idea is judged."""

UP, DOWN, BOTH, TIME = range(4)
"""Which barrier was touched first; BOTH in one bar, so that it counts against either side."""

BARRIERS: Final = ("up", "down", "both", "time")

OPEN, KNOWN, MISSING = range(3)
"""Not all bars are there yet; it is known; the bar of the idea is not there, or it has no ATR."""


@dataclass(frozen=True, slots=True, eq=False)
class Aftermath:
    """What came after n ideas; arrays of shape (n,), 0 or NaN where `state` is not `KNOWN`.

    Parameters
    ----------
    state : ndarray of int64
        OPEN, KNOWN or MISSING.
    barrier : ndarray of int64
        UP ... TIME.
    right : ndarray of float64
        1.0 if the side of the idea won, else 0.0: as `Outcomes.right`.
    known : ndarray of int64
        Close of the bar that decided, ms UTC.
    move : ndarray
        From close to close over the whole horizon, along the side, fraction of the price.
    move_atr, best, worst : ndarray
        The same in ATR, and the furthest along and against the side over the whole horizon, ATR;
        `best` >= 0 >= `worst`.
    """

    state: NDArray[np.int64]
    barrier: NDArray[np.int64]
    right: FloatArray
    known: TimeArray
    move: FloatArray
    move_atr: FloatArray
    best: FloatArray
    worst: FloatArray


def aftermath(
    bars: Bars, closes: TimeArray, sides: NDArray[Any], atrs: FloatArray, horizon: int,
    barrier: float = BARRIER,
) -> Aftermath:  # fmt: skip
    """Judge ideas by the bars that followed.

    Parameters
    ----------
    bars : Bars
        Closed bars of one symbol and timeframe; the horizon counts bars, also across gaps.
    closes : ndarray of int64, shape (n,)
        Close of the bar at which each idea was judged, ms UTC. Two of one bar share an ATR.
    sides : ndarray of int, shape (n,)
        +1 or -1.
    atrs : ndarray of shape (n,)
        As it was known then, quote currency.
    horizon : int
        Bars, >= 1.
    barrier : float
        Distance in ATR, > 0.

    Notes
    -----
    An idea is judged once its whole horizon is there, also where a barrier was touched at once:
    so its outcome, its move and its excursions are of the same bars, and later bars never change
    any of them.
    """
    at, there = _places(bars, closes)
    usable = there & (atrs > 0)
    sparse = np.full(len(bars), np.nan)
    sparse[at[usable]] = atrs[usable]
    found = outcomes(bars, sparse, horizon, barrier)
    done = usable & (at + horizon < len(bars))
    state = np.where(done, KNOWN, np.where(usable | ~there & _to_come(bars, closes), OPEN, MISSING))
    n = sides.size
    touched, right, known = np.zeros(n, np.int64), np.full(n, np.nan), np.zeros(n, np.int64)
    move, move_atr, best, worst = np.full((4, n), np.nan)
    rows = np.flatnonzero(done)
    if rows.size:
        first, side, atr = at[rows], sides[rows].astype(np.float64), atrs[rows]
        decided = found.resolved[first]
        entry = bars.close[first]
        right[rows] = np.where(side > 0, found.right_if_long[first], found.right_if_short[first])
        reach = barrier * atr
        hit = (bars.high[decided] - entry >= reach) | (entry - bars.low[decided] >= reach)
        long, short = found.right_if_long[first] > 0, found.right_if_short[first] > 0
        touched[rows] = np.where(hit, np.where(long, UP, np.where(short, DOWN, BOTH)), TIME)
        known[rows] = bars.close_time[decided]
        gone = side * (bars.close[first + horizon] - entry)
        move[rows], move_atr[rows] = gone / entry, gone / atr
        high, low = _extremes(bars, first, horizon)
        up, down = np.maximum(0.0, high - entry) / atr, np.maximum(0.0, entry - low) / atr
        best[rows], worst[rows] = np.where(side > 0, up, down), -np.where(side > 0, down, up)
    return Aftermath(state, touched, right, known, move, move_atr, best, worst)


def r_of(
    barrier: NDArray[Any], right: FloatArray, move_atr: FloatArray, distance: float = BARRIER
) -> FloatArray:
    """Return what an idea made in R, without costs: the distance of its stop is 1.

    Both barriers lie one R away: +1 for that of its side, -1 for the other one and for a bar that
    touched both; the move itself where time ran out.
    """
    made: FloatArray = np.where(
        barrier == TIME, np.clip(move_atr / distance, -1.0, 1.0), np.where(right > 0, 1.0, -1.0)
    )
    return made


def winner(
    barrier: NDArray[Any], sides: NDArray[Any], move_atr: FloatArray
) -> NDArray[np.int64]:
    """Return the side that won, whoever called it: +1, -1, 0 for neither.

    Parameters
    ----------
    barrier, sides, move_atr : ndarray of shape (n,)
        As of `Aftermath`; `move_atr` counts along `sides`.
    """
    moved = np.sign(sides * move_atr)
    touched = np.where(barrier == UP, 1, np.where(barrier == DOWN, -1, 0))
    return np.where(barrier == TIME, moved, touched).astype(np.int64)


def _places(bars: Bars, closes: TimeArray) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the index of the bar that closed at each time, and whether it is there."""
    ends = bars.close_time
    at = np.searchsorted(ends, closes)
    safe = np.minimum(at, max(len(bars) - 1, 0))
    there = (at < len(bars)) & (ends[safe] == closes) if len(bars) else np.zeros(at.size, np.bool_)
    return np.where(there, safe, 0), there


def _to_come(bars: Bars, closes: TimeArray) -> NDArray[np.bool_]:
    """Tell which closes lie after all bars."""
    last = int(bars.close_time[-1]) if len(bars) else -1
    later: NDArray[np.bool_] = closes > last
    return later


def _extremes(
    bars: Bars, first: NDArray[np.int64], horizon: int
) -> tuple[FloatArray, FloatArray]:
    """Return the highest high and the lowest low of the `horizon` bars after each of `first`."""
    window = np.lib.stride_tricks.sliding_window_view
    high, low = window(bars.high, horizon), window(bars.low, horizon)
    return high[first + 1].max(axis=1), low[first + 1].min(axis=1)
