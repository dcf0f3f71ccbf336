"""Open the database and bring its schema up to date."""

from pathlib import Path

import sqlalchemy as sa
import structlog

from opportunity.storage.backup import back_up_before
from opportunity.storage.engines import file_of, make_engine, parse_url, shown
from opportunity.storage.failures import DatabaseError as DatabaseError
from opportunity.storage.failures import StorageFull as StorageFull
from opportunity.storage.failures import failure
from opportunity.storage.migrating import HEAD as HEAD
from opportunity.storage.migrating import alembic_config as alembic_config
from opportunity.storage.migrating import migrate

logger = structlog.get_logger(__name__)


def open_database(url: str, backups: Path | None = None) -> sa.Engine:
    """Connect, migrate to the newest schema and return the engine.

    Parameters
    ----------
    url : str
        ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST/NAME``. SQLite runs on the bundled,
        fixed SQLite (the system's 3.40 can corrupt its write-ahead log) with WAL and full
        synchronisation.
    backups : Path, optional
        Where a copy is put before the schema of an existing database is changed; the folder
        `backups` beside a SQLite file by default. Nothing is copied in memory, and of a server
        without this.

    Raises
    ------
    StorageFull
        If there is no room for the copy or the new schema; nothing is changed then.
    DatabaseError
        If it cannot be opened, was written by a newer version of the program, or the driver is
        not installed.
    """
    parsed = parse_url(url)
    path = file_of(parsed)
    folder = path.parent / "backups" if backups is None and path is not None else backups
    engine = make_engine(parsed)
    if path is not None and path.parent.is_dir() and not path.exists():
        path.touch(0o600)  # it holds hashes of passwords; log and index files are made like it
    try:
        migrate(engine, lambda revision: back_up_before(parsed, folder, revision))
    except sa.exc.SQLAlchemyError as error:
        engine.dispose()
        raise failure(error, f"database must be usable, was not: {shown(parsed)}") from error
    except BaseException:
        engine.dispose()
        raise
    return engine
