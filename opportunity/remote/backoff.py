"""How long to wait before a line is tried again."""

import random
from typing import Final

FIRST_S: Final = 1.5
FACTOR: Final = 1.5
LONGEST_S: Final = 30.0


class Backoff:
    """Pauses that grow from 1.5 s to 30 s, each with jitter, so that many do not come at once.

    Parameters
    ----------
    uniform : callable, optional
        Draws between two numbers; for tests.
    """

    def __init__(self, uniform: object = None) -> None:
        self._uniform = uniform if callable(uniform) else random.uniform
        self.attempts = 0
        """Attempts since the line held last."""

    def pause_s(self, asked_ms: int | None = None) -> float:
        """Return the next pause, seconds: between half of the bound and the bound.

        Parameters
        ----------
        asked_ms : int, optional
            What the server asked for when it said goodbye: the first pause is that.
        """
        self.attempts += 1
        if asked_ms is not None and self.attempts == 1:
            return asked_ms / 1_000
        bound = min(FIRST_S * FACTOR ** min(self.attempts - 1, 20), LONGEST_S)
        return float(self._uniform(bound / 2, bound))

    def held(self) -> None:
        """Begin anew: the line held."""
        self.attempts = 0
