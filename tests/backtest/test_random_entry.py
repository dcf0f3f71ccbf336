import math

import numpy as np
import pytest
from builders import HOUR, from_ohlc, random_bars

from opportunity.backtest.prices import Prices
from opportunity.backtest.random_entry import Traded, random_entries
from opportunity.trading.costs import Costs
from opportunity.trading.records import TRADE

FREE = Costs(fee=0.0, slippage=0.0)
COSTS = Costs(fee=0.001, slippage=0.002, spread=0.002)  # 0.3 % worse each fill


def flat_at(prices):
    return from_ohlc([[p, p, p, p] for p in prices])


def traded_of(bars, rows, side=1, size=0.5, costs=FREE):
    """A run that held from the open of each first bar to the close of each last one."""
    trades = np.zeros(len(rows), TRADE)
    cash = 1_000.0
    equity = np.full(len(bars), cash)
    for trade, (first, last) in zip(trades, rows, strict=True):
        entry = bars.open[first] * (1 + side * costs.slip)
        left = bars.close[last] * (1 - side * costs.slip)
        trade["side"], trade["entry"], trade["exit"] = side, entry, left
        trade["quantity"] = cash * size / entry
        fees = costs.fee * trade["quantity"] * (entry + left)
        trade["pnl"] = trade["quantity"] * side * (left - entry) - fees
        trade["opened"], trade["closed"] = bars.time[first], bars.time[last] + HOUR
        cash += trade["pnl"]
        equity[last:] = cash
    return Traded(trades, bars.close_time, equity, 1_000.0)


@pytest.mark.parametrize("side", [1, -1])
def test_a_draw_without_freedom_is_the_run_itself(side):
    """One trade over all bars can only be put where it was: costs and sizes must agree."""
    bars = random_bars(50)
    traded = traded_of(bars, [(0, 49)], side, 0.8, COSTS)
    found = random_entries(Prices.of_bars([bars]), traded, COSTS, 20)
    np.testing.assert_allclose(found.returns, found.run, rtol=1e-9)
    assert found.run == pytest.approx(traded.equity[-1] / 1_000.0 - 1.0)


def test_costs_are_the_only_thing_random_entries_find_in_a_flat_market():
    bars = flat_at([100.0] * 300)
    traded = traded_of(bars, [(10, 19), (50, 59), (100, 100)], 1, 0.5, COSTS)
    found = random_entries(Prices.of_bars([bars]), traded, COSTS, 50, seed=4)
    np.testing.assert_allclose(found.returns, found.run, rtol=1e-9)
    assert found.run < 0.0
    assert 0.0 <= found.beaten <= 1.0


def test_a_draw_holds_as_many_bars_as_the_run_did():
    """Where every bar closes 1 % above its open, what a trade gains tells how long it was."""
    closes = 1.01 ** np.arange(1, 81)
    bars = from_ohlc(np.stack([closes / 1.01, closes, closes / 1.01, closes], axis=1))
    traded = traded_of(bars, [(10, 12), (30, 30)], size=1.0)
    found = random_entries(Prices.of_bars([bars]), traded, FREE, 30)
    np.testing.assert_allclose(found.returns, 1.01**4 - 1.0)


def test_foresight_beats_random_entries_and_its_opposite_does_not():
    bars = random_bars(1_000)
    gains = np.array([bars.close[i + 9] / bars.open[i] for i in range(0, 1_000, 10)])
    best, worst = (np.sort(np.argsort(s * gains)[-20:]) * 10 for s in (1, -1))
    prices = Prices.of_bars([bars])
    for picked, wanted in ((best, 1.0), (worst, 0.0)):
        traded = traded_of(bars, [(i, i + 9) for i in picked])
        assert random_entries(prices, traded, FREE, 500).beaten == wanted


def test_random_runs_are_beaten_about_half_of_the_time():
    bars = random_bars(600)
    prices, rng = Prices.of_bars([bars]), np.random.default_rng(6)
    shares = []
    for seed in range(60):
        starts = np.sort(rng.choice(np.arange(0, 595, 5), 12, replace=False))
        traded = traded_of(bars, [(i, i + 4) for i in starts])
        shares.append(random_entries(prices, traded, FREE, 200, seed).beaten)
    assert np.mean(shares) == pytest.approx(0.5, abs=0.12)
    assert 0.2 < np.std(shares) < 0.37  # spread evenly: 0.29


def test_the_same_seed_draws_the_same_entries():
    bars = random_bars(100)
    traded = traded_of(bars, [(3, 9), (20, 22)])
    prices = Prices.of_bars([bars])
    one, same, other = (random_entries(prices, traded, FREE, 30, s).returns for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_each_symbol_is_entered_on_its_own_bars():
    rising = flat_at(100.0 * 1.01 ** np.arange(60))
    flat = flat_at([50.0] * 60)
    traded = traded_of(flat, [(5, 9), (30, 34)])
    traded.trades["symbol"] = 1
    found = random_entries(Prices.of_bars([rising, flat]), traded, FREE, 40)
    np.testing.assert_allclose(found.returns, 0.0, atol=1e-12)


def test_no_trades_cannot_be_compared():
    bars = random_bars(30)
    found = random_entries(Prices.of_bars([bars]), traded_of(bars, []), FREE, 5)
    assert (found.returns == 0.0).all()
    assert math.isnan(found.beaten)
    with pytest.raises(ValueError, match="n_draws must be >= 1"):
        random_entries(Prices.of_bars([bars]), traded_of(bars, []), FREE, 0)
