import orjson
import pytest

from app.components.limits_form import (
    MOST_CHANGES,
    LimitsForm,
    changes_state,
    limits_state,
)
from opportunity.storage.events import StoredEvent
from opportunity.trading.risk import RiskLimits, RiskRecord

VALUES = RiskRecord().as_dict() | {"risk_per_trade": 0.01}


def fields(values=None) -> dict:
    told = limits_state(VALUES if values is None else values, 3)
    return {field["name"]: field for group in told["groups"] for field in group["fields"]}


def test_every_limit_has_a_field_with_its_rule() -> None:
    found = fields()
    assert set(found) == set(VALUES)
    assert limits_state(VALUES, 3)["version"] == 3
    assert found["max_positions"]["whole"]
    assert found["max_losses"] | {"whole": True, "off": True, "low": 0.0} == found["max_losses"]
    assert found["risk_per_trade"]["above"]
    assert [name for name, field in found.items() if field["above"]] == ["risk_per_trade"]


def test_rules_of_the_form_are_the_rules_of_the_limits() -> None:
    for name, field in fields().items():
        if name == "risk_per_trade":
            continue
        for inside in (field["low"], field["high"]):
            RiskRecord(**{name: inside})
        for outside in (field["low"] - 0.001, field["high"] * 2 + 1):
            with pytest.raises(ValueError, match=name):
                RiskRecord(**{name: outside})


def test_a_size_that_follows_no_stop_is_left_empty() -> None:
    found = fields(VALUES | {"risk_per_trade": None})["risk_per_trade"]
    assert found["value"] is None
    assert found["usual"] == 0.01


def test_what_is_usual_is_the_default() -> None:
    assert fields(RiskLimits(kelly=0.5).as_dict())["kelly"] | {"value": 0.5, "usual": 0.25} == (
        fields(RiskLimits(kelly=0.5).as_dict())["kelly"]
    )


def test_changes_say_who_what_and_why() -> None:
    body = {"by": "anna", "why": "calm", "before": {"max_drawdown": 0.15, "kelly": 0.25},
            "after": {"max_drawdown": 0.2, "kelly": 0.25, "gone": 1}}  # fmt: skip
    told = changes_state([StoredEvent(1, "k", 5, 7, "limits", body)] * (MOST_CHANGES + 2))
    assert len(told) == MOST_CHANGES
    assert told[0]["by"] == "anna"
    assert [(c["title"]["text"], c["before"], c["after"]) for c in told[0]["changed"]] == [
        ("Drawdown", 0.15, 0.2)
    ]
    first = changes_state([StoredEvent(1, "k", 5, 7, "limits", {"after": None, "by": "x"})])
    assert first[0]["changed"] == []


def test_a_conflict_is_told_and_settled() -> None:
    part = LimitsForm()
    part.clash({"max_drawdown": 0.3}, 4)
    first = part.conflict
    assert orjson.loads(first) | {"version": 4} == orjson.loads(first)
    part.clash({"max_drawdown": 0.3}, 4)
    assert part.conflict != first  # the same once more is asked once more
    part.clash(None)
    assert part.conflict == "{}"
