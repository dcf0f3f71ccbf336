import numpy as np
import pytest
import talib

from opportunity.indicators import ADX, adx, adx_step
from opportunity.market.bars import Bars


@pytest.mark.parametrize("period", [2, 14, 50])
def test_adx_equals_talib(bars, period):
    ours = adx(bars, period)
    columns = bars.high, bars.low, bars.close
    np.testing.assert_allclose(ours.adx, talib.ADX(*columns, period), rtol=0, atol=1e-10)
    np.testing.assert_allclose(ours.plus_di, talib.PLUS_DI(*columns, period), rtol=0, atol=1e-10)
    np.testing.assert_allclose(ours.minus_di, talib.MINUS_DI(*columns, period), rtol=0, atol=1e-10)


@pytest.mark.realdata
def test_adx_equals_the_reference(reference):
    bars, frame = reference
    ours = adx(bars)
    np.testing.assert_allclose(ours.adx, frame["adx_14"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(ours.plus_di, frame["plus_di_14"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(ours.minus_di, frame["minus_di_14"], rtol=0, atol=1e-8)


def test_adx_begins_on_bar_27_and_its_directions_on_bar_14(bars):
    first = [np.flatnonzero(np.isfinite(line))[0] for line in adx(bars)]
    assert first == [27, 14, 14]


@pytest.mark.parametrize("n_bars", [0, 1, 14])
def test_adx_of_too_few_bars_is_undefined(bars, n_bars):
    for line in adx(bars[:n_bars]):
        assert line.shape == (n_bars,)
        assert np.isnan(line).all()


def test_adx_stream_equals_batch(bars):
    state = np.zeros(1, ADX)
    streamed, plus, minus = [], [], []
    for bar in bars:
        streamed.append(adx_step(state[0], 14, bar.high, bar.low, bar.close))
        plus.append(state[0]["plus_di"])
        minus.append(state[0]["minus_di"])
    ours = adx(bars)
    np.testing.assert_array_equal(streamed, ours.adx)
    np.testing.assert_array_equal(plus, ours.plus_di)
    np.testing.assert_array_equal(minus, ours.minus_di)


def test_adx_of_a_flat_market_is_zero_as_in_talib(flat):
    ours = adx(flat)
    np.testing.assert_array_equal(ours.adx, talib.ADX(flat.high, flat.low, flat.close))
    np.testing.assert_array_equal(ours.plus_di[14:], 0)


def test_adx_of_a_ramp_is_one_hundred():
    low = 100.0 + np.arange(80)
    bars = Bars.from_arrays(np.arange(80), low, low + 1, low, low + 1, low)
    ours = adx(bars)
    np.testing.assert_allclose(ours.adx[27:], 100, rtol=1e-14)
    np.testing.assert_array_equal(ours.minus_di[14:], 0)


def test_adx_reflected_exchanges_its_directions_bit_for_bit(bars):
    grid = np.round(bars.values * 64) / 64
    up = Bars(bars.time, grid)
    down = Bars(bars.time, np.column_stack((1024 - grid[:, [0, 2, 1, 3]], grid[:, 4])))
    np.testing.assert_array_equal(adx(down).adx, adx(up).adx)
    np.testing.assert_array_equal(adx(down).plus_di, adx(up).minus_di)
    np.testing.assert_array_equal(adx(down).minus_di, adx(up).plus_di)


def test_adx_stays_finite_through_a_long_standstill(bars):
    still = np.repeat(bars.values[-1:, [3]], 12_000, axis=0)
    values = np.concatenate((bars.values, np.repeat(still, 5, axis=1)))
    ours = adx(Bars(np.arange(len(values)), values))
    for line in ours:
        assert np.isfinite(line[27:]).all()
        assert line[27:].max() <= 100
    assert ours.plus_di[-1] == ours.minus_di[-1] == 0


def test_adx_refuses_a_bad_period(flat):
    with pytest.raises(ValueError, match=r"period must be in \[2, 100000\], was 1"):
        adx(flat, 1)
