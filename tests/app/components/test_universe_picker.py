import math

from app.components.universe_picker import outcome_state, universe_state
from app.universe import Quote


def test_outcome_is_told_against_what_is_watched() -> None:
    found = [Quote("A/USDT", 1.0, 0.0, 5.0), Quote("C/USDT", 1.0, 0.0, math.nan)]
    state = outcome_state(found, ("C/USDT",), ("A/USDT", "B/USDT"), "note")
    assert state["symbols"] == [
        {"symbol": "A/USDT", "volume": 5.0}, {"symbol": "C/USDT", "volume": None},
    ]
    assert (state["added"], state["removed"]) == (["C/USDT"], ["B/USDT"])
    assert (state["held"], state["note"]) == (["C/USDT"], "note")


def test_state_tells_choice_and_what_wins_over_it() -> None:
    state = universe_state(("A/USDT",), None, {"top": 1}, "symbols")
    assert state == {
        "watched": ["A/USDT"], "chosen": None, "in_force": {"top": 1}, "overruled": "symbols",
    }
