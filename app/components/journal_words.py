"""Words of the journal: what was made of an idea, what stopped it, what a rule is worth."""

from typing import Any, Final

from app.components.language import phrase
from app.journal_figures import Verdict
from opportunity.scoring.averages import Average
from opportunity.storage.decisions import Decision

Phrase = dict[str, Any]

STOPS: Final[dict[str, Phrase]] = {
    "min_score": phrase("Score too low"),
    "min_confidence": phrase("Confidence too low"),
    "max_disagreement": phrase("Detectors disagree"),
    "min_trust": phrase("Data not trusted"),
    "direction": phrase("Side not allowed"),
    "gap": phrase("Gap in the data"),
    "too small": phrase("Size too small"),
    "max_positions": phrase("Too many positions"),
    "max_daily_loss": phrase("Loss of the day"),
    "max_drawdown": phrase("Drawdown limit"),
    "max_losses": phrase("Losing streak"),
    "stale_data": phrase("No news of the market"),
    "half_open": phrase("One position at a time"),
}
"""Rules and limits that stop an idea."""

ACTIONS: Final[dict[str, Phrase]] = {
    "entered": phrase("Entered"),
    "refused": phrase("Refused by a limit"),
    "filtered": phrase("Stopped by a rule"),
    "held": phrase("Held already"),
    "off": phrase("Agent was off"),
}
"""What was made of an idea."""

ORDERS: Final[dict[str, Phrase]] = {
    "placed": phrase("order waits"),
    "filled": phrase("order filled"),
    "expired": phrase("order expired"),
    "too small": phrase("too small at the fill"),
}

KINDS: Final[dict[str, Phrase]] = {
    "rule": phrase("rule"), "limit": phrase("limit"), "action": phrase("what was done"),
}  # fmt: skip


def named(words: dict[str, Phrase], name: str) -> Phrase:
    """Return a name in words; one without stays as it is."""
    return words.get(name, {"text": name, "values": {}})


def reasons(decision: Decision) -> list[Phrase]:
    """Say in a few words each why an idea was not traded, with the numbers that were too low.

    Parameters
    ----------
    decision : Decision
        Traded or not; what became of its order is said of one that was.
    """
    c = decision.candidate
    if c.action == "entered":
        return [ORDERS[decision.order_status]] if decision.order_status in ORDERS else []
    if c.action in ("held", "off") and not c.stopped_by:
        return [ACTIONS[c.action]]
    along = c.score if c.side > 0 else 1.0 - c.score
    told = {
        "min_score": phrase("Low score {value}", value=f"{along:.2f}"),
        "min_confidence": phrase("Low confidence {value}", value=f"{c.confidence:.2f}"),
        "max_disagreement": phrase("Disagreement {value}", value=f"{c.disagreement:.2f}"),
        "min_trust": phrase("Low trust {value}", value=f"{c.trust:.2f}"),
    }
    found = [told.get(name) or named(STOPS, name) for name in c.stopped_by]
    return [ACTIONS["off"], *found] if c.action == "off" else found


def worth(alone: Verdict) -> tuple[str, Phrase]:
    """Say what a rule is worth, by what it alone kept from being traded.

    Returns
    -------
    str, phrase
        ``saves``, ``costs`` or ``unknown``, and it in words.
    """
    r = alone.mean_r
    if r.value != r.value:
        return "unknown", phrase("too few to say")
    if r.high < 0:
        return "saves", phrase("keeps losses away")
    if r.low > 0:
        return "costs", phrase("keeps gains away")
    return "unknown", phrase("within noise")


def average_state(found: Average) -> dict[str, Any]:
    """Return a mean with its bounds as plain values; None where nothing can be said."""
    return {
        "n": found.n, "value": number(found.value), "low": number(found.low),
        "high": number(found.high),
    }  # fmt: skip


def number(value: float) -> float | None:
    """Return a number, None for NaN and infinities."""
    return float(value) if abs(value) < float("inf") else None
