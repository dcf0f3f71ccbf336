from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportunity.backtest.hold import hold
from opportunity.market.timeframe import DAY_MS
from opportunity.trading.account import note_equity
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import HALF_OPEN, OPEN
from opportunity.trading.risk import UNLIMITED, RiskRecord
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup
from opportunity.trading.terms import new_account, new_positions, new_tally

HOUR = 3_600_000


def held(closes, codes=(), side=1, risk=UNLIMITED, **rules):
    """Hold one unit bought at 100 through bars; return bar, decision, due and the records."""
    setup = TradeSetup(
        TradeRecord(**({"trail_atr": 0.0, "time_stop": 0, "stop_atr": 10.0} | rules)),
        Costs(0, 0), Sizing.fixed(0.1), risk, 1_000.0,
    )
    account, tally, positions = new_account(1_000.0), new_tally(1_000.0), new_positions(1)
    position = positions[0]
    position["side"], position["quantity"], position["entry"] = side, 1.0, 100.0
    position["stop"], position["risk"] = 100.0 - 10.0 * side, 10.0
    if setup.rules.stop_atr == 0:
        position["stop"] = position["risk"] = np.nan
    position["high"] = position["low"] = position["mark"] = 100.0
    account["cash"] = 1_000.0 - 100.0 * side
    n = len(closes)
    values = np.repeat(np.asarray(closes, np.float64)[:, None], 5, axis=1)
    curve, gross = np.full((2, n), np.nan)
    time = HOUR * np.arange(1, n + 1)
    at = np.arange(len(codes))
    found = hold(
        account[0], position, setup.terms()[0], tally[0], (time, time - HOUR, values, curve, gross),
        (at, np.array(codes, np.int8), np.full(at.size, 2.0)), 0, 0, at.size, n - 1,
    )
    return found, position, account[0], tally[0], curve


@pytest.mark.parametrize(
    ("closes", "side", "bar"),
    [
        ([101, 95, 91, 90, 99], 1, 3), ([101, 108, 110, 99], 1, 2), ([101, 109, 92], 1, 3),
        ([99, 105, 109, 110], -1, 3), ([99, 91, 90], -1, 2),
    ],
)
def test_it_stops_before_the_bar_that_reaches_a_price(closes, side, bar):
    (b, _, due), position, account, tally, curve = held(closes, side=side)
    assert (b, due) == (bar, False)
    assert tally["n"] == bar == tally["held"]
    assert position["mark"] == closes[bar - 1]
    assert account["equity"] == 1_000.0 + side * (closes[bar - 1] - 100.0)
    np.testing.assert_array_equal(
        curve[:bar], 1_000.0 + side * (np.array(closes[:bar]) - 100.0)
    )
    assert np.isnan(curve[bar:]).all()


@pytest.mark.parametrize(
    ("codes", "rules", "bar"),
    [
        ([1, 0, -1, 0], {}, 2), ([1, 0, 2, 0], {}, 2), ([1, 0, -1, 0], {"opposite": False}, None),
        ([0, 0, 0, 0], {"time_stop": 3}, 2), ([0, 0, 0, 0], {"time_stop": 5}, None),
    ],
)  # fmt: skip
def test_it_stops_at_the_decision_that_is_due(codes, rules, bar):
    (b, d, due), position, _, tally, _ = held([101, 102, 103, 104], codes, **rules)
    if bar is None:
        assert (b, d, due) == (4, 4, False)
        assert position["bars"] == tally["n"] == 4
    else:
        assert (b, d, due) == (bar, bar, True)
        assert position["bars"] == bar
        assert tally["n"] == bar + 1


def test_stop_trails_from_the_next_bar_on():
    (b, _, _), position, *_ = held([105, 104, 99, 98.9, 98], [0] * 5, trail_atr=3.0)
    assert position["stop"] == 99.0
    assert b == 2


def test_sums_tell_of_depth_and_length():
    _, _, account, tally, _ = held([98, 95, 97, 101, 100, 102])
    assert tally["drawdown"] == 1.0 - 995.0 / 1_000.0
    assert tally["longest"] == 3
    assert (tally["peak"], tally["under"]) == (1_002.0, 0)
    assert account["peak"] == 1_002.0
    changes = np.diff([1_000.0, 998, 995, 997, 1_001, 1_000, 1_002]) / np.array(
        [1_000.0, 998, 995, 997, 1_001, 1_000]
    )
    assert tally["total"] == pytest.approx(changes.sum(), rel=1e-9)
    assert tally["downside"] == pytest.approx((changes[changes < 0] ** 2).sum(), rel=1e-9)


TRIPS = RiskRecord(
    max_daily_loss=0.01, max_drawdown=0.015, max_losses=0, cooldown_h=3.0, max_position=100.0
)


def step_by_step(closes, risk):
    """The same bars by the function that marks one at a time."""
    account, tally = new_account(1_000.0), new_tally(1_000.0)
    account["cash"] = 900.0
    terms = TradeSetup(TradeRecord(), Costs(0, 0), Sizing(), risk, 1_000.0).terms()[0]
    for i, close in enumerate(closes):
        note_equity(account[0], terms, tally[0], 900.0 + close, True, HOUR * (i + 1))
    return account, tally


@given(
    st.lists(st.sampled_from([-6.0, -1.0, -0.5, 0.5, 1.0, 5.0]), min_size=1, max_size=80),
    st.sampled_from([0.002, 0.01, 1.0]), st.sampled_from([0.003, 0.02, 1.0]),
    st.sampled_from([0.0, 1.0, 9.0, 40.0]),
)  # fmt: skip
@settings(deadline=None)
def test_breakers_trip_inside_as_they_do_bar_by_bar(steps, daily, depth, cooldown):
    """Trips, days that begin and cool-downs that end, all while something is held."""
    closes = np.maximum(100.0 + np.cumsum(steps), 50.0)
    risk = replace(TRIPS, max_daily_loss=daily, max_drawdown=depth, cooldown_h=cooldown)
    found, _, account, tally, _ = held(closes, stop_atr=0.0, risk=risk)
    assert found[0] == len(closes)
    slow, sums = step_by_step(closes, risk)
    for name in ("equity", "peak", "day", "day_equity", "breaker", "until", "tripped", "n_trips"):
        np.testing.assert_array_equal(account[name], slow[name][0], name)
    assert tally.tobytes() == sums[0].tobytes()


def test_a_trip_is_that_of_its_bar():
    closes = [99, 98, 95, 80, 79, 78, 90, 91]
    _, _, account, _, _ = held(closes, stop_atr=0.0, risk=TRIPS)
    assert account["tripped"].tolist() == [4 * HOUR, 4 * HOUR, 0, 0]
    assert account["breaker"].tolist() == [OPEN, HALF_OPEN, 0, 0]  # from 7:00 on
    assert account["peak"] == 991.0
    assert account["until"].tolist() == [DAY_MS, 0, 0, 0]
