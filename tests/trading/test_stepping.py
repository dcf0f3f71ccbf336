"""What somebody does by hand, between batches."""

from dataclasses import replace

import numpy as np
import pytest
from builders import HOUR
from trading_cases import FREE, MIDNIGHT, PLAIN, prices, setup_of, statuses

from opportunity.trading.broker import PaperBroker
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import DECISION, GONE, MANUAL, REASONS

CALM = [100.0, 101.0, 99.0, 100.0, 1.0]
UP = [107.0, 108.0, 106.0, 107.0, 1.0]


def broker_of(rules=PLAIN, n=2, costs=FREE):
    setup = setup_of(rules, sizing=Sizing.fixed(0.2), costs=costs)
    return PaperBroker([f"{'ABCD'[i]}/USDT" for i in range(n)], setup.terms(), setup.cash)


def feed(broker, hour, *rows, symbols=None):
    at = np.arange(len(rows)) if symbols is None else np.array(symbols)
    time = MIDNIGHT + hour * HOUR
    broker.batch(at, np.full(at.size, time), time + HOUR, np.array(rows))
    return time + HOUR


def ask(broker, time, **sides):
    rows = np.zeros(len(sides), DECISION)
    rows["symbol"], rows["side"] = ["ABCD".index(name) for name in sides], [*sides.values()]
    rows["time"], rows["atr"], rows["volume"], rows["confidence"] = time, 10.0, np.nan, np.nan
    broker.decide(rows)


@pytest.mark.parametrize("fill", ["open", "close"])
def test_what_is_held_is_left_at_its_next_open(fill):
    broker = broker_of(replace(PLAIN, fill=fill))
    ask(broker, feed(broker, 0, CALM, CALM), A=1, B=-1)
    time = feed(broker, 1, CALM, CALM)
    numbers = broker.leave(np.array([0, 1]), time)
    assert numbers.tolist() == [2, 3]
    orders = broker.orders_of(numbers)
    assert orders["reason"].tolist() == [MANUAL, MANUAL]
    assert orders["side"].tolist() == [-1, 1]
    assert (orders["time"] == time).all()
    assert np.isnan(orders["confidence"]).all()
    feed(broker, 2, UP, UP)
    assert [(p[0], p[3]) for p in prices(broker)[2:]] == [("MANUAL", 107.0), ("MANUAL", 107.0)]
    assert statuses(broker) == ["filled"] * 4
    assert broker.trades["pnl"].tolist() == pytest.approx([140.0, -140.0])
    assert broker.account["n_open"][0] == 0


def test_who_holds_nothing_leaves_nothing_and_who_waits_is_withdrawn():
    broker = broker_of(n=3)
    time = feed(broker, 0, CALM, CALM, CALM)
    ask(broker, time, A=1)
    assert broker.leave(np.arange(3), time).size == 0
    assert statuses(broker) == ["expired"]
    assert broker.account["n_open"][0] == 0
    feed(broker, 1, CALM, CALM, CALM)
    assert broker.fills.size == 0


def test_an_exit_that_waits_is_not_ordered_twice():
    broker = broker_of(replace(PLAIN, opposite=True))
    ask(broker, feed(broker, 0, CALM, CALM), A=1)
    time = feed(broker, 1, CALM, CALM)
    ask(broker, time, A=-1)  # turns round
    assert broker.leave(np.array([0]), time).tolist() == [1]
    assert statuses(broker) == ["filled", "placed", "expired"]
    feed(broker, 2, UP, UP)
    assert [p[0] for p in prices(broker)] == ["ENTRY", "SIGNAL"]
    again = broker.leave(np.array([0]), time)
    assert again.size == 0


def test_a_symbol_that_is_forgotten_is_closed_at_its_last_mark():
    broker = broker_of(costs=Costs(0.001, 0.0))
    ask(broker, feed(broker, 0, CALM, CALM), A=1)
    feed(broker, 1, CALM, CALM)
    time = feed(broker, 2, UP, CALM)
    ask(broker, time, B=1)
    broker.forget(0, time + 5)
    broker.forget(1, time + 5)
    assert REASONS[broker.trades["reason"][0]] == "GONE"
    last = broker.fills[-1]
    assert (last["price"], last["time"], last["reason"]) == (107.0, time + 5, GONE)
    assert statuses(broker) == ["filled", "expired"]
    assert broker.account["n_open"][0] == 0
    assert broker.account["cash"][0] == pytest.approx(10_140 - 2.0 - 2.14)
    feed(broker, 3, UP, UP)
    assert broker.equity == broker.account["cash"][0]


def test_an_exit_of_a_symbol_that_is_forgotten_waits_no_longer():
    broker = broker_of()
    ask(broker, feed(broker, 0, CALM, CALM), A=1)
    time = feed(broker, 1, CALM, CALM)
    number = broker.leave(np.array([0]), time)
    broker.forget(0, time)
    assert statuses(broker) == ["filled", "expired"]
    assert number.tolist() == [1]
    feed(broker, 2, UP, UP)
    assert broker.fills.size == 2


def test_another_reason_can_be_told():
    broker = broker_of()
    ask(broker, feed(broker, 0, CALM, CALM), A=1)
    time = feed(broker, 1, CALM, CALM)
    broker.leave(np.array([0]), time, GONE)
    feed(broker, 2, UP, symbols=[0])
    assert prices(broker)[-1][0] == "GONE"
