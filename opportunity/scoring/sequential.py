"""Is the mean of differences above or below zero, asked after every one of them for years.

A test of fixed length answers once; whoever looks at it daily and stops when it says yes is wrong
far more often than it promises. A confidence sequence is a row of intervals of which, with
probability 1 - alpha, all hold at once: it may be looked at whenever one likes.

Let X be differences clipped to [-b, b], g a guess of the next one from those before, in
[-b/10, b/10], and c = 1.1 b, so that |X - g| <= c. For every 0 < q < 1

    exp(q S / c - psi(q) V / c**2),  psi(q) = -log(1 - q) - q,  V = sum of (X - g)**2,

where S is the sum of X less their conditional means given the past, is never expected to grow
(Fan, Grama, Liu 2015; Howard et al. 2021, theorem 4). So is a mixture of it over several q, and
by Ville's inequality that ever reaches 2/alpha with probability alpha/2. Solved for S it bounds the
average of the conditional means from below; the same of -X bounds it from above.

Nothing is assumed of independence, of one distribution for all days or of its shape: only that
clipping changes no more than it says. What is judged is the average over the days *seen* of what
was to be expected on each; days to come may be others.

Sources: Howard, Ramdas, McAuliffe, Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence
sequences", Annals of Statistics 49(2), 2021; Fan, Grama, Liu, "Exponential inequalities for
martingales with applications", Electronic Journal of Probability 20, 2015; Ville 1939.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opportunity.kernels import kernel
from opportunity.market.bars import FloatArray

ALPHA: Final = 0.05
CLIP: Final = 0.03
"""A day that moved one account by more against the other counts as this much."""

GUESS: Final = 0.1
"""Of the clip: how far the guess of a day may lie from 0. Small, for it widens every bound."""

LONGEST: Final = 36_500
"""Days beyond which nothing is foretold."""

_PLACES: Final = np.linspace(-3.0, 2.5, 8)
RATES: Final = 1.0 / (1.0 + np.exp(-_PLACES))
"""The q that are mixed; with these shares bounds are within a third of those of the best single
q, from two weeks of calm differences to twenty years of wild ones."""

SHARES: Final = np.exp(0.2 * _PLACES) / np.exp(0.2 * _PLACES).sum()
_PRICES: Final = -np.log1p(-RATES) - RATES
_LOGS: Final = np.log(SHARES)


@kernel
def evidence(total: Any, spread: Any) -> Any:
    """Return the logarithm of the mixture at a sum and a spread, both in units of c and c**2."""
    most = -np.inf
    for i in range(RATES.size):
        most = max(most, _LOGS[i] + RATES[i] * total - _PRICES[i] * spread)
    mixed = 0.0
    for i in range(RATES.size):
        mixed += math.exp(_LOGS[i] + RATES[i] * total - _PRICES[i] * spread - most)
    return most + math.log(mixed)


@kernel
def reach(spread: Any, level: Any) -> Any:
    """Return the sum at which `evidence` reaches a level, in units of c; it grows with both."""
    total = np.inf
    for i in range(RATES.size):  # one q alone needs more than all together: a start from above
        total = min(total, (level - _LOGS[i] + _PRICES[i] * spread) / RATES[i])
    for _ in range(50):  # Newton on a convex function that rises comes down to its root
        most = -np.inf
        for i in range(RATES.size):
            most = max(most, _LOGS[i] + RATES[i] * total - _PRICES[i] * spread)
        mixed = slope = 0.0
        for i in range(RATES.size):
            part = math.exp(_LOGS[i] + RATES[i] * total - _PRICES[i] * spread - most)
            mixed += part
            slope += part * RATES[i]
        step = (most + math.log(mixed) - level) * mixed / slope
        total -= step
        if step <= 1e-13 * total:
            break
    return total


@kernel
def take(state: Any, difference: Any, clip: Any) -> None:
    """Add a day to (days, sum, spread, clipped days); sum and spread in units of c and c**2."""
    scaled = min(max(difference / clip, -1.0), 1.0) / (1.0 + GUESS)
    bound = GUESS / (1.0 + GUESS)
    guess = state[1] / state[0] if state[0] > 0 else 0.0
    away = scaled - min(max(guess, -bound), bound)
    state[0] += 1.0
    state[1] += scaled
    state[2] += away * away
    state[3] += 1.0 if abs(difference) > clip else 0.0


@kernel
def _walk(differences: Any, clip: Any, level: Any, found: Any) -> None:
    state = np.zeros(4)
    for i in range(differences.size):
        take(state, differences[i], clip)
        _tell(state, clip, level, found[i])


@kernel
def _tell(state: Any, clip: Any, level: Any, found: Any) -> None:
    unit = clip * (1.0 + GUESS) / state[0]
    wide = reach(state[2], level)
    found[0] = min(max(state[1] * unit, -clip), clip)  # rounding may leave it
    found[1] = max((state[1] - wide) * unit, -clip)
    found[2] = min((state[1] + wide) * unit, clip)


@kernel
def _needed(state: Any, level: Any, most: Any) -> Any:
    """Return after how many days in all a mean and a spread like so far are clear of 0."""
    mean, spread = abs(state[1]) / state[0], state[2] / state[0]
    low, high = int(state[0]), int(most)
    if reach(spread * high, level) >= mean * high:
        return -1
    while high - low > 1:
        middle = (low + high) // 2
        if reach(spread * middle, level) < mean * middle:
            high = middle
        else:
            low = middle
    return high


@dataclass(frozen=True, slots=True)
class Interval:
    """What is known of the mean difference after n days.

    Parameters
    ----------
    n : int
        Days.
    mean : float
        Of the clipped differences; NaN without a day.
    low, high : float
        Bounds of the mean; without a day those of the clip.
    clipped : int
        Days that were larger than the clip.
    more : int or None
        About how many more days would leave 0 outside if they were like those so far; 0 where it
        is outside, None where it is not foreseeable (no difference, or beyond `LONGEST`).
    """

    n: int
    mean: float
    low: float
    high: float
    clipped: int
    more: int | None


class Sequential:
    """A confidence sequence that takes one difference after the other, each in the same time.

    Parameters
    ----------
    alpha : float
        Probability that any of all intervals misses, 0 < alpha < 1.
    clip : float
        Differences beyond count as this much, > 0.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    def __init__(self, alpha: float = ALPHA, clip: float = CLIP) -> None:
        self.level = _level(alpha, clip)
        self.alpha, self.clip = alpha, clip
        self._state = np.zeros(4)

    def add(self, difference: float) -> None:
        """Take the difference of a day; infinite ones are clipped, NaN is a ValueError."""
        if math.isnan(difference):
            raise ValueError("difference must be a number, was NaN")
        take(self._state, difference, self.clip)

    def interval(self) -> Interval:
        """Return what is known now."""
        n, clipped = int(self._state[0]), int(self._state[3])
        if n == 0:
            return Interval(0, math.nan, -self.clip, self.clip, 0, None)
        found = np.empty(3)
        _tell(self._state, self.clip, self.level, found)
        mean, low, high = found.tolist()
        more: int | None = 0
        if low <= 0 <= high:
            whole = int(_needed(self._state, self.level, LONGEST)) if n < LONGEST else -1
            more = whole - n if whole > n else None
        return Interval(n, mean, low, high, clipped, more)


def confidence_sequence(
    differences: ArrayLike, alpha: float = ALPHA, clip: float = CLIP
) -> NDArray[np.float64]:
    """Return mean, low and high after each day: what `Sequential` would have said, bit for bit.

    Parameters
    ----------
    differences : array_like, shape (n,)
        Without NaN.
    alpha, clip : float
        See `Sequential`.

    Returns
    -------
    ndarray, shape (n, 3)

    Raises
    ------
    ValueError
        If a difference is NaN or a number out of its range.
    """
    level = _level(alpha, clip)
    values: FloatArray = np.ascontiguousarray(differences, np.float64).reshape(-1)
    if np.isnan(values).any():
        raise ValueError("differences must be numbers, had NaN")
    found = np.empty((values.size, 3))
    _walk(values, clip, level, found)
    return found


def _level(alpha: float, clip: float) -> float:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be between 0 and 1, was {alpha}")
    if not (math.isfinite(clip) and clip > 0):
        raise ValueError(f"clip must be finite and > 0, was {clip}")
    return math.log(2 / alpha)
