"""Whether stated probabilities still hold, by a test that may be looked at every hour.

Bets are laid against the statements: money grows only where outcomes stray from them in a way
that earlier outcomes foretold. Of statements that hold it reaches 1 / alpha with a chance of at
most alpha, ever, however often it is looked at (Ville's inequality).

Sources: Ville, *Étude critique de la notion de collectif*, 1939; Waudby-Smith, Ramdas,
"Estimating means of bounded random variables by betting", Journal of the Royal Statistical
Society B 86, 2024 (how much is laid).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray

ALPHA: Final = 0.05
"""Chance that statements which hold are ever called off."""

LEAST_CELLS: Final = 10
"""Cells of time with an outcome without which nothing is called off."""

LEAST_OUTCOMES: Final = 200

MOST_LAID: Final = 0.95
"""Part of the money that is laid at most."""

PRIOR_SPREAD: Final = 0.05
"""Variance of a cell's mean that is believed in before the first, as if of one cell."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What came of the bets; arrays of shape (n_cells,).

    Parameters
    ----------
    n : int
        Outcomes that were bet on.
    ends : ndarray of int64
        When the outcomes of each cell were all known, ms UTC.
    shift : ndarray
        Mean of outcome minus statement in each.
    evidence : ndarray
        The money, from 1 on: how many times likelier the outcomes are to one who does not
        believe the statements.
    """

    n: int
    ends: TimeArray
    shift: FloatArray
    evidence: FloatArray

    @property
    def off(self) -> bool:
        """Whether the statements do not hold."""
        enough = self.n >= LEAST_OUTCOMES and self.ends.size >= LEAST_CELLS
        return bool(enough and self.evidence.max() >= 1.0 / ALPHA)


def trial(
    stated: FloatArray, right: FloatArray, at: TimeArray, length: int, horizon: int
) -> Trial:
    """Bet against stated probabilities.

    Parameters
    ----------
    stated, right : ndarray of shape (n,)
        Probabilities and outcomes, 1 or 0; rows with NaN are passed over.
    at : ndarray of int64, shape (n,)
        When each was stated, ms UTC: a close of a bar.
    length, horizon : int
        Of a bar, ms; bars until every outcome is known.

    Notes
    -----
    Time is cut into cells of two horizons, and only what is stated in the first half of a cell is
    bet on: when the next one begins, all of it is known. So bets never know an outcome that
    overlaps those that they are laid on, which is what the promise above rests on. Two bets are
    laid side by side, half of the money each: that all statements are too high or too low, and
    that those above the mean are and those below it the other way round.
    """
    cell_ms = 2 * horizon * length
    there = np.isfinite(stated) & np.isfinite(right) & ((at - 1) % cell_ms < cell_ms // 2)
    stated, right, at = stated[there], right[there], at[there]
    cells, place = np.unique((at - 1) // cell_ms, return_inverse=True)
    if not cells.size:
        return Trial(0, np.empty(0, np.int64), np.empty(0), np.empty(0))
    away = right - stated
    weights = _weights(at, horizon)
    shift: FloatArray = np.bincount(place, weights * away, cells.size).astype(np.float64)
    tilt = np.empty(cells.size)
    seen, total = 0.5, 1.0
    for i in range(cells.size):
        rows = place == i
        tilt[i] = (weights[rows] * away[rows] * np.sign(stated[rows] - seen / total)).sum()
        seen, total = seen + float(stated[rows].sum()), total + np.count_nonzero(rows)
    evidence: FloatArray = (_grown(shift) + _grown(tilt)) / 2.0
    means: FloatArray = np.bincount(place, away) / np.bincount(place)
    return Trial(stated.size, (cells + 1) * cell_ms, means, evidence)


def _weights(at: TimeArray, horizon: int) -> FloatArray:
    """Share each moment's part equally: known when it is stated, and at most 1 in a cell."""
    _, moment, count = np.unique(at, return_inverse=True, return_counts=True)
    weights: FloatArray = 1.0 / (count[moment].astype(np.float64) * horizon)
    return weights


def _grown(gains: FloatArray) -> FloatArray:
    """Return the money after each bet, as much laid on each as the ones before it tell."""
    money = np.empty(gains.size)
    held, total, squares, n = 1.0, 0.0, PRIOR_SPREAD, 1
    for i, gain in enumerate(gains.tolist()):
        mean = total / n
        spread = squares / n
        held *= 1.0 + max(-MOST_LAID, min(MOST_LAID, mean / (spread + mean * mean))) * gain
        money[i] = held
        total, n = total + gain, n + 1
        squares += (gain - total / n) ** 2
    return money
