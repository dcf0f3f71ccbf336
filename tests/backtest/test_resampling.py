import numpy as np
import pytest
from builders import from_ohlc, random_bars

from opportunity.backtest.engine import backtest
from opportunity.backtest.resampling import (
    METHODS,
    bars_block_length,
    draw_trades,
    resample_bars,
    resample_markets,
)
from opportunity.market.quality import require_valid

FRACTIONS = np.array([0.05, -0.03, 0.02, -0.06, 0.08, 0.01, -0.02])


def test_shuffled_trades_end_alike_on_different_ways():
    found = draw_trades(FRACTIONS, 1_000.0, 500, method="shuffle")
    np.testing.assert_allclose(found.final, 1_000.0 * np.prod(1 + FRACTIONS))
    assert found.drawdown.min() == pytest.approx(0.06)  # no order avoids the worst trade
    assert found.drawdown.max() == pytest.approx(1 - 0.97 * 0.94 * 0.98)  # all losses in a row
    assert found.low[0] == found.middle[0] == found.high[0] == 1_000.0
    assert found.at[-1] == FRACTIONS.size


def test_bootstrapped_trades_spread_as_theory_says():
    fractions = np.random.default_rng(5).standard_normal(400) * 0.01 + 0.001
    found = draw_trades(fractions, 1.0, 4_000, seed=1)
    logs = np.log1p(fractions)
    drawn = np.log(found.final)
    assert drawn.mean() == pytest.approx(logs.sum(), abs=4 * logs.std() * np.sqrt(400 / 4_000))
    assert drawn.std() == pytest.approx(logs.std() * np.sqrt(400), rel=0.05)
    low, high = found.bounds()["final"]
    assert np.mean((found.final >= low) & (found.final <= high)) == pytest.approx(0.95, abs=0.01)
    assert (found.low <= found.middle).all()
    assert (found.middle <= found.high).all()
    assert found.at.size == 101


def test_a_draw_by_hand():
    found = draw_trades(np.array([-0.5]), 100.0, 3)
    np.testing.assert_array_equal(found.final, 50.0)
    np.testing.assert_array_equal(found.drawdown, 0.5)
    np.testing.assert_array_equal(found.at, [0, 1])


def test_what_is_lost_stays_lost():
    found = draw_trades(np.array([-1.2, 0.5]), 100.0, 50, method="shuffle")
    np.testing.assert_array_equal(found.final, 0.0)
    np.testing.assert_array_equal(found.drawdown, 1.0)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_draws_the_same_trades(method):
    one, same, other = (draw_trades(FRACTIONS, 1.0, 40, s, method).drawdown for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@pytest.mark.parametrize(
    "given",
    [{"fractions": np.ones(0)}, {"n_draws": 0}, {"cash": 0.0}, {"method": "shuffel"}],
)
def test_trades_that_cannot_be_drawn_are_refused(given):
    with pytest.raises(ValueError, match="must be"):
        draw_trades(**({"fractions": FRACTIONS, "cash": 1.0} | given))


@pytest.mark.parametrize("kind", ["stationary", "moving"])
def test_another_path_is_made_of_the_same_bars(kind):
    bars = random_bars(500)
    found = resample_bars(bars, 3, 20, kind)
    require_valid(found)
    np.testing.assert_array_equal(found.time, bars.time)
    assert (found.timeframe, found.symbol) == (bars.timeframe, bars.symbol)
    assert found.source == "simulated (resampled from simulated)"
    assert np.isin(found.volume, bars.volume).all()
    shape, shapes = found.high / found.low, bars.high / bars.low
    assert np.abs(shape[:, None] - shapes).min(axis=1).max() < 1e-12
    # Steps from close to close are those of the bars, but for the first of all.
    step = found.close[1:] / found.close[:-1]
    steps = np.append(bars.close[1:] / bars.close[:-1], bars.close[0] / bars.open[0])
    assert np.abs(step[:, None] - steps).min(axis=1).max() < 1e-12
    assert (found.close != bars.close).any()


def test_another_path_can_be_traded_and_says_that_it_is_not_real():
    result = backtest(resample_bars(random_bars(200)), signal=np.ones(200))
    assert result.source == "simulated (resampled from simulated)"
    assert result.metrics.trades == 1


def test_blocks_keep_neighbours_together():
    bars = random_bars(2_000)
    volume = resample_bars(bars.label(), 1, 50, "moving").volume
    tagged = bars.values.copy()
    tagged[:, 4] = np.arange(2_000)
    places = resample_bars(type(bars)(bars.time, tagged, "1h"), 1, 50, "moving").volume
    np.testing.assert_array_equal(volume, bars.volume[places.astype(int)])
    assert np.mean(np.diff(places) == 1) == pytest.approx(1 - 1 / 50, abs=0.005)


def test_the_whole_circle_as_one_block_is_the_market_turned():
    bars = random_bars(64)
    found = resample_bars(bars, 2, 64, "moving")
    turn = int(np.flatnonzero(bars.volume == found.volume[0])[0])
    np.testing.assert_array_equal(found.volume, np.roll(bars.volume, -turn))
    assert found.close[-1] == pytest.approx(bars.close[-1])  # the product of all steps


def test_the_same_seed_draws_the_same_path():
    bars = random_bars(300)
    one, same, other = (resample_bars(bars, seed).values for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_symbols_keep_their_moments_in_common():
    one = random_bars(400, 1)
    double = from_ohlc(one.values[:, :4] * 2)
    found = resample_markets([one, double], 5)
    np.testing.assert_array_equal(found[1].values[:, :4], found[0].values[:, :4] * 2)


def test_volatility_that_lasts_asks_for_longer_blocks():
    calm = random_bars(3_000, tick=2.0**-10)
    shuffled = np.random.default_rng(1).permutation(np.diff(np.log(calm.close)))
    close = np.exp(np.concatenate([[0.0], np.cumsum(shuffled)])) * 4_096
    mixed = from_ohlc(np.stack([close] * 4, axis=1))
    assert bars_block_length(calm) > 2 * bars_block_length(mixed)
    assert bars_block_length(calm[:2]) == 1


@pytest.mark.parametrize(
    "markets",
    [
        [], [random_bars(1)], [random_bars(9), random_bars(10)[1:]],
        [from_ohlc([[1, 1, 0, 1], [1, 1, 1, 1]])],
    ],
)  # fmt: skip
def test_markets_that_cannot_be_drawn_are_refused(markets):
    with pytest.raises(ValueError, match="must"):
        resample_markets(markets)
