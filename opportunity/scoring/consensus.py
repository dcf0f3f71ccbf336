"""From timeframes to a symbol: everything is a mean by timeframe weight, never a count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.errors import unknown
from opportunity.kernels import kernel
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TIMEFRAMES, Timeframe
from opportunity.scoring.combination import (
    BUY_FROM,
    LEAN_BUY_FROM,
    LEAN_SELL_TO,
    SELL_TO,
    Combined,
    SideArray,
)

TIMEFRAME_WEIGHTS: Final[dict[Timeframe, float]] = {
    "1m": 0.05, "5m": 0.10, "15m": 0.15, "30m": 0.20, "1h": 0.25, "2h": 0.27, "4h": 0.30,
    "6h": 0.28, "12h": 0.25, "1d": 0.20, "1w": 0.15,
}
"""Weights across timeframes, normalised over those that scored."""

STRONG_CONSENSUS: Final = 0.6
TIED: Final = 0.5
"""Consensus of a symbol without a direction."""

ROUNDING: Final = 1e-9
"""Sums of weights nearer than this are equal: .05 + .10 ties with .15."""

ACTIONS: Final = ("STRONG_SELL", "SELL", "HOLD", "BUY", "STRONG_BUY")

FINAL, NET, STRENGTH, CONFIDENCE, DISAGREEMENT, COVERAGE, CONSENSUS, VOLATILITY = range(8)
"""Rows of `columns` in `aggregate_rows`."""
N_COLUMNS: Final = 8


def timeframe_weights(
    timeframes: Sequence[str], weights: Mapping[str, float] | None = None
) -> FloatArray:
    """Return the weight of each timeframe, not normalised, shape (n_timeframes,).

    Parameters
    ----------
    timeframes : sequence of str
        Timeframes in the order wanted.
    weights : mapping, optional
        Replaces the default weights of the timeframes that it names.

    Raises
    ------
    ValueError
        If a name is unknown, a weight is negative or not finite, or all are 0.
    """
    known: dict[str, float] = {str(t): w for t, w in TIMEFRAME_WEIGHTS.items()}
    known |= checked_weights(weights or {})
    array = np.array([known[name] for name in timeframes], dtype=np.float64)
    if array.size and not array.sum() > 0:
        raise ValueError(f"one timeframe weight must be > 0, was 0 for {', '.join(timeframes)}")
    return array


def turned_weights(timeframes: Sequence[str], turned: Mapping[str, float]) -> FloatArray:
    """Return the same where people turned some of them.

    Timeframes that all count for nothing by that count as by default: a ranking of them alone
    is still asked for.
    """
    if all(turned.get(name) == 0 for name in timeframes):
        return timeframe_weights(timeframes)
    return timeframe_weights(timeframes, turned)


def checked_weights(weights: Mapping[str, float]) -> dict[str, float]:
    """Return weights of some timeframes as floats.

    Raises
    ------
    ValueError
        If a name is unknown, or a weight is negative or not finite.
    """
    for name, value in weights.items():
        if name not in TIMEFRAMES:
            raise ValueError(unknown("timeframe", name, TIMEFRAMES))
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"weight of {name} must be a number, was {value!r}")
        if not (np.isfinite(value) and value >= 0):
            raise ValueError(f"weight of {name} must be finite and >= 0, was {value}")
    return {str(name): float(value) for name, value in weights.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Consensus:
    """What the timeframes of each symbol say together; arrays of shape (n_symbols,).

    Parameters
    ----------
    final, net, strength, confidence, disagreement, coverage, volatility : ndarray
        Means over the timeframes that scored, by timeframe weight; `strength` is |net|.
    consensus : ndarray
        Share of the weight on the symbol's side, 0.5 where it has none.
    components : ndarray, shape (n_symbols, n_detectors)
        Mean gated score over the timeframes where the detector was available.
    direction : ndarray of int8
        Side with more timeframe weight: +1, -1, 0 for a tie.
    action : ndarray of int8
        -2 STRONG_SELL ... +2 STRONG_BUY.
    count : ndarray of int64
        Timeframes that scored; with 0 everything else is NaN or 0.
    """

    final: FloatArray
    net: FloatArray
    strength: FloatArray
    confidence: FloatArray
    disagreement: FloatArray
    coverage: FloatArray
    consensus: FloatArray
    volatility: FloatArray
    components: FloatArray
    direction: SideArray
    action: SideArray
    count: NDArray[np.int64]


def aggregate(combined: Combined, volatility: FloatArray, weights: FloatArray) -> Consensus:
    """Bring the timeframes of each symbol together.

    Parameters
    ----------
    combined : Combined
        Of shape (n_symbols, n_timeframes).
    volatility : ndarray, shape (n_symbols, n_timeframes)
        Ranks, NaN where unknown.
    weights : ndarray, shape (n_timeframes,)
        `timeframe_weights(...)`.
    """
    n_symbols, _, n = combined.gated.shape
    columns = np.empty((N_COLUMNS, n_symbols))
    components = np.empty((n_symbols, n))
    sides, actions = np.empty((2, n_symbols), np.int8)
    counts = np.empty(n_symbols, np.int64)
    aggregate_rows(
        combined.net, combined.confidence, combined.disagreement, combined.coverage,
        np.ascontiguousarray(volatility), combined.direction, combined.gated, weights,
        columns, components, sides, actions, counts,
    )
    final, net, strength, confidence, disagreement, coverage, agreed, ranks = columns
    return Consensus(
        final, net, strength, confidence, disagreement, coverage, agreed, ranks,
        components, sides, actions, counts,
    )


@kernel
def aggregate_rows(
    net: Any, confidence: Any, disagreement: Any, coverage: Any, volatility: Any, direction: Any,
    gated: Any, weights: Any, columns: Any, components: Any, sides: Any, actions: Any, counts: Any,
) -> None:
    """Fill the columns of each symbol from its timeframes; shapes as in `aggregate`."""
    n_symbols, n_timeframes, n_detectors = gated.shape
    for s in range(n_symbols):
        total = 0.0
        known = 0.0  # weight of the timeframes whose volatility is known
        bull = 0.0
        bear = 0.0
        count = 0
        columns[:, s] = 0.0
        for f in range(n_timeframes):
            if np.isnan(net[s, f]):
                continue
            w = weights[f]
            count += 1
            total += w
            columns[NET, s] += w * net[s, f]
            columns[CONFIDENCE, s] += w * confidence[s, f]
            columns[DISAGREEMENT, s] += w * disagreement[s, f]
            columns[COVERAGE, s] += w * coverage[s, f]
            if not np.isnan(volatility[s, f]):
                known += w
                columns[VOLATILITY, s] += w * volatility[s, f]
            if direction[s, f] > 0:
                bull += w
            elif direction[s, f] < 0:
                bear += w
        counts[s] = count
        sides[s] = 0
        actions[s] = 0
        for i in range(n_detectors):
            mass = 0.0
            mean = 0.0
            for f in range(n_timeframes):
                if not np.isnan(net[s, f]) and not np.isnan(gated[s, f, i]):
                    mass += weights[f]
                    mean += weights[f] * gated[s, f, i]
            components[s, i] = mean / mass if mass > 0.0 else np.nan
        if total == 0.0:  # nothing scored, or only timeframes of weight 0
            counts[s] = 0
            columns[:, s] = np.nan
            continue
        for i in range(N_COLUMNS):
            if i != VOLATILITY:
                columns[i, s] /= total
        columns[VOLATILITY, s] = columns[VOLATILITY, s] / known if known > 0.0 else np.nan
        columns[STRENGTH, s] = abs(columns[NET, s])
        columns[FINAL, s] = (1.0 + columns[NET, s]) / 2.0
        columns[CONSENSUS, s] = TIED
        if abs(bull - bear) > ROUNDING * total:
            sides[s] = 1 if bull > bear else -1
            columns[CONSENSUS, s] = max(bull, bear) / total
        actions[s] = act(columns[FINAL, s], sides[s], columns[CONSENSUS, s])


@kernel
def act(final: Any, side: Any, consensus: Any) -> Any:
    """Return what a symbol says: -2 STRONG_SELL, -1 SELL, 0 HOLD, +1 BUY, +2 STRONG_BUY."""
    strong = consensus >= STRONG_CONSENSUS - ROUNDING
    action = 0
    if side > 0:
        if final >= BUY_FROM and strong:
            action = 2
        elif final >= LEAN_BUY_FROM:
            action = 1
    elif side < 0:
        if final <= SELL_TO and strong:
            action = -2
        elif final <= LEAN_SELL_TO:
            action = -1
    return action
