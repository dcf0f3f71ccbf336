"""Notes about single bars until the feed drains them; bounded, the important ones last."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from opportunity.feeds.exchange.finality.comparing import change_bp
from opportunity.feeds.exchange.finality.validation import RAW_LIMIT
from opportunity.market.notes import BarNote, NoteKind, Values

ROOM: Final = 8_000
COMMON_ROOM: Final = 4_000
"""Room for notes of a kind that comes in floods; above it only the other kinds are kept."""

_COMMON: Final = frozenset({"rest", "late", "refused"})


@dataclass(frozen=True, slots=True)
class Change:
    """A bar as it was taken first and as it is now; `before` None: there was none."""

    time: int
    before: Values | None
    after: Values
    revision: int
    text: str


class Journal:
    """Collect notes.

    Parameters
    ----------
    symbols : tuple of str
        Names of the rows.
    timeframe : str
        Of the bars.

    Attributes
    ----------
    n_refused, n_corrections, n_lost : int
        Since the start: rows refused, bars corrected after they were given, notes for which
        there was no room.
    """

    def __init__(self, symbols: tuple[str, ...], timeframe: str) -> None:
        self._symbols = symbols
        self._timeframe = timeframe
        self._notes: deque[BarNote] = deque()
        self.n_refused = 0
        self.n_corrections = 0
        self.n_lost = 0

    def note(self, kind: NoteKind, row: int, time: int, at: int, text: str = "") -> None:
        """Note something about the bar of `row` that opens at `time`."""
        if kind == "refused":
            self.n_refused += 1
        self._add(
            BarNote(kind, self._symbols[row], self._timeframe, time, at, text=text[:RAW_LIMIT])
        )

    def change(self, kind: NoteKind, row: int, at: int, change: Change) -> None:
        """Note that a bar is not what it was first."""
        self._add(BarNote(
            kind, self._symbols[row], self._timeframe, change.time, at, change.before,
            change.after,
            0.0 if change.before is None else change_bp(change.before, change.after),
            change.revision, change.text[:RAW_LIMIT],
        ))  # fmt: skip

    def drain(self) -> list[BarNote]:
        """Return the notes since the last call, oldest first."""
        notes = list(self._notes)
        self._notes.clear()
        return notes

    def _add(self, note: BarNote) -> None:
        if len(self._notes) < (COMMON_ROOM if note.kind in _COMMON else ROOM):
            self._notes.append(note)
        else:
            self.n_lost += 1
