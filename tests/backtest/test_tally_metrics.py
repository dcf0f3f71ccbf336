import math

import numpy as np
import pytest
from builders import random_bars

from opportunity.backtest.batches import batches_of
from opportunity.backtest.curve_metrics import annual_factor, years_of
from opportunity.backtest.execution import execute
from opportunity.backtest.metrics import Run, measure, metrics_of_tallies, metrics_of_tally
from opportunity.trading.account import note_equity
from opportunity.trading.records import ACCOUNT, DECISION, TALLY, TRADE
from opportunity.trading.risk import UNLIMITED
from opportunity.trading.setup import TradeSetup

HOUR = 3_600_000
CASH = 10_000.0


def tally_of(time, equity, held, trades):
    """Let the engine's own kernel add the bars, and add the trades as it does."""
    account, tally = np.zeros(1, ACCOUNT), np.zeros(1, TALLY)
    account["equity"] = account["peak"] = CASH
    tally["peak"] = tally["trough"] = CASH
    terms = TradeSetup().terms()[0]
    for t, value, marked in zip(time, equity, held, strict=True):
        note_equity(account[0], terms, tally[0], value, marked, t)
    won, r = trades["pnl"] > 0, trades["r"][np.isfinite(trades["r"])]
    tally["n_trades"], tally["wins"] = trades.size, won.sum()
    tally["gains"], tally["pains"] = trades["pnl"][won].sum(), -trades["pnl"][~won].sum()
    tally["r"], tally["r_squares"], tally["n_r"] = r.sum(), (r * r).sum(), r.size
    return tally[0]


def random_run(seed, n=3_000, n_trades=40):
    rng = np.random.default_rng(seed)
    time = HOUR * np.arange(1, n + 1) + 1_600_000_000_000 // HOUR * HOUR
    held = rng.random(n) < 0.4
    equity = CASH * np.cumprod(1 + np.where(held, rng.standard_normal(n) * 0.004, 0.0))
    trades = np.zeros(n_trades, TRADE)
    trades["pnl"], trades["side"] = rng.standard_normal(n_trades) * 50, 1
    trades["r"] = trades["pnl"] / 40
    trades["r"][:3] = np.nan
    return time, equity, held, trades


@pytest.mark.parametrize("seed", range(5))
def test_running_sums_give_what_the_curve_gives(seed):
    time, equity, held, trades = random_run(seed)
    whole = measure(Run(time, equity, CASH, held, trades))
    tally = tally_of(time, equity, held, trades)
    found = metrics_of_tally(tally, CASH, equity[-1], annual_factor(time))
    assert len(found) > 20
    for name, value in found.items():
        assert value == pytest.approx(getattr(whole, name), rel=1e-9, abs=1e-9), name


@pytest.mark.parametrize("seed", range(3))
def test_a_run_of_the_engine_gives_both_alike(seed):
    bars = random_bars(2_000, seed)
    rng = np.random.default_rng(seed)
    table = np.zeros(2_000, DECISION)
    table["batch"], table["time"] = np.arange(2_000), bars.close_time
    table["side"] = rng.choice([-1, 0, 0, 0, 1], 2_000)
    table["atr"], table["key"], table["confidence"], table["volume"] = 20.0, 1.0, 0.5, np.nan
    batches = batches_of([bars], "1h")
    ran = execute(batches, table, TradeSetup(risk=UNLIMITED), 1)
    assert ran.trades.size > 20
    run = Run(batches.time, ran.equity, CASH, ran.held, ran.trades, ran.account[0])
    whole = measure(run)
    found = metrics_of_tally(ran.tally[0], CASH, ran.equity[-1], annual_factor(batches.time))
    for name, value in found.items():
        assert value == pytest.approx(getattr(whole, name), rel=1e-9, abs=1e-9, nan_ok=True), name
    assert whole.fees == pytest.approx(ran.trades["fees"].sum())
    assert whole.net_profit == pytest.approx(ran.trades["pnl"].sum())


def test_years_with_a_hole_are_given():
    time, equity, held, trades = random_run(1)
    time = time + np.where(np.arange(time.size) > 100, 500 * HOUR, 0)
    whole = measure(Run(time, equity, CASH, held, trades))
    tally = tally_of(time, equity, held, trades)
    found = metrics_of_tally(tally, CASH, equity[-1], annual_factor(time), years_of(time))
    assert found["cagr"] == pytest.approx(whole.cagr, rel=1e-9)
    assert found["calmar"] == pytest.approx(whole.calmar, rel=1e-9)


def test_many_at_once_equal_one_by_one():
    rows, final = np.zeros(6, TALLY), np.zeros(6)
    for i in range(5):  # the sixth run has not a single bar
        time, equity, held, trades = random_run(i, 200, i)
        rows[i], final[i] = tally_of(time, equity, held, trades), equity[-1]
    final[5] = CASH
    found = metrics_of_tallies(rows, CASH, final, 8_766.0)
    for i in range(6):
        one = metrics_of_tally(rows[i], CASH, final[i], 8_766.0)
        for name, values in found.items():
            np.testing.assert_array_equal(values[i], one[name], err_msg=name)
    assert math.isnan(found["sharpe"][5])
    assert math.isnan(found["win_rate"][0])  # no trades


def test_constant_growth_is_undefined_here_too():
    time, _, held, trades = random_run(0, 500, 0)
    equity = CASH * 1.0001 ** np.arange(1, 501)
    found = metrics_of_tally(tally_of(time, equity, held, trades), CASH, equity[-1], 8_766.0)
    assert math.isnan(found["sharpe"])
    assert math.isnan(found["sortino"])
    assert math.isnan(found["calmar"])
    assert found["max_drawdown"] == 0.0


def test_ruin_is_the_loss_of_all():
    time, _, held, trades = random_run(0, 3, 0)
    equity = np.array([CASH, CASH / 2, 0.0])
    found = metrics_of_tally(tally_of(time, equity, held[:3], trades), CASH, 0.0, 8_766.0)
    assert (found["cagr"], found["max_drawdown"], found["total_return"]) == (-1.0, 1.0, -1.0)


def test_wrong_arguments_are_refused():
    rows = np.zeros(2, TALLY)
    with pytest.raises(ValueError, match="rows of TALLY"):
        metrics_of_tallies(np.zeros(2), CASH, np.ones(2), 1.0)
    with pytest.raises(ValueError, match="equity must be of shape"):
        metrics_of_tallies(rows, CASH, np.ones(3), 1.0)
    with pytest.raises(ValueError, match="cash must be > 0"):
        metrics_of_tallies(rows, 0.0, np.ones(2), 1.0)
