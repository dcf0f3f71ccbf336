"""Signals with rules: entries by hand, and what is left of a signal under them."""

from dataclasses import replace

import numpy as np
import pytest
from builders import random_bars
from trading_cases import FREE, PLAIN, THIRDS, bars_of

import opportunity as op
from opportunity.backtest.engine import backtest
from opportunity.backtest.given import given_of, sides_of
from opportunity.trading.costs import Sizing
from opportunity.trading.rules import TradeRecord

CALM = (100, 101, 99, 100)  # a range of 2: so is its ATR 14
ENTRY_AT = 19


def run(rows, rules, side=1, **options):
    """Calm bars, an entry at the close of the last of them, then `rows`."""
    bars = bars_of([CALM] * (ENTRY_AT + 1) + list(rows))
    signal = np.zeros(len(bars))
    signal[ENTRY_AT] = side
    return backtest(bars, signal=signal, rules=rules, costs=FREE, **options)


def fills(result):
    frame = result.fills_frame()
    return list(zip(frame["reason"], frame["quantity"].round(9), frame["price"], strict=True))


def test_a_signal_with_rules_enters_and_the_stop_leaves():
    """ATR 2, stop half of it below the open of 100, 1 % of 10,000 at risk: 100 units, capped."""
    rules = replace(PLAIN, stop_atr=0.5)
    found = run([CALM, (100, 100.5, 98, 98)], rules, risk=op.RiskLimits(max_position=10))
    (trade,) = found.trades
    assert (trade["entry"], trade["exit"], trade["quantity"]) == (100.0, 99.0, 100.0)
    assert trade["r"] == pytest.approx(-1.0)
    assert found.equity[-1] == pytest.approx(9_900.0)
    capped = run([CALM, (100, 100.5, 98, 98)], rules)
    assert capped.trades["quantity"][0] == pytest.approx(30.0)  # 0.3 of the equity, as for scores


def test_targets_are_those_of_the_rules():
    rows = [(100, 100.4, 99.6, 100), (100, 107, 100, 106)]
    found = run(rows, THIRDS, sizing=Sizing.notional(300))
    assert fills(found) == [
        ("ENTRY", 3.0, 100.0), ("TP", 1.0, 102.0), ("TP", 1.0, 104.0), ("TP", 1.0, 106.0),
    ]  # fmt: skip


def test_a_short_entry_is_the_mirror():
    found = run([CALM, (100, 102, 99.5, 101)], replace(PLAIN, stop_atr=0.5), side=-1)
    assert found.trades["exit"].tolist() == [101.0]


def test_zero_is_no_exit_and_time_stop_and_opposite_are_the_rules():
    held = run([CALM] * 5, replace(PLAIN, stop_atr=5.0))
    assert held.fills_frame()["reason"].tolist() == ["ENTRY", "END_OF_TEST"]
    timed = run([CALM] * 5, replace(PLAIN, stop_atr=5.0, time_stop=2))
    assert timed.fills_frame()["reason"].tolist() == ["ENTRY", "TIME"]
    bars = bars_of([CALM] * 30)
    signal = np.zeros(30)
    signal[[20, 25]] = 1, -1
    turned = backtest(bars, signal=signal, rules=replace(PLAIN, stop_atr=5.0, opposite=True))
    assert turned.trades["side"].tolist() == [1, -1]
    kept = backtest(bars, signal=signal, rules=replace(PLAIN, stop_atr=5.0))
    assert kept.trades["side"].tolist() == [1]


def test_a_limit_waits_where_the_rules_say():
    rules = replace(PLAIN, fill="limit", limit_atr=0.25)
    found = run([(100, 100.5, 99.4, 100), CALM], rules)
    assert found.trades["entry"].tolist() == [99.5]


def test_a_direction_lets_one_side_through():
    bars = bars_of([CALM] * 30)
    for direction, sides in (("BULLISH", [1]), ("BEARISH", [-1])):
        signal = np.zeros(30)
        signal[[20, 25]] = 1, -1
        rules = replace(PLAIN, stop_atr=5.0, opposite=True, direction=direction)
        assert backtest(bars, signal=signal, rules=rules).trades["side"].tolist() == sides


def test_no_entry_before_the_range_is_known_nor_after_a_gap():
    bars = bars_of([CALM] * 40)
    early = backtest(bars, signal=np.eye(40)[5], rules=PLAIN)
    assert early.refused() == {"too small": 1}
    keep = np.delete(np.arange(40), 29)
    torn = replace(bars, time=bars.time[keep], values=bars.values[keep])
    late = backtest(torn, signal=np.eye(39)[29], rules=PLAIN)
    assert late.refused() == {"gap": 1}


def test_bars_before_the_span_give_the_range():
    bars = bars_of([CALM] * 40)
    found = backtest(bars, signal=np.eye(40)[22], rules=PLAIN, start=int(bars.time[20]))
    assert len(found) == 20
    assert len(found.trades) == 1


def test_symbols_have_their_own_ranges():
    calm, wild = bars_of([CALM] * 30), bars_of([(100, 102, 98, 100)] * 30, "B/USDT")
    signal = {"A/USDT": np.eye(30)[20], "B/USDT": np.eye(30)[20]}
    found = backtest([wild, calm], signal=signal, rules=PLAIN, costs=FREE)
    assert found.orders["distance"].tolist() == [2.0, 4.0]


def test_rules_make_another_run_of_the_same_signal():
    bars = random_bars(300)
    signal = np.where(np.arange(300) % 50 == 30, 1, 0)
    free = {"sizing": Sizing.fixed(0.1), "risk": op.RiskLimits()}
    entered = backtest(bars, signal=signal, rules=op.TradeRules(), **free)
    held = backtest(bars, signal=signal, **free)
    assert entered.capsule.signal != held.capsule.signal
    again = backtest(bars, signal=signal, rules=op.TradeRules(), **free)
    again.capsule.require(entered.capsule)
    tight = backtest(bars, signal=signal, rules=op.TradeRules(stop_atr=0.5), **free)
    assert tight.equity[-1] != entered.equity[-1]


def test_the_future_changes_no_entry():
    bars = random_bars(300)
    signal = np.where(np.arange(300) % 25 == 20, 1, 0)
    whole, part = (backtest(b, signal=signal[: len(b)], rules=TradeRecord())
                   for b in (bars, bars[:200]))  # fmt: skip
    np.testing.assert_array_equal(whole.equity[:199], part.equity[:199])


def test_rows_of_sides_to_hold_know_no_range():
    bars = [bars_of([CALM] * 20)]
    (rows,) = given_of(bars, sides_of(bars, [1] * 20), None)
    assert np.isnan(rows["atr"]).all()
    assert not rows["flagged"].any()
    assert rows["side"].tolist() == [1] * 20
