import pytest
from ideas import IDEA, START

from app.decision_words import _LIMITS, _ORDERS, _RULES, why
from opportunity.entries import ENTRY_STOPS
from opportunity.storage.candidates import Candidate
from opportunity.storage.decisions import Decision
from opportunity.storage.outcomes import Due, Outcome, unknown_outcome
from opportunity.trading.records import FILLED, PLACED, STATUSES


def said(status: str | None = None, outcomes: tuple = (), **values) -> str:
    candidate: Candidate = IDEA._replace(**values)
    return why(Decision(1, candidate, status, outcomes))


def test_every_rule_limit_and_order_has_words() -> None:
    assert set(_RULES) == set(ENTRY_STOPS) - {"unscored", "neutral"}
    assert set(_LIMITS) == set(STATUSES) - {"placed", "filled", "expired"}
    assert set(_ORDERS) <= set(STATUSES)
    assert {STATUSES[PLACED], STATUSES[FILLED]} <= set(_ORDERS)


@pytest.mark.parametrize(("values", "text"), [
    ({}, "Long idea entered."),
    ({"status": "filled"}, "Long idea entered: its order was filled."),
    ({"action": "held", "side": -1},
     "Short idea left alone: the symbol is held already, so there was nothing to order."),
    ({"action": "refused", "stopped_by": ("max_positions",)},
     "Long idea refused: as many positions are open as the limit allows."),
    ({"action": "filtered", "side": -1, "score": 0.38, "stopped_by": ("min_score", "direction")},
     "Short idea not traded: its score along the side, 0.62, is too low; the rules let no short "
     "ideas through."),
    ({"action": "off"}, "Long idea not traded, as the agent was off; no rule stopped it."),
    ({"action": "off", "stopped_by": ("min_trust",), "trust": 0.25},
     "Long idea not traded, as the agent was off; the rules would have stopped it: its data is "
     "trusted too little, 0.25."),
])  # fmt: skip
def test_one_line_says_why(values: dict, text: str) -> None:
    assert said(**values) == text


def test_the_longest_known_horizon_says_how_it_turned_out() -> None:
    short = Outcome(1, 4, START, "time", 1, 0.01, 0.5, 1.0, 0.0)
    long = Outcome(1, 24, START, "down", 0, -0.02, -1.0, 0.0, -2.0)
    assert said(outcomes=(short,)).endswith(
        "Within 4 bars of 1h it moved +1.00% along it, without a touch 1.5 ATR away on either side."
    )
    assert "the other way first, wrong; in all it moved -2.00%" in said(outcomes=(short, long))
    assert "its way first, right" in said(outcomes=(long._replace(barrier="up", right=1),))
    never = unknown_outcome(Due(1, START, "X/USDT", "1h", 1, 1.0, 48), START)
    assert said(outcomes=(never,)) == said()
