"""The observation store: point-in-time records in the database, append-only."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final, get_args

import sqlalchemy as sa

from opportunity.market.observations import Kind, Observation
from opportunity.storage.failures import failure
from opportunity.storage.tables import observation
from opportunity.storage.transactions import repeated

KINDS: Final[dict[str, type[Observation]]] = {t.__name__: t for t in get_args(Observation)}
"""Record types by the name under which they are stored."""

_COLUMNS: Final = ("event_time", "available_at", "source")
_PIECE: Final = 400  # keys in one question; databases limit how many may be bound


class ObservationRepository:
    """Keeps the records of one market; nothing is ever changed, what is too old is let go.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    market : str
        Names it: records of two markets, e.g. of two seeds, never mix.
    """

    def __init__(self, engine: sa.Engine, market: str) -> None:
        self._engine, self._market = engine, market

    def append(self, records: Iterable[Observation]) -> int:
        """Keep records in one transaction; those already kept are passed over.

        A record is known by what it says and of when, not by `available_at`: heard again later,
        it stays known from the first time on.

        Returns
        -------
        int
            How many were new.

        Raises
        ------
        DatabaseError
            If the database does not take them; none is kept then.
        """
        rows = {row["key"]: row for row in map(self._row, records)}

        def add(connection: sa.Connection) -> int:
            added = 0
            for piece in _pieces(list(rows)):
                known = set(connection.execute(
                    sa.select(observation.c.key).where(observation.c.key.in_(piece))
                ).scalars())
                fresh = [rows[key] for key in piece if key not in known]
                if fresh:
                    connection.execute(sa.insert(observation), fresh)
                added += len(fresh)
            return added

        return repeated(self._engine, add, "records must be kept, were not")

    def known(
        self, kind: type[Kind], since: int, until: int, symbol: str | None = None
    ) -> list[Kind]:
        """Return the records with since <= available_at < until, in the order of availability.

        Parameters
        ----------
        kind : type
            Of record.
        since, until : int
            Milliseconds UTC.
        symbol : str, optional
            Only records of this symbol; for transfers the asset.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        c = observation.c
        wanted = sa.select(c.event_time, c.available_at, c.source, c.body).where(
            c.market == self._market, c.kind == kind.__name__,
            c.available_at >= since, c.available_at < until,
        )
        if symbol is not None:
            wanted = wanted.where(c.symbol == symbol)
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(
                    wanted.order_by(c.available_at, c.event_time, c.key)
                ).all()
        except sa.exc.SQLAlchemyError as error:
            raise failure(error, "records must be readable, were not") from error
        return [_record(kind, row) for row in rows]

    def forget(self, before: int) -> int:
        """Let go of records that were known before a time, ms UTC; return how many.

        Raises
        ------
        DatabaseError
            If the database does not do it.
        """
        gone = sa.delete(observation).where(
            observation.c.market == self._market, observation.c.available_at < before
        )
        try:
            with self._engine.begin() as connection:
                return int(connection.execute(gone).rowcount)
        except sa.exc.SQLAlchemyError as error:
            raise failure(error, "records must be forgotten, were not") from error

    def _row(self, record: Observation) -> dict[str, Any]:
        body = asdict(record)
        common = {name: body.pop(name) for name in _COLUMNS}
        symbol = body.get("symbol", body.get("asset", ""))
        kind = type(record).__name__
        said = [self._market, kind, common["source"], common["event_time"], body]
        key = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
        return {
            "key": key, "market": self._market, "kind": kind, "symbol": symbol,
            "body": body, **common,
        }


def _pieces(keys: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(keys), _PIECE):
        yield tuple(keys[start : start + _PIECE])


def _record(kind: type[Kind], row: Any) -> Kind:
    body = {name: _frozen(value) for name, value in row.body.items()}
    return kind(
        event_time=row.event_time, available_at=row.available_at, source=row.source, **body
    )


def _frozen(value: Any) -> Any:
    """Turn the lists of JSON into the tuples that records hold."""
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value
