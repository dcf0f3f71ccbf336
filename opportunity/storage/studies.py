"""The log of a study: what an optimiser asked and was told, in order, so that it can go on."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from opportunity.errors import ConflictError
from opportunity.storage.failures import failure
from opportunity.storage.tables import study_log

MOST_NAME: Final = 128
"""Characters of a name."""

_PIECE: Final = 400  # rows in one statement


class StudyRepository:
    """Keeps the logs of studies; entries are only ever added.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def read(self, name: str, start: int = 0) -> list[dict[str, Any]]:
        """Return the entries of a study from number `start` on; none of an unknown one.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        c = study_log.c
        wanted = sa.select(c.body).where(c.study == name, c.number >= start).order_by(c.number)
        try:
            with self._engine.connect() as connection:
                return list(connection.execute(wanted).scalars())
        except sa.exc.SQLAlchemyError as error:
            raise failure(error, "study must be readable, was not") from error

    def append(
        self, name: str, start: int, entries: Sequence[Mapping[str, Any]], at: int
    ) -> None:
        """Add entries numbered from `start` on, all of them or none; `at` is now, ms UTC.

        Raises
        ------
        ValueError
            If the name is empty or too long.
        ConflictError
            If an entry of such a number is there already: somebody else goes on with the study.
        DatabaseError
            If the database does not take them.
        """
        if not 1 <= len(name) <= MOST_NAME:
            raise ValueError(f"name of a study must have 1 to {MOST_NAME} characters, was {name!r}")
        rows = [
            {"study": name, "number": start + i, "written_at": at, "body": dict(entry)}
            for i, entry in enumerate(entries)
        ]
        try:
            with self._engine.begin() as connection:
                for at in range(0, len(rows), _PIECE):
                    connection.execute(sa.insert(study_log), rows[at : at + _PIECE])
        except sa.exc.IntegrityError as error:
            raise ConflictError(
                f"study {name!r} must be run by one at a time, was run by somebody else meanwhile"
            ) from error
        except sa.exc.SQLAlchemyError as error:
            raise failure(error, "study must be kept, was not") from error

    def names(self) -> tuple[str, ...]:
        """Return the names of all studies, sorted.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        wanted = sa.select(study_log.c.study).distinct().order_by(study_log.c.study)
        try:
            with self._engine.connect() as connection:
                return tuple(connection.execute(wanted).scalars())
        except sa.exc.SQLAlchemyError as error:
            raise failure(error, "studies must be readable, were not") from error

    def forget(self, name: str) -> int:
        """Let go of a study; return how many entries it had. Its trials stay counted.

        Raises
        ------
        DatabaseError
            If the database does not do it.
        """
        try:
            with self._engine.begin() as connection:
                gone = connection.execute(sa.delete(study_log).where(study_log.c.study == name))
                return int(gone.rowcount)
        except sa.exc.SQLAlchemyError as error:
            raise failure(error, "study must be forgotten, was not") from error
