"""kill -9 at any moment: nothing that was called done is lost, nothing is there twice."""

import random
import time

import pytest
from killing import Child, check

ROUNDS_SQLITE, ROUNDS_POSTGRES = 200, 50


def rounds(url: str, n: int, seed: int, record) -> None:
    """Kill and restart an agent over one database, and check it each time."""
    rng, ready, n_promises, n_fills = random.Random(seed), [], 0, 0
    for i in range(n):
        child = Child(url, seed + i)
        if i % 8 == 0:
            child.wait_for("ack")  # at least now and then something was promised
        time.sleep(rng.uniform(0.005, 0.5))  # the moment of the crash is what varies
        said = child.kill()
        fills = check(url, said)
        assert fills >= n_fills
        n_fills, n_promises = fills, n_promises + len(said.keys) + len(said.hands)
        ready.append(said.ready_s)
    assert n_promises > 0
    ready.sort()
    told = {
        "rounds": n, "promises": n_promises, "fills": n_fills, "lost": 0,
        "ready_median_s": round(ready[n // 2], 2), "ready_worst_s": round(ready[-1], 2),
    }
    for name, value in told.items():
        record(name, value)
    print(told)  # noqa: T201 - what the proof measured, shown with -s


def test_kill_sqlite(tmp_path, record_property) -> None:
    rounds(f"sqlite:///{tmp_path / 'x.sqlite'}", 3, 1, record_property)


def test_kill_postgres(postgres_url: str, record_property) -> None:
    rounds(postgres_url, 2, 2, record_property)


@pytest.mark.slow
def test_kill_sqlite_often(tmp_path, record_property) -> None:
    rounds(f"sqlite:///{tmp_path / 'x.sqlite'}", ROUNDS_SQLITE, 3, record_property)


@pytest.mark.slow
def test_kill_postgres_often(postgres_url: str, record_property) -> None:
    rounds(postgres_url, ROUNDS_POSTGRES, 4, record_property)
