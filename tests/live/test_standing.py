import math

import numpy as np
import pytest

from opportunity.live.account import Account, Decided
from opportunity.live.standing import Setting, state_of
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import DECISION, DEPTH, HALF_OPEN, OPEN, STALENESS
from opportunity.trading.risk import UNLIMITED
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

SETUP = TradeSetup(
    TradeRecord(stop_atr=2.0, targets_r=(1.0, 3.0), shares=(0.5, 0.5)), Costs(0.001, 0.0),
    Sizing.fixed(0.2), UNLIMITED, 1_000.0,
)  # fmt: skip


def batch(one: Account, time: int, *prices: float) -> None:
    values = np.array([[p, p + 0.01, p - 0.01, p, 1.0] for p in prices])
    rows = np.arange(len(prices))
    one.take_batch(rows, np.full(rows.size, time - 10), time, values, time)
    one.settle(Decided.none())


@pytest.fixture
def one() -> Account:
    made = Account(("A", "B", "C"), SETUP, "1h", source="simulated")
    made.begin(10)
    batch(made, 20, 100.0, 50.0, 10.0)
    found = np.zeros(2, DECISION)
    found["symbol"], found["side"], found["atr"], found["time"] = [0, 1], [1, -1], 5.0, 20
    made.broker.decide(found)
    made.settle(Decided.none())
    return made


def test_orders_that_wait_are_shown_before_positions(one) -> None:
    state = state_of(one, Setting())
    assert state.positions == ()
    assert [(o.number, o.symbol, o.side, o.reason) for o in state.waiting] == [
        (0, "A", 1, "ENTRY"), (1, "B", -1, "ENTRY"),
    ]  # fmt: skip
    assert math.isnan(state.waiting[0].limit)
    assert (state.begun, state.start_cash, state.source) == (10, 1_000.0, "simulated")


def test_money_adds_up(one) -> None:
    batch(one, 30, 100.0, 50.0, 10.0)
    batch(one, 40, 105.0, 51.0, 10.0)
    state = state_of(one, Setting())
    a, b = state.positions
    assert (a.symbol, a.side, b.symbol, b.side) == ("A", 1, "B", -1)
    assert a.targets == (a.entry + 10.0, a.entry + 30.0)
    assert (a.targets_reached, a.stop) == (0, a.entry - 10.0)
    assert a.pnl == pytest.approx(a.quantity * 5.0 - 0.001 * a.quantity * 100.0)
    assert a.pnl_r == pytest.approx(a.pnl / (10.0 * a.quantity))
    assert b.pnl < 0
    signed = sum(line.side * line.notional for line in state.positions)
    assert state.equity == pytest.approx(state.cash + signed)
    assert state.equity - state.start_cash == pytest.approx(a.pnl + b.pnl)
    assert state.gross == pytest.approx(a.notional + b.notional)
    assert state.leverage == pytest.approx(state.gross / state.equity)
    assert state.exposure == pytest.approx(signed / state.equity)
    assert state.drawdown == pytest.approx(1 - state.equity / state.peak)
    assert state.day_pnl == pytest.approx(state.equity - 1_000.0)
    assert state.can_trade
    assert (state.why_not, state.storage) == ("", "ok")


def test_exit_that_waits_is_shown_at_its_position(one) -> None:
    batch(one, 30, 100.0, 50.0, 10.0)
    one.broker.leave(np.array([0]), 30)
    state = state_of(one, Setting())
    assert [p.leaving for p in state.positions] == ["MANUAL", ""]
    assert [(o.symbol, o.side, o.reason) for o in state.waiting] == [("A", -1, "MANUAL")]


def test_breakers_say_until_when_and_forbid(one) -> None:
    account = one.broker.account
    account["breaker"][0, DEPTH], account["until"][0, DEPTH] = OPEN, 86_400_000
    state = state_of(one, Setting())
    assert state.breakers[DEPTH].text == "no entries until 1970-01-02 00:00 UTC"
    assert (state.can_trade, state.why_not) == (False, "breaker open: drawdown")
    account["breaker"][0, DEPTH] = HALF_OPEN
    state = state_of(one, Setting())
    assert state.can_trade
    assert "one entry" in state.breakers[DEPTH].text
    account["breaker"][0, STALENESS] = OPEN
    assert state_of(one, Setting(stale="old")).breakers[STALENESS].text == "old"


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        (Setting(enabled=False), "the agent is off"),
        (Setting(storage="no room"), "storage: no room"),
        (Setting(halted="gone", storage="x"), "gone"),
    ],
)
def test_what_forbids_entries_is_said(one, setting, why) -> None:
    state = state_of(one, setting)
    assert (state.can_trade, state.why_not) == (False, why)
    assert state.storage == (setting.storage or "ok")
