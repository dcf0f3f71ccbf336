"""The counter of trials: how much was ever tried on a dataset, across restarts."""

import math
from typing import Any, Final

import sqlalchemy as sa

from opportunity.storage.failures import failure
from opportunity.storage.judged import Judged, TrialCount
from opportunity.storage.studies import StudyRepository
from opportunity.storage.tables import judged

MOST_READ: Final = 1_000
"""Entries of one reading."""


class TrialRepository:
    """Counts what was judged, by dataset; nothing is ever changed or let go.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, work: Judged) -> bool:
        """Count work, once: False if the same was counted already.

        Raises
        ------
        ValueError
            If it is of no vector.
        DatabaseError
            If the database does not take it.
        """
        if work.n < 1:
            raise ValueError(f"n must be >= 1, was {work.n}")
        row = {
            "dataset": work.dataset, "key": work.key, "kind": work.kind[:16],
            "judged_at": int(work.at), "n": int(work.n), "bars": int(work.bars),
            "valued": int(work.valued), "best": _told(work.best), "mean": _told(work.mean),
            "squares": float(work.squares),
        }  # fmt: skip
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(judged), [row])
        except sa.exc.IntegrityError:
            return False
        except sa.exc.SQLAlchemyError as error:
            raise failure(error, "trials must be counted, were not") from error
        return True

    def count(self, dataset: str) -> TrialCount:
        """Return what was ever tried on a dataset.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        c = judged.c
        scaled = c.valued * c.mean * sa.func.sqrt(c.bars)
        best = sa.case((c.valued > 0, c.best))
        of = sa.select(
            sa.func.sum(c.n), sa.func.max(best), sa.func.min(c.judged_at),
            sa.func.max(c.judged_at), sa.func.sum(c.valued), sa.func.sum(scaled),
            sa.func.sum(c.squares * c.bars + c.valued * c.mean * c.mean * c.bars),
        ).where(c.dataset == dataset)
        try:
            with self._engine.connect() as connection:
                n, top, first, last, valued, total, squares = connection.execute(of).one()
        except sa.exc.SQLAlchemyError as error:
            raise failure(error, "trials must be readable, were not") from error
        if n is None:
            return TrialCount()
        deviation, valued = math.nan, int(valued)  # PostgreSQL adds up to decimals
        if valued > 1:
            deviation = math.sqrt(max(float(squares) - float(total) ** 2 / valued, 0.0)
                                  / (valued - 1))
        return TrialCount(
            int(n), math.nan if top is None else float(top), deviation, int(first), int(last)
        )

    def studies(self) -> StudyRepository:
        """Return the studies of the same database."""
        return StudyRepository(self._engine)

    def close(self) -> None:
        """Let go of the database's connections."""
        self._engine.dispose()

    def read(self, dataset: str, limit: int = 100) -> tuple[Judged, ...]:
        """Return the newest entries of a dataset, newest first.

        Raises
        ------
        ValueError
            If the limit is out of bounds.
        DatabaseError
            If the database cannot be read.
        """
        if not 1 <= limit <= MOST_READ:
            raise ValueError(f"limit must be 1 to {MOST_READ}, was {limit}")
        c = judged.c
        wanted = sa.select(judged).where(c.dataset == dataset)
        wanted = wanted.order_by(c.judged_at.desc(), c.id.desc()).limit(limit)
        try:
            with self._engine.connect() as connection:
                return tuple(_entry(row) for row in connection.execute(wanted))
        except sa.exc.SQLAlchemyError as error:
            raise failure(error, "trials must be readable, were not") from error


def _told(number: float) -> float:
    return float(number) if math.isfinite(number) else 0.0


def _entry(row: Any) -> Judged:
    return Judged(
        row.dataset, row.key, row.kind, row.judged_at, row.n, row.bars, row.valued,
        row.best if row.valued else math.nan, row.mean if row.valued else math.nan, row.squares,
    )
