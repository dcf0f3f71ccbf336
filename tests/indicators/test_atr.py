import numpy as np
import pytest
import talib

from opportunity.indicators import ATR, atr, atr_step, true_range
from opportunity.market.bars import Bars


@pytest.mark.parametrize("period", [1, 2, 14, 100])
def test_atr_equals_talib(bars, period):
    expected = talib.ATR(bars.high, bars.low, bars.close, period)
    np.testing.assert_allclose(atr(bars, period), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.realdata
def test_atr_equals_the_reference(reference):
    bars, frame = reference
    np.testing.assert_allclose(atr(bars), frame["atr_14"], rtol=0, atol=1e-8)


def test_atr_begins_on_bar_14_with_the_mean_of_the_first_true_ranges(bars):
    ranges = talib.TRANGE(bars.high, bars.low, bars.close)
    ours = atr(bars)
    assert np.isnan(ours[:14]).all()
    assert ours[14] == pytest.approx(ranges[1:15].mean(), rel=1e-14)
    assert np.isfinite(ours[14:]).all()


@pytest.mark.parametrize("n_bars", [0, 1, 14])
def test_atr_of_too_few_bars_is_undefined(bars, n_bars):
    assert atr(bars[:n_bars]).shape == (n_bars,)
    assert np.isnan(atr(bars[:n_bars])).all()


def test_atr_stream_equals_batch_across_a_copied_state(bars):
    state = np.zeros(1, ATR)
    streamed = []
    for i, bar in enumerate(bars):
        if i == 1_000:
            state = np.frombuffer(state.tobytes(), ATR).copy()
        streamed.append(atr_step(state[0], 14, bar.high, bar.low, bar.close))
    np.testing.assert_array_equal(streamed, atr(bars))


def test_atr_of_a_flat_market_is_zero(flat):
    np.testing.assert_array_equal(atr(flat)[14:], 0)


def test_atr_ends_in_zero_after_a_long_standstill():
    n_bars = 12_000
    price = np.full(n_bars, 5.0)
    price[:20] = np.linspace(4, 5, 20)
    ours = atr(Bars.from_arrays(np.arange(n_bars), price, price, price, price, price))
    assert ours[5_000] > 0
    assert ours[-1] == 0
    assert ours[ours > 0].min() > 1e-300  # never a subnormal number


@pytest.mark.parametrize(
    ("before", "expected"), [(10.0, 3.0), (5.0, 7.0), (14.0, 5.0)], ids=["inside", "up", "down"]
)
def test_true_range_reaches_from_the_close_before(before, expected):
    assert true_range(before, 12.0, 9.0) == expected


def test_atr_refuses_a_bad_period(flat):
    with pytest.raises(ValueError, match=r"period must be in \[1, 100000\], was 0"):
        atr(flat, 0)
