"""Rows of a structured type, by their time: grown at the end, let go of at the beginning."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.kernels import kernel

_FIRST_ROOM = 16

N_NEAR: Final = 4
"""Places behind a guess that are looked at."""


class Rows:
    """A growing array of records whose old end can be forgotten.

    Parameters
    ----------
    kind : numpy dtype
        Of one row.
    """

    def __init__(self, kind: np.dtype[Any]) -> None:
        self._rows = np.zeros(0, kind)
        self._first, self._end = 0, 0
        self.forgotten = 0

    def __len__(self) -> int:
        return self._end - self._first

    @property
    def view(self) -> NDArray[Any]:
        """The rows, oldest first. A view; it is out of date after the next change."""
        return self._rows[self._first : self._end]

    def room(self, n: int) -> NDArray[Any]:
        """Return the rows with room for `n` more behind them; `grow` counts those written."""
        if self._end + n > self._rows.size:
            kept = len(self)
            rows = np.zeros(max(_FIRST_ROOM, 2 * (kept + n)), self._rows.dtype)
            rows[:kept] = self.view
            self._rows, self._first, self._end = rows, 0, kept
        return self._rows[self._first : self._end + n]

    def grow(self, n_rows: int) -> None:
        """Say that there are `n_rows` rows now."""
        self._end = self._first + n_rows

    def forget(self, n: int) -> None:
        """Drop the oldest `n` rows; `forgotten` counts them all."""
        n = max(0, min(n, len(self)))
        self._first += n
        self.forgotten += n


@kernel
def place_of(rows: Any, time: Any) -> Any:
    """Return the place of the first row with `time` or later."""
    low = 0
    high = rows.size
    while low < high:
        middle = (low + high) // 2
        if rows[middle].time < time:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def place_near(rows: Any, time: Any, guess: Any) -> Any:
    """Return what `place_of` does, sooner where it is `guess` or one of the next few places."""
    if 0 < guess <= rows.size and rows[guess - 1].time < time:
        for i in range(guess, min(guess + N_NEAR, rows.size)):
            if rows[i].time >= time:
                return i
    return place_of(rows, time)
