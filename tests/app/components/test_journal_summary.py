import pytest

from app.components.journal_summary import JournalSummary, summary_state
from app.journal_figures import Verdict
from opportunity.scoring.averages import Average
from opportunity.storage.outcomes import Tally

NAN = float("nan")
ABOUT = {"source": "simulated", "error": "", "first": None, "last": None}


def test_what_is_judged_open_and_never_sums_to_all() -> None:
    none = Average(3, NAN, NAN, NAN, NAN)
    parts = {"all": Verdict("all", none, none, none)}
    state = summary_state(Tally(100, {24: 60}, {24: 5}), parts, 24, "1h", ABOUT)
    assert (state["n"], state["judged"], state["open"], state["unknown"]) == (100, 60, 35, 5)
    assert state["parts"]["all"]["hit"] == {"n": 3, "value": None, "low": None, "high": None}
    assert state["source"] == "simulated"


def test_a_horizon_is_one_of_those_that_are_judged() -> None:
    part = JournalSummary(horizon=48)
    with pytest.raises(ValueError, match="7"):
        part.horizon = 7
