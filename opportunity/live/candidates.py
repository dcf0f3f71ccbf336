"""Every idea that had a direction at its decision close, and why it was or was not traded."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opportunity.contracts import DETECTOR_NAMES
from opportunity.entries import entry_stops, named_stops
from opportunity.market.timeframe import Timeframe
from opportunity.scoring.contributions import mean_contributions, symbol_contributions
from opportunity.scoring.rules import RISK_LEVELS, risk_level
from opportunity.storage.candidates import Action, Candidate
from opportunity.strategy import Evaluation
from opportunity.trading.records import ENTRY, FILLED, PLACED, STATUSES
from opportunity.trading.rules import TradeRecord

Placed = tuple[int, int]
"""Number and status of an order."""

_LEVELS = (*RISK_LEVELS, "UNKNOWN")  # -1 is what is not known


class Asked(NamedTuple):
    """Under what was decided.

    Parameters
    ----------
    timeframe : Timeframe
        Of the decision.
    rules : TradeRecord
        That let entries through.
    enabled : bool
        Whether the agent was on.
    config : int
        Version of its config.
    """

    timeframe: Timeframe
    rules: TradeRecord
    enabled: bool
    config: int


def entries_of(numbers: NDArray[np.int64], orders: NDArray[Any]) -> dict[int, Placed]:
    """Return number and status of the entries among the orders of one decision, by symbol.

    Parameters
    ----------
    numbers : ndarray of int64, shape (n,)
        Of orders that `PaperBroker.decide` has just made.
    orders : ndarray of ORDER, shape (n,)
    """
    rows = np.flatnonzero(orders["reason"] == ENTRY)
    made = zip(
        orders["symbol"][rows].tolist(), numbers[rows].tolist(), orders["status"][rows].tolist(),
        strict=True,
    )
    return {symbol: (number, status) for symbol, number, status in made}


def load() -> None:
    """Load the kernel that `candidates_of` calls: not on a loop that must not wait."""
    n = len(DETECTOR_NAMES)
    mean_contributions(np.ones((1, 1, n)), np.ones((1, 1)), np.ones(1), np.empty((1, n)))


def candidates_of(
    evaluation: Evaluation, decided: NDArray[Any], orders: Mapping[int, Placed], asked: Asked
) -> tuple[Candidate, ...]:
    """Return the candidates of a decision, by symbol; call it after `PaperBroker.decide`.

    Parameters
    ----------
    evaluation : Evaluation
        The ranking that was decided by.
    decided : ndarray of DECISION
        What the broker was given: rows of symbols whose decision bar closed.
    orders : mapping of int to (int, int)
        Number and status of the entry that came of it, by number of the symbol: `entries_of`.
    asked : Asked

    Notes
    -----
    A symbol without a direction is no candidate. About 3 us for each that is one.
    """
    together, rows = evaluation.consensus, decided["symbol"]
    rows = rows[(together.direction[rows] != 0) & (together.count[rows] > 0)]
    rows = rows[evaluation.snapshot.price[rows] > 0]
    if not rows.size:
        return ()
    frame = evaluation.snapshot.timeframes.index(asked.timeframe)
    masks = entry_stops(together, evaluation.trust, asked.rules)[rows].tolist()
    parts = symbol_contributions(
        evaluation.combined.take(rows), evaluation.timeframe_weights
    )
    snapshot = evaluation.snapshot
    columns = zip(
        rows.tolist(), masks, snapshot.closed[rows, frame].tolist(),
        together.direction[rows].tolist(), risk_level(evaluation.risk[rows]).tolist(),
        *(values[rows].tolist() for values in (
            together.final, together.net, together.confidence, together.consensus,
            together.disagreement, evaluation.trust, evaluation.success, snapshot.price,
        )),
        snapshot.atr[rows, frame].tolist(), parts.tolist(), strict=True,
    )  # fmt: skip
    return tuple(
        Candidate(
            time, snapshot.symbols[row], asked.timeframe, side,
            *_made(mask, orders.get(row), asked.enabled),
            score, net, confidence, consensus, disagreement, trust, success, _LEVELS[level],
            {name: value for name, value in zip(DETECTOR_NAMES, part, strict=True)
             if value == value},
            price, atr, orders[row][0] if row in orders else None, asked.config,
        )
        for (
            row, mask, time, side, level, score, net, confidence, consensus, disagreement, trust,
            success, price, atr, part,
        ) in columns
    )  # fmt: skip


def _made(mask: int, order: Placed | None, enabled: bool) -> tuple[Action, tuple[str, ...]]:
    """Return what was made of a candidate, and what stopped it."""
    if not enabled:
        return "off", named_stops(mask)
    if mask:
        return "filtered", named_stops(mask)
    if order is None:
        return "held", ()
    if order[1] in (PLACED, FILLED):
        return "entered", ()
    return "refused", (STATUSES[order[1]],)
