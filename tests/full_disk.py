"""What `test_disk_full` runs in a mount namespace of its own: prints what happened, as JSON."""

import errno
import json
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from faulty import (
    FILLS,
    begin_book,
    check_book,
    check_file,
    commit_fills,
    fill_tables,
    rows_of,
    until_raised,
)
from postgres import made

from opportunity.storage.backup import back_up
from opportunity.storage.database import StorageFull, alembic_config, open_database
from opportunity.storage.engines import make_engine, parse_url
from opportunity.storage.migrating import current_revision
from opportunity.storage.repositories import SettingRepository

BALLAST = 1 << 16


class Disk:
    """A small disk that can be filled to the last byte."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._ballast = folder, folder / "ballast"

    def fill(self) -> None:
        with self._ballast.open("ab", buffering=0) as file:
            for size in (BALLAST, 512, 1):
                try:
                    while file.write(b"\0" * size):
                        pass
                except OSError as error:
                    assert error.errno == errno.ENOSPC  # noqa: PT017 - the point of it

    def free(self) -> None:
        self._ballast.unlink()


def sqlite(disk: Disk) -> dict[str, Any]:
    """Fill the disk under an open SQLite file, look, and make room again."""
    url = f"sqlite:///{disk.folder / 'x.sqlite'}"
    engine = open_database(url)
    begin_book(engine)
    for _ in range(50):
        commit_fills(engine, text="x" * 500)
    said = full(disk, engine)
    said["new_reader"] = reads(url)
    said["backup"] = refusal(lambda: back_up(parse_url(url), disk.folder / "copy"))
    said["left_over"] = sorted(p.name for p in disk.folder.iterdir())
    engine.dispose()  # the last one to leave
    said["restarted"] = reads(url), refusal(lambda: open_database(url).dispose())
    disk.free()
    check_file(engine)
    said["after"] = commit_fills(engine), check_book(engine)
    check_file(engine)
    engine.dispose()
    engine = open_database(url)
    said["reopened"] = check_book(engine)
    check_file(engine)
    engine.dispose()
    return said


def full(disk: Disk, engine: sa.Engine) -> dict[str, Any]:
    """Fill the disk, write until that is refused, go on trying, and read what is there."""
    before = check_book(engine)
    disk.fill()
    # Some pages may still have room, and the log may have been longer once.
    more = until_raised(StorageFull, lambda: commit_fills(engine, text="y" * 8_000), 2_000)
    disk.fill()
    refused = [refusal(lambda: commit_fills(engine, text="z" * 20_000)) for _ in range(20)]
    return {
        "before": before, "more": more, "refused": sorted(set(refused)),
        "reads": check_book(engine), "settings": len(SettingRepository(engine, lambda: 1).read()),
        "fills": FILLS,
    }


def reads(url: str) -> Any:
    """Open the same database anew and read; an error is told by its name."""
    engine = make_engine(parse_url(url))
    try:
        return check_book(engine)
    except sa.exc.SQLAlchemyError as error:
        return f"{type(error).__name__}: {error.orig}"  # type: ignore[attr-defined]
    finally:
        engine.dispose()


def refusal(work: Callable[[], object]) -> str:
    """Return by which error work is refused; empty if it went well."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 - its kind is the answer
        return type(error).__name__
    return ""


def migration(disk: Disk) -> dict[str, Any]:
    """Start a newer program on a full disk: nothing changes; with room again it does."""
    url = f"sqlite:///{disk.folder / 'x.sqlite'}"
    engine = make_engine(parse_url(url))
    command.upgrade(alembic_config(engine), "0005")
    names = set(sa.inspect(engine).get_table_names()) - {"alembic_version"}
    fill_tables(engine, names)
    rows = rows_of(engine, names)
    engine.dispose()
    disk.fill()
    said = {"refused": refusal(lambda: open_database(url))}
    said["left_over"] = sorted(p.name for p in (disk.folder / "backups").glob("*"))
    disk.free()
    engine = make_engine(parse_url(url))
    said |= {"revision": current_revision(engine), "same": rows_of(engine, names) == rows}
    check_file(engine)
    engine.dispose()
    engine = open_database(url)
    said["after"] = current_revision(engine)
    said["same_after"] = rows_of(engine, names) == rows
    engine.dispose()
    return said


def postgresql(disk: Disk) -> dict[str, Any]:
    """Fill the disk of a table space of PostgreSQL; its log is elsewhere."""
    servers = made()
    server = next(servers)
    try:
        space = disk.folder / "space"
        space.mkdir()
        owner = server.data.stat()
        import os

        os.chown(space, owner.st_uid, owner.st_gid)
        server.tell(f"CREATE TABLESPACE small LOCATION '{space}'")
        server.tell("CREATE DATABASE full_disk TABLESPACE small")
        url = server.dsn("full_disk")
        engine = open_database(url)
        begin_book(engine)
        for _ in range(50):
            commit_fills(engine, text="x" * 500)
        said = full(disk, engine)
        said["new_reader"] = reads(url)
        disk.free()
        said["after"] = commit_fills(engine), check_book(engine)
        engine.dispose()
        server.stop(signal.SIGKILL)
        server.start()
        said["reopened"] = reads(url)
        return said
    finally:
        with suppress(StopIteration):
            next(servers)


if __name__ == "__main__":
    kinds = {"sqlite": sqlite, "migration": migration, "postgresql": postgresql}
    sys.stdout.write("RESULT " + json.dumps(kinds[sys.argv[1]](Disk(Path(sys.argv[2])))) + "\n")
