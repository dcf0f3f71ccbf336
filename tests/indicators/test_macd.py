import numpy as np
import pytest
import talib

from opportunity.indicators import MACD, macd, macd_step


@pytest.mark.parametrize("spans", [(12, 26, 9), (2, 3, 1), (5, 40, 20)])
def test_macd_equals_talib(bars, spans):
    for ours, expected in zip(macd(bars, *spans), talib.MACD(bars.close, *spans), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-11)


@pytest.mark.realdata
def test_macd_equals_the_reference(reference):
    bars, frame = reference
    ours = macd(bars)
    np.testing.assert_allclose(ours.line, frame["macd"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(ours.signal, frame["macd_signal"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(ours.histogram, frame["macd_hist"], rtol=0, atol=1e-8)


def test_macd_begins_on_bar_33_with_all_three_lines(bars):
    for line in macd(bars):
        assert np.flatnonzero(np.isfinite(line))[0] == 33
        assert np.isfinite(line[33:]).all()


@pytest.mark.parametrize("n_bars", [0, 1, 33])
def test_macd_of_too_few_bars_is_undefined(bars, n_bars):
    for line in macd(bars[:n_bars]):
        assert line.shape == (n_bars,)
        assert np.isnan(line).all()


def test_macd_stream_equals_batch(bars):
    state = np.zeros(1, MACD)
    streamed = [macd_step(state[0], 12, 26, 9, x) for x in bars.close.tolist()]
    np.testing.assert_array_equal(streamed, macd(bars).histogram)
    assert state[0]["line"] == macd(bars).line[-1]
    assert state[0]["signal"] == macd(bars).signal[-1]


def test_macd_of_a_flat_market_is_zero(flat):
    np.testing.assert_allclose(macd(flat).line[33:], 0, atol=1e-14)


def test_macd_refuses_a_fast_span_that_is_not_below_the_slow_one(flat):
    with pytest.raises(ValueError, match=r"fast must be below slow \(26\), was 26"):
        macd(flat, fast=26)
    with pytest.raises(ValueError, match=r"signal must be in \[1, 100000\], was 0"):
        macd(flat, signal=0)
