"""From timeframes to a symbol, against the rules written out slowly."""

import math

import numpy as np
import pytest

from opportunity.contracts import DETECTOR_NAMES
from opportunity.market.timeframe import TIMEFRAMES
from opportunity.scoring.consensus import (
    ACTIONS,
    TIMEFRAME_WEIGHTS,
    act,
    aggregate,
    timeframe_weights,
    turned_weights,
)
from opportunity.scoring.ensemble import combine

D = len(DETECTOR_NAMES)
ALL = np.ones(D, np.bool_)
FRAMES = ("1h", "4h", "1d")


def of_nets(nets, confidence=0.5):
    """Combine streams whose only detector is price_action, so that net is what is asked for."""
    nets = np.atleast_2d(np.asarray(nets, float))
    scores = np.full((*nets.shape, D), np.nan)
    scores[..., 4] = nets
    confidences = np.where(np.isnan(scores), np.nan, confidence)
    return combine(scores, confidences, 0.0, 0.5, exists=ALL)


def together(nets, frames=FRAMES, volatility=None, weights=None):
    combined = of_nets(nets)
    ranks = np.full(combined.net.shape, 0.5) if volatility is None else np.atleast_2d(volatility)
    return aggregate(combined, ranks, timeframe_weights(frames, weights))


def test_weights_cover_every_timeframe():
    assert tuple(TIMEFRAME_WEIGHTS) == TIMEFRAMES
    assert timeframe_weights(FRAMES).tolist() == [0.25, 0.30, 0.20]
    assert timeframe_weights(FRAMES, {"1d": 1}).tolist() == [0.25, 0.30, 1.0]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"1hr": 1}, "timeframe must be a known name, was '1hr'. Did you mean '1h'?"),
        ({"1h": -1}, "weight of 1h must be finite and >= 0, was -1"),
        ({"1h": math.nan}, "weight of 1h must be finite and >= 0, was nan"),
        ({"1h": 0, "4h": 0, "1d": 0}, "one timeframe weight must be > 0, was 0 for 1h, 4h, 1d"),
    ],
)
def test_wrong_timeframe_weights_are_named(weights, message):
    with pytest.raises(ValueError, match="must") as caught:
        timeframe_weights(FRAMES, weights)
    assert str(caught.value) == message


def test_everything_is_a_mean_by_weight():
    found = together([[0.5, -0.2, 0.1]], volatility=[[0.9, 0.1, math.nan]])
    net = (0.25 * 0.5 - 0.30 * 0.2 + 0.20 * 0.1) / 0.75
    assert found.net[0] == pytest.approx(net, rel=1e-14)
    assert found.final[0] == (1 + found.net[0]) / 2
    assert found.strength[0] == abs(found.net[0])
    assert found.volatility[0] == pytest.approx((0.25 * 0.9 + 0.30 * 0.1) / 0.55)
    assert found.components[0, 4] == pytest.approx(net)
    assert np.isnan(np.delete(found.components[0], 4)).all()
    assert found.count[0] == 3


def test_a_timeframe_without_a_score_is_left_out():
    assert together([[0.5, math.nan, math.nan]]).net[0] == 0.5
    found = together([[math.nan] * 3])
    assert found.count[0] == 0
    assert (found.direction[0], found.action[0]) == (0, 0)
    for name in ("final", "net", "confidence", "consensus", "disagreement", "volatility"):
        assert np.isnan(getattr(found, name)[0])


@pytest.mark.parametrize(
    ("nets", "side", "consensus"),
    [
        ([0.3, 0.3, 0.3], 1, 1),
        ([-0.3, -0.3, -0.3], -1, 1),
        ([0.1, 0.0, -0.1], 0, 0.5),
        ([0.3, 0.0, 0.0], 1, 0.25 / 0.75),  # one of three, by weight, not by count
        ([0.3, -0.3, 0.0], -1, 0.30 / 0.75),
        ([0.3, -0.3, 0.3], 1, 0.45 / 0.75),
        ([math.nan, -0.3, 0.0], -1, 0.30 / 0.50),
    ],
)
def test_direction_goes_by_weight(nets, side, consensus):
    found = together([nets])
    assert found.direction[0] == side
    assert found.consensus[0] == pytest.approx(consensus)


def test_equal_weights_tie_whatever_the_rounding():
    found = together([[0.4, 0.4, -0.4]], frames=("1m", "5m", "15m"))  # .05 + .10 against .15
    assert found.direction[0] == 0
    assert found.consensus[0] == 0.5


def test_an_opposed_mirror_image_has_the_opposite_everything():
    rng = np.random.default_rng(5)
    nets = rng.uniform(-1, 1, (500, 3))
    there, back = together(nets), together(-nets)
    np.testing.assert_array_equal(back.net, -there.net)
    np.testing.assert_array_equal(back.direction, -there.direction)
    np.testing.assert_array_equal(back.action, -there.action)
    for name in ("strength", "confidence", "consensus", "disagreement"):
        np.testing.assert_array_equal(getattr(back, name), getattr(there, name))


@pytest.mark.parametrize(
    ("final", "side", "consensus", "action"),
    [
        (0.65, 1, 0.6, "STRONG_BUY"),
        (0.65, 1, 0.45 / 0.75, "STRONG_BUY"),
        (0.65, 1, 0.59, "BUY"),
        (0.64, 1, 1.0, "BUY"),
        (0.55, 1, 0.3, "BUY"),
        (0.549, 1, 1.0, "HOLD"),
        (0.35, -1, 0.6, "STRONG_SELL"),
        (0.35, -1, 0.59, "SELL"),
        (0.36, -1, 1.0, "SELL"),
        (0.45, -1, 0.3, "SELL"),
        (0.451, -1, 1.0, "HOLD"),
        (0.9, 0, 0.5, "HOLD"),
        (0.1, 0, 0.5, "HOLD"),
    ],
)
def test_action(final, side, consensus, action):
    assert ACTIONS[act(final, side, consensus) + 2] == action


def test_timeframes_that_were_all_turned_off_count_as_by_default():
    assert turned_weights(FRAMES, {"1h": 0.0}).tolist() == [0.0, 0.30, 0.20]
    assert turned_weights(("1h",), {"1h": 0.0}).tolist() == [0.25]
    assert turned_weights(FRAMES, {}).tolist() == timeframe_weights(FRAMES).tolist()
