import numpy as np
import pytest
import sqlalchemy as sa
from ideas import HOUR, IDEA, MARKET, START, ideas, keep

from opportunity.contracts import DETECTOR_NAMES
from opportunity.scoring.aftermath import BARRIERS
from opportunity.storage.database import DatabaseError
from opportunity.storage.outcomes import Outcome, OutcomeRepository, unknown_outcome
from opportunity.storage.samples import SampleRepository


@pytest.fixture
def store(engine: sa.Engine) -> SampleRepository:
    return SampleRepository(engine, MARKET)


def judge(engine: sa.Engine, horizon: int = 24) -> None:
    outcomes = OutcomeRepository(engine, MARKET)
    due = [d for d in outcomes.due(START + 999 * HOUR, 0, 500) if d.horizon == horizon]
    outcomes.add([
        Outcome(d.id, horizon, START + i, BARRIERS[i % 4], i % 2, 0.1, i / 8, 1.0, 0.0)
        for i, d in enumerate(due)
    ])  # fmt: skip


def test_samples_are_what_was_judged_oldest_first(engine, store) -> None:
    made = ideas(6)
    keep(engine, made)
    outcomes = OutcomeRepository(engine, MARKET)
    due = [d for d in outcomes.due(START + 99 * HOUR, 0, 100) if d.horizon == 24]
    outcomes.add([
        unknown_outcome(d, START) if i == 3
        else Outcome(d.id, 24, START + i, BARRIERS[i % 4], i % 2, 0.1, i / 8, 1.0, 0.0)
        for i, d in enumerate(due)
    ])  # fmt: skip
    found = store.samples(24)
    kept = [i for i in range(12) if i != 3]
    assert len(found) == 11
    assert found.known.tolist() == [START + i for i in kept]
    assert found.barrier.tolist() == [i % 4 for i in kept]
    assert found.net.tolist() == [made[i].net for i in kept]
    np.testing.assert_allclose(found.contributions.sum(axis=1), found.net, atol=1e-12)
    assert found.contributions.shape == (11, len(DETECTOR_NAMES))
    assert found.symbols.tolist() == [made[i].symbol for i in kept]
    assert store.samples(24, most=4).known.tolist() == [START + i for i in kept[-4:]]
    assert store.samples(24, since=START + 5 * HOUR).known.tolist() == [START + 10, START + 11]
    assert len(store.samples(24, until=START + HOUR)) == 2
    assert len(store.samples(4)) == 0


def test_a_detector_without_a_contribution_is_not_available(engine, store) -> None:
    keep(engine, [IDEA])
    repository = OutcomeRepository(engine, MARKET)
    first = repository.due(START + 99 * HOUR, 0, 1)[0]
    repository.add([Outcome(first.id, 4, START, "time", 0, 0.0, 0.0, 0.0, 0.0)])
    found = store.samples(4)
    there = {n for n, v in zip(DETECTOR_NAMES, found.contributions[0], strict=True) if v == v}
    assert there == set(IDEA.contributions)


def test_counts_are_by_action_and_all_that_stopped(engine, store) -> None:
    names = [(), ("min_score",), ("min_score",), ("min_score", "direction")]
    keep(engine, [
        IDEA._replace(time=START + i * HOUR, action="filtered" if n else "held", stopped_by=n)
        for i, n in enumerate(names)
    ])  # fmt: skip
    assert store.counts() == {
        ("held", ()): 1, ("filtered", ("min_score",)): 2,
        ("filtered", ("min_score", "direction")): 1,
    }  # fmt: skip
    assert store.counts(START + 2 * HOUR) == {
        ("filtered", ("min_score",)): 1, ("filtered", ("min_score", "direction")): 1
    }  # fmt: skip


def test_stated_is_what_had_a_success_oldest_first(engine, store) -> None:
    made = ideas(5)
    made[3] = made[3]._replace(success=float("nan"))
    made[4] = made[4]._replace(timeframe="4h")
    keep(engine, made)
    judge(engine)
    found = store.stated(24, 0, "1h")
    left = [i for i in range(10) if i not in (3, 4)]
    assert found.success.tolist() == [made[i].success for i in left]
    assert found.time.tolist() == [made[i].time for i in left]
    assert set(found.right.tolist()) == {0.0, 1.0}
    assert store.stated(24, START + 4 * HOUR, "1h").time.tolist() == [START + 4 * HOUR] * 2
    assert store.stated(24, 0, "1h", most=3).time.tolist() == found.time[:3].tolist()
    assert store.stated(4, 0, "1h").time.size == 0


def test_oldest_is_the_first_decision_kept(engine, store) -> None:
    assert store.oldest() is None
    keep(engine, ideas(3))
    keep(engine, [IDEA._replace(time=5)], market="other")
    assert store.oldest() == START


def test_a_database_that_is_gone_says_so(engine, store) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE outcome"))
        connection.execute(sa.text("DROP TABLE candidate"))
    for call in (lambda: store.samples(4), store.counts, store.oldest,
                 lambda: store.stated(4, 0, "1h")):  # fmt: skip
        with pytest.raises(DatabaseError, match="readable"):
            call()
