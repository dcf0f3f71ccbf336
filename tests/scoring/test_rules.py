"""The truth table of a scan's rules; every case is also tried on its mirror image."""

import math

import numpy as np
import pytest

from opportunity.contracts import DETECTOR_NAMES
from opportunity.scoring.consensus import aggregate, timeframe_weights
from opportunity.scoring.ensemble import combine
from opportunity.scoring.rules import STOPS, Rules, along, risk_level, stops

D = len(DETECTOR_NAMES)
FRAMES = ("1h", "4h", "1d")
LAX = {
    "type": "any", "threshold": 0.0, "min_confidence": 0.0, "max_risk": "HIGH",
    "exclude_neutral": False, "min_volume_usd": 0.0, "exclude_symbols": frozenset(),
    "direction": None,
    "min_trust": 0.5,
}


def stopped(finals, risk=0.5, volume=1e9, confidence=0.5, symbol="BTC/USDT", trust=1.0, **rules):
    """Names of the rules that stop one symbol whose timeframes have these final scores."""
    nets = 2 * np.array([finals], float) - 1
    scores = np.full((*nets.shape, D), np.nan)
    scores[..., 4] = nets
    confidences = np.where(np.isnan(scores), np.nan, confidence)
    combined = combine(scores, confidences, 0.0, 0.5, exists=np.arange(D) == 4)
    together = aggregate(combined, np.full(nets.shape, 0.5), timeframe_weights(FRAMES))
    mask = int(stops(Rules(**LAX | rules), (symbol,), combined, together,
                     np.array([risk]), np.array([volume]), np.array([trust]))[0])
    return {name for bit, name in enumerate(STOPS) if mask >> bit & 1}


STRONG, WEAK, NONE = 0.75, 0.62, math.nan
TABLE = [
    # finals of 1h (.25), 4h (.30), 1d (.20)      any    all    majority threshold, at 0.7
    ((STRONG, STRONG, STRONG), (True, True, True, True)),
    ((STRONG, STRONG, WEAK), (True, False, True, True)),
    ((STRONG, WEAK, WEAK), (True, False, False, False)),
    ((WEAK, WEAK, WEAK), (False, False, False, False)),
    ((WEAK, 0.95, WEAK), (True, False, False, True)),
    ((STRONG, WEAK, NONE), (True, False, True, False)),
    ((STRONG, NONE, NONE), (True, True, True, True)),
    ((0.5, 0.5, STRONG), (True, False, False, False)),
    ((0.05, 0.75, 0.75), (True, False, True, False)),
    ((0.7, 0.7, 0.7), (True, True, True, True)),
]


@pytest.mark.parametrize(("finals", "passes"), TABLE)
@pytest.mark.parametrize("side", [1, -1], ids=["bullish", "bearish"])
def test_truth_table(finals, passes, side):
    seen = [f if side > 0 else 1 - f for f in finals]
    for rule, wanted in zip(("any", "all", "majority", "threshold"), passes, strict=True):
        found = stopped(seen, type=rule, threshold=0.7 - 1e-12)
        assert found == (set() if wanted else {"strength"}), rule


@pytest.mark.parametrize("side", [1, -1])
def test_a_timeframe_of_the_other_side_does_not_count(side):
    # The heavier side is WEAK; only the lighter, opposite one is strong.
    finals = [0.5 + side * d for d in (-0.4, 0.12, 0.12)]
    assert stopped(finals, type="any", threshold=0.7) == {"strength"}


def test_a_symbol_without_a_side_needs_strength_on_either():
    assert stopped([0.5, 0.5, 0.5], threshold=0.5) == set()
    assert stopped([0.5, 0.5, 0.5], threshold=0.6) == {"strength"}
    assert stopped([0.5, 0.5, 0.5], exclude_neutral=True) == {"neutral"}


