import numpy as np
import pytest
import talib

from opportunity.indicators import EMA, SMA, ema, ema_step, sma, sma_step
from opportunity.market.bars import Bars


@pytest.mark.parametrize("period", [2, 12, 20, 200])
def test_ema_equals_talib(bars, period):
    np.testing.assert_allclose(ema(bars, period), talib.EMA(bars.close, period), rtol=1e-12)


@pytest.mark.parametrize("period", [2, 20, 200])
def test_sma_equals_talib(bars, period):
    np.testing.assert_allclose(sma(bars, period), talib.SMA(bars.close, period), rtol=1e-12)


@pytest.mark.realdata
def test_averages_equal_the_reference(reference):
    bars, frame = reference
    np.testing.assert_allclose(ema(bars), frame["ema_20"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(sma(bars), frame["sma_20"], rtol=0, atol=1e-8)


def test_averages_are_undefined_before_the_first_full_window(bars):
    for average in (ema(bars, 20), sma(bars, 20)):
        assert np.flatnonzero(np.isfinite(average))[0] == 19
        assert np.isfinite(average[19:]).all()


@pytest.mark.parametrize("n_bars", [0, 1, 19])
def test_averages_of_too_few_bars_are_undefined(bars, n_bars):
    for average in (ema(bars[:n_bars], 20), sma(bars[:n_bars], 20)):
        assert average.shape == (n_bars,)
        assert np.isnan(average).all()


def test_ema_stream_equals_batch(bars):
    state = np.zeros(1, EMA)
    streamed = [ema_step(state[0], 20, x) for x in bars.close.tolist()]
    np.testing.assert_array_equal(streamed, ema(bars, 20))


def test_sma_stream_equals_batch(bars):
    state, ring = np.zeros(1, SMA), np.zeros(20)
    streamed = [sma_step(state[0], ring, x) for x in bars.close.tolist()]
    np.testing.assert_array_equal(streamed, sma(bars, 20))


def test_averages_of_a_flat_market_are_its_price(flat):
    np.testing.assert_allclose(ema(flat, 20)[19:], 7.1, rtol=1e-15)
    np.testing.assert_allclose(sma(flat, 20)[19:], 7.1, rtol=1e-15)


def test_sma_forgets_a_huge_price_within_two_windows():
    close = np.full(100, 1.1)
    close[10] = 1e17
    bars = Bars.from_arrays(np.arange(100), close, close, close, close, close)
    np.testing.assert_allclose(sma(bars, 20)[50:], 1.1, rtol=1e-15)


@pytest.mark.parametrize("average", [ema, sma])
def test_averages_refuse_a_bad_period(average, flat):
    with pytest.raises(ValueError, match=r"period must be in \[2, 100000\], was 1"):
        average(flat, 1)
