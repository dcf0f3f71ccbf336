"""Copies of the database: made while it is in use, checked, and put back."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pysqlite3
import sqlalchemy as sa
import structlog

from opportunity.storage import postgres_copy
from opportunity.storage.engines import file_of
from opportunity.storage.failures import DatabaseError, StorageFull, is_full

logger = structlog.get_logger(__name__)

KEPT: Final = 5
"""How many automatic copies are kept, the newest."""

WHOLE_BYTES: Final = 256 << 20
"""Up to this size every index of a copy is compared with its table; beyond, the pages alone."""

MAGIC: Final = b"SQLite format 3\x00"
ENDINGS: Final = {"sqlite": ".sqlite", "postgresql": ".dump"}

_AUTOMATIC: Final = "auto-"
_STEP: Final = 200_000  # instructions of SQLite between two words of progress

Progress = Callable[[int, int], None]
"""Is told bytes done and about how many there will be."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that was made: its file, size in bytes, schema and how long it took."""

    path: Path
    size: int
    schema: str | None
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "file": str(self.path), "bytes": self.size, "schema": self.schema,
            "seconds": round(self.seconds, 3),
        }  # fmt: skip


def silent(done: int, total: int) -> None:
    """Tell nobody."""


def file_name(url: sa.URL, at: int, automatic: bool = False) -> str:
    """Return the name of a copy made at a time, ms UTC."""
    when = datetime.fromtimestamp(at / 1e3, UTC).strftime("%Y%m%dT%H%M%SZ")
    kind = _AUTOMATIC if automatic else "backup-"
    return f"{kind}{when}{ENDINGS[url.get_backend_name()]}"


def unused(path: Path) -> Path:
    """Return a path, with a number in its name if there is such a file already."""
    found, number = path, 1
    while found.exists():
        number += 1
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return found


def back_up(url: sa.URL, to: Path, progress: Progress = silent) -> Backup:
    """Copy a database as it is at one moment; others read and write it meanwhile.

    Parameters
    ----------
    url : URL
        Of `parse_url`.
    to : Path
        A file that is not there yet; it appears when it is whole, readable by its owner alone.
    progress : callable
        Told now and then.

    Raises
    ------
    StorageFull
        If there is no room for it.
    DatabaseError
        If the file is there, the database cannot be read or has nothing in it, or a program of
        PostgreSQL is missing.
    """
    if to.exists():
        raise DatabaseError(f"file of a backup must not be there yet, was: {to}")
    began = time.monotonic()
    part = to.with_name(f".{to.name}.part")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        part.touch(0o600)  # both ways write into an empty file: nobody else reads it meanwhile
        if url.get_backend_name() == "sqlite":
            _copy_sqlite(_existing(url), part, progress)
        else:
            postgres_copy.dump(url, part, progress)
        schema = check_backup(part)
        sync(part)
        part.rename(to)
        sync(to.parent)
    except OSError as error:
        raise reworded(error, f"backup must be written, was not: {to}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return Backup(to, to.stat().st_size, schema, time.monotonic() - began)


def check_backup(path: Path) -> str | None:
    """Look whether a copy is whole, page by page; return the revision of its schema.

    Raises
    ------
    DatabaseError
        If it is damaged, or no copy of a database of this program.
    """
    with path.open("rb") as file:
        head = file.read(16)
    if head != MAGIC:
        return postgres_copy.check(path)
    pragma = "integrity_check" if path.stat().st_size <= WHOLE_BYTES else "quick_check"
    try:
        connection = pysqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
        try:
            found = connection.execute(f"PRAGMA {pragma}(1)").fetchone()[0]
            loose = connection.execute("PRAGMA foreign_key_check").fetchone()
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        finally:
            connection.close()
    except pysqlite3.Error as error:
        raise DatabaseError(f"backup must be a database of ours, was not: {error}") from error
    if found != "ok" or loose is not None:
        raise DatabaseError(f"backup must be whole, was damaged: {found}")
    return None if row is None else str(row[0])


def newest(folder: Path) -> Path | None:
    """Return the newest copy in a folder, whoever made it; None without any."""
    found = [p for ending in ENDINGS.values() for p in folder.glob(f"*-*{ending}")]
    return max(found, key=lambda p: p.stat().st_mtime_ns, default=None)


def back_up_before(url: sa.URL, folder: Path | None, revision: str) -> None:
    """Copy a database whose schema is about to change; keep the newest `KEPT` of such copies.

    A server whose copy cannot be made for want of PostgreSQL's own programs is migrated without:
    there the change of a schema is one transaction, as it is in SQLite.
    """
    if folder is None:
        logger.warning("no backup before migration", reason="no folder for it")
        return
    at = time.time_ns() // 1_000_000
    to = unused(folder / file_name(url, at, automatic=True))
    try:
        made = back_up(url, to)
    except postgres_copy.ProgramMissing as error:
        logger.warning("no backup before migration", reason=str(error))
        return
    logger.info("database copied", file=str(made.path), bytes=made.size, schema=revision)
    copies = sorted(folder.glob(f"{_AUTOMATIC}*"), key=lambda p: p.stat().st_mtime_ns)
    for old in copies[:-KEPT]:
        old.unlink(missing_ok=True)


def _existing(url: sa.URL) -> Path:
    path = file_of(url)
    if path is None or not path.exists():
        raise DatabaseError(f"database must be there to be copied, was not: {path or 'in memory'}")
    return path


def _copy_sqlite(path: Path, part: Path, progress: Progress) -> None:
    total = path.stat().st_size

    def tell() -> int:
        progress(part.stat().st_size if part.exists() else 0, total)
        return 0  # go on

    try:
        connection = pysqlite3.connect(path, timeout=5.0)
        try:
            connection.set_progress_handler(tell, _STEP)
            connection.execute("VACUUM INTO ?", (str(part),))
        finally:
            connection.close()
    except pysqlite3.Error as error:
        raise reworded(error, f"database must be copied, was not: {path.name}") from error
    progress(total, total)


def reworded(error: BaseException, text: str) -> DatabaseError:
    """Return an error of SQLite or of the file system as one of ours."""
    full = is_full(error) or getattr(error, "errno", None) == 28
    return (StorageFull if full else DatabaseError)(f"{text} ({error})")


def sync(path: Path) -> None:
    """Make sure that a file, or the names in a folder, outlive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
