"""Transactions that hold what they read, and their repetition when somebody was in the way."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import sqlalchemy as sa
import stamina

from opportunity.storage.failures import failure, is_repeatable

ATTEMPTS: Final = 8
TIMEOUT_S: Final = 10.0
"""Of all attempts together."""

T = TypeVar("T")


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Begin a transaction in which nothing changes between what is read and what is written.

    SQLite: the write lock is taken at the start (waiting for it some seconds), as one that reads
    first and writes later is refused when somebody else wrote meanwhile. PostgreSQL: serializable;
    of two that contradict one fails, at the latest on commit. It is committed at the end of the
    block, rolled back when the block raises.

    Raises
    ------
    sqlalchemy.exc.SQLAlchemyError
        As the database has it; `opportunity.storage.failures` tells the kinds apart.
    """
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection = connection.execution_options(isolation_level="SERIALIZABLE")
        yield connection
        connection.commit()


def repeated(engine: sa.Engine, work: Callable[[sa.Connection], T], text: str) -> T:
    """Do work in one transaction, again from its start when somebody else was in the way.

    Parameters
    ----------
    engine : Engine
        A migrated database.
    work : callable
        Reads and writes by the connection it is given and does nothing else: it may run several
        times, of which one counts.
    text : str
        How a failure is worded, e.g. "notes must be kept, were not".

    Returns
    -------
    object
        What `work` returned.

    Raises
    ------
    StorageFull
        If the database has no room.
    DatabaseError
        If it fails otherwise; nothing was written then. When the line broke while a commit was
        under way it cannot be known; what is safe to be done twice may then be asked again.
    sqlalchemy.exc.IntegrityError
        If a row breaks a rule of its table: the caller knows what that means.
    """
    try:
        for attempt in stamina.retry_context(
            on=is_repeatable, attempts=ATTEMPTS, timeout=TIMEOUT_S,
            wait_initial=0.01, wait_max=0.5, wait_jitter=0.05,
        ):
            with attempt, writing(engine) as connection:
                return work(connection)
    except sa.exc.IntegrityError:
        raise
    except sa.exc.SQLAlchemyError as error:
        raise failure(error, text) from error
    raise AssertionError("an attempt returns or raises")


@contextmanager
def told(text: str) -> Iterator[None]:
    """Turn errors of the database inside the block into `DatabaseError`, worded by `text`."""
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        raise failure(error, text) from error
