"""What was decided of every idea that had a direction: the log of decisions as rows."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple, get_args

Action = Literal["entered", "refused", "filtered", "held", "off"]

ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
"""What was made of a candidate: an order was placed; one was refused by a limit; rules stopped it;
the symbol was held already, so there was nothing to order; the agent was off."""


class Candidate(NamedTuple):
    """An idea with a direction at its decision close, and what was made of it.

    A tuple, as many are made at once on the agent's loop.

    Parameters
    ----------
    time : int
        Close of the decision bar, ms UTC of the feed.
    symbol, timeframe : str
        Timeframe of the decision.
    side : int
        Its direction, +1 or -1.
    action : str
        One of `ACTIONS`.
    stopped_by : tuple of str
        Rules of `entries.ENTRY_STOPS` that it fails, or the status of the order that was refused;
        empty otherwise.
    score, net, confidence, consensus, disagreement, trust : float
        As of `Consensus` and `Evaluation`.
    success : float
        Stated probability that the direction is right, NaN where none was known.
    risk_level : str
        ``LOW``, ``MEDIUM``, ``HIGH`` or ``UNKNOWN``.
    contributions : mapping of str to float
        By detector, those that were available; their sum is `net` to 1e-12.
    price, atr : float
        Newest price and ATR 14 of the decision timeframe, quote currency; ATR may be NaN.
    order_number : int or None
        Of the entry that was ordered, or refused.
    config : int
        Version of the agent's config in force.
    """

    time: int
    symbol: str
    timeframe: str
    side: int
    action: Action
    stopped_by: tuple[str, ...]
    score: float
    net: float
    confidence: float
    consensus: float
    disagreement: float
    trust: float
    success: float
    risk_level: str
    contributions: Mapping[str, float]
    price: float
    atr: float
    order_number: int | None
    config: int


def candidate_rows(
    book: str, epoch: int, market: str, candidates: Iterable[Candidate]
) -> list[dict[str, Any]]:
    """Return rows of the table `candidate`; what is not known becomes null."""
    return [
        {
            **candidate._asdict(),
            "book": book, "epoch": epoch, "market": market,
            "stopped_by": list(candidate.stopped_by),
            "contributions": dict(candidate.contributions),
            "success": known(candidate.success),
            "atr": known(candidate.atr),
        }
        for candidate in candidates
    ]  # fmt: skip


def known(value: float) -> float | None:
    """Return a number as the database holds it: None for NaN and infinities."""
    return float(value) if math.isfinite(value) else None
