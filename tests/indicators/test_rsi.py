import numpy as np
import pytest
import talib

from opportunity.indicators import RSI, rsi, rsi_step
from opportunity.market.bars import Bars


@pytest.mark.parametrize("period", [2, 14, 50])
def test_rsi_equals_talib(bars, period):
    np.testing.assert_allclose(rsi(bars, period), talib.RSI(bars.close, period), atol=1e-10)


@pytest.mark.realdata
def test_rsi_equals_the_reference(reference):
    bars, frame = reference
    np.testing.assert_allclose(rsi(bars), frame["rsi_14"], rtol=0, atol=1e-8)


def test_rsi_begins_on_bar_14(bars):
    assert np.flatnonzero(np.isfinite(rsi(bars)))[0] == 14


@pytest.mark.parametrize("n_bars", [0, 1, 14])
def test_rsi_of_too_few_bars_is_undefined(bars, n_bars):
    assert rsi(bars[:n_bars]).shape == (n_bars,)
    assert np.isnan(rsi(bars[:n_bars])).all()


def test_rsi_stream_equals_batch(bars):
    state = np.zeros(1, RSI)
    streamed = [rsi_step(state[0], 14, x) for x in bars.close.tolist()]
    np.testing.assert_array_equal(streamed, rsi(bars))


def test_rsi_of_a_flat_market_is_zero_as_in_talib(flat):
    np.testing.assert_array_equal(rsi(flat), talib.RSI(flat.close, 14))
    assert rsi(flat)[-1] == 0


@pytest.mark.parametrize(("slope", "expected"), [(1.0, 100.0), (-1.0, 0.0)])
def test_rsi_of_a_ramp_is_at_its_end(slope, expected):
    close = 100 + slope * np.arange(50)
    bars = Bars.from_arrays(np.arange(50), close, close, close, close, close)
    np.testing.assert_array_equal(rsi(bars)[14:], expected)


def test_rsi_does_not_depend_on_the_unit_of_price(bars):
    tiny = Bars(bars.time, bars.values * 2.0**-60)
    np.testing.assert_array_equal(rsi(tiny), rsi(bars))


def test_rsi_refuses_a_bad_period(flat):
    with pytest.raises(TypeError, match=r"period must be an integer, was 14\.0"):
        rsi(flat, 14.0)
