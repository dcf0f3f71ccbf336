"""The database: whether it opens, is sound, is of this program's schema, and has been copied.

Nothing is changed.
"""

import shutil
from pathlib import Path
from typing import Any, Final

import pysqlite3
import sqlalchemy as sa

from app.doctor.check import Check
from opportunity.storage.backup import newest
from opportunity.storage.database import HEAD, DatabaseError
from opportunity.storage.engines import make_engine, parse_url

NAME: Final = "database"
WHOLE_BYTES: Final = 256 << 20
"""Up to this size every page and index is compared; beyond, the pages alone."""

TIMEOUT_S: Final = 3.0
RESTORE: Final = (
    "restore a copy (`opportunity restore`), or move it away: a new one is made on the next start"
)
DAY_MS: Final = 86_400_000
OLD_DAYS: Final = 30
"""From this age on a copy is worth a word."""

LITTLE: Final = 64 << 20
"""Free bytes below which writes may be refused soon."""


def check_database(url: str) -> Check:
    """Look at the database that the settings name."""
    try:
        parsed = parse_url(url)
    except DatabaseError as error:
        return Check(NAME, "FAIL", f"DATABASE_URL: {error}", "see docs/operations.md")
    if parsed.get_backend_name() != "sqlite":
        return _check_server(parsed)
    if not parsed.database or parsed.database == ":memory:":
        return Check(NAME, "WARN", "in memory: nothing is kept", "leave DATABASE_URL empty")
    return _check_file(Path(parsed.database))


def check_backups(folder: Path, now: int) -> Check:
    """Say when the database was copied last.

    Parameters
    ----------
    folder : Path
        Where copies are put by default; those that were put elsewhere are not known.
    now : int
        Wall time, ms UTC.
    """
    last = newest(folder)
    advice = "`opportunity backup` makes one while the server runs"
    if last is None:
        return Check("backups", "OK", f"none in {folder.name} yet", advice)
    days = max(0.0, (now - last.stat().st_mtime_ns / 1e6) / DAY_MS)
    text = f"newest is {last.name}, {_size(last.stat().st_size)}, {days:,.1f} days old"
    if days > OLD_DAYS:
        return Check("backups", "WARN", text, advice)
    return Check("backups", "OK", text)


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
        log = path.with_name(f"{path.name}-wal")
        size += log.stat().st_size if log.exists() else 0
        free = shutil.disk_usage(path.parent).free
    except (pysqlite3.Error, OSError) as error:
        return Check(NAME, "FAIL", f"{path} cannot be read ({error})", RESTORE)
    if found != "ok":
        return Check(NAME, "FAIL", f"{path} is damaged: {found}", RESTORE)
    text = f"{path.name}, {_size(size)}, sound, {_size(free)} free"
    judged = _judged(text, revision)
    if judged.verdict == "OK" and free < LITTLE:
        return Check(NAME, "FAIL", judged.text, "make room: without it nothing can be written")
    return judged


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
        engine = make_engine(parsed)
        try:
            with engine.connect() as connection:
                known = sa.inspect(connection).has_table("alembic_version")
                revision = connection.execute(
                    sa.text("SELECT version_num FROM alembic_version")
                ).scalar() if known else None
                asked = connection.execute(sa.text(
                    "SELECT pg_database_size(current_database()), "
                    "current_setting('default_transaction_read_only'), pg_is_in_recovery()"
                )).one()  # fmt: skip
        finally:
            engine.dispose()
    except DatabaseError as error:
        return Check(NAME, "FAIL", str(error), "see docs/operations.md")
    except (sa.exc.SQLAlchemyError, OSError) as error:
        return Check(NAME, "FAIL", f"{shown} cannot be used ({type(error).__name__})",
                     "check DATABASE_URL and that the server runs")
    size, read_only, standby = asked
    if read_only == "on" or standby:
        return Check(NAME, "FAIL", f"{shown}, {_size(size)}, takes no writes", "use its primary")
    return _judged(f"{shown}, {_size(size)}", None if revision is None else str(revision))


def _size(n_bytes: float) -> str:
    """Word a size."""
    if n_bytes >= 1 << 30:
        return f"{n_bytes / (1 << 30):,.1f} GiB"
    return f"{n_bytes / (1 << 20):,.1f} MiB"
