"""Several processes write to and checkpoint the same SQLite file: nothing is lost or damaged.

A SQLite before 3.51.3 can corrupt its write-ahead log here; the engine's own test insists on a
newer one.
"""

import multiprocessing
import random
import threading
import time
from pathlib import Path

import pysqlite3
import pytest
from faulty import begin_book, check_book, check_file, commit_fills

from opportunity.storage.backup import back_up
from opportunity.storage.database import DatabaseError, open_database
from opportunity.storage.engines import parse_url

FORK = multiprocessing.get_context("fork")
MODES = ("PASSIVE", "FULL", "RESTART", "TRUNCATE")


def _write(url: str, name: str, seed: int, stop: object, done: object) -> None:
    """Commit, and now and then close everything: the last one to leave resets the log."""
    rng, version, crowded = random.Random(seed), 0, 0
    engine = open_database(url)
    while not stop.is_set():
        try:
            version = commit_fills(engine, name, "x" * rng.choice((10, 3_000)))
        except DatabaseError:
            crowded += 1  # others held the lock for too long: told, and nothing was written
        if rng.random() < 0.05:
            engine.dispose()
    engine.dispose()
    done.put((name, version, crowded))


def _checkpoint(path: Path, seed: int, stop: object, done: object) -> None:
    rng, n = random.Random(seed), 0
    while not stop.is_set():
        connection = pysqlite3.connect(path, timeout=1.0)
        for _ in range(rng.randrange(1, 20)):
            try:
                connection.execute(f"PRAGMA wal_checkpoint({rng.choice(MODES)})").fetchone()
                n += 1
            except pysqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in (5, 6):
                    raise
        connection.close()
    done.put(("", n, 0))


def race(tmp_path: Path, seconds: float, writers: int, checkpointers: int) -> int:
    """Let them, look now and then, and count; return how many commits there were."""
    path = tmp_path / "x.sqlite"
    url = f"sqlite:///{path}"
    engine = open_database(url)
    names = [f"shadow:{i}" for i in range(writers)]
    for name in names:
        begin_book(engine, name)
    engine.dispose()
    stop, done = FORK.Event(), FORK.Queue()
    processes = [
        FORK.Process(target=_write, args=(url, name, seed, stop, done))
        for seed, name in enumerate(names)
    ] + [
        FORK.Process(target=_checkpoint, args=(path, 100 + i, stop, done))
        for i in range(checkpointers)
    ]
    for process in processes:
        process.start()
    end, waiting, n = time.monotonic() + seconds, threading.Event(), 0
    while (left := end - time.monotonic()) > 0:
        waiting.wait(min(left, max(1.0, seconds / 20)))
        made = back_up(parse_url(url), tmp_path / f"{n}.copy")  # reads and checks every page
        made.path.unlink()
        n += 1
    stop.set()
    told = [done.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    done.close()
    done.join_thread()
    engine = open_database(url)
    check_file(engine)
    for name, version, _ in told:
        if name:
            assert check_book(engine, name) == version
    engine.dispose()
    return sum(version for name, version, _ in told if name)


def test_writers_and_checkpoints_for_seconds(tmp_path: Path) -> None:
    assert race(tmp_path, 5.0, writers=3, checkpointers=2) > 50


@pytest.mark.slow
def test_writers_and_checkpoints_for_minutes(tmp_path: Path) -> None:
    assert race(tmp_path, 600.0, writers=5, checkpointers=3) > 5_000
