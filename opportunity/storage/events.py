"""The event log: what happened and who changed what, appended once and never changed.

An event has a key of its own, e.g. ``paper:1:fill:17``: whoever says the same twice is heard once.
One that travels on a channel of the stream gets its number there when it is appended.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from opportunity.contracts.realtime import Channel
from opportunity.errors import unknown
from opportunity.storage.streams import epoch_of, heads, number
from opportunity.storage.trading_tables import event
from opportunity.storage.transactions import repeated, told

KINDS: Final = (
    "order", "fill", "trade", "breaker", "hand", "reset", "limits", "rules", "weights", "preset",
    "agent", "shadow", "alert", "price_alert", "storage", "lease", "audit",
)  # fmt: skip

MOST_READ: Final = 1_000
"""Events of one page."""

MOST_KEY: Final = 160
"""Characters of a key."""

_PIECE: Final = 400  # rows in one statement


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Parameters
    ----------
    key : str
        The same event has the same key, however often it is told; at most `MOST_KEY` characters.
    time : int
        Feed time, ms UTC.
    kind : str
        One of `KINDS`.
    body : mapping
        Plain values as JSON holds them.
    """

    key: str
    time: int
    kind: str
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event that is in the log; ids rise, `at` is the wall time in ms UTC.

    One that travels has a channel of the stream and a number there, from 1 without a gap.
    """

    id: int
    key: str
    at: int
    time: int
    kind: str
    body: Mapping[str, Any]
    channel: Channel | None = None
    stream_seq: int | None = None


class EventRepository:
    """Keeps events.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    clock : callable
        Wall time, ms UTC.
    """

    def __init__(self, engine: sa.Engine, clock: Callable[[], int]) -> None:
        self._engine, self._clock = engine, clock

    def append(self, events: Sequence[Event]) -> tuple[StoredEvent, ...]:
        """Keep events in one transaction; return them as they are in the log, in their order.

        One whose key is known already stays as it was.

        Raises
        ------
        ValueError
            If a kind is unknown or a key too long.
        DatabaseError
            If the database does not take them; none is kept then.
        """
        now = self._clock()
        return repeated(
            self._engine, lambda connection: add_events(connection, events, now),
            "events must be kept, were not",
        )  # fmt: skip

    def read(
        self,
        kinds: Sequence[str] | None = None,
        since_id: int = 0,
        limit: int = 100,
        newest_first: bool = False,
        before_id: int | None = None,
    ) -> tuple[StoredEvent, ...]:
        """Return events.

        Parameters
        ----------
        kinds : sequence of str, optional
            Only of these.
        since_id : int
            Only those with a larger id.
        limit : int
            How many at most, 1 to `MOST_READ`.
        newest_first : bool
            The newest ones, newest first; otherwise the oldest, oldest first.
        before_id : int, optional
            Only those with a smaller id: the next page of the newest.

        Raises
        ------
        ValueError
            If a kind is unknown or the limit out of bounds.
        DatabaseError
            If the database cannot be read.
        """
        if not 1 <= limit <= MOST_READ:
            raise ValueError(f"limit must be 1 to {MOST_READ}, was {limit}")
        wanted = sa.select(*_columns()).where(event.c.id > since_id)
        if before_id is not None:
            wanted = wanted.where(event.c.id < before_id)
        if kinds is not None:
            for kind in kinds:
                check_kind(kind)
            wanted = wanted.where(event.c.kind.in_(tuple(kinds)))
        order = event.c.id.desc() if newest_first else event.c.id
        with told("events must be readable, were not"), self._engine.connect() as connection:
            rows = connection.execute(wanted.order_by(order).limit(limit)).all()
        return tuple(StoredEvent(*row) for row in rows)

    def epoch(self) -> str:
        """Return the name under which this log numbers; another one after a restore.

        Raises
        ------
        DatabaseError
            If it cannot be read, or made where there is none yet.
        """
        now = self._clock()
        return repeated(
            self._engine, lambda connection: epoch_of(connection, now),
            "log of events must have a name, could not be given one",
        )  # fmt: skip

    def heads(self) -> dict[Channel, int]:
        """Return the newest number of each channel; 0 before the first event.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        with told("events must be readable, were not"), self._engine.connect() as connection:
            return heads(connection)

    def after(
        self, channel: Channel, seq: int, limit: int = MOST_READ
    ) -> tuple[StoredEvent, ...]:
        """Return the events of a channel with larger numbers, in their order.

        Where old ones were let go, the first is not number ``seq + 1``.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        c = event.c
        wanted = sa.select(*_columns()).where(c.channel == channel, c.stream_seq > seq)
        wanted = wanted.order_by(c.stream_seq).limit(limit)
        with told("events must be readable, were not"), self._engine.connect() as connection:
            return tuple(StoredEvent(*row) for row in connection.execute(wanted))


def check_kind(kind: str) -> None:
    """Refuse a kind that is not in `KINDS`.

    Raises
    ------
    ValueError
        With the nearest known one.
    """
    if kind not in KINDS:
        raise ValueError(unknown("kind of event", kind, KINDS))


def add_events(
    connection: sa.Connection, events: Sequence[Event], now: int
) -> tuple[StoredEvent, ...]:
    """Append events within somebody's transaction; see `EventRepository.append`.

    It must be one of `opportunity.storage.transactions.writing`, for the numbers' sake.
    """
    rows = {row["key"]: row for row in (_row(one, now) for one in reversed(events))}
    keys = list(dict.fromkeys(one.key for one in events))
    for key in _known(connection, keys):
        del rows[key]
    new = [rows[key] for key in keys if key in rows]
    number(connection, new, now)  # only those: a number that nobody has would be a gap
    for start in range(0, len(new), _PIECE):
        insert_new(connection, event, new[start : start + _PIECE], ("key",))
    return stored_events(connection, keys)


def _known(connection: sa.Connection, keys: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(keys), _PIECE):
        wanted = sa.select(event.c.key).where(event.c.key.in_(keys[start : start + _PIECE]))
        found.update(connection.execute(wanted).scalars())
    return found


def stored_events(connection: sa.Connection, keys: Sequence[str]) -> tuple[StoredEvent, ...]:
    """Return the events of these keys that are in the log, in the order of the keys."""
    found: dict[str, StoredEvent] = {}
    for start in range(0, len(keys), _PIECE):
        wanted = sa.select(*_columns()).where(event.c.key.in_(keys[start : start + _PIECE]))
        found |= {row.key: StoredEvent(*row) for row in connection.execute(wanted)}
    return tuple(found[key] for key in dict.fromkeys(keys) if key in found)


def insert_new(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]],
    unique: Sequence[str], replace: Sequence[str] = (),
) -> None:
    """Insert rows; of one that is there already only the columns `replace` change.

    Parameters
    ----------
    connection : Connection
    table : Table
    rows : sequence of mappings
    unique : sequence of str
        Columns by which a row is the same.
    replace : sequence of str
        Columns to take from the new row; none: it is left as it is.
    """
    if not rows:
        return
    made = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    wanted = made(table)
    if replace:
        fresh = {name: wanted.excluded[name] for name in replace}
        wanted = wanted.on_conflict_do_update(index_elements=list(unique), set_=fresh)
    else:
        wanted = wanted.on_conflict_do_nothing(index_elements=list(unique))
    connection.execute(wanted, [dict(row) for row in rows])


def _columns() -> tuple["sa.Column[Any]", ...]:
    c = event.c
    return c.id, c.key, c.at, c.time, c.kind, c.body, c.channel, c.stream_seq


def _row(one: Event, now: int) -> dict[str, Any]:
    check_kind(one.kind)
    if len(one.key) > MOST_KEY:
        raise ValueError(f"key of an event must be at most {MOST_KEY} long, was {len(one.key)}")
    return {"key": one.key, "at": now, "time": int(one.time), "kind": one.kind,
            "body": dict(one.body)}  # fmt: skip
