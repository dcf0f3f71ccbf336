import math

import pytest
import sqlalchemy as sa
from ideas import HOUR, IDEA, MARKET, START, ideas, keep

from opportunity.scoring.aftermath import HORIZONS
from opportunity.storage.database import DatabaseError
from opportunity.storage.outcomes import UNKNOWN, Outcome, OutcomeRepository, unknown_outcome
from opportunity.storage.trading_tables import candidate, outcome

FAR = START + 1_000 * HOUR


@pytest.fixture
def store(engine: sa.Engine) -> OutcomeRepository:
    return OutcomeRepository(engine, MARKET)


def made(due, **values) -> Outcome:
    return Outcome(due.id, due.horizon, due.time + HOUR, "up", 1, 0.01, 0.5, 0.7, -0.1)._replace(
        **values
    )


def test_each_horizon_is_due_when_it_is_over(engine, store) -> None:
    keep(engine, [IDEA])
    for horizon in HORIZONS:
        before, after = START + horizon * HOUR - 1, START + horizon * HOUR
        assert horizon not in [d.horizon for d in store.due(before, 0, 10)]
        assert [d.horizon for d in store.due(after, 0, 10)] == [h for h in HORIZONS if h <= horizon]


def test_what_is_judged_is_not_due_again_and_stays_as_it_was(engine, store) -> None:
    keep(engine, [IDEA])
    due = store.due(FAR, 0, 10)
    store.add([made(due[0])])
    assert [d.horizon for d in store.due(FAR, 0, 10)] == list(HORIZONS[1:])
    store.add([made(due[0], barrier="down", right=0), made(due[1])])
    first, second = store.of([due[0].id])[due[0].id]
    assert first == made(due[0])
    assert second.horizon == HORIZONS[1]


def test_pages_of_what_is_due_hold_whole_candidates(engine, store) -> None:
    keep(engine, ideas(7))
    seen, after = [], (-1, -1)
    while page := store.due(FAR, 0, 4, after):
        assert len({d.id for d in page}) <= 4
        assert len(page) == len(HORIZONS) * len({d.id for d in page})
        seen += [(d.id, d.horizon) for d in page]
        after = page[-1].time, page[-1].id
    assert len(seen) == len(set(seen)) == 14 * len(HORIZONS)
    assert {d.time for d in store.due(FAR, START + 5 * HOUR, 100)} == {
        START + 5 * HOUR, START + 6 * HOUR
    }


def test_only_this_market_and_this_book(engine, store) -> None:
    keep(engine, [IDEA], market="binance")
    keep(engine, [IDEA], book="shadow:x")
    assert store.due(FAR, 0, 10) == []
    assert store.tally().n_candidates == 0


def test_what_cannot_be_judged_is_counted_apart(engine, store) -> None:
    keep(engine, [IDEA._replace(atr=math.nan), IDEA._replace(symbol="X/USDT")])
    one, *_, other = store.due(FAR, 0, 10)
    assert math.isnan(one.atr)
    assert other.atr == 2.0
    store.add([unknown_outcome(one, FAR), made(other)])
    tally = store.tally()
    assert tally.n_candidates == 2
    assert (tally.unknown[one.horizon], tally.judged[other.horizon]) == (1, 1)
    assert store.of([one.id])[one.id][0][3:] == (UNKNOWN, -1, 0.0, 0.0, 0.0, 0.0)


def test_an_outcome_goes_with_its_candidate(engine, store) -> None:
    keep(engine, [IDEA])
    due = store.due(FAR, 0, 10)
    store.add([made(d) for d in due])
    with engine.begin() as connection:
        connection.execute(sa.delete(candidate))
        assert connection.execute(sa.select(outcome)).all() == []
    store.add([made(d) for d in due])  # judged while its candidate was pruned: no error, no row
    assert store.of([due[0].id]) == {}


def test_a_database_that_is_gone_says_so(engine, store) -> None:
    keep(engine, [IDEA])
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE outcome"))
    for call in (lambda: store.due(FAR, 0, 1), store.tally, lambda: store.of([1])):
        with pytest.raises(DatabaseError, match="readable"):
            call()
    with pytest.raises(DatabaseError, match="kept"):
        store.add([Outcome(1, 4, 0, "up", 1, 0.0, 0.0, 0.0, 0.0)])
