import math

import pytest
from ideas import IDEA

from app.components.journal_words import (
    ACTIONS,
    ORDERS,
    STOPS,
    average_state,
    named,
    reasons,
    worth,
)
from app.journal_figures import Verdict
from opportunity.entries import ENTRY_STOPS
from opportunity.scoring.averages import Average
from opportunity.storage.candidates import ACTIONS as ACTION_NAMES
from opportunity.storage.decisions import Decision
from opportunity.trading.records import STATUSES, TOO_SMALL

NAN = math.nan


def _texts(**fields) -> list[str]:
    status = fields.pop("status", None)
    return [p["text"] for p in reasons(Decision(1, IDEA._replace(**fields), status, ()))]


def test_everything_that_stops_an_idea_has_words() -> None:
    assert set(STOPS) == {*ENTRY_STOPS, *STATUSES[TOO_SMALL:]} - {"unscored", "neutral"}
    assert set(ACTIONS) == set(ACTION_NAMES)
    assert set(ORDERS) == set(STATUSES[: TOO_SMALL + 1])


def test_reasons_carry_the_number_that_was_too_low() -> None:
    found = reasons(Decision(1, IDEA._replace(
        action="filtered", side=-1, score=0.45, stopped_by=("min_score", "direction"),
    ), None, ()))  # fmt: skip
    assert [p["text"] for p in found] == ["Low score {value}", "Side not allowed"]
    assert found[0]["values"] == {"value": "0.55"}  # along the short side


@pytest.mark.parametrize(
    ("fields", "texts"),
    [
        ({}, []),
        ({"status": "filled"}, ["order filled"]),
        ({"action": "held"}, ["Held already"]),
        ({"action": "off"}, ["Agent was off"]),
        ({"action": "off", "stopped_by": ("min_trust",)}, ["Agent was off", "Low trust {value}"]),
        ({"action": "refused", "stopped_by": ("gap",)}, ["Gap in the data"]),
        ({"action": "refused", "stopped_by": ("newer rule",)}, ["newer rule"]),
    ],
)
def test_why_an_idea_was_not_traded(fields, texts) -> None:
    assert _texts(**fields) == texts


@pytest.mark.parametrize(
    ("value", "low", "high", "name"),
    [(-0.2, -0.3, -0.1, "saves"), (0.2, 0.1, 0.3, "costs"), (0.1, -0.1, 0.3, "unknown"),
     (0.1, NAN, NAN, "unknown"), (NAN, NAN, NAN, "unknown")],
)  # fmt: skip
def test_a_rule_is_worth_something_only_where_bounds_leave_zero_out(value, low, high, name) -> None:
    r = Average(50, value, low, high, 10.0)
    assert worth(Verdict("x", r, r, r))[0] == name


def test_what_is_not_known_is_none() -> None:
    assert average_state(Average(3, NAN, NAN, NAN, NAN)) == {
        "n": 3, "value": None, "low": None, "high": None
    }  # fmt: skip
    assert named(STOPS, "other") == {"text": "other", "values": {}}
