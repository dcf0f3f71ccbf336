"""The outbox: what is to be told is written here before it is sent, and kept until it was.

One row is one message for one channel. A row waits until it was sent, alone or with others in one
message (`digested`), or was given up (`failed`). The same key is never kept twice for a channel.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa

from opportunity.errors import unknown
from opportunity.storage.events import insert_new
from opportunity.storage.outbox_rows import ChannelTally, Note, OutboxPage, Row, row_of
from opportunity.storage.tables import setting
from opportunity.storage.trading_tables import outbox
from opportunity.storage.transactions import repeated, told

STATUSES: Final = ("waiting", "sent", "digested", "failed")

CURSOR: Final = "alerts_read"
"""Setting: number of the newest event of the log whose alerts are in the outbox."""

MOST_WAITING: Final = 1_000
"""Rows that wait for one channel; what comes on top is counted in one row."""

MOST_READ: Final = 1_000
LEFT_OUT: Final = "left_out"
"""Kind of the row that counts what was not kept."""

_ERROR: Final = 300


class Outbox:
    """Keeps messages until they are sent.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    clock : callable
        Wall time, ms UTC.
    """

    def __init__(self, engine: sa.Engine, clock: Callable[[], int]) -> None:
        self._engine, self._clock = engine, clock

    def put(
        self, notes: Sequence[tuple[Note, Sequence[str]]], read_up_to: int | None = None
    ) -> int:
        """Keep notes for their channels in one transaction; return how many rows are new.

        Parameters
        ----------
        notes : sequence of (Note, names of channels)
        read_up_to : int, optional
            Number of the newest event that these notes are about: kept with them.

        Raises
        ------
        DatabaseError
            If the database does not take them; none is kept then.
        """
        now = self._clock()

        def keep(connection: sa.Connection) -> int:
            new = sum(
                _add(connection, note, channel, now) for note, names in notes for channel in names
            )
            if read_up_to is not None:
                row = {"name": CURSOR, "value": read_up_to, "updated_at": now}
                insert_new(connection, setting, [row], ("name",), ("value", "updated_at"))
            return new

        return repeated(self._engine, keep, "alerts must be kept, were not")

    def read_up_to(self) -> int | None:
        """Return the number of the newest event that was worked in; None before the first."""
        with self._read() as connection:
            value = sa.select(setting.c.value).where(setting.c.name == CURSOR)
            found = connection.execute(value).scalar()
        return None if found is None else int(found)

    def waiting(self, channel: str, limit: int = 100) -> tuple[Row, ...]:
        """Return what waits for a channel, oldest first, whether its time has come or not."""
        c = outbox.c
        wanted = sa.select(outbox).where(c.channel == channel, c.status == "waiting")
        with self._read() as connection:
            rows = connection.execute(wanted.order_by(c.id).limit(limit)).all()
        return tuple(Row(*row) for row in rows)

    def n_waiting(self) -> int:
        """Return how many wait, for whichever channel."""
        wanted = sa.select(sa.func.count()).where(outbox.c.status == "waiting")
        with self._read() as connection:
            return int(connection.execute(wanted).scalar_one())

    def claim(self, rows: Sequence[Row], until: int) -> bool:
        """Take rows to send them: nobody else does until then, ms UTC.

        Returns
        -------
        bool
            False when somebody else was quicker; nothing has changed then.
        """
        c, now, wanted = outbox.c, self._clock(), [r.id for r in rows]
        free = sa.and_(c.id.in_(wanted), c.status == "waiting", c.next_at <= now)
        taken = sa.update(outbox).where(free).values(next_at=until, attempts=c.attempts + 1)

        def take(connection: sa.Connection) -> bool:
            count = sa.select(sa.func.count()).select_from(outbox).where(free)
            if connection.execute(count).scalar_one() != len(wanted):
                return False
            connection.execute(taken)
            return True

        return repeated(self._engine, take, "alerts must be taken, were not")

    def mark_sent(self, rows: Sequence[Row]) -> None:
        """Close rows that went out in one message: the first as `sent`, the others `digested`."""
        first = sa.case((outbox.c.id == rows[0].id, "sent"), else_="digested")
        self._set([r.id for r in rows], status=first, sent_at=self._clock(), error="")

    def mark_later(self, rows: Sequence[Row], next_at: int, error: str) -> None:
        """Keep rows for another try at that time, ms UTC."""
        self._set([r.id for r in rows], next_at=next_at, error=error[:_ERROR])

    def mark_failed(self, rows: Sequence[Row], error: str) -> None:
        """Give rows up."""
        self._set([r.id for r in rows], status="failed", error=error[:_ERROR])

    def give_up(self, before: int, but: Sequence[str]) -> int:
        """Give up what was written before a time for channels other than `but`; return how many."""
        c = outbox.c
        late = sa.and_(c.status == "waiting", c.created_at < before, c.channel.not_in(list(but)))
        values = {"status": "failed", "error": "the channel is not there any more"}
        closed = sa.update(outbox).where(late).values(**values)
        return repeated(
            self._engine, lambda connection: int(connection.execute(closed).rowcount),
            "alerts must be closed, were not",
        )  # fmt: skip

    def record(self, note: Note, channel: str, error: str) -> None:
        """Keep a message that was sent past the outbox, e.g. a test; `error` empty if it went."""
        now = self._clock()
        row = row_of(note, channel, now) | {"attempts": 1, "error": error[:_ERROR]}
        row |= {"status": "failed"} if error else {"status": "sent", "sent_at": now}
        repeated(
            self._engine, lambda connection: insert_new(connection, outbox, [row], ("key",)),
            "alert must be kept, was not",
        )  # fmt: skip

    def last_sent(self, channel: str, since: int) -> tuple[dict[str, int], list[int]]:
        """Return when each kind went out last, and when messages did, since a time; ms UTC."""
        c = outbox.c
        of = sa.and_(c.channel == channel, c.sent_at >= since)
        with self._read() as connection:
            kinds = connection.execute(
                sa.select(c.kind, sa.func.max(c.sent_at)).where(of).group_by(c.kind)
            ).all()
            single = sa.select(c.sent_at).where(of, c.status == "sent").order_by(c.sent_at)
            times = connection.execute(single).scalars().all()
        return {kind: int(at) for kind, at in kinds}, [int(at) for at in times]

    def newest_keys(self, kind: str, limit: int = MOST_READ) -> tuple[str, ...]:
        """Return the keys of the newest rows of a kind, newest first."""
        c = outbox.c
        wanted = sa.select(c.key).where(c.kind == kind).order_by(c.id.desc()).limit(limit)
        with self._read() as connection:
            return tuple(connection.execute(wanted).scalars())

    def last_written(self, kind: str) -> int | None:
        """Return when a note of a kind was kept last, ms UTC; None for never."""
        c = outbox.c
        with self._read() as connection:
            newest = sa.select(sa.func.max(c.created_at)).where(c.kind == kind)
            return connection.execute(newest).scalar()

    def tallies(self, since: int) -> dict[str, ChannelTally]:
        """Return how it goes by channel; failures and errors since a time, ms UTC."""
        c = outbox.c
        n_waiting = sa.func.sum(sa.case((c.status == "waiting", 1), else_=0))
        late = sa.and_(c.status == "failed", c.created_at >= since)
        n_failed = sa.func.sum(sa.case((late, 1), else_=0))
        counts = sa.select(c.channel, n_waiting, n_failed, sa.func.max(c.sent_at))
        newest = (
            sa.select(sa.func.max(c.id)).where(c.error != "", c.created_at >= since)
            .group_by(c.channel)
        )  # fmt: skip
        with self._read() as connection:
            rows = connection.execute(counts.group_by(c.channel)).all()
            errors = sa.select(c.channel, c.error).where(c.id.in_(newest))
            said = {channel: error for channel, error in connection.execute(errors)}
        return {
            name: ChannelTally(int(waiting), int(failed), sent, said.get(name, ""))
            for name, waiting, failed, sent in rows
        }

    def page(
        self,
        limit: int = 100,
        after: int | None = None,
        channel: str | None = None,
        status: str | None = None,
    ) -> OutboxPage:
        """Return the newest rows; see `OutboxPage`.

        Raises
        ------
        ValueError
            If the status is unknown or the limit not in 1..`MOST_READ`.
        """
        if status is not None and status not in STATUSES:
            raise ValueError(unknown("status", status, STATUSES))
        if not 1 <= limit <= MOST_READ:
            raise ValueError(f"limit must be in 1..{MOST_READ}, was {limit}")
        c, wanted = outbox.c, sa.select(outbox)
        for column, value in ((c.channel, channel), (c.status, status)):
            wanted = wanted if value is None else wanted.where(column == value)
        if after is not None:
            wanted = wanted.where(c.id < after)
        with self._read() as connection:
            found = connection.execute(wanted.order_by(c.id.desc()).limit(limit + 1)).all()
        rows = tuple(Row(*row) for row in found[:limit])
        return OutboxPage(rows, rows[-1].id if len(found) > limit else None)

    # -- inside ----------------------------------------------------------------------------------

    def _set(self, ids: Sequence[int], **values: Any) -> None:
        change = sa.update(outbox).where(outbox.c.id.in_(ids)).values(**values)
        repeated(
            self._engine, lambda connection: connection.execute(change),
            "alerts must be marked, were not",
        )  # fmt: skip

    @contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        with told("alerts must be readable, were not"), self._engine.connect() as connection:
            yield connection


def _add(connection: sa.Connection, note: Note, channel: str, now: int) -> int:
    c = outbox.c
    mine = sa.and_(c.channel == channel, c.status == "waiting", c.kind != LEFT_OUT)
    row = row_of(note, channel, now)
    if connection.execute(sa.select(c.id).where(c.key == row["key"])).first() is not None:
        return 0
    there = sa.select(sa.func.count()).select_from(outbox).where(mine)
    if connection.execute(there).scalar_one() >= MOST_WAITING:
        _count(connection, channel, now)
        return 0
    insert_new(connection, outbox, [row], ("key",))  # another server may have been quicker
    return 1


def _count(connection: sa.Connection, channel: str, now: int) -> None:
    c = outbox.c
    mine = sa.and_(c.channel == channel, c.status == "waiting", c.kind == LEFT_OUT)
    row = connection.execute(sa.select(c.id, c.body).where(mine).limit(1)).first()
    n = 1 if row is None else int(row.body.partition(" ")[0]) + 1
    body = f"{n} more were not kept: too many were waiting to be sent."
    if row is not None:
        connection.execute(sa.update(outbox).where(c.id == row.id).values(body=body))
        return
    note = Note(f"{LEFT_OUT}:{now}", LEFT_OUT, "Alerts left out", body)
    insert_new(connection, outbox, [row_of(note, channel, now)], ("key",))
