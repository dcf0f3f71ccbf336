"""At most one signal of a symbol in an interval, unless its direction turns."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

CLOCK_S: Final = 1e-3
"""A timer may fire this much early; what is due then is due."""


class Throttle:
    """Holds back what comes too soon; the newest of it is due at the end of the interval.

    Parameters
    ----------
    interval_s : float
        Least time between two signals of a symbol that point the same way, seconds.
    direction_of : callable
        Returns where a symbol's newest signal points.
    """

    def __init__(self, interval_s: float, direction_of: Callable[[str], str]) -> None:
        self._interval_s, self._direction_of = interval_s, direction_of
        self._sent_at: dict[str, float] = {}
        self._shown: dict[str, str] = {}
        self._held: set[str] = set()

    def passes(self, symbol: str, now: float) -> bool:
        """Say whether a symbol's newest signal may go out now; otherwise it is held."""
        recent = now - self._sent_at.get(symbol, -np.inf) < self._interval_s
        if recent and self._direction_of(symbol) == self._shown.get(symbol):
            self._held.add(symbol)
            return False
        self._held.discard(symbol)
        self._send(symbol, now)
        return True

    @property
    def due_at(self) -> float | None:
        """When the first of what is held may go out; None while nothing is."""
        return min((self._sent_at[s] + self._interval_s for s in self._held), default=None)

    def due(self, now: float) -> Sequence[str]:
        """Let go of the symbols whose time has come and return them."""
        late = now + CLOCK_S
        found = [s for s in self._held if late - self._sent_at[s] >= self._interval_s]
        for symbol in found:
            self._held.discard(symbol)
            self._send(symbol, now)
        return found

    def clear(self) -> None:
        """Forget what is held."""
        self._held.clear()

    def _send(self, symbol: str, now: float) -> None:
        self._sent_at[symbol], self._shown[symbol] = now, self._direction_of(symbol)
