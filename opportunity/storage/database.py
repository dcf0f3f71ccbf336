"""Open the database and bring its schema up to date."""

from pathlib import Path
from typing import Any, Final

import pysqlite3
import sqlalchemy as sa
import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from opportunity.errors import OpportunityError

logger = structlog.get_logger(__name__)

MIGRATIONS: Final = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_S: Final = 5.0


class DatabaseError(OpportunityError):
    """Raised when the database cannot be opened or is of a newer program."""


def open_database(url: str) -> sa.Engine:
    """Connect, migrate to the newest schema and return the engine.

    Parameters
    ----------
    url : str
        SQLAlchemy URL. SQLite runs on the bundled, fixed SQLite (the system's 3.40 can corrupt
        its write-ahead log) with WAL and full synchronisation.

    Raises
    ------
    DatabaseError
        If the file cannot be opened, or was written by a newer version of the program.
    """
    try:
        engine = _engine(url)
        _migrate(engine)
    except sa.exc.SQLAlchemyError as error:
        shown = sa.make_url(url).render_as_string(hide_password=True)
        raise DatabaseError(f"database must be usable, was not: {shown} ({error})") from error
    return engine


def _engine(url: str) -> sa.Engine:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return sa.create_engine(parsed, pool_pre_ping=True)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        parsed, module=pysqlite3, connect_args={"timeout": BUSY_TIMEOUT_S}
    )
    sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def alembic_config(engine: sa.Engine) -> Config:
    """Return the migration configuration for `engine`; nothing is read from an ini file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = engine
    return config


def _migrate(engine: sa.Engine) -> None:
    config = alembic_config(engine)
    script = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in {r.revision for r in script.walk_revisions()}:
        raise DatabaseError(
            f"database must be of this program's version or older, was of revision {current}"
        )
    if current != script.get_current_head():
        command.upgrade(config, "head")
        logger.info("database migrated", before=current, after=script.get_current_head())
