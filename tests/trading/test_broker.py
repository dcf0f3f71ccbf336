from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trading_cases import (
    HOUR,
    MIDNIGHT,
    THIRDS,
    ByHand,
    bars_of,
    decided,
    driven,
    prices,
    setup_of,
    setups,
    statuses,
    world,
)

from opportunity.backtest.batches import batches_of
from opportunity.backtest.execution import execute
from opportunity.trading.broker import PaperBroker
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import (
    CLOSED,
    DAY,
    DEPTH,
    END,
    HALF_OPEN,
    OPEN,
    STALENESS,
    STREAK,
)
from opportunity.trading.risk import UNLIMITED

CALM = [100.0, 101.0, 99.0, 100.0, 1.0]


def one(broker, rows, b=0):
    broker.batch(
        np.array([0]), np.array([MIDNIGHT + b * HOUR]), MIDNIGHT + (b + 1) * HOUR, np.array([rows])
    )


def test_a_trade_bar_by_bar():
    setup = setup_of(THIRDS)
    broker = PaperBroker(["A/USDT"], setup.terms(), 10_000.0)
    bars = bars_of([CALM[:4]] * 4)
    table = decided(batches_of([bars], "1h"), (0, 1))
    one(broker, CALM)
    broker.decide(table)
    assert statuses(broker) == ["placed"]
    assert broker.fills.size == 0
    one(broker, CALM, 1)
    assert statuses(broker) == ["filled"]
    assert broker.positions["stop"][0] == 90.0
    one(broker, [100.0, 111.0, 99.0, 110.0, 1.0], 2)
    assert prices(broker)[1] == ("TP", -1, pytest.approx(10 / 3), 110.0)
    assert broker.equity == pytest.approx(10_100)
    assert broker.trades.size == 0
    one(broker, [85.0, 86.0, 84.0, 85.0, 1.0], 3)
    assert broker.trades["pnl"][0] == pytest.approx(10 / 3 * 10 - 20 / 3 * 15)
    assert broker.equity == broker.account["cash"][0] == pytest.approx(10_000 + 100 / 3 - 100)


def test_what_it_hands_out_is_a_copy():
    broker = PaperBroker(["A/USDT"], setup_of().terms(), 10_000.0)
    bars = bars_of([CALM[:4]])
    one(broker, CALM)
    broker.decide(decided(batches_of([bars], "1h"), (0, 1)))
    broker.orders["status"] = 5
    assert statuses(broker) == ["placed"]


def test_what_is_new_is_handed_out_without_the_rest():
    broker = PaperBroker(["A/USDT"], setup_of(sizing=Sizing.fixed(0.5)).terms(), 10_000.0)
    batches = batches_of([bars_of([CALM[:4]] * 5)], "1h")
    for b in range(5):
        one(broker, [100.0, 101.0, 85.0, 100.0, 1.0], b)
        broker.decide(decided(batches, (b, 1)))
    for first in (0, 2, 4, 9):
        assert broker.fills_since(first).tobytes() == broker.fills[first:].tobytes()
        assert broker.trades_since(first).tobytes() == broker.trades[first:].tobytes()
    places = np.array([0, 3])
    assert broker.orders_of(places).tobytes() == broker.orders[places].tobytes()
    for rows in (broker.fills_since(0), broker.trades_since(0), broker.orders_of(places)):
        rows["symbol"] = 7
    assert not broker.fills["symbol"].any()
    assert not broker.trades["symbol"].any()
    assert not broker.orders["symbol"].any()


def test_there_is_always_room_for_more_rows():
    n = 500
    broker = PaperBroker(["A/USDT"], setup_of(sizing=Sizing.fixed(0.5)).terms(), 10_000.0)
    bars = bars_of([CALM[:4]] * n)
    batches = batches_of([bars], "1h")
    for b in range(n):
        one(broker, [100.0, 101.0, 85.0, 100.0, 1.0], b)  # every entry is stopped
        broker.decide(decided(batches, (b, 1)))
    assert (broker.orders.size, broker.trades.size, broker.fills.size) == (n, n - 1, 2 * n - 2)
    assert (np.diff(broker.fills["time"]) >= 0).all()
    assert (broker.trades["number"] == np.arange(n - 1)).all()


def test_terms_may_change_between_batches():
    setup = setup_of()
    broker = PaperBroker(["A/USDT"], setup.terms(), 10_000.0)
    batches = batches_of([bars_of([CALM[:4]] * 3)], "1h")
    one(broker, CALM)
    broker.decide(decided(batches, (0, 1)))
    broker.terms = setup_of(costs=Costs(0.01, 0.0)).terms()
    one(broker, CALM, 1)
    assert broker.fills["fee"].tolist() == [10.0]


def test_cash_must_be_there():
    with pytest.raises(ValueError, match="cash must be finite and > 0, was 0"):
        PaperBroker(["A/USDT"], setup_of().terms(), 0)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), setups(), st.integers(1, 4))
def test_batch_by_batch_is_the_backtest(seed, setup, symbols):
    bars, batches, table = world(seed, 80, symbols)
    ran = execute(batches, table, setup, symbols)
    broker = PaperBroker([b.symbol for b in bars], setup.terms(), setup.cash)
    for b in range(len(batches) - 1):
        a, z = int(batches.first[b]), int(batches.first[b + 1])
        broker.batch(
            batches.symbol[a:z], batches.open_time[a:z], int(batches.time[b]), batches.values[a:z]
        )
        assert broker.equity == ran.equity[b]
        broker.decide(table[table["batch"] == b])
    whole = driven(batches, table, setup, broker.symbols)
    ended = ran.fills["reason"] == END
    assert whole.fills.tobytes() == ran.fills[~ended].tobytes()
    assert whole.orders.tobytes() == ran.orders.tobytes()
    assert whole.trades.tobytes() == ran.trades[ran.trades["reason"] != END].tobytes()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), setups(), st.integers(1, 4))
