"""One line on a decision, in words that a trader understands."""

from collections.abc import Callable
from typing import Final

from opportunity.scoring.aftermath import BARRIERS, TIME
from opportunity.scoring.barriers import BARRIER
from opportunity.storage.candidates import Candidate
from opportunity.storage.decisions import Decision
from opportunity.storage.outcomes import UNKNOWN, Outcome

_RULES: Final[dict[str, Callable[[Candidate], str]]] = {
    "min_score": lambda c: f"its score along the side, {_along(c):.2f}, is too low",
    "min_confidence": lambda c: f"its confidence, {c.confidence:.2f}, is too low",
    "max_disagreement": lambda c: f"the detectors disagree too much, {c.disagreement:.2f}",
    "min_trust": lambda c: f"its data is trusted too little, {c.trust:.2f}",
    "direction": lambda c: f"the rules let no {_side(c)} ideas through",
}

_LIMITS: Final = {
    "gap": "its bar came after a gap in the data",
    "too small": "the size left for it is too small",
    "max_positions": "as many positions are open as the limit allows",
    "max_daily_loss": "the loss of the day reached its limit",
    "max_drawdown": "the drawdown reached its limit",
    "max_losses": "of the losing streak: too many trades in a row were lost",
    "stale_data": "no news came from the market for too long",
    "half_open": "after a breaker one position is tried at a time",
}

_ORDERS: Final = {
    "placed": "its order waits",
    "filled": "its order was filled",
    "expired": "its order was not filled and has expired",
    "too small": "but the size left at the fill was too small",
}


def why(decision: Decision) -> str:
    """Say what was made of a candidate, why, and how it turned out."""
    c = decision.candidate
    said = f"{_side(c).capitalize()} idea {_made(decision)}"
    told = [o for o in decision.outcomes if o.barrier != UNKNOWN]
    return f"{said}. {_turned_out(c, told[-1])}" if told else f"{said}."


def _made(decision: Decision) -> str:
    c = decision.candidate
    if c.action == "entered":
        status = decision.order_status or ""
        return f"entered: {_ORDERS[status]}" if status in _ORDERS else "entered"
    if c.action == "held":
        return "left alone: the symbol is held already, so there was nothing to order"
    if c.action == "refused":
        return "refused: " + "; ".join(_LIMITS.get(n, n) for n in c.stopped_by)
    stopped = "; ".join(_RULES[n](c) if n in _RULES else n for n in c.stopped_by)
    if c.action == "filtered":
        return f"not traded: {stopped}"
    rules = f"the rules would have stopped it: {stopped}" if stopped else "no rule stopped it"
    return f"not traded, as the agent was off; {rules}"


def _turned_out(c: Candidate, outcome: Outcome) -> str:
    after = f"Within {outcome.horizon} bars of {c.timeframe}"
    moved = f"it moved {outcome.move:+.2%} along it"
    if outcome.barrier == BARRIERS[TIME]:
        return f"{after} {moved}, without a touch {BARRIER:g} ATR away on either side."
    if outcome.right:
        return f"{after} it reached {BARRIER:g} ATR its way first, right; in all {moved}."
    return f"{after} it went {BARRIER:g} ATR the other way first, wrong; in all {moved}."


def _side(c: Candidate) -> str:
    return "long" if c.side > 0 else "short"


def _along(c: Candidate) -> float:
    return c.score if c.side > 0 else 1.0 - c.score
