"""What the score called at each bar, and how each call turned out: what calibration learns from."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray, Timeframe
from opportunity.scoring.barriers import BARRIER, HORIZON, NOTHING, Outcomes, outcomes
from opportunity.scoring.combination import Combined
from opportunity.scoring.scores import Scores

NEVER: Final = np.iinfo(np.int64).max
"""`known` of a call whose outcome is open."""


@dataclass(frozen=True, slots=True, eq=False)
class Calls:
    """Calls of one timeframe, of one or several symbols; arrays of shape (n_calls,).

    A bar whose net is NaN or 0 calls nothing; its row is kept with NaN, so that rows match bars.

    Parameters
    ----------
    timeframe : Timeframe
        Of the bars.
    horizon, barrier : int, float
        As of `barriers.outcomes`.
    at, known : ndarray of int64
        When the call was made (close of its bar) and when its outcome was known, ms UTC;
        `NEVER` while open.
    strength, confidence, disagreement, coverage : ndarray
        As of `Combined`: none of them knows the side.
    final : ndarray
        The score along the side called, in (0.5, 1].
    right, against : ndarray
        1.0 or 0.0, NaN while open: the side called, and the other one. Both may be 0.
    weight : ndarray
        Share of its life that a call has to itself, (0, 1]; NaN while open. Calls of one symbol
        that overlap see the same bars and are not independent.
    pointed : ndarray of bool
        The score was far enough from neutral for a direction.
    """

    timeframe: Timeframe
    horizon: int
    barrier: float
    at: TimeArray
    known: TimeArray
    strength: FloatArray
    confidence: FloatArray
    disagreement: FloatArray
    coverage: FloatArray
    final: FloatArray
    right: FloatArray
    against: FloatArray
    weight: FloatArray
    pointed: NDArray[np.bool_]

    def __len__(self) -> int:
        return self.at.size

    def take(self, rows: Any) -> "Calls":
        """Return the calls that `rows` picks: a mask, indices or a slice."""
        taken: dict[str, Any] = {name: getattr(self, name)[rows] for name in _ARRAYS}
        return replace(self, **taken)

    @property
    def resolved(self) -> NDArray[np.bool_]:
        """True where something was called and its outcome is known."""
        return np.isfinite(self.right)


_ARRAYS: Final = tuple(f.name for f in fields(Calls))[3:]  # after timeframe, horizon, barrier


def pooled(several: Sequence[Calls]) -> Calls:
    """Put the calls of several symbols together, one after the other.

    Raises
    ------
    ValueError
        If there are none, or they differ in timeframe, horizon or barrier.
    """
    if not several:
        raise ValueError("calls must be of one symbol or more, was none")
    kinds = {(c.timeframe, c.horizon, c.barrier) for c in several}
    if len(kinds) > 1:
        raise ValueError(f"calls must be of one timeframe, horizon and barrier, was {kinds}")
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(c, name) for c in several]) for name in _ARRAYS
    }
    return replace(several[0], **joined)


def calls_of(scores: Scores, horizon: int = HORIZON, barrier: float = BARRIER) -> Calls:
    """Return what was called at each bar of `scores` and how it turned out.

    Raises
    ------
    ValueError
        If the bars carry no timeframe.
    """
    bars = scores.evidence.bars
    if bars.timeframe is None:
        raise ValueError("bars must have a timeframe to be judged, was None")
    found = outcomes(bars, scores.evidence.atr, horizon, barrier)
    return judged(bars.timeframe, bars.close_time, scores.combined, found, horizon, barrier)


def judged(
    timeframe: Timeframe, closed: TimeArray, combined: Combined, found: Outcomes, horizon: int,
    barrier: float,
) -> Calls:  # fmt: skip
    """Join the scores of one stream with its outcomes; `closed` is the close of each bar, ms."""
    called = (np.abs(combined.net) > 0) & (found.resolved != NOTHING)  # False for NaN
    side = np.where(called, combined.net, np.nan)
    right = found.right(side)
    evidence = {
        name: np.where(called, getattr(combined, name), np.nan)
        for name in ("strength", "confidence", "disagreement", "coverage")
    }
    return Calls(
        timeframe=timeframe, horizon=horizon, barrier=barrier, at=closed,
        known=np.where(np.isfinite(right), closed[found.resolved], NEVER), **evidence,
        final=(1.0 + evidence["strength"]) / 2.0, right=right, against=found.right(-side),
        weight=uniqueness(called, found.resolved), pointed=called & (combined.direction != 0),
    )


def uniqueness(called: NDArray[np.bool_], resolved: NDArray[np.int64]) -> FloatArray:
    """Return the share of its life that each call of one stream has to itself.

    Parameters
    ----------
    called : ndarray of bool, shape (n_bars,)
        Whether there was a call at the bar's close.
    resolved : ndarray of int64, shape (n_bars,)
        Index of the bar that resolved it, -1 while it is open: then it lives on.

    Returns
    -------
    ndarray of shape (n_bars,)
        Mean of 1 / (calls alive) over the bars of its life, NaN where no call is resolved. Their
        sum says how many calls without overlap would know as much.

    Notes
    -----
    Bars that come later never change the weight of a resolved call.
    Source: López de Prado, *Advances in Financial Machine Learning*, 2018, section 4.4.
    """
    n = resolved.size
    made = np.flatnonzero(called)
    ends = np.where(resolved[made] < 0, n - 1, resolved[made])
    # A call made at a close lives from the next bar on.
    born, died = (np.bincount(k + 1, minlength=n + 2) for k in (made, ends))
    alive = np.cumsum(born - died)
    share = np.concatenate([[0.0], np.cumsum(1.0 / np.maximum(alive[:n], 1))])
    weight = np.full(n, np.nan)
    known = resolved[made] >= 0
    start, stop = made[known] + 1, ends[known] + 1
    weight[made[known]] = (share[stop] - share[start]) / (stop - start)
    return weight