def test_no_money_is_made_or_lost_on_the_way(seed, setup, symbols):
    """A ledger of its own, from the fills alone, finds the equity of every close."""
    bars, batches, table = world(seed, 80, symbols)
    broker = PaperBroker([b.symbol for b in bars], setup.terms(), setup.cash)
    cash, units, marks, seen = setup.cash, np.zeros(symbols), np.zeros(symbols), 0
    for b in range(len(batches) - 1):
        rows = slice(int(batches.first[b]), int(batches.first[b + 1]))
        broker.batch(
            batches.symbol[rows], batches.open_time[rows], int(batches.time[b]),
            batches.values[rows],
        )
        for f in broker.fills[seen:]:
            cash -= f["side"] * f["quantity"] * f["price"] + f["fee"]
            units[f["symbol"]] += f["side"] * f["quantity"]
        seen = broker.fills.size
        marks[batches.symbol[rows]] = batches.values[rows, 3]
        assert broker.equity == pytest.approx(cash + units @ marks, rel=1e-9, abs=1e-6)
        broker.decide(table[table["batch"] == b])
        held = broker.positions["side"] != 0
        wanted = broker.positions["wanted"] != 0
        assert broker.account["n_open"][0] == held.sum() + wanted.sum()
        assert (broker.positions["quantity"] >= 0).all()
    last = broker.fills[seen:]  # at the last close
    np.add.at(units, last["symbol"], last["side"] * last["quantity"])
    np.testing.assert_allclose(broker.positions["quantity"], np.abs(units), atol=1e-9)



def test_restored_records_are_copies_and_must_fit():
    broker, other = (PaperBroker(["A/USDT"], setup_of().terms(), c) for c in (10_000.0, 5.0))
    one(broker, CALM)
    other.restore(broker.account, broker.tally, broker.positions)
    assert other.equity == 10_000.0
    other.account["cash"], other.positions["mark"] = 1.0, 1.0
    assert (broker.account["cash"][0], broker.positions["mark"][0]) == (10_000.0, 100.0)
    with pytest.raises(ValueError, match=r"positions must be \(1,\) of its record, was \(2,\)"):
        other.restore(broker.account, broker.tally, np.repeat(broker.positions, 2))
    with pytest.raises(ValueError, match=r"tally must be \(1,\) of its record"):
        other.restore(broker.account, broker.account, broker.positions)


def test_what_was_told_can_be_let_go():
    broker = PaperBroker(["A/USDT"], setup_of(sizing=Sizing.fixed(0.5)).terms(), 10_000.0)
    batches = batches_of([bars_of([CALM[:4]] * 5)], "1h")
    for b in range(5):
        one(broker, [100.0, 101.0, 85.0, 100.0, 1.0], b)
        broker.decide(decided(batches, (b, 1)))
    newest, last = broker.fills_since(6), broker.orders_of(np.array([4]))
    broker.trim(5, 6, 4)
    assert broker.orders.tobytes() == last.tobytes()  # it waits still
    assert broker.fills.tobytes() == newest.tobytes()
    assert broker.trades.size == 0
    one(broker, CALM, 5)
    assert broker.orders_of(np.array([4]))["status"][0] == 1
    assert broker.fills_since(8).size == 1


def test_stale_data_refuses_until_it_is_told_otherwise():
    desk = ByHand(UNLIMITED)
    desk.broker.set_stale(OPEN, MIDNIGHT + HOUR)
    assert desk.ask() == "stale_data"
    assert desk.field("tripped", STALENESS) == MIDNIGHT + HOUR
    assert desk.field("n_trips", STALENESS) == 1
    desk.broker.set_stale(OPEN, MIDNIGHT + 2 * HOUR)
    assert desk.field("n_trips", STALENESS) == 1
    desk.broker.set_stale(HALF_OPEN, MIDNIGHT + 3 * HOUR)
    desk.trade((85, 86, 84, 85))
    assert desk.state(STALENESS) == HALF_OPEN  # a trade tells nothing of the feed
    assert desk.ask() == "placed"
    desk.broker.set_stale(CLOSED, MIDNIGHT + 5 * HOUR)
    assert desk.state(STALENESS) == CLOSED
    with pytest.raises(ValueError, match=r"state must be one of 0..2, was 3"):
        desk.broker.set_stale(3, 0)


@pytest.mark.parametrize(
    ("index", "limit"),
    [(DAY, {"max_daily_loss": 0.01}), (DEPTH, {"max_drawdown": 0.01}), (STREAK, {"max_losses": 1})],
)
def test_a_breaker_that_is_reset_counts_anew(index, limit):
    desk = ByHand(replace(UNLIMITED, cooldown_h=99.0, **limit))
    desk.trade((85, 86, 84, 85))
    assert desk.state(index) == OPEN
    desk.broker.reset_breaker(index, MIDNIGHT + 3 * HOUR)
    assert (desk.state(index), desk.field("until", index)) == (CLOSED, 0)
    assert desk.ask() == "placed"  # and the mark of that bar has not tripped it again
    with pytest.raises(ValueError, match=r"breaker must be one of 0..3, was 4"):
        desk.broker.reset_breaker(4, 0)
    with pytest.raises(ValueError, match="time must be >= 0 ms, was -1"):
        desk.broker.reset_breaker(0, -1)
