"""When a score stops knowing what it knew: its rolling information coefficient under a CUSUM.

Sources: Page, "Continuous inspection schemes", Biometrika 41, 1954; Hawkins, "Self-starting CUSUM
charts for location and scale", The Statistician 36, 1987 (no past without alarms is needed to
begin with); Siegmund, *Sequential Analysis*, 1985 (how rarely it alarms for nothing); Grinold,
Kahn, *Active Portfolio Management*, 1999 (the information coefficient).
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray
from opportunity.scoring.averages import LEAST_OUTCOMES, rank_correlation

SLACK: Final = 0.5
"""Standard deviations that a window may lie below its reference for nothing: half of the fall
that is found soonest."""

LIMIT: Final = 5.0
"""Sum of what lies beyond the slack that is an alarm."""

RUN_LENGTH: Final = 938
"""Windows between two alarms for nothing, on the average, where windows are independent; with
windows of four days ten years."""

REFERENCE: Final = 8
"""Windows that are only looked at, before the first that can add to an alarm."""

ROUNDING: Final = 1e-9
"""Spread of coefficients below which they are all alike."""

HORIZONS_A_WINDOW: Final = 4
"""Length of a window in horizons: a quarter of its outcomes reaches into the next one."""


@dataclass(frozen=True, slots=True, eq=False)
class Decay:
    """Windows of one score in order, those without a coefficient left out; arrays of shape (n,).

    Parameters
    ----------
    start : ndarray of int64
        When each window begins, ms UTC.
    count : ndarray of int64
        Outcomes.
    coefficient : ndarray
        Rank correlation of score and move, [-1, 1].
    deviation : ndarray
        How far it lies from the mean of the windows before it since the last alarm, in standard
        deviations; NaN in the reference.
    fall : ndarray
        The running sum, >= 0; at `LIMIT` there is an alarm, and everything begins anew.
    alarm : ndarray of bool
    """

    start: TimeArray
    count: NDArray[np.int64]
    coefficient: FloatArray
    deviation: FloatArray
    fall: FloatArray
    alarm: NDArray[np.bool_]

    @property
    def mean(self) -> float:
        """Mean coefficient; NaN without any."""
        return float(self.coefficient.mean()) if self.coefficient.size else float("nan")


def information(score: FloatArray, move: FloatArray) -> tuple[int, float]:
    """Return how many outcomes a window has and its information coefficient.

    NaN below `LEAST_OUTCOMES`, and where score or move never vary.
    """
    n = int(np.count_nonzero(np.isfinite(score) & np.isfinite(move)))
    return n, rank_correlation(score, move) if n >= LEAST_OUTCOMES else float("nan")


def watch(
    start: TimeArray, count: NDArray[np.int64], coefficient: FloatArray, slack: float = SLACK,
    limit: float = LIMIT,
) -> Decay:  # fmt: skip
    """Look for a fall in the coefficients of windows.

    Parameters
    ----------
    start, count, coefficient : ndarray of shape (n,)
        Windows in order; those with NaN are left out.
    slack, limit : float
        Standard deviations, > 0. A fall of twice the slack is found soonest.

    Notes
    -----
    Downward only: a score that knows more than it did is no reason to look. Every window is
    compared with those before it alone, so later ones never change what was said of it.
    """
    there = np.isfinite(coefficient)
    start, count, values = start[there], count[there], coefficient[there]
    deviation, fall = np.full(values.size, np.nan), np.zeros(values.size)
    alarm = np.zeros(values.size, np.bool_)
    first = 0
    for i in range(values.size):
        if i - first < REFERENCE:
            continue
        deviation[i] = _deviation(values[first:i], float(values[i]))
        before = fall[i - 1] if i - first > REFERENCE else 0.0
        fall[i] = max(0.0, before - deviation[i] - slack)
        if fall[i] >= limit:
            alarm[i] = True
            first = i + 1
    return Decay(start, count, values, deviation, fall, alarm)


def run_length(fall: float = 0.0, slack: float = SLACK, limit: float = LIMIT) -> float:
    """Return how many windows pass until an alarm, on the average.

    Parameters
    ----------
    fall : float
        By how many standard deviations the coefficient lies below its reference; 0: an alarm for
        nothing.
    slack, limit : float
        As of `watch`.

    Notes
    -----
    Siegmund's approximation, within some per cent for independent normal windows.
    """
    drift, b = fall - slack, limit + 1.166
    if abs(drift) < 1e-9:
        return b * b
    return (math.exp(-2.0 * drift * b) + 2.0 * drift * b - 1.0) / (2.0 * drift * drift)


def _deviation(before: FloatArray, value: float) -> float:
    """Return a value as a standard normal deviation from those before it.

    Exactly so for independent normal windows of any mean and spread, but for Wallace's
    approximation of Student's distribution ("Bounds on normal approximations to Student's and the
    chi-square distributions", Annals of Mathematical Statistics 30, 1959).
    """
    n = before.size
    spread = float(before.std(ddof=1))
    if spread < ROUNDING:
        return 0.0
    t = (value - float(before.mean())) / (spread * math.sqrt(1.0 + 1.0 / n))
    free = n - 1
    size = math.sqrt(free * math.log1p(t * t / free)) * (8 * free + 1) / (8 * free + 3)
    return math.copysign(size, t)
