import numpy as np
from ideas import IDEA

from app.components.decisions import DecisionsNotTaken, gates_state, untraded_state
from app.journal_figures import Gate, Verdict
from opportunity.scoring.averages import Average
from opportunity.storage.decisions import Decision


def _verdict(value: float, low: float = np.nan, high: float = np.nan) -> Verdict:
    mean = Average(60, value, low, high, 20.0)
    return Verdict("x", mean, mean, mean)


def test_a_rule_says_what_it_alone_is_worth() -> None:
    whole, alone = _verdict(0.9, 0.8, 1.0), _verdict(-0.2, -0.3, -0.1)
    state = gates_state([Gate("min_score", "rule", 90, 40, whole, alone)], 500, 24)
    (gate,) = state["gates"]
    assert (state["n"], state["horizon"]) == (500, 24)
    assert (gate["said"]["text"], gate["n"], gate["alone"]) == ("Score too low", 90, 40)
    assert (gate["worth"], gate["r"]["value"]) == ("saves", -0.2)


def test_what_was_done_has_its_own_words() -> None:
    state = gates_state([Gate("held", "action", 3, 3, _verdict(1.0), _verdict(1.0))], 5, 4)
    assert state["gates"][0]["said"]["text"] == "Held already"
    assert state["gates"][0]["is"]["text"] == "what was done"


def test_ideas_that_were_not_traded_carry_their_reasons() -> None:
    idea = IDEA._replace(action="refused", stopped_by=("max_positions",))
    state = untraded_state([Decision(3, idea, None, ())], 12)
    assert state["horizon"] == 12
    assert [p["text"] for p in state["rows"][0]["why"]] == ["Too many positions"]
    assert DecisionsNotTaken().stopped == ""
