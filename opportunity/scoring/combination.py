"""The arithmetic of the score: gates, weighted mean, disagreement, direction, advice.

One compiled loop over rows; a row is one bar of one stream. Additions happen in detector order
and nowhere else, so the result does not depend on how rows are batched.
"""

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.contracts import DETECTOR_NAMES
from opportunity.kernels import kernel
from opportunity.market.bars import FloatArray

SideArray = NDArray[np.int8]

FINAL, NET, STRENGTH, AGREED, DISAGREEMENT, COVERAGE, BULL, BEAR = range(8)
"""Rows of `columns` in `combine_rows`; AGREED is the confidence."""
N_COLUMNS: Final = 8

BULLISH_FROM: Final = 0.6
BEARISH_TO: Final = 0.4
"""Bounds of `final`: at or beyond them a bar has a direction."""

BUY_FROM: Final = 0.65
SELL_TO: Final = 0.35
LEAN_BUY_FROM: Final = 0.55
LEAN_SELL_TO: Final = 0.45
HOLD_ABOVE: Final = 0.5
"""Disagreement above which the advice is HOLD."""

HIGH_VOLATILITY: Final = 0.8
LOW_VOLATILITY: Final = 0.2
PENALTY: Final = 0.5
"""How much of the confidence full disagreement takes."""


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """Scores of many bars; every array has the leading shape of what was combined.

    Parameters
    ----------
    final, net, strength : ndarray
        [0, 1] with 0.5 neutral; [-1, 1]; |net|. NaN where no detector was available.
    confidence, disagreement, coverage, bull, bear : ndarray
        [0, 1], NaN likewise. `bull` and `bear` are the masses of both sides, >= 0.
    contributions, gated : ndarray, shape (..., n_detectors)
        Shares in `net` and scores after their gates; NaN where unavailable.
    direction, advice : ndarray of int8
        +1 bullish / BUY, -1 bearish / SELL, 0 neutral / HOLD.
    """

    final: FloatArray
    net: FloatArray
    strength: FloatArray
    confidence: FloatArray
    disagreement: FloatArray
    coverage: FloatArray
    bull: FloatArray
    bear: FloatArray
    contributions: FloatArray
    gated: FloatArray
    direction: SideArray
    advice: SideArray

    def take(self, rows: Any) -> "Combined":
        """Return the rows that `rows` picks along the first axis."""
        return Combined(*(getattr(self, f.name)[rows] for f in fields(self)))


@dataclass(frozen=True, slots=True)
class Gate:
    """What a detector's score is multiplied with, by the state of the market."""

    volatile: float = 1.0
    with_trend: float = 1.0
    against_trend: float = 1.0
    ranging: float = 1.0


GATES: Final[dict[str, Gate]] = {
    "harmonic": Gate(volatile=0.7),
    "fibonacci": Gate(volatile=0.7),
    "smc": Gate(with_trend=1.2, against_trend=0.8),
    "elliott": Gate(with_trend=1.2, against_trend=0.8, ranging=0.5),
    "sar": Gate(with_trend=1.2, against_trend=0.8, ranging=0.5),
}
"""Gates by detector; the others are never gated."""


def gate_table() -> FloatArray:
    """Return the gates in detector order, shape (n_detectors, 4), fields of `Gate`."""
    gates = [GATES.get(name, Gate()) for name in DETECTOR_NAMES]
    return np.array([[g.volatile, g.with_trend, g.against_trend, g.ranging] for g in gates])


@kernel
def gate_factor(score: Any, trend: Any, volatility: Any, gate: Any) -> Any:
    """Return what the gate of one detector multiplies its score with.

    `trend` is +1, -1 or 0 (ranging); `volatility` a rank. NaN means unknown and opens the gate.
    """
    g = 1.0
    if volatility > HIGH_VOLATILITY:
        g *= gate[0]
    side = score * trend
    if side > 0.0:
        g *= gate[1]
    elif side < 0.0:
        g *= gate[2]
    elif trend == 0.0:
        g *= gate[3]
    return g


@kernel
def gated_score(score: Any, trend: Any, volatility: Any, gate: Any) -> Any:
    """Multiply a score by `gate_factor` and cut it to [-1, 1]."""
    return min(1.0, max(-1.0, gate_factor(score, trend, volatility, gate) * score))


