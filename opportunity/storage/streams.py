"""Numbers of what the stream carries: without a gap in each channel, and never given twice.

Whoever appends an event that travels gives it the next number of its channel in the same
transaction. So the order of the numbers is that of the commits, and what is numbered is stored.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from opportunity.contracts.realtime import EVENT_CHANNELS, Channel
from opportunity.storage.trading_tables import stream_epoch, stream_head

CHANNEL_OF: Final[Mapping[str, Channel]] = {
    "order": "trade", "fill": "trade", "trade": "trade", "breaker": "alert",
    "price_alert": "alert", "alert": "alert", "storage": "alert", "lease": "alert",
    "weights": "config", "agent": "config", "rules": "config", "limits": "config",
    "shadow": "config",
}  # fmt: skip
"""Kind of an event -> channel of the stream; other kinds do not travel."""

CHAPTER: Final = "chapter"
"""What of an event of kind `shadow` is bookkeeping and nobody's change of anything."""

ANEW: Final = (
    "UPDATE event SET channel = NULL, stream_seq = NULL WHERE channel IS NOT NULL",
    "DELETE FROM stream_head",
    "DELETE FROM stream_epoch",
)
"""What makes a restored log another one: numbers may be given that were given before, to other
events. What is in it now was sent under the old name, or never is."""

SINCE: Final = "0007"
"""Revision of the schema from which on there are numbers."""

_LOG: Final = "events"


def channel_of(kind: str, body: Mapping[str, Any]) -> Channel | None:
    """Return the channel on which an event travels; None where it does not."""
    if kind == "shadow" and body.get("what") == CHAPTER:
        return None
    return CHANNEL_OF.get(kind)


def number(connection: sa.Connection, rows: Sequence[dict[str, Any]], now: int) -> None:
    """Give new rows of `event` their channels and numbers; they must be stored or nothing must.

    Parameters
    ----------
    connection : Connection
        In a transaction of `opportunity.storage.transactions.writing`: only there nobody else
        gets the same numbers.
    rows : sequence of dict
        None of which is in the table; `channel` and `stream_seq` are set in them.
    now : int
        Wall time, ms UTC.
    """
    by_channel: dict[Channel, list[dict[str, Any]]] = {}
    for row in rows:
        channel = channel_of(row["kind"], row["body"])
        row["channel"] = row["stream_seq"] = None
        if channel is not None:
            by_channel.setdefault(channel, []).append(row)
    for channel in sorted(by_channel):  # one order for all, so that nobody waits in a circle
        travelling = by_channel[channel]
        first = _take(connection, channel, len(travelling), now)
        for seq, row in enumerate(travelling, first):
            row["channel"], row["stream_seq"] = channel, seq


def heads(connection: sa.Connection) -> dict[Channel, int]:
    """Return the newest number of each channel of events; 0 before the first."""
    c = stream_head.c
    there = {name: int(seq) for name, seq in connection.execute(sa.select(c.channel, c.seq))}
    return {channel: there.get(channel, 0) for channel in EVENT_CHANNELS}


def epoch_of(connection: sa.Connection, now: int) -> str:
    """Return the name of this log; the first who asks makes it."""
    there = sa.select(stream_epoch.c.epoch).where(stream_epoch.c.name == _LOG)
    found = connection.execute(there).scalar()
    if found is None:
        row = {"name": _LOG, "epoch": secrets.token_hex(6), "made_at": now}
        connection.execute(_new(connection, stream_epoch, "name"), row)
        found = connection.execute(there).scalar_one()
    return str(found)


def _take(connection: sa.Connection, channel: Channel, n: int, now: int) -> int:
    """Take `n` numbers of a channel; return the first."""
    connection.execute(
        _new(connection, stream_head, "channel"), {"channel": channel, "seq": 0, "updated_at": now}
    )
    c = stream_head.c
    taken = sa.update(stream_head).where(c.channel == channel)
    taken = taken.values(seq=c.seq + n, updated_at=now)
    newest = connection.execute(taken.returning(c.seq)).scalar_one()
    return int(newest) - n + 1


def _new(connection: sa.Connection, table: sa.Table, key: str) -> Any:
    made = sqlite_insert if connection.dialect.name == "sqlite" else postgresql_insert
    return made(table).on_conflict_do_nothing(index_elements=[key])
