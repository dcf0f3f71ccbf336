import math

from drawn import drawn

from app.components.universe_picker import UniversePicker, outcome_state, universe_state
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


def test_who_may_only_look_may_look_again() -> None:
    disabled = drawn(UniversePicker, """
        const look = root.querySelectorAll("button").find((one) => one.textContent === "Look");
        root.querySelector("form").dispatchEvent(new Happening("submit"));
        model.answer({ symbols: [], added: [], removed: [], held: [], note: "" });
        await rest();
        return look.disabled;""", role="viewer")
    assert disabled is False
