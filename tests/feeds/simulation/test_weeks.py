import numpy as np
import pytest

from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.feeds.simulation.randomness import key_of
from opportunity.feeds.simulation.weeks import (
    HOURS,
    MARKET_START,
    SEASON,
    WEEKDAY,
    bridge,
    grow_coin,
    grow_factor,
)
from opportunity.market.timeframe import WEEK_MS, on_grid

KEY = key_of(7, "FACTOR")


def factor(n: int) -> tuple[np.ndarray, ...]:
    return (np.zeros(n + 1), np.zeros(n, np.int64), *(np.zeros((n, HOURS)) for _ in range(3)))


def test_market_starts_on_a_monday_and_seasons_are_means_of_one():
    assert on_grid(np.array([MARKET_START]), "1w").all()
    assert SEASON.mean() == pytest.approx(1, abs=0.01)
    assert WEEKDAY.mean() == pytest.approx(1, abs=0.02)


def test_bridge_ends_where_it_must():
    out, variance = np.empty(HOURS), np.linspace(1, 3, HOURS) * 1e-4
    bridge(KEY, 3, variance, 0.123, out)
    assert out.sum() == pytest.approx(0.123, abs=1e-12)
    assert 0.5 < (out**2).sum() / variance.sum() < 2


def test_growing_in_two_steps_equals_growing_at_once():
    whole, part = factor(60), factor(60)
    grow_factor(KEY, 0, *whole)
    first = tuple(a[: 26 if i == 0 else 25].copy() for i, a in enumerate(part))
    grow_factor(KEY, 0, *first)
    for a, b in zip(part, first, strict=True):
        a[: len(b)] = b
    grow_factor(KEY, 25, *part)
    for a, b in zip(whole, part, strict=True):
        np.testing.assert_array_equal(a, b)
    coin = SimulatedMarket(3).coins[2]
    one, two = np.zeros(61), np.zeros(61)
    grow_coin(coin, 0, whole[2], one)
    grow_coin(coin, 0, whole[2][:25], two[:26])
    grow_coin(coin, 25, whole[2], two)
    np.testing.assert_array_equal(one, two)


def test_weeks_end_at_their_level_and_regimes_last():
    level, regime, _, variance, path = factor(1500)
    grow_factor(KEY, 0, level, regime, _, variance, path)
    np.testing.assert_array_equal(path[:, -1], level[1:])
    stays = (regime[1:] == regime[:-1]).mean()
    assert 0.75 < stays < 0.95
    share = np.bincount(regime, minlength=4) / regime.size
    assert (share > 0.01).all()
    assert share[3] < 0.1
    assert np.abs(level).max() < 3  # never dies or explodes: three is a factor of twenty
    assert np.sqrt(variance.sum(axis=1).mean()) == pytest.approx(0.09, abs=0.02)


def test_regime_is_told_by_time():
    market = SimulatedMarket(1)
    assert market.regime(MARKET_START + 5 * WEEK_MS) in range(4)
