import math

import pytest
import sqlalchemy as sa
from ideas import HOUR, IDEA, MARKET, START, ideas, keep

from opportunity.storage.database import DatabaseError
from opportunity.storage.decisions import Chosen, DecisionRepository
from opportunity.storage.outcomes import Outcome, OutcomeRepository
from opportunity.storage.trading_tables import paper_order


@pytest.fixture
def store(engine: sa.Engine) -> DecisionRepository:
    return DecisionRepository(engine, MARKET)


def test_a_decision_comes_back_as_it_was(engine, store) -> None:
    idea = IDEA._replace(success=math.nan, stopped_by=("min_score",), action="filtered")
    keep(engine, [idea])
    (found,) = store.read().decisions
    assert found.candidate._replace(success=0.0) == idea._replace(success=0.0)
    assert math.isnan(found.candidate.success)
    assert (found.order_status, found.outcomes) == (None, ())


def test_pages_join_newest_first(engine, store) -> None:
    keep(engine, ideas(10))
    seen, after = [], None
    while True:
        page = store.read(limit=3, after=after)
        seen += [(d.candidate.time, d.id) for d in page.decisions]
        after = page.after
        if after is None:
            break
        keep(engine, [IDEA._replace(time=START + 99 * HOUR + len(seen))])
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 20


def test_chosen_by_everything(engine, store) -> None:
    keep(engine, [
        IDEA,
        IDEA._replace(time=START + HOUR, action="filtered", stopped_by=("min_score", "direction")),
        IDEA._replace(time=START + HOUR, symbol="X/USDT", action="refused", stopped_by=("gap",)),
        IDEA._replace(time=START + 2 * HOUR, action="refused", stopped_by=("too small",)),
    ])  # fmt: skip

    def times(**chosen) -> list[int]:
        page = store.read(Chosen(**chosen)).decisions
        return [(d.candidate.time - START) // HOUR for d in page]

    assert times() == [2, 1, 1, 0]
    assert times(symbol="X/USDT") == [1]
    assert times(action="refused") == [2, 1]
    assert times(stopped_by="direction") == [1]
    assert times(stopped_by="too small") == [2]
    assert times(stopped_by="min") == times(stopped_by="%") == times(stopped_by="min_scor_") == []
    assert times(since=START + HOUR, until=START + 2 * HOUR) == [1, 1]


def test_what_became_of_its_order_and_its_outcomes_come_along(engine, store) -> None:
    keep(engine, [IDEA._replace(order_number=4)], epoch=2)
    row = {c.name: 0 for c in paper_order.c} | {
        "book": "paper", "epoch": 2, "number": 4, "symbol": "BTC/USDT", "reason": "ENTRY",
        "status": "filled", "size_by": "risk",
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(sa.insert(paper_order), [row, row | {"epoch": 1, "status": "placed"}])
    (found,) = store.read().decisions
    assert found.order_status == "filled"
    told = [Outcome(found.id, h, START, "up", 1, 0.1, 1.0, 2.0, 0.0) for h in (12, 4)]
    OutcomeRepository(engine, MARKET).add(told)
    assert store.read().decisions[0].outcomes == (told[1], told[0])


def test_bad_arguments_and_a_database_that_is_gone(engine, store) -> None:
    with pytest.raises(ValueError, match="Did you mean 'entered'"):
        store.read(Chosen(action="enterd"))
    for limit in (0, 501):
        with pytest.raises(ValueError, match="limit"):
            store.read(limit=limit)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE outcome"))
        connection.execute(sa.text("DROP TABLE candidate"))
    with pytest.raises(DatabaseError, match="readable"):
        store.read()


def test_chosen_by_side_outcome_and_what_was_not_traded(engine, store) -> None:
    keep(engine, [
        IDEA, IDEA._replace(time=START + HOUR, side=-1, action="filtered"),
        IDEA._replace(time=START + 2 * HOUR, action="off"),
        IDEA._replace(time=START + 3 * HOUR, action="held"),
    ])  # fmt: skip
    ids = [d.id for d in reversed(store.read().decisions)]
    numbers = (0.01, 1.0, 2.0, -1.0)
    OutcomeRepository(engine, MARKET).add([
        Outcome(ids[0], 24, START, "up", 1, *numbers),
        Outcome(ids[1], 24, START, "up", 0, *numbers),
        Outcome(ids[1], 4, START, "down", 1, *numbers),
        Outcome(ids[2], 24, START, "unknown", -1, 0.0, 0.0, 0.0, 0.0),
    ])  # fmt: skip

    def places(**chosen) -> list[int]:
        return [ids.index(d.id) for d in store.read(Chosen(**chosen)).decisions]

    assert places(side=-1) == [1]
    assert places(side=1) == [3, 2, 0]
    assert places(untraded=True) == [3, 2, 1]
    assert places(outcome="right") == [0]
    assert places(outcome="wrong") == [1]
    assert places(outcome="open") == [3, 2]
    assert places(outcome="right", horizon=4) == [1]
    assert places(outcome="open", side=1, untraded=True) == [3, 2]
    with pytest.raises(ValueError, match="right"):
        store.read(Chosen(outcome="rigth"))
