from typing import get_args

import pydantic
import pytest

from opportunity.contracts.journal import (
    MOST_DECISIONS,
    ActionName,
    AverageItem,
    BarrierName,
    DecisionsQuery,
    HorizonText,
    JournalQuery,
)
from opportunity.scoring.aftermath import BARRIERS, HORIZONS
from opportunity.storage.candidates import ACTIONS
from opportunity.storage.decisions import MOST_READ
from opportunity.storage.outcomes import UNKNOWN


def test_names_are_those_of_the_rooms_above() -> None:
    assert get_args(ActionName) == ACTIONS
    assert get_args(BarrierName) == (*BARRIERS, UNKNOWN)
    assert tuple(map(int, get_args(HorizonText))) == HORIZONS
    assert MOST_DECISIONS == MOST_READ


@pytest.mark.parametrize("bad", [
    {"action": "bought"}, {"limit": 0}, {"limit": 501}, {"since": -1}, {"until": 2**53},
    {"stopped_by": ""}, {"stopped_by": "x" * 33}, {"horizon": "24"}, {"symbol": "B"},
])  # fmt: skip
def test_a_question_that_breaks_the_schema_is_refused(bad: dict) -> None:
    with pytest.raises(pydantic.ValidationError):
        DecisionsQuery(**bad)


def test_horizons_are_those_that_are_judged() -> None:
    assert JournalQuery().horizon == "24"
    for text in ("6", "0", "24h", ""):
        with pytest.raises(pydantic.ValidationError):
            JournalQuery(horizon=text)


def test_too_little_is_null() -> None:
    nan = float("nan")
    found = AverageItem(n=3, value=nan, low=nan, high=nan, n_effective=nan)
    assert found.model_dump() == {
        "n": 3, "value": None, "low": None, "high": None, "n_effective": None
    }
