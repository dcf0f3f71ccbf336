import pytest

from opportunity.scoring.scan_rules import SCAN_CONFIDENCE, TRADE_CONFIDENCE, ScanRules


def test_record_is_the_value_of_a_moment() -> None:
    rules = ScanRules(threshold=0.7, exclude_symbols=["BTCUSDT"])
    record = rules.record()
    rules.threshold = 0.8
    assert record.threshold == 0.7
    assert record.exclude_symbols == frozenset({"BTC/USDT"})
    assert rules.record().threshold == 0.8


def test_timeframe_weights_are_part_of_the_record() -> None:
    rules = ScanRules(timeframe_weights={"4h": 1, "1h": 0.0})
    record = rules.record()
    assert record.timeframe_weights == (("1h", 0.0), ("4h", 1.0))
    assert record.as_dict()["timeframe_weights"] == {"1h": 0.0, "4h": 1.0}
    assert ScanRules(**{**ScanRules().as_dict(), "threshold": 0.7}).timeframe_weights == {}


def test_defaults_are_the_measured_quantiles() -> None:
    assert ScanRules().min_confidence == SCAN_CONFIDENCE < TRADE_CONFIDENCE


def test_misspelt_rule_names_the_near_one() -> None:
    with pytest.raises(AttributeError, match="Did you mean 'threshold'"):
        ScanRules().treshold = 0.7


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threshold", 1.1), ("type", "most"), ("max_risk", "NONE"), ("exclude_symbols", ["a/b/c"]),
        ("timeframe_weights", {"7h": 1.0}), ("timeframe_weights", {"1h": -0.1}),
        ("timeframe_weights", {"1h": True}), ("timeframe_weights", {"1h": "1"}),
        ("timeframe_weights", None), ("timeframe_weights", {"1h": float("inf")}),
    ],
)
def test_bad_value_changes_nothing(name: str, value: object) -> None:
    rules = ScanRules()
    before = rules.as_dict()
    with pytest.raises(ValueError, match=r".+"):
        setattr(rules, name, value)
    assert rules.as_dict() == before