@kernel
def combine_rows(
    scores: Any, confidences: Any, trend: Any, volatility: Any, weights: Any, exists: Any,
    gates: Any, gated: Any, contributions: Any, columns: Any, sides: Any, advices: Any,
) -> None:
    """Combine the detectors of each row.

    Parameters
    ----------
    scores, confidences : float64 (n_rows, n_detectors)
        NaN where unavailable.
    trend, volatility : float64 (n_rows,)
        Sign of the trend and rank of the volatility, NaN where unknown.
    weights : float64 (n_detectors,)
        >= 0.
    exists : bool (n_detectors,)
        False for a detector that has nothing to read: it is never
        available and is missing from the coverage's base.
    gates : float64 (n_detectors, 4)
        `gate_table()`.
    gated, contributions : float64 (n_rows, n_detectors)
        Filled; NaN where unavailable.
    columns : float64 (8, n_rows)
        Filled; rows FINAL ... BEAR, NaN where nothing is available.
    sides, advices : int8 (n_rows,)
        Filled: direction (+1, 0, -1) and BUY, HOLD, SELL as +1, 0, -1.
    """
    n_rows, n_detectors = scores.shape
    everything = 0.0
    for i in range(n_detectors):
        if exists[i]:
            everything += weights[i]
    for k in range(n_rows):
        mass = 0.0  # sum of weight x confidence
        present = 0.0  # sum of the weights that are there
        n_available = 0
        for i in range(n_detectors):
            s = scores[k, i]
            c = confidences[k, i]
            if exists[i] and np.isfinite(s) and np.isfinite(c):
                gated[k, i] = gated_score(s, trend[k], volatility[k], gates[i])
                contributions[k, i] = 0.0
                mass += weights[i] * c
                present += weights[i]
                n_available += 1
            else:
                gated[k, i] = np.nan
                contributions[k, i] = np.nan
        sides[k] = 0
        advices[k] = 0
        if n_available == 0:
            columns[:, k] = np.nan
            continue
        columns[:, k] = 0.0
        columns[COVERAGE, k] = present / everything if everything > 0.0 else 0.0
        if mass == 0.0:
            columns[FINAL, k] = 0.5
            continue

        # Rounding can carry a unanimous sum one ulp past 1. The divisor then grows by ulps: net
        # stays exactly the sum of the contributions and inside its range.
        divisor = mass
        net = 2.0
        while abs(net) > 1.0:
            net = 0.0
            for i in range(n_detectors):
                if not np.isnan(contributions[k, i]):
                    part = weights[i] * confidences[k, i] * gated[k, i] / divisor
                    contributions[k, i] = part
                    net += part
            divisor = np.nextafter(divisor, np.inf)

        variance = 0.0
        bull = 0.0
        bear = 0.0
        for i in range(n_detectors):
            part = contributions[k, i]
            if not np.isnan(part):
                away = gated[k, i] - net
                variance += weights[i] * confidences[k, i] * (away * away)
                if part > 0.0:
                    bull += part
                elif part < 0.0:
                    bear -= part
        disagreement = min(1.0, np.sqrt(variance / mass))
        final = (1.0 + net) / 2.0
        confidence = mass / present * (1.0 - PENALTY * disagreement) * columns[COVERAGE, k]
        columns[FINAL, k] = final
        columns[NET, k] = net
        columns[STRENGTH, k] = abs(net)
        columns[AGREED, k] = confidence
        columns[DISAGREEMENT, k] = disagreement
        columns[BULL, k] = bull
        columns[BEAR, k] = bear
        if final >= BULLISH_FROM:
            sides[k] = 1
        elif final <= BEARISH_TO:
            sides[k] = -1
        advices[k] = advise(final, sides[k], disagreement, trend[k])


@kernel
def advise(final: Any, side: Any, disagreement: Any, trend: Any) -> Any:
    """Return what one timeframe says: +1 BUY, 0 HOLD, -1 SELL."""
    advice = 0
    if disagreement <= HOLD_ABOVE:
        if side > 0 and (final >= BUY_FROM or (final >= LEAN_BUY_FROM and trend > 0)):
            advice = 1
        elif side < 0 and (final <= SELL_TO or (final <= LEAN_SELL_TO and trend < 0)):
            advice = -1
    return advice
