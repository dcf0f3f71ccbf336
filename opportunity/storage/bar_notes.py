"""The store of bar notes: what was corrected, refused or confirmed empty, newest first."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast, get_args

import sqlalchemy as sa

from opportunity.errors import unknown
from opportunity.market.notes import BarNote, NoteKind, Values
from opportunity.storage.failures import failure
from opportunity.storage.tables import bar_note

KINDS: Final[tuple[str, ...]] = get_args(NoteKind)

MOST_TEXT: Final = 500
"""Characters of a reason or a raw payload that are kept."""

MOST_READ: Final = 1_000
"""Notes of one page."""

_PIECE: Final = 400  # rows in one statement
_INT64: Final = range(-(2**63), 2**63)
_INT32: Final = range(-(2**31), 2**31)


@dataclass(frozen=True, slots=True)
class NotePage:
    """Some notes, newest first; `after` asks for the next ones, None when these are the last."""

    notes: tuple[BarNote, ...]
    after: int | None


class BarNoteRepository:
    """Keeps the bar notes of one market; nothing is ever changed, what is too old is let go.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    market : str
        Names it: notes of two markets never mix.
    """

    def __init__(self, engine: sa.Engine, market: str) -> None:
        self._engine, self._market = engine, market

    def append(self, notes: Sequence[BarNote]) -> int:
        """Keep notes in one transaction; return how many.

        Texts and names are cut to what a column holds; numbers that are not finite become
        undefined.

        Raises
        ------
        DatabaseError
            If the database does not take them; none is kept then.
        """
        rows = [self._row(note) for note in notes]
        try:
            with self._engine.begin() as connection:
                for start in range(0, len(rows), _PIECE):
                    connection.execute(sa.insert(bar_note), rows[start : start + _PIECE])
        except sa.exc.SQLAlchemyError as error:
            raise failure(error, "notes must be kept, were not") from error
        return len(rows)

    def read(
        self,
        symbol: str | None = None,
        kind: str | None = None,
        since: int = 0,
        limit: int = 100,
        after: int | None = None,
    ) -> NotePage:
        """Return the newest notes.

        Parameters
        ----------
        symbol, kind : str, optional
            Only of these.
        since : int
            Only those made at this time or later, ms UTC.
        limit : int
            How many at most, 1 to `MOST_READ`.
        after : int, optional
            Go on behind a page: its `after`.

        Raises
        ------
        ValueError
            If the kind is unknown or the limit out of bounds.
        DatabaseError
            If the database cannot be read.
        """
        if kind is not None and kind not in KINDS:
            raise ValueError(unknown("kind of note", kind, KINDS))
        if not 1 <= limit <= MOST_READ:
            raise ValueError(f"limit must be 1 to {MOST_READ}, was {limit}")
        c = bar_note.c
        wanted = sa.select(bar_note).where(c.market == self._market, c.noted_at >= since)
        if symbol is not None:
            wanted = wanted.where(c.symbol == symbol)
        if kind is not None:
            wanted = wanted.where(c.kind == kind)
        try:
            with self._engine.connect() as connection:
                if after is not None:
                    at = sa.select(c.noted_at).where(c.id == after).scalar_subquery()
                    wanted = wanted.where((c.noted_at < at) | ((c.noted_at == at) & (c.id < after)))
                ordered = wanted.order_by(c.noted_at.desc(), c.id.desc()).limit(limit + 1)
                rows = connection.execute(ordered).all()
        except sa.exc.SQLAlchemyError as error:
            raise failure(error, "notes must be readable, were not") from error
        more = len(rows) > limit
        kept = rows[:limit]
        return NotePage(tuple(_note(row) for row in kept), int(kept[-1].id) if more else None)

    def forget(self, before: int, most: int) -> int:
        """Let go of notes made before a time, ms UTC, and of all but the newest `most`.

        Returns
        -------
        int
            How many.

        Raises
        ------
        DatabaseError
            If the database does not do it.
        """
        c = bar_note.c
        mine = c.market == self._market
        last = (
            sa.select(c.noted_at)
            .where(mine)
            .order_by(c.noted_at.desc(), c.id.desc())
            .offset(most)
            .limit(1)
        )
        try:
            with self._engine.begin() as connection:
                oldest = connection.execute(last).scalar()  # the first that is one too many
                limit = before if oldest is None else max(before, int(oldest) + 1)
                gone = connection.execute(sa.delete(bar_note).where(mine, c.noted_at < limit))
                return int(gone.rowcount)
        except sa.exc.SQLAlchemyError as error:
            raise failure(error, "notes must be forgotten, were not") from error

    def _row(self, note: BarNote) -> dict[str, Any]:
        return {
            "market": self._market,
            "kind": note.kind[:16],
            "symbol": _clean(note.symbol, 64),
            "timeframe": _clean(note.timeframe, 8),
            "time": _within(note.time, _INT64),
            "noted_at": _within(note.at, _INT64),
            "change_bp": float(note.change_bp) if math.isfinite(note.change_bp) else 0.0,
            "revision": _within(note.revision, _INT32),
            "body": {"before": _told(note.before), "after": _told(note.after)},
            "text": _clean(note.text, MOST_TEXT),
        }


def _within(number: int, bounds: range) -> int:
    return int(number) if int(number) in bounds else 0


def _clean(text: str, most: int) -> str:
    """Cut a text that may come from anybody, and take out what databases refuse."""
    whole = text[:most].replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return whole.encode("utf-8", "replace").decode("utf-8")


def _told(values: Values | None) -> list[float | None] | None:
    if values is None:
        return None
    return [float(v) if math.isfinite(v) else None for v in values]


def _values(told: list[float | None] | None) -> Values | None:
    if told is None:
        return None
    return cast(Values, tuple(math.nan if v is None else v for v in told))


def _note(row: Any) -> BarNote:
    return BarNote(
        kind=row.kind,
        symbol=row.symbol,
        timeframe=row.timeframe,
        time=row.time,
        at=row.noted_at,
        before=_values(row.body["before"]),
        after=_values(row.body["after"]),
        change_bp=row.change_bp,
        revision=row.revision,
        text=row.text,
    )
