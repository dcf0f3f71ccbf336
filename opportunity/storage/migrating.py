"""Bring the schema up to date: once, whoever else starts at the same time, whole or not at all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
import structlog

from opportunity.storage.engines import make_engine
from opportunity.storage.failures import DatabaseError

if TYPE_CHECKING:
    from alembic.config import Config

logger = structlog.get_logger(__name__)

MIGRATIONS: Final = Path(__file__).parent / "migrations"
HEAD: Final = "0007"
"""The newest revision in `MIGRATIONS`; a test holds it equal to Alembic's own answer."""

LOCK: Final = 0x6F70_706F_7274  # any number that nobody else's advisory lock has
WAIT_S: Final = 120
"""How long a program that starts waits for another one that migrates."""


def alembic_config(engine: sa.Engine, connection: sa.Connection | None = None) -> "Config":
    """Return the migration configuration for `engine`; nothing is read from an ini file.

    Parameters
    ----------
    engine : Engine
    connection : Connection, optional
        One of `exclusive`, whose transaction the migration becomes part of.
    """
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = engine
    config.attributes["connection"] = connection
    return config


def migrate(engine: sa.Engine, before: Callable[[str], None] = lambda revision: None) -> None:
    """Bring the schema to `HEAD`, in one transaction.

    Parameters
    ----------
    engine : Engine
    before : callable
        Is given the revision of a database that is about to be changed, not of a new one; nobody
        else migrates meanwhile. If it raises, nothing is changed.

    Raises
    ------
    DatabaseError
        If a newer program wrote the database.
    sqlalchemy.exc.SQLAlchemyError
        If the database does not do it; it is as it was, then.
    """
    if current_revision(engine) == HEAD:
        return
    with exclusive(engine) as connection:
        current = _revision(connection)
        if current == HEAD:
            return  # another program was faster
        # Alembic takes half a second to import and is needed on few starts.
        from alembic import command

        config = alembic_config(engine, connection)
        if current is not None and current not in revisions():
            raise DatabaseError(
                f"database must be of this program's version or older, was of revision {current}"
            )
        if current is not None:
            before(current)
        command.upgrade(config, "head")
    logger.info("database migrated", before=current, after=HEAD)


@contextmanager
def exclusive(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Begin the one transaction that may change the schema; it is committed after the block.

    SQLite has no such transaction by itself as Python's driver begins none for the statements
    that make tables; rebuilding a table would also take the rows along that refer to it.
    """
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            pragma = connection.exec_driver_sql
            patience = pragma("PRAGMA busy_timeout").scalar()
            pragma(f"PRAGMA busy_timeout={WAIT_S * 1_000}")
            pragma("PRAGMA foreign_keys=OFF")
            try:
                pragma("BEGIN EXCLUSIVE")
                yield connection
                if pragma("PRAGMA foreign_key_check").first() is not None:
                    raise DatabaseError("rows must refer to rows that exist, some would not")
                connection.commit()
            finally:
                connection.rollback()
                pragma("PRAGMA foreign_keys=ON")
                pragma(f"PRAGMA busy_timeout={patience}")
        return
    slow = make_engine(engine.url, patient=False)
    try:
        with slow.begin() as connection:
            connection.execute(sa.text(f"SET LOCAL lock_timeout = '{WAIT_S}s'"))
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
            yield connection
    finally:
        slow.dispose()


def revisions() -> frozenset[str]:
    """Return the revisions that this program knows."""
    return frozenset(p.name.partition("_")[0] for p in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def current_revision(engine: sa.Engine) -> str | None:
    """Return the revision of a database; None of an empty one."""
    with engine.connect() as connection:
        return _revision(connection)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
