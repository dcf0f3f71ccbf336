"""Put a copy of the database in its place; what was there before is kept beside it."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pysqlite3
import sqlalchemy as sa

from opportunity.storage import postgres_copy
from opportunity.storage.account_tables import ENDED
from opportunity.storage.backup import (
    MAGIC,
    Progress,
    back_up,
    check_backup,
    file_name,
    reworded,
    silent,
    sync,
    unused,
)
from opportunity.storage.engines import file_of, make_engine, shown
from opportunity.storage.failures import DatabaseError, failure
from opportunity.storage.holder import Holder
from opportunity.storage.migrating import HEAD, LOCK, current_revision
from opportunity.storage.streams import ANEW, SINCE
from opportunity.storage.trading_tables import lease

COMPANIONS: Final = ("-wal", "-shm")
"""Files that SQLite keeps beside a database which is open, or was when its program ended badly."""


class InUse(DatabaseError):
    """Raised when a program has the database open: it must be stopped first."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a database, and statements that are carried out on it before it is used."""

    path: Path
    then: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done: the schema that is there now, and where the old database is, if any."""

    schema: str | None
    old: Path | None

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"schema": self.schema, "old": None if self.old is None else str(self.old)}


def restore(
    url: sa.URL, path: Path, backups: Path, clock: Callable[[], int], progress: Progress = silent
) -> Restored:
    """Replace the database by a copy that `back_up` made, whole or not at all.

    Its event log is another one from then on: see `opportunity.storage.streams.ANEW`. Nobody is
    logged in.

    Parameters
    ----------
    url : URL
        Of `parse_url`: the database to replace; a SQLite file need not be there.
    path : Path
        The copy. It is looked at from its first page to its last before anything is touched.
    backups : Path
        Folder for the copy of a PostgreSQL database as it was before; an old SQLite file stays in
        its own folder, under another name.
    clock : callable
        Wall time, ms UTC.
    progress : callable
        Told now and then.

    Raises
    ------
    InUse
        If a program has the database open or holds its lease.
    StorageFull
        If there is no room for both.
    DatabaseError
        If the copy is damaged, of the other kind of database or of a newer program, or the
        database cannot be reached. In every case the database is as it was.
    """
    with path.open("rb") as file:
        kind = "sqlite" if file.read(16) == MAGIC else "postgresql"
    if kind != url.get_backend_name():
        raise DatabaseError(
            f"backup must be of a {url.get_backend_name()} database, was not: {path.name}"
        )
    schema = check_backup(path)
    if schema is not None and schema > HEAD:
        raise DatabaseError(
            f"backup must be of this program's version or older, was of schema {schema}"
        )
    to, now = file_of(url), clock()
    anew = (*ANEW, *ENDED) if schema is not None and schema >= SINCE else ()
    if kind == "postgresql":
        return Restored(schema, _restore_server(Copy(path, anew), url, backups, now, progress))
    if to is None:
        raise DatabaseError("database must be a file, was in memory")
    return Restored(schema, _restore_file(Copy(path, anew), url, to, now, progress))


def _restore_file(
    copy: Copy, url: sa.URL, to: Path, now: int, progress: Progress
) -> Path | None:
    part = to.with_name(f".{to.name}.part")
    old = unused(to.with_name(_before(url, now)))
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        _copy(copy.path, part, progress)
        _change(part, copy.then)
        there = to.exists()
        if there:
            _keep_old(url, to, old, now)
        part.replace(to)
        sync(to.parent)
    except OSError as error:
        raise reworded(error, f"backup must be put back, was not: {to}") from error
    finally:
        part.unlink(missing_ok=True)
    return old if there else None


def _before(url: sa.URL, now: int) -> str:
    """Return the name of the database as it was: before which restore."""
    return file_name(url, now).replace("backup-", "before-restore-")


def _keep_old(url: sa.URL, to: Path, old: Path, now: int) -> None:
    """Give the database a second name, with its log if it is damaged: both may be wanted.

    Its own name stays until the copy takes it: at no moment is there no database, of which a
    server that starts would make a new and empty one.
    """
    log, kept = to.with_name(f"{to.name}-wal"), old.with_name(f"{old.name}-wal")
    if log.exists():
        shutil.copyfile(log, kept)
    try:
        sound = _claim_file(url, to, now)
    except InUse:
        kept.unlink(missing_ok=True)
        raise
    if sound:
        kept.unlink(missing_ok=True)  # all of it is in the file now
    try:
        os.link(to, old)
    except OSError:  # a file system without second names
        shutil.copyfile(to, old)
        old.chmod(0o600)
        sync(old)
    for ending in COMPANIONS:
        to.with_name(to.name + ending).unlink(missing_ok=True)


def _claim_file(url: sa.URL, to: Path, now: int) -> bool:
    """Insist that nobody else has the file open, and leave it without a log; False if damaged.

    Leaving the write-ahead log is only allowed to the last who is connected.
    """
    try:
        connection = pysqlite3.connect(to, timeout=1.0)
        try:
            mode = connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
        finally:
            connection.close()
    except pysqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (5, 6):
            raise InUse(f"database must not be open, is: {to.name} ({_who(url, now)})") from error
        return False
    except pysqlite3.DatabaseError:
        return False
    if mode != "delete":
        raise InUse(f"database must not be open, is: {to.name} ({_who(url, now)})")
    return True


def _who(url: sa.URL, now: int) -> str:
    """Return by whom, for a text."""
    named = ", ".join(_holders(url, now))
    return f"by {named}: stop it first" if named else "stop what uses it first"


def _holders(url: sa.URL, now: int) -> list[str]:
    """Return who holds a lease and is not known to be gone."""
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            asked = sa.select(lease.c.holder).where(lease.c.expires_at > now)
            found = list(connection.execute(asked).scalars())
    except sa.exc.SQLAlchemyError:
        return []  # no such table yet, or nothing to read
    finally:
        engine.dispose()
    holders = ((text, Holder.parse(text)) for text in found)
    return [t if h is None else h.text for t, h in holders if h is None or not h.gone()]


def _restore_server(
    copy: Copy, url: sa.URL, backups: Path, now: int, progress: Progress
) -> Path | None:
    engine = make_engine(url, patient=False)
    try:
        with engine.connect() as connection:
            if not connection.execute(sa.select(sa.func.pg_try_advisory_lock(LOCK))).scalar():
                raise InUse("database must not be migrated meanwhile, is by another program")
            n = connection.execute(sa.text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND application_name = 'opportunity' AND pid <> pg_backend_pid()"
            )).scalar_one()  # fmt: skip
            connection.commit()
            if n or _holders(url, now):
                raise InUse(f"database must not be in use, {n} connections are ({_who(url, now)})")
            old = None
            if _anything(url):
                old = unused(backups / _before(url, now))
                back_up(url, old, progress)
            postgres_copy.put_back(url, copy.path, copy.then)
    except sa.exc.SQLAlchemyError as error:
        raise failure(error, f"database must be usable, was not: {shown(url)}") from error
    finally:
        engine.dispose()
    return old


def _anything(url: sa.URL) -> bool:
    engine = make_engine(url)
    try:
        return current_revision(engine) is not None
    finally:
        engine.dispose()


def _copy(path: Path, part: Path, progress: Progress) -> None:
    total = path.stat().st_size
    with path.open("rb") as source, part.open("wb") as target:
        part.chmod(0o600)
        while piece := source.read(1 << 22):
            target.write(piece)
            progress(target.tell(), total)
    sync(part)


def _change(part: Path, statements: tuple[str, ...]) -> None:
    try:
        connection = pysqlite3.connect(part)
        try:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
        finally:
            connection.close()
    except pysqlite3.DatabaseError as error:
        raise DatabaseError(f"backup must be usable, was not: {error}") from error
