import math

import numpy as np
import pytest

from opportunity.detectors.bar_flow import BAR_FLOW, GAIN, bar_flow_step


def run(high, low, close, volume):
    s = np.zeros(1, BAR_FLOW)[0]
    return np.array([
        bar_flow_step(s, *row) for row in zip(high, low, close, volume, strict=True)
    ])


def market(n=400, seed=1):
    rng = np.random.default_rng(seed)
    close = 500 + np.cumsum(rng.normal(0, 1, n))
    high, low = close + rng.uniform(0, 2, n), close - rng.uniform(0, 2, n)
    return high, low, close, np.exp(rng.normal(3, 1, n))


def oracle(high, low, close, volume, i):
    """Both proxies of bar i, from their definitions."""
    signed = []
    for j in range(i - 23, i + 1):
        before = np.diff(close[: j])[-50:]
        z = (close[j] - close[j - 1]) / math.sqrt(np.mean(before**2))
        signed.append(volume[j] * (2 * 0.5 * (1 + math.erf(z / math.sqrt(2))) - 1))
    bvc = sum(signed) / volume[i - 23 : i + 1].sum()
    part = slice(i - 19, i + 1)
    place = ((close - low) - (high - close)) / (high - low)
    money = (place * volume)[part].sum() / volume[part].sum()
    value = 0.5 * np.clip(GAIN * bvc, -1, 1) + 0.5 * np.clip(GAIN * money, -1, 1)
    return value, np.abs(signed).sum() / volume[i - 23 : i + 1].sum()


def test_equals_its_definition():
    bars = market()
    got = run(*bars)
    for i in range(80, 400, 9):
        np.testing.assert_allclose(got[i], oracle(*bars, i), rtol=0, atol=1e-5)


def test_symmetric_series_gives_0():
    """Up and down by the same step in turn, with closes in the middle: nobody bought or sold."""
    close = 100 + np.arange(200) % 2.0
    got = run(close + 1, close - 1, close, np.full(200, 7.0))
    assert (got[75:, 0] == 0).all()  # from then on as many ups as downs are in every window
    assert (got[75:, 1] > 0.5).all()


def test_mirrored_bars_negate_it_bit_for_bit():
    high, low, close, volume = (np.rint(x * 16) / 16 for x in market())
    one, other = run(high, low, close, volume), run(1024 - low, 1024 - high, 1024 - close, volume)
    np.testing.assert_array_equal(one[:, 0], -other[:, 0])
    np.testing.assert_array_equal(one[:, 1], other[:, 1])


def test_a_giant_bar_leaves_nothing_behind():
    bars = market(600)
    values = np.array(bars)
    values[:3, 300] += 1e7
    values[3, 300] *= 1e7
    got, reference = run(*values), run(*bars)
    assert np.isfinite(got).all()
    assert np.abs(got).max() <= 1
    np.testing.assert_allclose(got[450:], reference[450:], atol=1e-5)


@pytest.mark.parametrize("volume", [0.0, 5.0])
def test_a_market_that_stands_still_gives_0(volume):
    flat = np.full(200, 50.0)
    assert (run(flat, flat, flat, np.full(200, volume)) == 0).all()