@pytest.mark.parametrize(
    ("rules", "facts", "reason"),
    [
        ({"min_confidence": 0.51}, {}, {"confidence"}),
        ({"min_confidence": 0.5}, {}, set()),
        ({"max_risk": "MEDIUM"}, {"risk": 0.66}, {"risk"}),
        ({"max_risk": "MEDIUM"}, {"risk": 0.659}, set()),
        ({"max_risk": "LOW"}, {"risk": 0.33}, {"risk"}),
        ({"max_risk": "LOW"}, {"risk": 0.329}, set()),
        ({"min_volume_usd": 1e6}, {"volume": 999_999}, {"volume"}),
        ({"min_volume_usd": 1e6}, {"volume": 1_000_000}, set()),
        ({"min_volume_usd": 1e6}, {"volume": math.nan}, {"volume"}),
        ({"min_volume_usd": 0}, {"volume": math.nan}, set()),
        ({"exclude_symbols": frozenset({"BTC/USDT"})}, {}, {"excluded"}),
        ({"exclude_symbols": frozenset({"ETH/USDT"})}, {}, set()),
        ({"direction": "BULLISH"}, {}, set()),
        ({"direction": "BEARISH"}, {}, {"direction"}),
        ({}, {"trust": 0.499}, {"trust"}),
        ({}, {"trust": 0.5}, set()),
        ({"min_trust": 0}, {"trust": 0.0}, set()),
        ({"min_trust": 1}, {"trust": 0.999}, {"trust"}),
        ({"min_trust": 0}, {"trust": math.nan}, {"trust"}),
        ({"direction": "BEARISH", "min_confidence": 1}, {}, {"direction", "confidence"}),
    ],
)
def test_each_rule_names_itself(rules, facts, reason):
    assert stopped([0.8, 0.8, 0.8], **facts, **rules) == reason


def test_nothing_scored_is_unscored_and_nothing_else():
    assert stopped([NONE] * 3, threshold=0.7, min_confidence=1, min_volume_usd=1e12,
                   exclude_neutral=True, risk=math.nan) == {"unscored"}


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"type": "most"}, "rule must be a known name, was 'most'. Did you mean"),
        ({"threshold": 1.1}, "threshold must be in 0..1, was 1.1"),
        ({"min_trust": 2}, "min_trust must be in 0..1, was 2"),
        ({"min_confidence": -0.1}, "min_confidence must be in 0..1, was -0.1"),
        ({"threshold": math.nan}, "threshold must be in 0..1, was nan"),
        ({"max_risk": "MEDIUMM"}, "max_risk must be a known name, was 'MEDIUMM'. Did you mean "
                                  "'MEDIUM'?"),
        ({"min_volume_usd": -1}, "min_volume_usd must be >= 0, was -1"),
        ({"direction": "UP"}, "direction must be a known name, was 'UP'"),
    ],
)
def test_wrong_rules_are_named(rules, message):
    if "most" in message:
        message = "rule must be a known name, was 'most'"
    with pytest.raises(ValueError, match="must be") as caught:
        Rules(**LAX | rules)
    assert str(caught.value).startswith(message)


def test_risk_levels_begin_at_their_bounds():
    risk = np.array([0, 0.329, 0.33, 0.659, 0.66, 1, np.nan])
    assert risk_level(risk).tolist() == [0, 0, 1, 1, 2, 2, -1]


def test_along_mirrors_exactly():
    net = np.random.default_rng(0).uniform(-1, 1, 1_000)
    side = np.sign(net).astype(np.int8)
    np.testing.assert_array_equal(along(net, side), along(-net, -side))
    assert along(np.array([-0.4]), np.array([0], np.int8)) == 0.7


def test_rules_travel_as_plain_values():
    assert Rules(**LAX | {"exclude_symbols": frozenset({"B/USDT", "A/USDT"})}).as_dict() == (
        LAX | {"exclude_symbols": ["A/USDT", "B/USDT"], "timeframe_weights": {}}
    )


def test_trust_is_full_where_nobody_tells_it():
    combined = combine(np.full((1, 1, D), 0.5), 0.5 * np.ones((1, 1, D)), 0.0, 0.5)
    together = aggregate(combined, np.full((1, 1), 0.5), timeframe_weights(("1h",)))
    rules = Rules(**LAX | {"min_trust": 1.0})
    assert stops(rules, ("A/USDT",), combined, together, np.array([0.1]), np.array([1.0])) == 0
