"""Open the database and bring its schema up to date."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pysqlite3
import sqlalchemy as sa
import structlog

from opportunity.errors import OpportunityError

if TYPE_CHECKING:
    from alembic.config import Config

logger = structlog.get_logger(__name__)

MIGRATIONS: Final = Path(__file__).parent / "migrations"
HEAD: Final = "0005"
"""The newest revision in `MIGRATIONS`; a test holds it equal to Alembic's own answer."""

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


def alembic_config(engine: sa.Engine) -> "Config":
    """Return the migration configuration for `engine`; nothing is read from an ini file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = engine
    return config


def _migrate(engine: sa.Engine) -> None:
    current = _revision(engine)
    if current == HEAD:
        return
    # Alembic takes half a second to import and is needed on few starts.
    from alembic import command
    from alembic.script import ScriptDirectory

    config = alembic_config(engine)
    known = {r.revision for r in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise DatabaseError(
            f"database must be of this program's version or older, was of revision {current}"
        )
    command.upgrade(config, "head")
    logger.info("database migrated", before=current, after=HEAD)


def _revision(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
