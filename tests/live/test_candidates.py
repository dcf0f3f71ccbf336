import asyncio
from dataclasses import replace

import numpy as np
import pytest
from sessions import WARM, StepFeed, agent_of, live

from opportunity.entries import ENTRY_STOPS, entry_sides, entry_stops, named_stops
from opportunity.live.candidates import Asked, candidates_of, entries_of
from opportunity.storage.candidates import ACTIONS
from opportunity.strategy import ScanRules, evaluate
from opportunity.trading.broker import PaperBroker
from opportunity.trading.records import DECISION, FILLED, FLAGGED, ORDER, PLACED, SIGNAL, STATUSES
from opportunity.trading.risk import RiskRecord
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

EAGER = TradeRecord(min_score=0.5, min_confidence=0.0, min_trust=0.0, max_disagreement=1.0)
ASKED = Asked("1h", EAGER, True, 7)


@pytest.fixture(scope="module")
def evaluation():
    """A ranking in which the first symbol points up, the second down, the third nowhere."""

    async def run():
        feed = StepFeed()
        feed.steps = [feed.batch(b, (0, 1, 2)) for b in range(WARM, WARM + 8)]
        agent = agent_of(feed, None)
        await live(agent, feed.done)
        return agent.snapshot()

    found = evaluate(asyncio.run(run()), None, ScanRules(min_volume_usd=0))
    directions = np.array([1, -1, 0], np.int8)
    return replace(found, consensus=replace(found.consensus, direction=directions))


def decided(evaluation, rules: TradeRecord = EAGER) -> np.ndarray:
    rows = np.zeros(3, DECISION)
    rows["symbol"] = np.arange(3)
    rows["side"] = entry_sides(evaluation.consensus, evaluation.trust, rules)
    rows["atr"], rows["key"] = evaluation.snapshot.atr[:, 1], evaluation.key
    return rows


def test_a_candidate_says_what_was_ranked(evaluation) -> None:
    first, second = candidates_of(evaluation, decided(evaluation), {0: (5, PLACED)}, ASKED)
    together, snapshot = evaluation.consensus, evaluation.snapshot
    assert (first.symbol, second.symbol) == snapshot.symbols[:2]
    assert (first.side, second.side, first.timeframe, first.config) == (1, -1, "1h", 7)
    assert first.time == snapshot.closed[0, snapshot.timeframes.index("1h")]
    for name in ("net", "confidence", "consensus", "disagreement"):
        assert getattr(second, name) == getattr(together, name)[1]
    assert first.score == together.final[0]
    assert first.trust == evaluation.trust[0]
    assert first.price == snapshot.price[0]
    assert first.atr == snapshot.atr[0, snapshot.timeframes.index("1h")]
    assert sum(second.contributions.values()) == pytest.approx(second.net, abs=1e-12)
    assert all(np.isfinite(v) for v in first.contributions.values())


@pytest.mark.parametrize(("order", "action", "stopped"), [
    ((3, PLACED), "entered", ()),
    ((3, FILLED), "entered", ()),
    ((3, FLAGGED), "refused", ("gap",)),
    (None, "held", ()),
])  # fmt: skip
def test_action_is_what_became_of_the_order(evaluation, order, action, stopped) -> None:
    orders = {} if order is None else {0: order}
    made = candidates_of(evaluation, decided(evaluation)[:1], orders, ASKED)[0]
    assert (made.action, made.stopped_by) == (action, stopped)
    assert made.order_number == (None if order is None else 3)
    assert made.action in ACTIONS


def test_rules_that_stop_are_all_named(evaluation) -> None:
    strict = TradeRecord(min_score=1.0, min_confidence=1.0, direction="BEARISH")
    made = candidates_of(evaluation, decided(evaluation, strict), {}, ASKED._replace(rules=strict))
    masks = entry_stops(evaluation.consensus, evaluation.trust, strict)
    assert [c.action for c in made] == ["filtered", "filtered"]
    assert [c.stopped_by for c in made] == [named_stops(int(mask)) for mask in masks[:2]]
    assert {"min_score", "min_confidence", "direction"} <= set(made[0].stopped_by)
    assert "direction" not in made[1].stopped_by


def test_an_agent_that_is_off_says_so_and_what_the_rules_would_have_said(evaluation) -> None:
    strict = TradeRecord(min_score=1.0)
    asked = ASKED._replace(enabled=False)
    rows = decided(evaluation)
    rows["side"] = 0
    eager = candidates_of(evaluation, rows, {}, asked)
    assert [(c.action, c.stopped_by) for c in eager] == [("off", ())] * 2
    barred = candidates_of(evaluation, rows, {}, asked._replace(rules=strict))
    assert all(c.action == "off" and "min_score" in c.stopped_by for c in barred)


def test_nothing_decided_nothing_told(evaluation) -> None:
    assert candidates_of(evaluation, np.empty(0, DECISION), {}, ASKED) == ()
    assert candidates_of(evaluation, decided(evaluation)[2:], {}, ASKED) == ()


def test_entries_are_picked_out_of_the_orders_of_a_decision() -> None:
    orders = np.zeros(3, ORDER)
    orders["symbol"], orders["status"] = [4, 4, 9], [PLACED, PLACED, FLAGGED]
    orders["reason"] = [SIGNAL, 0, 0]
    assert entries_of(np.array([10, 11, 12]), orders) == {4: (11, PLACED), 9: (12, FLAGGED)}


def test_a_broker_that_turns_round_gives_entries_and_refusals(evaluation) -> None:
    """The real broker: one place only, so the better of two is entered and the other refused."""
    setup = TradeSetup(rules=EAGER, risk=RiskRecord(max_positions=1))
    broker = PaperBroker(evaluation.snapshot.symbols, setup.terms(), 10_000.0)
    bars = np.full((3, 5), 100.0)
    broker.batch(np.arange(3), np.zeros(3, np.int64), 3_600_000, bars)
    rows = decided(evaluation)
    rows["key"] = [2.0, 1.0, 0.0]
    broker.decide(rows)
    numbers = np.arange(int(broker.account["n_orders"][0]))
    orders = entries_of(numbers, broker.orders_of(numbers))
    made = candidates_of(evaluation, rows, orders, ASKED)
    assert [c.action for c in made] == ["entered", "refused"]
    assert made[1].stopped_by == ("max_positions",)
    assert made[1].stopped_by[0] in STATUSES
    assert set(ENTRY_STOPS).isdisjoint(STATUSES)
