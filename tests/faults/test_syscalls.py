"""The disk refuses a write or a sync: nothing is called done that is not, and it goes on after."""

import os
import random
import shutil

import pytest
from killing import Child, check

CALLS = ("fsync:error=EIO", "pwrite64:error=ENOSPC", "fsync:error=ENOSPC",
         "pwrite64:error=EIO")  # fmt: skip


def strace(fault: str, when: str) -> list[str]:
    """Return the program that makes the system calls of another one fail."""
    found = shutil.which("strace")
    if found is None:
        why = "no strace here (sh tests/postgres_install.sh)"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    call = fault.partition(":")[0]
    return [found, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
            "-e", f"inject={fault}:when={when}"]  # fmt: skip


def fail_once(tmp_path, seed: int, n: int, record) -> None:
    """Let one call fail somewhere, go on until more was promised, kill, check; n times."""
    rng, url = random.Random(seed), f"sqlite:///{tmp_path / 'x.sqlite'}"
    child = Child(url, seed)
    child.wait_for("ack")
    check(url, child.kill())
    n_troubles = n_fills = 0
    for i in range(n):
        # Faults come again and again, so that some of them meet a commit; one commit syncs once
        # or twice and writes some twenty pages, and must get through in between.
        fault = CALLS[i % len(CALLS)]
        least = 7 if fault.startswith("fsync") else 90
        first, step = rng.randrange(least, 8 * least), rng.randrange(least, 5 * least)
        child = Child(url, seed + i, strace(fault, f"{first}+{step}"))
        child.wait_for("ack")
        child.wait_for("ack")
        said = child.kill()
        n_troubles += len(said.storage)
        fills = check(url, said)
        assert fills >= n_fills
        n_fills = fills
    record("faulty_runs", n)
    record("refused_commands", n_troubles)


def test_failed_writes_lose_nothing_that_was_promised(tmp_path, record_property) -> None:
    fail_once(tmp_path, 1, 2, record_property)


@pytest.mark.slow
def test_failed_writes_often(tmp_path, record_property) -> None:
    fail_once(tmp_path, 2, 200, record_property)


@pytest.mark.slow
def test_a_disk_that_never_comes_back_promises_nothing(tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'x.sqlite'}"
    child = Child(url, 3)
    child.wait_for("ack")
    before = check(url, child.kill())
    child = Child(url, 4, strace("fsync:error=EIO", "12+"))
    child.wait_for("storage")
    said = child.kill()
    assert check(url, said) >= before
    child = Child(url, 5)  # a disk that is well again
    child.wait_for("ack")
    assert check(url, child.kill()) >= before
