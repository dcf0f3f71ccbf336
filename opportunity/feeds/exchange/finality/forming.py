"""The bars that are not closed yet, for display only; nothing final is ever made of them."""

import numpy as np

from opportunity.feeds.base import Forming
from opportunity.market.notes import Values


class FormingBars:
    """Keep the newest telling of the newest open bar of each row.

    Within a bar the volume only grows, so of two tellings the one with more volume is the newer
    one, in whatever order they come.
    """

    def __init__(self) -> None:
        self._bars: dict[int, tuple[int, Values]] = {}
        self._changed: set[int] = set()

    def put(self, row: int, time: int, values: Values) -> None:
        """Take a valid telling of an open bar."""
        held = self._bars.get(row)
        if held is not None and (time < held[0] or (time == held[0] and values[4] < held[1][4])):
            return
        self._bars[row] = (time, values)
        self._changed.add(row)

    def drop(self, row: int) -> None:
        """Forget a row."""
        self._bars.pop(row, None)
        self._changed.discard(row)

    def take(self, now: int, length: int, cursors: list[int]) -> Forming | None:
        """Return the bars that changed since the last call and are still open at `now`.

        Parameters
        ----------
        now : int
            Feed time, ms UTC.
        length : int
            Length of a bar, ms.
        cursors : list of int
            Opening time of the first bar of each row that is not final.
        """
        if not self._changed:
            return None
        rows = [
            row for row in sorted(self._changed)
            if cursors[row] <= self._bars[row][0] and now < self._bars[row][0] + length
        ]  # fmt: skip
        self._changed.clear()
        if not rows:
            return None
        times, values = zip(*(self._bars[row] for row in rows), strict=True)
        return Forming(now, np.array(rows), np.array(times), np.array(values))
