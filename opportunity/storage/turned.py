"""What people turn and what must be known of it afterwards: values, their version, who and why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from opportunity.errors import ConflictError
from opportunity.storage.events import Event, add_events
from opportunity.storage.failures import failure
from opportunity.storage.tables import setting
from opportunity.storage.transactions import repeated


@dataclass(frozen=True, slots=True)
class Turned:
    """Values that were set together; version 0 where nobody ever set them."""

    version: int
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Why:
    """What the audit says beside the values: kind of event, who, why, feed time in ms UTC."""

    kind: str
    by: str
    why: str
    time: int


class TurnedRepository:
    """Keeps values under names of `setting`; each change and its audit are one transaction.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    clock : callable
        Wall time, ms UTC.
    """

    def __init__(self, engine: sa.Engine, clock: Callable[[], int]) -> None:
        self._engine, self._clock = engine, clock

    def read(self, name: str) -> Turned:
        """Return what is in force under a name.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        try:
            with self._engine.connect() as connection:
                return _read(connection, name)
        except sa.exc.SQLAlchemyError as error:
            raise failure(error, f"{name} must be readable, was not") from error

    def write(
        self,
        name: str,
        values: Mapping[str, Any],
        before: Mapping[str, Any],
        why: Why,
        expected: int | None = None,
    ) -> Turned:
        """Keep new values, with an audit event that says what was before.

        Raises
        ------
        ConflictError
            If `expected` is given and not the version in force.
        DatabaseError
            If the database does not take them; nothing has changed then.
        """

        def work(connection: sa.Connection) -> Turned:
            there, now = _read(connection, name), self._clock()
            if expected is not None and expected != there.version:
                raise ConflictError(f"{name} must be of version {there.version}, was {expected}")
            turned = Turned(there.version + 1, dict(values))
            kept = {"version": turned.version, "values": turned.values}
            connection.execute(sa.delete(setting).where(setting.c.name == name))
            connection.execute(sa.insert(setting).values(name=name, value=kept, updated_at=now))
            body = {
                "book": "", "what": name, "by": why.by, "why": why.why, "before": dict(before),
                "after": turned.values, "version": turned.version,
            }  # fmt: skip
            key = f"{why.kind}:{name}:{turned.version}:{now}"
            add_events(connection, [Event(key, why.time, why.kind, body)], now)
            return turned

        return repeated(self._engine, work, f"{name} must be kept, was not")


def _read(connection: sa.Connection, name: str) -> Turned:
    kept = connection.execute(sa.select(setting.c.value).where(setting.c.name == name)).scalar()
    if not isinstance(kept, dict):
        return Turned(0, {})
    return Turned(int(kept["version"]), dict(kept["values"]))
