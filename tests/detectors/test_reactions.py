import numpy as np
import pytest

from opportunity.detectors.reactions import DEPTHS, WORTHS, rejects, zone_value


def test_depth_is_worth_most_at_0618_and_nothing_at_the_ends():
    for depth, worth in zip(DEPTHS, WORTHS, strict=True):
        assert zone_value(depth) == pytest.approx(worth, abs=1e-12)
    depths = np.linspace(-0.5, 1.5, 401)
    values = np.array([zone_value(float(d)) for d in depths])
    np.testing.assert_allclose(values, np.interp(depths, DEPTHS, WORTHS), atol=1e-12)


REJECTIONS = [
    # open, high, low, close, rejects upwards with an ATR of 1 before
    ((10.0, 10.8, 9.9, 10.7), True),  # closes near its high
    ((10.7, 10.8, 10.0, 10.5), True),  # falls, but half of it is wick
    ((10.7, 10.8, 9.8, 10.1), False),  # closes back 0.3 of its range
    ((10.7, 10.8, 10.1, 10.4), False),  # falls, and the wick is short
    ((10.0, 10.5, 9.95, 10.5), False),  # too small: 0.55 ATR
    ((10.0, 10.0, 10.0, 10.0), False),
]


@pytest.mark.parametrize(("prices", "expected"), REJECTIONS)
def test_rejection_closes_back_by_body_or_wick(prices, expected):
    o, h, low, c = prices
    assert rejects(1, 1.0, o, h, low, c) is expected
    assert rejects(-1, 1.0, 20 - o, 20 - low, 20 - h, 20 - c) is expected


@pytest.mark.parametrize("unknown", [0.0, np.nan])
def test_nothing_is_a_rejection_without_an_atr(unknown):
    assert not rejects(1, unknown, *REJECTIONS[0][0])
