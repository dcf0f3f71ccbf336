"""The database: whether it opens, is sound, and is of this program's schema; nothing is changed."""

from pathlib import Path
from typing import Any, Final

import pysqlite3
import sqlalchemy as sa

from app.doctor.check import Check
from opportunity.storage.database import HEAD

NAME: Final = "database"
WHOLE_BYTES: Final = 256 << 20
"""Up to this size every page and index is compared; beyond, the pages alone."""

TIMEOUT_S: Final = 3.0
RESTORE: Final = "restore a copy, or move it away: a new one is made on the next start"


def check_database(url: str) -> Check:
    """Look at the database that the settings name."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        return Check(NAME, "FAIL", "DATABASE_URL is not an address", "write it as SQLAlchemy does")
    if parsed.get_backend_name() != "sqlite":
        return _check_server(parsed)
    if not parsed.database or parsed.database == ":memory:":
        return Check(NAME, "WARN", "in memory: nothing is kept", "leave DATABASE_URL empty")
    return _check_file(Path(parsed.database))


def _check_file(path: Path) -> Check:
    if not path.exists():
        return Check(NAME, "OK", f"none yet, {path.name} is made on the first start")
    try:
        size = path.stat().st_size
        pragma = "integrity_check" if size <= WHOLE_BYTES else "quick_check"
        connection = pysqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True,
                                       timeout=TIMEOUT_S)
        try:
            found = connection.execute(f"PRAGMA {pragma}(1)").fetchone()[0]
            revision = _revision(connection)
        finally:
            connection.close()
    except (pysqlite3.Error, OSError) as error:
        return Check(NAME, "FAIL", f"{path} cannot be read ({error})", RESTORE)
    if found != "ok":
        return Check(NAME, "FAIL", f"{path} is damaged: {found}", RESTORE)
    return _judged(f"{path.name}, {size / (1 << 20):,.1f} MiB, sound", revision)


def _revision(connection: Any) -> str | None:
    named = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
    if connection.execute(named).fetchone() is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _judged(text: str, revision: str | None) -> Check:
    if revision == HEAD:
        return Check(NAME, "OK", f"{text}, schema {HEAD}")
    if revision is None or revision < HEAD:
        was = "empty" if revision is None else f"of schema {revision}"
        return Check(NAME, "OK", f"{text}, {was}; the next start brings it to {HEAD}")
    return Check(NAME, "FAIL", f"{text}, of schema {revision}: a newer program wrote it",
                 f"use that program, or another DATABASE_URL (this one knows {HEAD})")


def _check_server(parsed: sa.URL) -> Check:
    shown = f"{parsed.get_backend_name()} on {parsed.host or 'this machine'}"
    try:
        engine = sa.create_engine(parsed)
        try:
            with engine.connect() as connection:
                known = sa.inspect(connection).has_table("alembic_version")
                revision = connection.execute(
                    sa.text("SELECT version_num FROM alembic_version")
                ).scalar() if known else None
        finally:
            engine.dispose()
    except (sa.exc.SQLAlchemyError, ImportError, OSError) as error:
        return Check(NAME, "FAIL", f"{shown} cannot be used ({type(error).__name__})",
                     "check DATABASE_URL, the driver, and that the server runs")
    return _judged(shown, None if revision is None else str(revision))
