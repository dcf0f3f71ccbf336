import numpy as np
import pytest

from opportunity.feeds.exchange.finality.suspicion import jumps, typical_move


def calm():
    return 0.001


def never():
    raise AssertionError("must not be worked out for a bar that does not reach far")


@pytest.mark.parametrize(("high", "low"), [(119.9, 100.0), (100.0, 83.4), (110.0, 95.0)])
def test_near_bars_pass_without_work(high, low):
    assert not jumps(high, low, 100.0, never)


@pytest.mark.parametrize(
    ("high", "low"), [(121.0, 100.0), (100.0, 83.0), (10_000.0, 10_000.0), (1.0, 1.0)]
)
def test_far_bars_jump(high, low):
    assert jumps(high, low, 100.0, calm)


def test_a_wild_market_is_allowed_more():
    assert jumps(140.0, 100.0, 100.0, lambda: 0.03)
    assert not jumps(140.0, 100.0, 100.0, lambda: 0.04)


def test_nothing_jumps_without_a_close_before():
    assert not jumps(1e9, 1.0, 0.0, never)


def test_typical_move_is_the_deviation_of_log_moves():
    closes = 100 * np.exp(np.cumsum([0.0, *([0.01, -0.01] * 10)]))
    assert typical_move(closes) == pytest.approx(0.01)
    assert typical_move(np.append(closes, closes[-1] * 100)) < 0.05  # one jump is not typical
    assert typical_move(np.full(50, 3.0)) == 0.0
    assert typical_move(closes[:5]) == 0.0
    assert typical_move(np.array([])) == 0.0
