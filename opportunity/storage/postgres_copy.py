"""Copies of a PostgreSQL database by its own programs: pg_dump, pg_restore and psql."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from opportunity.storage.failures import DatabaseError, StorageFull
from opportunity.storage.trading_tables import METADATA

MAGIC: Final = b"PGDMP"
EVERY_S: Final = 0.5
"""Between two words of progress."""

INSTALLED: Final = Path("/usr/lib/postgresql")
"""Where Debian puts several versions side by side."""

_VERSION: Final = "alembic_version"


class ProgramMissing(DatabaseError):
    """Raised when a program of PostgreSQL is not installed."""


def program(name: str) -> str:
    """Return where a program of PostgreSQL is.

    Raises
    ------
    ProgramMissing
        If it is nowhere.
    """
    installed = sorted(INSTALLED.glob(f"[0-9]*/bin/{name}"), key=_major)
    found = shutil.which(name) or (str(installed[-1]) if installed else None)
    if found is None:
        raise ProgramMissing(
            f"{name} must be installed to copy a PostgreSQL database, was not found "
            "(Debian: apt install postgresql-client)"
        )
    return found


def dump(url: sa.URL, to: Path, progress: Callable[[int, int], None]) -> None:
    """Write a copy of the database as it is at one moment.

    Raises
    ------
    DatabaseError
        If `pg_dump` is missing or fails; StorageFull if there is no room.
    """
    arguments = [program("pg_dump"), "-Fc", "--no-owner", "--no-privileges", "-f", str(to)]
    process = subprocess.Popen(
        [*arguments, "-d", _target(url)], env=_environment(url), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )
    try:
        while True:
            try:
                _, said = process.communicate(timeout=EVERY_S)
                break
            except subprocess.TimeoutExpired:
                progress(to.stat().st_size if to.exists() else 0, 0)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    _insist(process.returncode, said, "database must be copied, was not")
    size = to.stat().st_size
    progress(size, size)


def check(path: Path) -> str | None:
    """Read a copy from its beginning to its end; return the revision of its schema.

    Raises
    ------
    DatabaseError
        If it is no copy or damaged, or `pg_restore` is missing.
    """
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise DatabaseError(f"backup must be a copy of a database, was not: {path.name}")
    restore = program("pg_restore")
    whole = subprocess.run(
        [restore, "-f", os.devnull, str(path)], check=False, capture_output=True, text=True
    )
    _insist(whole.returncode, whole.stderr, "backup must be whole, was damaged")
    one = subprocess.run(
        [restore, "-f", "-", "--data-only", "-t", _VERSION, str(path)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    _insist(one.returncode, one.stderr, "backup must be whole, was damaged")
    lines = one.stdout.splitlines()
    rows = [lines[i + 1] for i, line in enumerate(lines) if line.startswith("COPY ")]
    if not rows or rows[0] == "\\.":
        raise DatabaseError(f"backup must be a database of ours, was not: {path.name}")
    return rows[0]


def put_back(url: sa.URL, path: Path, then: Sequence[str] = ()) -> None:
    """Replace what is in the database by a copy, in one transaction: the old or the new.

    Parameters
    ----------
    url : URL
    path : Path
        The copy.
    then : sequence of str
        Statements that are carried out in the same transaction.

    Raises
    ------
    DatabaseError
        If it fails or a program is missing; the database is as it was, then.
    """
    restore, psql = program("pg_restore"), program("psql")
    drop = "DROP TABLE IF EXISTS " + ", ".join(f'"{t}"' for t in (*METADATA.tables, _VERSION))
    with tempfile.TemporaryDirectory(prefix="restore-", dir=path.parent) as folder:
        script = Path(folder) / "all.sql"
        made = subprocess.run(
            [restore, "--no-owner", "--no-privileges", "-f", str(script), str(path)],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        _insist(made.returncode, made.stderr, "backup must be readable, was not")
        done = subprocess.run(
            [psql, "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-d", _target(url),
             "-c", "SET client_min_messages = warning", "-c", f"{drop} CASCADE", "-f", str(script),
             *(part for s in ("RESET search_path", *then) for part in ("-c", s))],
            check=False, capture_output=True, text=True, env=_environment(url),
        )  # fmt: skip
    _insist(done.returncode, done.stderr, "backup must be put back, was not")


def _major(path: Path) -> float:
    return float(path.parent.parent.name)


def _target(url: sa.URL) -> str:
    """Return the address without the password, which others could see among the processes."""
    bare = sa.URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database,
        {k: v for k, v in url.query.items() if k != "password"},
    )  # fmt: skip
    return bare.render_as_string()


def _environment(url: sa.URL) -> Mapping[str, str]:
    given = url.password or url.query.get("password")
    secret = {} if given is None else {"PGPASSWORD": str(given)}
    return {"PGCONNECT_TIMEOUT": "5"} | dict(os.environ) | {"LC_ALL": "C"} | secret


def _insist(code: int, said: str, text: str) -> None:
    if code == 0:
        return
    kind = StorageFull if "No space left on device" in said else DatabaseError
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    raise kind(f"{text}: {' '.join(lines[:3])[:500] or f'code {code}'}")
