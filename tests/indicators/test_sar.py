import numpy as np
import pytest
import talib

from opportunity.indicators import SAR, sar, sar_step
from opportunity.market.bars import Bars


def ohlc(high: list[float], low: list[float]) -> Bars:
    """Build bars that close in the middle of their range."""
    h, lo = np.array(high, float), np.array(low, float)
    return Bars.from_arrays(np.arange(h.size), (h + lo) / 2, h, lo, (h + lo) / 2, h)


@pytest.mark.parametrize(("step", "maximum"), [(0.02, 0.2), (0.05, 0.3), (0.1, 0.1)])
def test_sar_equals_talib(bars, step, maximum):
    expected = talib.SAR(bars.high, bars.low, step, maximum)
    np.testing.assert_allclose(sar(bars, step, step, maximum), expected, rtol=1e-13)


def test_sar_starts_like_talib_whatever_the_first_bars(bars):
    for start in range(300):
        part = bars[start : start + 40]
        expected = talib.SAR(part.high, part.low)
        np.testing.assert_allclose(sar(part), expected, rtol=1e-13, err_msg=f"from bar {start}")


@pytest.mark.realdata
def test_sar_equals_the_reference_on_every_row(reference):
    bars, frame = reference
    np.testing.assert_allclose(sar(bars), frame["sar"], rtol=0, atol=1e-8)


@pytest.mark.realdata
def test_sar_equals_talib_on_every_bar_of_btc(btc):
    assert len(btc) == 66_022
    np.testing.assert_allclose(sar(btc), talib.SAR(btc.high, btc.low), rtol=0, atol=1e-8)


@pytest.mark.parametrize("n_bars", [0, 1])
def test_sar_of_too_few_bars_is_undefined(bars, n_bars):
    assert sar(bars[:n_bars]).shape == (n_bars,)
    assert np.isnan(sar(bars[:n_bars])).all()


def test_sar_begins_on_the_second_bar(bars):
    ours = sar(bars)
    assert np.isnan(ours[0])
    assert np.isfinite(ours[1:]).all()


def test_sar_stream_equals_batch(bars):
    state = np.zeros(1, SAR)
    streamed = [sar_step(state[0], 0.02, 0.02, 0.2, bar.high, bar.low) for bar in bars]
    np.testing.assert_array_equal(streamed, sar(bars))


def test_sar_state_tells_side_turn_and_age(bars):
    state = np.zeros(1, SAR)
    side, age = 0, 0
    for i, bar in enumerate(bars):
        stop = sar_step(state[0], 0.02, 0.02, 0.2, bar.high, bar.low)
        s = state[0]
        if i:
            assert s["side"] == (1 if stop <= bar.low else -1)
            turned = side not in (0, s["side"])
            assert s["flipped"] == turned or i == 1
            age = 0 if turned or i == 1 else age + 1
            assert s["age"] == age
        side = s["side"]


def test_sar_follows_the_worked_rule_on_a_rising_market():
    # Long from bar 1: stop 9 and extreme 12, then extremes 13 and 14 with AF 0.04 and 0.06.
    ours = sar(ohlc([11, 12, 13, 14, 14], [9, 10.5, 11.5, 12.5, 12.5]))
    second = 9 + 0.02 * (12 - 9)
    third = second + 0.04 * (13 - second)
    fourth = third + 0.06 * (14 - third)
    np.testing.assert_allclose(ours[1:], [9, second, third, fourth], rtol=1e-15)


def test_sar_is_clamped_to_the_lows_of_the_last_two_bars():
    # The extreme jumps far ahead; unclamped the stop would rise to 9.06 + 0.04 (100 - 9.06).
    bars = ohlc([11, 12, 100, 100, 100], [9, 10.5, 10.6, 11, 11.5])
    ours = sar(bars)
    np.testing.assert_allclose(ours[1:4], [9, 9.06, 10.5], rtol=1e-15)
    np.testing.assert_allclose(ours, talib.SAR(bars.high, bars.low), rtol=1e-15)


def test_sar_turns_when_the_low_only_touches_it():
    bars = ohlc([11, 12, 12], [9, 10, 9.06])
    above = ohlc([11, 12, 12], [9, 10, 9.0625])
    assert sar(bars)[2] == 12  # turned: the extreme is the stop now
    assert sar(above)[2] == 9 + 0.02 * (12 - 9)


@pytest.mark.parametrize("sign", [1, -1])
def test_sar_never_turns_on_a_straight_ramp(sign):
    middle = 1_000 + sign * np.arange(500.0)
    bars = ohlc((middle + 1).tolist(), (middle - 1).tolist())
    state = np.zeros(1, SAR)
    for bar in bars:
        sar_step(state[0], 0.02, 0.02, 0.2, bar.high, bar.low)
        assert state[0]["flipped"] == 0
    assert state[0]["side"] == sign
    assert state[0]["af"] == 0.2
    assert state[0]["age"] == 498


def test_sar_of_a_flat_market_is_its_price(flat):
    np.testing.assert_array_equal(sar(flat)[1:], 7.1)
    np.testing.assert_array_equal(sar(flat), talib.SAR(flat.high, flat.low))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"maximum": 0.0}, r"maximum must be in \(0, 1\], was 0.0"),
        ({"start": 0.3}, r"start must be in \(0, 0.2\], was 0.3"),
        ({"step": -0.1}, r"step must be in \[0, 0.2\], was -0.1"),
        ({"step": float("nan")}, "step must be in"),
    ],
)
def test_sar_refuses_bad_accelerations(flat, given, message):
    with pytest.raises(ValueError, match=message):
        sar(flat, **given)
