from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import talib

from opportunity.market.bars import Bars, FloatArray
from opportunity.scoring.context import (
    ATR,
    CONTEXT,
    LEAST,
    TREND,
    VOLATILITY,
    WINDOW,
    context_run,
    mid_rank,
)


def walk(seed: int, n_bars: int = 3_000) -> FloatArray:
    """Draw values of bars with changing volatility on a dyadic price grid."""
    rng = np.random.default_rng(seed)
    size = np.exp(0.8 * np.sin(np.arange(n_bars) / 150))
    close = 4096 + np.cumsum(rng.normal(0, 1, n_bars) * size)
    open_ = np.concatenate(([4096.0], close[:-1]))
    high = np.maximum(open_, close) + rng.exponential(0.3, n_bars) * size
    low = np.minimum(open_, close) - rng.exponential(0.3, n_bars) * size
    return np.round(np.column_stack((open_, high, low, close, np.ones(n_bars))) * 64) / 64


def contexts(values: FloatArray) -> FloatArray:
    """Run one fresh stream; return the output of shape (n_bars, 3)."""
    out = np.full((1, len(values), 3), np.nan)
    time = np.arange(len(values))[None]
    context_run(np.zeros(1, CONTEXT), np.zeros(1, np.int64), time, values[None], out)
    return out[0]


def ranks(values: FloatArray) -> FloatArray:
    """Rank each value in its own last window, one by one."""
    ours = np.full(values.size, np.nan)
    for i in range(values.size):
        window = values[max(0, i - WINDOW + 1) : i + 1]
        window = window[np.isfinite(window)]
        if window.size >= LEAST:
            ours[i] = pd.Series(window).rank().iloc[-1] - 0.5
            ours[i] /= window.size
    return ours


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_trend_is_the_sign_of_the_averages_beyond_half_an_atr(seed):
    values = walk(seed)
    out = contexts(values)
    close, atr = values[:, 3].copy(), talib.ATR(*values[:, 1:4].T.copy())
    apart = talib.EMA(close, 12) - talib.EMA(close, 26)
    expected = np.where(np.abs(apart) > 0.5 * atr, np.sign(apart), 0)
    np.testing.assert_array_equal(out[25:, TREND], expected[25:])
    assert set(out[25:, TREND]) == {-1, 0, 1}
    assert np.isnan(out[:25, TREND]).all()
    np.testing.assert_allclose(out[:, ATR], atr, rtol=1e-12)


@pytest.mark.parametrize("seed", [1, 2])
def test_volatility_is_the_mid_rank_of_atr_in_its_window(seed):
    out = contexts(walk(seed))
    np.testing.assert_array_equal(out[:, VOLATILITY], ranks(out[:, ATR]))
    assert np.flatnonzero(np.isfinite(out[:, VOLATILITY]))[0] == 14 + LEAST - 1
    assert 0 <= np.nanmin(out[:, VOLATILITY]) < 0.1
    assert 0.9 < np.nanmax(out[:, VOLATILITY]) <= 1


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_reflection_negates_the_trend_exactly_and_leaves_the_rest(seed):
    values = walk(seed)
    mirrored = np.column_stack((8192 - values[:, [0, 2, 1, 3]], values[:, 4]))
    out, other = contexts(values), contexts(mirrored)
    np.testing.assert_array_equal(other[:, TREND], -out[:, TREND])
    np.testing.assert_array_equal(other[:, VOLATILITY:], out[:, VOLATILITY:])


@pytest.mark.parametrize("power", [-60, -1, 20])
def test_scale_by_powers_of_two_moves_only_the_atr(power):
    values = walk(1)
    scaled = values.copy()
    scaled[:, :4] *= 2.0**power
    out, other = contexts(values), contexts(scaled)
    np.testing.assert_array_equal(other[:, :ATR], out[:, :ATR])
    np.testing.assert_array_equal(other[:, ATR], out[:, ATR] * 2.0**power)


def test_bar_by_bar_and_several_streams_equal_one_run():
    values = np.stack((walk(1, 800), walk(2, 800)))
    states, rows = np.zeros(3, CONTEXT), np.array([2, 0])
    out = np.full((2, 800, 3), np.nan)
    for i in range(800):
        context_run(states, rows, np.zeros((2, 1)), values[:, i : i + 1], out[:, i : i + 1])
    np.testing.assert_array_equal(out[0], contexts(values[0]))
    np.testing.assert_array_equal(out[1], contexts(values[1]))
    assert states[1]["n"] == 0


def test_cutting_the_future_never_changes_the_past():
    values = walk(3, 1_200)
    whole = contexts(values)
    for cut in (1, 30, 120, 700, 1_199):
        np.testing.assert_array_equal(contexts(values[:cut]), whole[:cut])


def test_padding_is_skipped():
    values = walk(1, 300)
    padded = np.concatenate((np.full((50, 5), np.nan), values))
    out = contexts(padded)
    assert np.isnan(out[:50]).all()
    np.testing.assert_array_equal(out[50:], contexts(values))


def test_flat_market_has_no_trend_and_a_middle_rank():
    out = contexts(np.full((300, 5), 7.1))
    assert (out[25:, TREND] == 0).all()
    assert (out[14 + LEAST - 1 :, VOLATILITY] == 0.5).all()


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("level", [1e-8, 1.0, 1e8])
def test_standstill_after_a_move_ends_in_no_trend(seed, level):
    moved = walk(seed, 300)
    still = np.repeat(moved[-1:, [3]], 12_000, axis=0)
    values = np.concatenate((moved, np.repeat(still, 5, axis=1)))
    values[:, :4] *= level
    assert (contexts(values)[700:, TREND] == 0).all()


@pytest.mark.parametrize(
    ("values", "x", "expected"),
    [([1, 2, 3, 4], 4, 0.875), ([1, 2, 3, 4], 1, 0.125), ([2, 2, 2, 2], 2, 0.5),
     ([1, 2, 2, 3], 2, 0.5), ([5], 5, 0.5)],
)  # fmt: skip
def test_mid_rank_counts_ties_half(values, x, expected):
    assert mid_rank(np.array(values, float), len(values), float(x)) == expected


@pytest.mark.realdata
def test_trend_is_there_as_often_as_measured(market_data: Path):
    path = market_data / "binance" / "BTC-USDT" / "1h.parquet"
    out = contexts(Bars.from_frame(pd.read_parquet(path)).values)
    assert np.nanmean(out[:, TREND] != 0) == pytest.approx(0.44, abs=0.01)
