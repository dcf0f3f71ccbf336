import numpy as np
import pytest

from opportunity.live.told import NOTHING, Told, breaker_events, breaker_rows, events_of
from opportunity.trading.broker import PaperBroker
from opportunity.trading.costs import Sizing
from opportunity.trading.records import (
    BREAKERS,
    CLOSED,
    DAY,
    DECISION,
    DEPTH,
    FILLED,
    HALF_OPEN,
    OPEN,
    PLACED,
    STALENESS,
    STREAK,
)
from opportunity.trading.risk import UNLIMITED
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup
from opportunity.trading.terms import new_account

SETUP = TradeSetup(TradeRecord(stop_atr=2.0), sizing=Sizing.fixed(0.1), risk=UNLIMITED)


def broker() -> PaperBroker:
    return PaperBroker(("A", "B"), SETUP.terms(), 1_000.0)


def batch(one: PaperBroker, time: int, price: float) -> None:
    values = np.tile([price, price + 0.1, price - 0.1, price, 1.0], (2, 1))
    one.batch(np.arange(2), np.full(2, time - 10), time, values)


def enter(one: PaperBroker, time: int) -> None:
    found = np.zeros(2, DECISION)
    found["symbol"], found["side"], found["atr"], found["time"] = [0, 1], 1, 1.0, time
    one.decide(found)


def test_each_row_is_told_once_and_an_order_when_it_becomes_something() -> None:
    one = broker()
    told = Told(one)
    batch(one, 100, 50.0)
    assert told.take(one) is NOTHING
    assert not NOTHING
    enter(one, 100)
    placed = told.take(one)
    assert placed
    assert placed.numbers.tolist() == [0, 1]
    assert (placed.orders["status"] == PLACED).all()
    assert not told.take(one)
    batch(one, 110, 50.0)
    filled = told.take(one)
    assert filled.numbers.tolist() == [0, 1]
    assert (filled.orders["status"] == FILLED).all()
    assert (filled.first_fill, filled.fills.size) == (0, 2)
    batch(one, 120, 20.0)
    stopped = told.take(one)
    assert (stopped.first_fill, stopped.fills.size, stopped.first_trade) == (2, 2, 0)
    assert stopped.trades.size == 2
    assert told.take(one) is NOTHING


def test_restored_broker_has_told_all_but_what_waits() -> None:
    one = broker()
    batch(one, 100, 50.0)
    enter(one, 100)
    other = broker()
    other.restore(one.account, one.tally, one.positions)
    told = Told(other)
    assert not told.take(other)
    batch(other, 110, 50.0)
    assert told.take(other).numbers.tolist() == [0, 1]


def test_events_have_keys_of_their_own_and_plain_bodies() -> None:
    one = broker()
    told = Told(one)
    batch(one, 100, 50.0)
    events = []
    for step in (lambda: enter(one, 100), lambda: batch(one, 110, 50.0),
                 lambda: batch(one, 120, 20.0)):  # fmt: skip
        step()
        events += events_of(told.take(one), "paper:0", {"book": "paper"}, ("A", "B"))
    assert [e.key for e in events] == [
        "paper:0:order:0:placed", "paper:0:order:1:placed", "paper:0:fill:0", "paper:0:fill:1",
        "paper:0:fill:2", "paper:0:fill:3", "paper:0:trade:0", "paper:0:trade:1",
    ]  # fmt: skip
    assert [e.body["symbol"] for e in events] == ["A", "B"] * 4
    assert events[-1].body["pnl"] < 0
    for event in events:
        assert event.body["book"] == "paper"
        assert {type(v) for v in event.body.values()} <= {int, float, str, type(None)}


def test_breakers_are_told_when_they_turn_or_trip_again() -> None:
    account = new_account(1.0)
    before = breaker_rows(account)
    assert breaker_events(before, account, "k", {}, (5, 1, "")) == []
    account["breaker"][0, 1], account["until"][0, 1] = OPEN, 99
    (event,) = breaker_events(before, account, "k", {"book": "b"}, (5, 1, ""))
    assert (event.key, event.time) == (f"k:breaker:{BREAKERS[1]}:1", 5)
    assert event.body == {
        "book": "b", "name": BREAKERS[1], "state": "OPEN", "before": "CLOSED", "until": 99,
        "reason": "equity 0.0 % below its peak",
    }  # fmt: skip
    before = breaker_rows(account)
    account["n_trips"][0, 1] += 1  # half open and open again within one batch
    (again,) = breaker_events(before, account, "k", {}, (6, 2, "x"))
    assert (again.body["before"], again.body["state"]) == ("OPEN", "OPEN")
    assert (CLOSED, HALF_OPEN) == (0, 2)


@pytest.mark.parametrize(("index", "before", "after", "words"), [
    (DAY, CLOSED, OPEN, "lost 5.1 % since midnight UTC"),
    (DAY, OPEN, CLOSED, "a new day (UTC) has begun"),
    (DEPTH, CLOSED, OPEN, "equity 15.2 % below its peak"),
    (DEPTH, HALF_OPEN, OPEN, "open again after the pause: equity 15.2 % below its peak"),
    (STREAK, CLOSED, OPEN, "5 losing trades in a row"),
    (STREAK, OPEN, HALF_OPEN, "the pause is over: one entry at a time, until a trade has won"),
    (STREAK, HALF_OPEN, CLOSED, "the trade after the pause has won"),
    (STREAK, HALF_OPEN, OPEN, "open again after the pause: the trade has not won"),
    (STALENESS, CLOSED, OPEN, "the data is stale"),
    (STALENESS, HALF_OPEN, CLOSED, "news come in time again"),
])  # fmt: skip
def test_a_breaker_says_with_numbers_why_it_turned(index, before, after, words) -> None:
    account = new_account(1_000.0)
    account["day_equity"], account["peak"], account["losses"] = 1_000 / 0.949, 1_000 / 0.848, 5
    account["breaker"][0, index] = before
    rows = breaker_rows(account)
    account["breaker"][0, index] = after
    (event,) = breaker_events(rows, account, "k", {}, (5, 1, ""))
    assert event.body["reason"] == words
