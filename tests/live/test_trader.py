from dataclasses import replace

import numpy as np
import pytest
from sessions import WARM, StepFeed, agent_of, live

from opportunity.feeds.base import Closed
from opportunity.live.config import AgentConfig
from opportunity.live.trader import Judged, PaperTrading, Trader, decision_of
from opportunity.scoring.weights import Weights
from opportunity.strategy import ScanRules, evaluate
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import PLACED
from opportunity.trading.risk import RiskRecord
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

FRAMES = ("15m", "1h", "4h")
EAGER = TradeRecord(min_score=0.5, min_confidence=0.0, min_trust=0.0, max_disagreement=1.0)
HOUR = 3_600_000


@pytest.fixture(scope="module")
def seen():
    """A snapshot of an agent that has lived through some hours."""
    import asyncio

    async def run():
        feed = StepFeed()
        feed.steps = [feed.batch(b, (0, 1, 2)) for b in range(WARM, WARM + 8)]
        agent = agent_of(feed, None)
        await live(agent, feed.done)
        return agent.snapshot()

    return asyncio.run(run())


def config(setup: TradeSetup, enabled: bool = True) -> AgentConfig:
    rules = ScanRules(min_volume_usd=0).record()
    return AgentConfig(1, enabled, 60_000, Weights().as_array(), rules, setup)


def judged(snapshot, closed: int, setup: TradeSetup, enabled: bool = True) -> Judged:
    """Rank a snapshot in which the hour closed `closed` hours later."""
    moved = snapshot.closed.copy()
    moved[:, 1] += closed * HOUR
    told = config(setup, enabled)
    found = evaluate(replace(snapshot, closed=moved), told.weights, told.rules)
    return Judged(found, told, None)


def event(snapshot, price: float = 100.0) -> Closed:
    opened = snapshot.time - 900_000
    values = np.array([[price, price + 1, price - 1, price, 5.0]] * 3)
    rows = np.arange(3)
    return Closed(snapshot.time, rows, np.full(3, opened), values, np.zeros(3, bool))


def trader(snapshot, setup: TradeSetup) -> Trader:
    made = Trader(snapshot.symbols, FRAMES, "1h", setup)
    made.start(snapshot.closed)
    return made


def test_decides_only_where_the_decision_bar_closed(seen) -> None:
    setup = TradeSetup(rules=EAGER)
    one = trader(seen, setup)
    nothing = one.follow(event(seen), 0, seen.time, judged(seen, 0, setup))
    assert nothing.rows.size == 0
    decided = one.follow(event(seen), 1, seen.time, judged(seen, 1, setup))
    assert decided.rows["symbol"].tolist() == [0, 1, 2]
    assert (decided.rows["batch"] == 1).all()
    assert (decided.rows["time"] == seen.time).all()
    again = one.follow(event(seen), 2, seen.time, judged(seen, 1, setup))
    assert again.rows.size == 0


def test_decision_says_what_was_ranked(seen) -> None:
    setup = TradeSetup(rules=EAGER)
    given = judged(seen, 1, setup)
    decided = trader(seen, setup).follow(event(seen), 0, seen.time, given)
    together = given.evaluation.consensus
    np.testing.assert_array_equal(decided.rows["score"], together.final)
    np.testing.assert_array_equal(decided.rows["key"], given.evaluation.key)
    np.testing.assert_array_equal(decided.rows["atr"], seen.atr[:, 1])
    np.testing.assert_array_equal(decided.rows["flagged"], seen.flagged[:, 1])
    np.testing.assert_array_equal(decided.rows["side"], together.direction)
    np.testing.assert_array_equal(decided.said[:, 1], together.net)
    np.testing.assert_array_equal(decided.said[:, 5], given.evaluation.trust)


def test_batch_without_a_ranking_is_only_traded(seen) -> None:
    one = trader(seen, TradeSetup(rules=EAGER))
    assert one.follow(event(seen, 123.0), 0, seen.time, None).rows.size == 0
    assert (one.broker.positions["mark"] == 123.0).all()


@pytest.fixture
def wanted(monkeypatch) -> None:
    """Everything may be entered."""
    sides = np.array([1, -1, 1])
    monkeypatch.setattr("opportunity.live.trader.entry_sides", lambda *_: sides)


def test_off_enters_nothing_but_stays_in_what_it_holds(seen, wanted) -> None:
    setup = TradeSetup(rules=EAGER)
    one = trader(seen, setup)
    first = one.follow(event(seen), 0, seen.time, judged(seen, 1, setup))
    held = np.count_nonzero(first.fresh.orders["status"] == PLACED)
    assert held > 0
    one.follow(event(seen), 1, seen.time + HOUR, judged(seen, 2, setup, enabled=False))
    assert np.count_nonzero(one.broker.positions["side"]) == held
    assert one.broker.account["n_orders"][0] == held
    late = trader(seen, setup)
    off = late.follow(event(seen), 0, seen.time, judged(seen, 1, setup, enabled=False))
    assert off.rows.size == 3
    assert not off.rows["side"].any()
    assert late.broker.account["n_orders"][0] == 0


def test_changed_setup_trades_from_the_next_batch_on(seen, wanted) -> None:
    setup = TradeSetup(rules=EAGER)
    other = replace(setup, rules=replace(EAGER, stop_atr=4.0))
    one = trader(seen, setup)
    orders = one.follow(event(seen), 0, seen.time, judged(seen, 1, other)).fresh.orders
    assert orders.size == 3
    asked = orders["distance"] / seen.atr[orders["symbol"], 1]
    np.testing.assert_allclose(asked, EAGER.stop_atr)
    assert one.broker.terms["stop_atr"][0] == 4.0


@pytest.mark.parametrize(
    ("frames", "wanted", "found"),
    [(FRAMES, "1h", "1h"), (("4h", "15m"), "1h", "4h"), (("5m", "15m"), "1h", "15m")],
)
def test_decision_timeframe_is_one_that_is_scored(frames, wanted, found) -> None:
    assert decision_of(frames, wanted) == found


def test_paper_trading_begins_with_the_values_of_a_setup() -> None:
    setup = TradeSetup(
        replace(EAGER, targets_r=(1.0, 2.0), shares=(0.5, 0.25)), Costs(fee=0.001),
        Sizing.fixed(0.2), RiskRecord(max_positions=2), 500.0,
    )  # fmt: skip
    paper = PaperTrading.of(setup)
    assert paper.setup() == setup
    paper.rules.time_stop = 3
    assert paper.setup().rules.time_stop == 3


def test_rules_that_do_not_fit_the_sizing_are_refused() -> None:
    paper = PaperTrading()
    paper.rules.stop_atr = 0.0
    with pytest.raises(ValueError, match="by risk"):
        paper.setup()
