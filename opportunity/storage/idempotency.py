"""Answers by the key that a caller gave: asking again changes nothing again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from opportunity.storage.failures import failure
from opportunity.storage.trading_tables import idempotent
from opportunity.storage.transactions import repeated


@dataclass(frozen=True, slots=True)
class Answered:
    """What was asked (SHA-256 of it) and what the answer was: HTTP status and JSON."""

    digest: str
    status: int
    answer: Any


class IdempotencyRepository:
    """Keeps answers; a retention of its own lets them go after a day.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    clock : callable
        Wall time, ms UTC.
    """

    def __init__(self, engine: sa.Engine, clock: Callable[[], int]) -> None:
        self._engine, self._clock = engine, clock

    def find(self, key: str) -> Answered | None:
        """Return what was answered under a key; None for a new one.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        c = idempotent.c
        try:
            with self._engine.connect() as connection:
                row = connection.execute(
                    sa.select(c.digest, c.status, c.answer).where(c.key == key)
                ).first()
        except sa.exc.SQLAlchemyError as error:
            raise failure(error, "answers must be readable, were not") from error
        return None if row is None else Answered(*row)

    def keep(self, key: str, answered: Answered) -> Answered:
        """Keep an answer and return the one that counts: the first of its key.

        Raises
        ------
        DatabaseError
            If the database does not take it.
        """
        c = idempotent.c

        def work(connection: sa.Connection) -> Answered:
            row = connection.execute(
                sa.select(c.digest, c.status, c.answer).where(c.key == key)
            ).first()
            if row is not None:
                return Answered(*row)
            connection.execute(
                sa.insert(idempotent).values(
                    key=key, digest=answered.digest, status=answered.status,
                    answer=answered.answer, created_at=self._clock(),
                )
            )
            return answered

        return repeated(self._engine, work, "answer must be kept, was not")
