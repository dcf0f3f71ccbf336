"""The disk is full: it is said so, what is there can be read, and it goes on when there is room."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty import own_mounts

from opportunity.storage.database import HEAD

TESTS = Path(__file__).parents[1]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's user can get to, as it cannot to pytest's."""
    made = Path(tempfile.mkdtemp(prefix="disk-"))
    made.chmod(0o755)
    yield made
    made.rmdir()


def on_small_disk(kind: str, folder: Path, size: str) -> dict:
    """Run a part of `full_disk` where `folder` is a disk of its own."""
    own_mounts()
    script = f'mount -t tmpfs -o size={size} tmpfs "$2" && exec "$0" "$3" "$1" "$2"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, sys.executable, kind, str(folder),
         str(TESTS / "full_disk.py")],
        check=False, capture_output=True, text=True, timeout=120, cwd=TESTS.parent,
        env=os.environ | {"PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (result,) = (line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    return json.loads(result.removeprefix("RESULT "))


def check_full(said: dict) -> None:
    assert said["refused"] == ["StorageFull"]  # every time, and nothing else
    held = said["before"] + said["more"]
    assert said["before"] == 50
    assert said["reads"] == held  # to the last commit that was acknowledged, and not a row more
    assert said["new_reader"] == held
    assert said["settings"] == 0
    assert said["after"] == [held + 1, held + 1]
    assert said["reopened"] == held + 1


def test_sqlite_is_read_only_until_there_is_room(folder: Path) -> None:
    said = on_small_disk("sqlite", folder, "8m")
    check_full(said)
    assert said["restarted"] == [said["reads"], ""]  # a server can start, to be looked at
    assert said["backup"] == "StorageFull"
    assert not [name for name in said["left_over"] if "copy" in name]


def test_a_full_disk_stops_a_migration_and_changes_nothing(folder: Path) -> None:
    said = on_small_disk("migration", folder, "8m")
    assert said["refused"] == "StorageFull"
    assert said["left_over"] == []
    assert (said["revision"], said["same"]) == ("0005", True)
    assert (said["after"], said["same_after"]) == (HEAD, True)


def test_postgresql_is_read_only_until_there_is_room(folder: Path) -> None:
    check_full(on_small_disk("postgresql", folder, "24m"))


@pytest.mark.slow
@pytest.mark.parametrize("size", ["4m", "6m", "12m", "16m"])
def test_disks_of_other_sizes(folder: Path, size: str) -> None:
    check_full(on_small_disk("sqlite", folder, size))
