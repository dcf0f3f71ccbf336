"""Jumps of a price that are more likely a mistake than a market."""

from collections.abc import Callable
from math import log
from typing import Final

import numpy as np

from opportunity.market.bars import FloatArray

JUMP: Final = 1.2
"""Smallest ratio of prices that counts as a jump, whatever the market is like."""

TYPICAL: Final = 10.0
"""Typical moves that a jump must exceed."""

_FEWEST: Final = 10


def jumps(high: float, low: float, previous: float, typical: Callable[[], float]) -> bool:
    """Tell whether a bar reaches too far from the close before it.

    Parameters
    ----------
    high, low : float
        Extremes of the bar, > 0; a wick counts as well as a close.
    previous : float
        Close of the bar before it; 0 where none is known, then nothing is a jump.
    typical : callable
        Gives the typical log move of the symbol; called only where it matters.

    Returns
    -------
    bool
        Whether the largest log move is above ``max(10 typical, log 1.2)``.
    """
    if previous <= 0.0 or (high <= previous * JUMP and low * JUMP >= previous):
        return False
    return max(log(high / previous), log(previous / low)) > TYPICAL * typical()


def typical_move(closes: FloatArray) -> float:
    """Return the median absolute deviation of the log moves between closes.

    Parameters
    ----------
    closes : ndarray of shape (n,)
        Closes in order of time, > 0.

    Returns
    -------
    float
        >= 0; 0 for fewer than 10 moves, which tell nothing yet.
    """
    if closes.size <= _FEWEST:
        return 0.0
    moves = np.diff(np.log(closes))
    return float(np.median(np.abs(moves - np.median(moves))))
