"""The newest known at each instant: as-of joins of values that became known over time."""

import numpy as np
from numpy.typing import ArrayLike

from opportunity.market.bars import FloatArray
from opportunity.market.room import FIRST_ROOM, room_for
from opportunity.market.timeframe import TimeArray


class AsOf:
    """Rows of numbers in the order in which they became known; grows, and forgets its old end.

    Parameters
    ----------
    width : int
        Numbers in a row.
    """

    def __init__(self, width: int) -> None:
        self._known = np.empty(FIRST_ROOM, np.int64)
        self._values = np.empty((FIRST_ROOM, width))
        self._first, self._end = 0, 0

    def __len__(self) -> int:
        return self._end - self._first

    @property
    def known(self) -> TimeArray:
        """When each row became known, ms UTC, ascending; shape (n_rows,). A view."""
        return self._known[self._first : self._end]

    @property
    def values(self) -> FloatArray:
        """The rows, shape (n_rows, width). A view."""
        return self._values[self._first : self._end]

    def append(self, known: ArrayLike, values: ArrayLike) -> None:
        """Add one row, or several in the order of their times.

        Parameters
        ----------
        known : int or array_like of shape (n,)
            From when on each row was known, ms UTC.
        values : array_like of shape (width,) or (n, width)

        Raises
        ------
        ValueError
            If a time is before the one ahead of it: what was answered before would change; or
            if a row has not `width` numbers.
        """
        times = np.atleast_1d(np.asarray(known, dtype=np.int64))
        width = self._values.shape[1]
        rows = np.asarray(values, dtype=np.float64)
        if rows.size != times.size * width:
            raise ValueError(
                f"values must be of shape {(times.size, width)}, was {np.shape(values)}"
            )
        rows = rows.reshape(times.size, width)
        if not times.size:
            return
        ahead = np.concatenate((self.known[-1:] if len(self) else times[:1], times))
        wrong = np.flatnonzero(np.diff(ahead) < 0)
        if wrong.size:
            i = int(wrong[0])
            raise ValueError(f"available_at must not go back, was {ahead[i + 1]} after {ahead[i]}")
        self._reserve(times.size)
        end = self._end + times.size
        self._known[self._end : end] = times
        self._values[self._end : end] = rows
        self._end = end

    def at(self, times: ArrayLike) -> tuple[FloatArray, TimeArray]:
        """Return the newest row known at each instant.

        Parameters
        ----------
        times : array_like of int64, any shape
            Instants, ms UTC. A row known at exactly that instant counts.

        Returns
        -------
        values : ndarray, shape (*times.shape, width)
            NaN where nothing was known yet.
        known : ndarray of int64, shape of times
            When that row became known; -1 where nothing was known yet.
        """
        instants = np.asarray(times, dtype=np.int64)
        found = np.searchsorted(self.known, instants, side="right") - 1
        values = np.full((*instants.shape, self._values.shape[1]), np.nan)
        known = np.full(instants.shape, -1, np.int64)
        some = found >= 0
        values[some] = self.values[found[some]]
        known[some] = self.known[found[some]]
        return values, known

    def forget(self, before: int) -> None:
        """Drop the rows that no instant from `before` on can ask for."""
        newest = int(np.searchsorted(self.known, before, side="right")) - 1
        self._first += max(0, newest)

    def _reserve(self, n: int) -> None:
        if self._end + n <= len(self._known):
            return
        kept = len(self)
        room, width = room_for(kept + n, len(self._known)), self._values.shape[1]
        known, values = self._known, self._values
        if room != len(known):
            known, values = np.empty(room, np.int64), np.empty((room, width))
        known[:kept], values[:kept] = self.known, self.values
        self._known, self._values, self._first, self._end = known, values, 0, kept
