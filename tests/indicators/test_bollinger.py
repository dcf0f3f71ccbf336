import numpy as np
import pytest
import talib

from opportunity.indicators import BOLLINGER, bollinger, bollinger_step
from opportunity.market.bars import Bars


def of_closes(close: np.ndarray) -> Bars:
    return Bars.from_arrays(np.arange(close.size), close, close, close, close, close)


def directly(close: np.ndarray, period: int, width: float) -> tuple[np.ndarray, ...]:
    """Compute the bands window by window in extended precision."""
    windows = np.lib.stride_tricks.sliding_window_view(close.astype(np.longdouble), period)
    middle, away = windows.mean(axis=1), width * windows.std(axis=1)
    pad = np.full(period - 1, np.nan)
    return tuple(
        np.concatenate((pad, band.astype(float)))
        for band in (middle + away, middle, middle - away)
    )


@pytest.mark.parametrize(("period", "width"), [(2, 1.0), (20, 2.0), (50, 2.5)])
def test_bollinger_equals_talib(bars, period, width):
    expected = talib.BBANDS(bars.close, period, width, width)
    for ours, band in zip(bollinger(bars, period, width), expected, strict=True):
        np.testing.assert_allclose(ours, band, rtol=1e-8)


@pytest.mark.realdata
def test_bollinger_equals_the_reference(reference):
    bars, frame = reference
    ours = bollinger(bars)
    np.testing.assert_allclose(ours.upper, frame["bb_upper"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(ours.middle, frame["bb_middle"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(ours.lower, frame["bb_lower"], rtol=0, atol=1e-8)


@pytest.mark.parametrize("level", [1e-8, 1.0, 1e8])
def test_bollinger_keeps_its_digits_where_price_is_large_against_its_scatter(level):
    close = level * (1 + 1e-9 * np.random.default_rng(5).normal(size=2_000))
    ours, expected = bollinger(of_closes(close), 20, 2.0), directly(close, 20, 2.0)
    scatter = expected[0] - expected[1]
    np.testing.assert_allclose(ours.upper - ours.middle, scatter, rtol=2e-6)
    np.testing.assert_allclose(ours.middle, expected[1], rtol=1e-15)


def test_bollinger_recovers_at_once_from_a_huge_price():
    close = 1 + 0.01 * np.random.default_rng(6).normal(size=200)
    close[50] = 1e12
    ours, expected = bollinger(of_closes(close)), directly(close, 20, 2.0)
    for band, wanted in zip(ours, expected, strict=True):
        np.testing.assert_allclose(band[70:], wanted[70:], rtol=1e-9)


def test_bollinger_begins_on_bar_19(bars):
    for band in bollinger(bars):
        assert np.flatnonzero(np.isfinite(band))[0] == 19
        assert np.isfinite(band[19:]).all()


@pytest.mark.parametrize("n_bars", [0, 1, 19])
def test_bollinger_of_too_few_bars_is_undefined(bars, n_bars):
    for band in bollinger(bars[:n_bars]):
        assert band.shape == (n_bars,)
        assert np.isnan(band).all()


def test_bollinger_stream_equals_batch(bars):
    state, ring = np.zeros(1, BOLLINGER), np.zeros(20)
    middle, upper = [], []
    for x in bars.close.tolist():
        middle.append(bollinger_step(state[0], ring, 2.0, x))
        upper.append(state[0]["upper"])
    np.testing.assert_array_equal(middle, bollinger(bars).middle)
    np.testing.assert_array_equal(upper, bollinger(bars).upper)


def test_bollinger_of_a_flat_market_has_no_width(flat):
    for band in bollinger(flat):
        np.testing.assert_array_equal(band[19:], 7.1)


@pytest.mark.parametrize("width", [0.0, -1.0, float("inf"), float("nan")])
def test_bollinger_refuses_a_bad_width(flat, width):
    with pytest.raises(ValueError, match="width must be > 0 and finite"):
        bollinger(flat, width=width)
