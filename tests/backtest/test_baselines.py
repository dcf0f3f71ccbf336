import math

import numpy as np
import pytest
from builders import from_ohlc, random_bars

from opportunity.backtest.baselines import baselines_of, buy_and_hold
from opportunity.backtest.batches import batches_of
from opportunity.backtest.engine import backtest
from opportunity.backtest.execution import execute
from opportunity.backtest.prices import Prices
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.records import DECISION
from opportunity.trading.setup import TradeSetup

FREE = Costs(fee=0.0, slippage=0.0)
COSTS = Costs(fee=0.001, slippage=0.002, spread=0.002)  # 0.3 % worse each fill


def flat_at(prices):
    return from_ohlc([[p, p, p, p] for p in prices])


def test_holding_without_costs_is_the_market():
    bars = random_bars(200)
    found = buy_and_hold(Prices.of_bars([bars]), FREE, 1_000.0)
    np.testing.assert_allclose(found.equity, 1_000.0 * bars.close / bars.open[0])
    assert found.metrics.trades == 1
    assert found.metrics.fees == 0.0
    assert found.metrics.exposure == pytest.approx(199 / 200)  # sold at the last close


def test_holding_pays_both_costs_to_the_cent():
    found = buy_and_hold(Prices.of_bars([flat_at([100.0, 150.0, 200.0])]), COSTS, 10_000.0)
    quantity = 10_000.0 / (100.3 * 1.001)
    assert found.equity[0] == pytest.approx(quantity * 100.0)
    assert found.equity[1] == pytest.approx(quantity * 150.0)
    assert found.equity[2] == pytest.approx(quantity * 199.4 * 0.999)
    assert found.metrics.fees == pytest.approx(quantity * (100.3 + 199.4) * 0.001)
    assert found.metrics.slippage == pytest.approx(quantity * (0.3 + 0.6))
    assert found.metrics.net_profit == pytest.approx(found.equity[2] - 10_000.0)
    assert found.metrics.expectancy == pytest.approx(found.metrics.net_profit)
    assert math.isnan(found.metrics.funding)


def test_symbols_share_the_cash_equally_and_late_ones_wait():
    one = flat_at([100.0, 100.0, 100.0, 100.0])
    late = flat_at([10.0, 10.0, 20.0, 40.0])[2:]
    none = flat_at([5.0])[:0]
    found = buy_and_hold(Prices.of_bars([one, late, none]), FREE, 900.0)
    np.testing.assert_allclose(found.equity, [900.0, 900.0, 900.0, 1_200.0])
    assert found.metrics.trades == 2


def test_a_symbol_that_ends_early_keeps_its_last_price():
    ends = flat_at([100.0, 200.0, 1.0])[:2]
    found = buy_and_hold(Prices.of_bars([flat_at([7.0] * 3), ends]), FREE, 200.0)
    np.testing.assert_allclose(found.equity, [200.0, 300.0, 300.0])


def test_holding_is_what_the_engine_does_that_is_told_to_hold():
    bars = random_bars(300)
    table = np.zeros(1, DECISION)
    table["time"], table["side"] = bars.close_time[0], 1
    setup = TradeSetup(costs=COSTS, sizing=Sizing.all_in())
    ran = execute(batches_of([bars], "1h"), table, setup, 1, target_mode=True)
    found = buy_and_hold(Prices.of_bars([bars[1:]]), COSTS, setup.cash)
    np.testing.assert_allclose(found.equity, ran.equity[1:], rtol=1e-12)
    assert found.metrics.fees == pytest.approx(float(ran.account[0]["fees"]))
    assert found.metrics.slippage == pytest.approx(float(ran.account[0]["slippage"]))
    assert found.metrics.turnover == pytest.approx(
        float(ran.account[0]["turnover"]) / ran.equity[1:].mean()
    )


def test_nothing_to_hold_is_refused():
    with pytest.raises(ValueError, match="bars and cash"):
        buy_and_hold(Prices.of_bars([flat_at([1.0])[:0]]), FREE, 100.0)
    with pytest.raises(ValueError, match="bars and cash"):
        buy_and_hold(Prices.of_bars([flat_at([1.0])]), FREE, 0.0)


def test_baselines_of_a_result_pay_its_costs_on_its_bars():
    bars = random_bars(400)
    signal = np.where(np.arange(400) % 40 < 15, 1, 0)
    result = backtest(bars, signal=signal, costs=COSTS, cash=5_000.0)
    found = baselines_of(result, n_draws=50, seed=3)
    np.testing.assert_array_equal(found.holding.time, result.time)
    wanted = buy_and_hold(Prices.of_bars(result.bars), COSTS, 5_000.0)
    np.testing.assert_array_equal(found.holding.equity, wanted.equity)
    assert found.random.run == pytest.approx(result.metrics.total_return, abs=0.02)
    assert 0.0 <= found.random.beaten <= 1.0
