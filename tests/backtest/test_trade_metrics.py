import math

import numpy as np
import pytest

from opportunity.backtest.trade_metrics import (
    equity_at_entry,
    kelly,
    longest_run,
    measure_trades,
    quality,
)
from opportunity.trading.records import TRADE


def trades_of(pnl, **columns):
    trades = np.zeros(len(pnl), TRADE)
    trades["pnl"], trades["side"], trades["r"] = pnl, 1, np.nan
    for name, values in columns.items():
        trades[name] = values
    return trades


def test_two_trades_by_hand():
    found = measure_trades(trades_of(
        [300.0, -100.0], r=[1.5, -0.5], side=[1, -1], opened=[0, 1_000], closed=[600, 3_000],
        bars=[3, 5], mae=[0.2, 1.0], mfe=[2.0, 0.1],
    ))  # fmt: skip
    assert (found.trades, found.long_trades, found.short_trades) == (2, 1, 1)
    assert (found.wins, found.losses, found.win_rate) == (1, 1, 0.5)
    assert found.profit_factor == 3.0
    assert found.expectancy == 100.0
    assert (found.avg_win, found.avg_loss) == (300.0, -100.0)
    assert (found.largest_win, found.largest_loss) == (300.0, -100.0)
    assert (found.max_consecutive_wins, found.max_consecutive_losses) == (1, 1)
    assert (found.avg_trade_ms, found.avg_trade_bars) == (1_300.0, 4.0)
    assert (found.avg_r, found.best_r, found.worst_r) == (0.5, 1.5, -0.5)
    # Mean 0.5, deviation sqrt(2): sqrt(2) * 0.5 / sqrt(2).
    assert found.sqn == pytest.approx(0.5)
    assert (found.avg_mae, found.avg_mfe) == (0.6, 1.05)
    assert found.kelly == pytest.approx(0.5 - 0.5 / 3)


def test_expectancy_is_what_the_formula_says():
    found = measure_trades(trades_of([5.0, -3.0, 0.0, 7.0, -1.0]))
    assert found.losses == 3  # nothing gained is a loss
    by_formula = found.win_rate * found.avg_win + (1 - found.win_rate) * found.avg_loss
    assert found.expectancy == pytest.approx(by_formula)


def test_no_trades_leave_everything_undefined():
    found = measure_trades(trades_of([]))
    assert (found.trades, found.wins, found.max_consecutive_wins) == (0, 0, 0)
    for name in ("win_rate", "profit_factor", "expectancy", "sqn", "kelly", "avg_trade_ms"):
        assert math.isnan(getattr(found, name)), name


def test_only_wins_have_no_profit_factor():
    found = measure_trades(trades_of([1.0, 2.0]))
    assert math.isnan(found.profit_factor)
    assert math.isnan(found.kelly)
    assert math.isnan(found.largest_loss)
    assert found.win_rate == 1.0


def test_trades_without_a_stop_have_no_r():
    found = measure_trades(trades_of([1.0, -2.0, 3.0], r=[np.nan, -1.0, 2.0]))
    assert found.avg_r == 0.5
    assert math.isnan(measure_trades(trades_of([1.0, -2.0])).sqn)


def test_constant_r_has_no_quality():
    assert math.isnan(quality(3, 3.0, 0.0))
    assert math.isnan(quality(1, 3.0, 1.0))


def test_kelly_of_a_fair_coin_that_pays_double():
    assert kelly(0.5, 2.0, 1.0) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("marks", "wanted"),
    [([], 0), ([0], 0), ([1], 1), ([1, 1, 0, 1, 1, 1], 3), ([0, 1, 1, 0], 2)],
)
def test_longest_run(marks, wanted):
    assert longest_run(np.array(marks, np.bool_)) == wanted


def test_equity_at_entry_is_that_of_the_last_close():
    trades = trades_of([0.0] * 4, opened=[5, 10, 15, 30])
    found = equity_at_entry(trades, np.array([10, 20]), np.array([110.0, 120.0]), 100.0)
    np.testing.assert_array_equal(found, [100.0, 110.0, 110.0, 120.0])


def test_rows_that_are_no_trades_are_refused():
    with pytest.raises(ValueError, match="rows of TRADE"):
        measure_trades(np.zeros(3))
