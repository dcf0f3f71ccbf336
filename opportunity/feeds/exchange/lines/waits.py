"""How long to wait: before a dial, and for a frame."""

import random
from typing import Final

FIRST_S: Final = 0.5
LONGEST_S: Final = 30.0
"""Bounds of the wait before a dial, seconds of real time."""

_KEPT: Final = 0.8  # share of the old estimate of the usual gap
_TIMES: Final = 10.0  # gaps of this many times the usual one are a fault


class Backoff:
    """Waits that double, each between half of it and all of it, drawn.

    Parameters
    ----------
    seed : int
        Of the draws, so that lines do not dial in step.
    first_s, longest_s : float
        Bounds, seconds.
    """

    def __init__(self, seed: int, first_s: float = FIRST_S, longest_s: float = LONGEST_S) -> None:
        if not 0 < first_s <= longest_s:
            raise ValueError(f"first_s must be in (0, {longest_s}], was {first_s}")
        self._random = random.Random(seed)
        self._first_s, self._longest_s = first_s, longest_s
        self._next_s = first_s

    def draw(self, least_s: float = 0.0) -> float:
        """Return how long to wait now, seconds; not below what a venue asked for."""
        whole, self._next_s = self._next_s, min(2.0 * self._next_s, self._longest_s)
        return max(least_s, whole * self._random.uniform(0.5, 1.0))

    def reset(self) -> None:
        """Begin anew: the last dial has proved good."""
        self._next_s = self._first_s


class Silence:
    """Learns how often a line gives something, and says when its silence is a fault.

    A busy line may be silent for `least_s`. One that is found to speak seldom, e.g. of a market
    with few trades, may be silent for longer, up to `most_s`.

    Parameters
    ----------
    least_s, most_s : float
        Bounds of the silence that is borne, seconds of real time.
    """

    def __init__(self, least_s: float, most_s: float) -> None:
        if not 0 < least_s <= most_s:
            raise ValueError(f"least_s must be in (0, {most_s}], was {least_s}")
        self._least_s, self._most_s = least_s, most_s
        self._gap_s = 0.0

    @property
    def limit_s(self) -> float:
        """Silence that is borne now, seconds."""
        return min(max(self._least_s, _TIMES * self._gap_s), self._most_s)

    def heard(self, gap_s: float) -> None:
        """Learn how long it took until something came; called once a look, not a frame."""
        self._gap_s = _KEPT * self._gap_s + (1.0 - _KEPT) * gap_s

    def lost(self) -> None:
        """Bear twice the silence the next time: it may have been no fault."""
        self._gap_s = 2.0 * self.limit_s / _TIMES
