"""Rows of a structured type, by their time: grown at the end, let go of at the beginning."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.kernels import kernel
from opportunity.market.room import room_for

N_NEAR: Final = 4
"""Places behind a guess that are looked at."""


class Rows:
    """A growing array of records whose old end can be forgotten.

    Where as many are forgotten as are added it stays at the memory that it has: rows move within
    it. A growing one is made a quarter larger at a time, so little of it is in vain.

    Parameters
    ----------
    kind : numpy dtype
        Of one row.
    size : int
        Rows for which there is room at once.
    """

    def __init__(self, kind: np.dtype[Any], size: int = 0) -> None:
        self._rows = _blank(size, kind)
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
            size = room_for(kept + n, self._rows.size)
            rows = self._rows if size == self._rows.size else _blank(size, self._rows.dtype)
            rows[:kept] = self.view
            if rows is self._rows:
                rows[kept:] = np.zeros((), rows.dtype)  # room is empty, as that of a new array
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


def _blank(size: int, kind: np.dtype[Any]) -> NDArray[Any]:
    """Return empty rows that are written to: their memory counts from now on, not from later."""
    return np.full(size, np.zeros((), kind), kind)


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
