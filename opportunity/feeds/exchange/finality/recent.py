"""The newest bars of every symbol, final ones and those that wait for a bar before them.

A ring of 256 bars a row, addressed by time: 128 behind the next bar that is expected and 128
ahead of it never share a place. 16 KiB a row.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

import numpy as np

from opportunity.market.bars import FloatArray
from opportunity.market.notes import Values
from opportunity.market.timeframe import TimeArray

SIZE: Final = 256
REACH: Final = SIZE // 2
"""Bars on either side of the next expected one that are kept."""

WINDOW: Final = 100
"""Bars that the shares in `Faults` look at."""

STREAM, REST, EMPTY, HELD, JUMPED, DIFFERS, REVISED = (1 << i for i in range(7))
"""Marks: told by the stream, told by REST, confirmed empty, waits for REST to decide, jumps,
stream and REST told different things, changed after it was given."""

KNOWN: Final = STREAM | REST
_NEVER: Final = -1
_NONE: Final = (float("nan"),) * 5

# One record is one cache line. NumPy reads many of them at once; a single one is read and
# written through `struct`, which is several times as fast.
_KEPT: Final = np.dtype([
    ("time", "<i8"), ("asked", "<i8"), ("values", "<f8", (5,)),
    ("marks", "<u4"), ("lacked", "<u2"), ("revision", "<u2"),
])  # fmt: skip
_WHOLE: Final = Struct("<qq5dIHH")
_MARKS: Final = Struct("<q48xI")
_VALUES: Final = Struct("<5d")
_VALUES_AT: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Shares among the last 100 bars of each row, [0, 1]; see `Faults`."""

    missing: FloatArray
    mismatch: FloatArray
    revised: FloatArray


class Recent:
    """Bars by row and opening time.

    Parameters
    ----------
    n_rows : int
        Number of symbols.
    length : int
        Length of a bar, ms.
    """

    def __init__(self, n_rows: int, length: int) -> None:
        self._length = length
        self._kept = np.empty((n_rows, SIZE), _KEPT)
        self._kept[:] = np.array((_NEVER, _NEVER, _NONE, 0, 0, 0), _KEPT)
        self._memory = self._kept.reshape(-1).view(np.uint8).data
        # Times and marks once more, close together: `shares` looks at half of all that is kept.
        self._times = np.full((n_rows, SIZE), _NEVER, np.int64)
        self._marks = np.zeros((n_rows, SIZE), np.uint8)
        self._time_at, self._marks_at = self._times.reshape(-1).data, self._marks.reshape(-1).data

    def marks(self, row: int, time: int) -> int:
        """Return the marks of a bar, 0 where nothing is known of it."""
        place = (row * SIZE + time // self._length % SIZE) * 64
        kept: tuple[int, int] = _MARKS.unpack_from(self._memory, place)
        return kept[1] if kept[0] == time else 0

    def values(self, row: int, time: int) -> Values:
        """Return the numbers of a bar that is known."""
        place = (row * SIZE + time // self._length % SIZE) * 64
        values: Values = _VALUES.unpack_from(self._memory, place + _VALUES_AT)
        return values

    def asked(self, row: int, time: int) -> int:
        """Return when REST was asked for what it told of a bar, -1 where it did not."""
        return int(self._at(row, time)["asked"])

    def put(self, row: int, time: int, values: Values, marks: int, asked: int = _NEVER) -> None:
        """Take a bar that was not known; what was in its place is forgotten."""
        place = row * SIZE + time // self._length % SIZE
        _WHOLE.pack_into(self._memory, place * 64, time, asked, *values, marks, 0, 0)
        self._time_at[place], self._marks_at[place] = time, marks

    def mark(self, row: int, time: int, add: int, clear: int = 0) -> None:
        """Change the marks of a bar that is known."""
        kept = self._at(row, time)
        kept["marks"] = marks = (int(kept["marks"]) | add) & ~clear
        self._marks_at[row * SIZE + time // self._length % SIZE] = marks

    def told(self, row: int, time: int, asked: int) -> None:
        """Remember that REST, asked at `asked`, told this bar as it is kept."""
        self._at(row, time)["asked"] = asked
        self.mark(row, time, REST, HELD)

    def revise(self, row: int, time: int, values: Values) -> int:
        """Change the numbers of a known bar; return how often that has happened."""
        kept = self._at(row, time)
        kept["values"] = values
        kept["revision"] = revision = min(65_535, int(kept["revision"]) + 1)
        return revision

    def empty(self, row: int, time: int, asked: int) -> None:
        """Remember that the venue, asked at `asked`, has no bar there."""
        self.put(row, time, _NONE, EMPTY, asked)

    def lack(self, row: int, time: int, weight: int) -> int:
        """Count that an answer lacks a bar; return the sum of weights for this bar so far."""
        if self._at(row, time)["time"] != time:
            self.put(row, time, _NONE, 0)
        kept = self._at(row, time)
        kept["lacked"] = count = min(255, int(kept["lacked"]) + weight)
        return count

    def forget(self, row: int, since: int) -> None:
        """Forget the bars of a row from `since` on."""
        kept = self._kept[row]
        kept["time"][kept["time"] >= since] = _NEVER
        self._times[row] = kept["time"]

    def closes(self, row: int, before: int) -> FloatArray:
        """Return the closes of the known bars before a time, in order, at most 128."""
        kept = self._kept[row]
        kept = kept[
            (kept["time"] < before)
            & (kept["time"] >= before - REACH * self._length)
            & (kept["marks"] & KNOWN != 0)
        ]
        closes: FloatArray = kept["values"][np.argsort(kept["time"]), 3]
        return closes

    def shares(self, newest: int, since: TimeArray) -> Shares:
        """Return the shares among the 100 bars up to the one that opens at `newest`.

        Bars before `since`, shape (n_rows,), count as there: they are history.
        """
        opens = newest - np.arange(WINDOW) * self._length
        slots = opens // self._length % SIZE
        marks = np.where(self._times[:, slots] == opens, self._marks[:, slots], 0)
        there = (marks != 0) | (opens < since[:, None])
        compared = (marks & KNOWN == KNOWN).sum(1)
        return Shares(
            missing=1.0 - there.mean(1),
            mismatch=(marks & DIFFERS != 0).sum(1) / np.maximum(compared, 1),
            revised=(marks & REVISED != 0).mean(1),
        )

    def _at(self, row: int, time: int) -> np.void:
        kept: np.void = self._kept[row, time // self._length % SIZE]
        return kept
