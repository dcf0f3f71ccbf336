import pytest

from opportunity.contracts.scanner import MODES, RequestRules, ScanItem, ScanRequest
from opportunity.strategy import ScanRules

CONTRACT = {"rank", "symbol", "price", "success", "risk", "whales", "smc", "elliott",
            "price_action", "ict", "final_score", "direction", "timeframes"}  # fmt: skip
UNION = {"change_24h", "volume_24h", "overall_score", "overall_direction", "confidence",
         "consensus_strength", "recommended_action", "risk_level", "tf_count", "signal_count",
         "timeframe_breakdown", "components", "advice", "patterns", "scanned_at"}  # fmt: skip


def test_rows_have_every_name_of_every_client():
    assert set(ScanItem.model_fields) >= CONTRACT | UNION


def test_rules_are_those_of_the_strategy():
    wanted = set(ScanRules().as_dict())
    older = {"min_score", "max_risk_level", "quick_scan", "mode", "any_tf", "majority_tf"}
    assert set(RequestRules.model_fields) == wanted | older


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, {}),
        ({"mode": "aggressive"}, {"type": "any"}),
        ({"mode": "full"}, {"type": "all"}),
        ({"mode": "aggressive", "any_tf_threshold": 0.65, "majority_tf_threshold": 0.6},
         {"type": "any", "threshold": 0.65}),
        ({"mode": "conservative", "any_tf_threshold": 0.65, "majority_tf_threshold": 0.6},
         {"type": "majority", "threshold": 0.6}),
        ({"majority_tf_threshold": 0.7}, {"type": "majority", "threshold": 0.7}),
        ({"any_tf_threshold": 0.7}, {"type": "majority"}),
        ({"rules": {"min_score": 0.6, "min_confidence": 0.5, "max_risk_level": "HIGH"}},
         {"type": "threshold", "threshold": 0.6, "min_confidence": 0.5, "max_risk": "HIGH"}),
        ({"rules": {"type": "all", "threshold": 0.55}, "exclude_neutral": False},
         {"type": "all", "threshold": 0.55, "exclude_neutral": False}),
        ({"rules": {"mode": "aggressive", "any_tf": 0.5}}, {"type": "any", "threshold": 0.5}),
        ({"rules": {"direction": "BEARISH"}}, {"direction": "BEARISH"}),
        ({"rules": {"min_trust": 0.0}}, {"min_trust": 0.0}),
        ({"rules": {"direction": None, "threshold": None}}, {"direction": None}),
    ],
)  # fmt: skip
def test_every_shape_resolves_to_the_same_names(asked, expected):
    resolved = ScanRequest.model_validate(asked).resolve_rules()
    assert resolved == expected
    ScanRules(**resolved)


@pytest.mark.parametrize(
    "asked",
    [
        {"mode": "any", "rules": {"type": "any"}},
        {"exclude_neutral": True, "rules": {"exclude_neutral": True}},
        {"rules": {"max_risk": "LOW", "max_risk_level": "LOW"}},
        {"any_tf_threshold": 0.5, "rules": {"any_tf": 0.5}},
        {"mode": "any", "any_tf_threshold": 0.5, "rules": {"threshold": 0.5}},
    ],
)
def test_one_rule_twice_is_an_error(asked):
    with pytest.raises(ValueError, match="must be given once"):
        ScanRequest.model_validate(asked).resolve_rules()


def test_quick_has_two_names():
    assert not ScanRequest().is_quick()
    assert ScanRequest(quick=True).is_quick()
    assert ScanRequest(rules=RequestRules(quick_scan=True)).is_quick()
    with pytest.raises(ValueError, match="quick"):
        ScanRequest(quick=True, rules=RequestRules(quick_scan=False)).is_quick()


def test_modes_name_rule_types():
    assert set(MODES.values()) == {"any", "majority", "all"}
