import numpy as np
import pytest

from opportunity.backtest.hold import hold
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.risk import UNLIMITED
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup
from opportunity.trading.terms import new_account, new_positions, new_tally

HOUR = 3_600_000


def held(closes, codes=(), side=1, **rules):
    """Hold one unit bought at 100 through bars; return bar, decision, due and the records."""
    setup = TradeSetup(
        TradeRecord(**({"trail_atr": 0.0, "time_stop": 0, "stop_atr": 10.0} | rules)),
        Costs(0, 0), Sizing(), UNLIMITED, 1_000.0,
    )
    account, tally, positions = new_account(1_000.0), new_tally(1_000.0), new_positions(1)
    position = positions[0]
    position["side"], position["quantity"], position["entry"] = side, 1.0, 100.0
    position["stop"], position["risk"] = 100.0 - 10.0 * side, 10.0
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
