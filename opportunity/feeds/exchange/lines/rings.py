"""A bounded series of rows in the order in which they were heard."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Table = NDArray[Any]
"""A structured array; `heard` is int64, ms UTC."""


class Ring:
    """Keeps the newest rows in memory that was set aside once.

    Parameters
    ----------
    kind : dtype
        Structured, with a field `heard` of int64.
    size : int
        Most rows, > 0.
    """

    def __init__(self, kind: np.dtype[Any], size: int) -> None:
        if size < 1:
            raise ValueError(f"size must be >= 1, was {size}")
        self._rows = np.full(size, np.zeros((), kind), kind)  # written to: it counts from now on
        self._heard = np.zeros(size, np.int64)  # once more, in one piece: it is searched often
        self.n_heard = 0

    def __len__(self) -> int:
        return min(self.n_heard, self._rows.size)

    @property
    def last(self) -> int:
        """When the newest row was heard, ms UTC; 0 while there is none."""
        return int(self._heard[(self.n_heard - 1) % self._rows.size]) if len(self) else 0

    def extend(self, rows: Table, asked: int = 0) -> int:
        """Add rows heard at or after the last.

        Parameters
        ----------
        rows : structured ndarray
            Ascending in `heard`.
        asked : int
            Rows heard from then on have not been asked for yet, ms UTC.

        Returns
        -------
        int
            How many rows that nobody has asked for had to go.
        """
        size = self._rows.size
        lost = 0
        if rows.size > size:
            lost = int((rows["heard"][:-size] >= asked).sum())
            rows = rows[-size:]
        place = self.n_heard % size
        for part in (rows[: size - place], rows[size - place :]):  # up to the end, then in front
            if part.size:
                lost += self._put(part, place, asked)
                place = 0
        return lost

    def _put(self, rows: Table, place: int, asked: int) -> int:
        lost = 0
        if self.n_heard >= self._rows.size:
            lost = int((self._heard[place : place + rows.size] >= asked).sum())
        self._rows[place : place + rows.size] = rows
        self._heard[place : place + rows.size] = rows["heard"]
        self.n_heard += rows.size
        return lost

    def between(self, since: int, until: int) -> Table:
        """Return a copy of the rows with since <= heard < until, oldest first."""
        size, place = self._rows.size, self.n_heard % self._rows.size
        parts = [slice(0, self.n_heard)]
        if self.n_heard > size:
            parts = [slice(place, size), slice(0, place)]
        cut = []
        for part in parts:
            first, end = np.searchsorted(self._heard[part], (since, until))
            cut.append(self._rows[part][first:end])
        return np.concatenate(cut)
