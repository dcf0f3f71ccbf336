import math
from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa

from opportunity.backtest.trials import MemoryTrials
from opportunity.storage.database import DatabaseError, open_database
from opportunity.storage.judged import Judged
from opportunity.storage.trials import TrialRepository

WORK = Judged("d", "k", "sweep", 1_000, 10, 400, 9, 0.05, 0.01, 0.002)


@pytest.fixture
def trials(engine: sa.Engine) -> TrialRepository:
    return TrialRepository(engine)


def test_entries_come_back_and_count_once(trials):
    assert trials.add(WORK)
    assert not trials.add(replace(WORK, at=5, n=99))
    assert trials.read("d") == (WORK,)
    assert trials.count("d").n == 10
    assert trials.count("e").n == 0


def test_database_adds_up_as_memory_does(trials):
    rng = np.random.default_rng(4)
    memory = MemoryTrials()
    for i in range(40):
        entry = Judged(
            f"d{i % 2}", f"k{i}", "search", 1_000 + i, 20, int(rng.integers(50, 900)),
            int(rng.integers(0, 20)), float(rng.normal()), float(rng.normal()), float(rng.random()),
        )
        if not entry.valued:
            entry = replace(entry, best=math.nan, mean=math.nan, squares=0.0)
        assert trials.add(entry) == memory.add(entry)
    for dataset in ("d0", "d1"):
        a, b = trials.count(dataset), memory.count(dataset)
        assert (a.n, a.best, a.first, a.last) == (b.n, b.best, b.first, b.last)
        assert a.deviation == pytest.approx(b.deviation, rel=1e-12)
        assert repr(trials.read(dataset)) == repr(memory.read(dataset))


def test_what_never_traded_has_no_ratio(trials):
    trials.add(replace(WORK, valued=0, best=math.nan, mean=math.nan, squares=0.0))
    (found,) = trials.read("d")
    assert math.isnan(found.best)
    assert math.isnan(found.mean)
    count = trials.count("d")
    assert count.n == 10
    assert math.isnan(count.best)
    assert math.isnan(count.deviation)


def test_numbers_of_numpy_are_taken(trials):
    trials.add(replace(WORK, n=np.int64(10), at=np.int64(1_000), best=np.float64(0.05)))
    assert trials.read("d") == (WORK,)


def test_bad_arguments_are_refused(trials):
    with pytest.raises(ValueError, match="n must be >= 1"):
        trials.add(replace(WORK, n=0))
    with pytest.raises(ValueError, match="limit"):
        trials.read("d", 0)


def test_counts_survive_a_restart(tmp_path):
    url = f"sqlite:///{tmp_path / 'y.sqlite'}"
    first = TrialRepository(open_database(url))
    first.add(WORK)
    first.close()
    second = TrialRepository(open_database(url))
    assert second.count("d").n == 10
    second.close()


def test_a_broken_database_is_told(trials, engine):
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE judged"))
    for call in (lambda: trials.add(WORK), lambda: trials.count("d"), lambda: trials.read("d")):
        with pytest.raises(DatabaseError):
            call()
