"""From what detectors say of streams to what is thought of symbols: one function for all callers.

A ranking of the newest bars, a live decision and a backtest over a year all judge here, so the
same bars never come out as two different things.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from opportunity.market.bars import FloatArray
from opportunity.scoring.combination import Combined
from opportunity.scoring.consensus import Consensus, aggregate
from opportunity.scoring.ensemble import combine
from opportunity.scoring.trust import symbol_trust


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What is known of the streams of n symbols (or of n moments of one) before any weight.

    Parameters
    ----------
    scores, confidences : ndarray, shape (n, n_timeframes, n_detectors)
        NaN where unavailable.
    trend, volatility, trust : ndarray, shape (n, n_timeframes)
        +1, 0, -1; rank in [0, 1], NaN where unknown; trust in the data, [0, 1].
    exists : ndarray of bool, shape (n_detectors,)
        Detectors that have what they read.
    """

    scores: FloatArray
    confidences: FloatArray
    trend: FloatArray | NDArray[np.int8]
    volatility: FloatArray
    trust: FloatArray
    exists: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What comes of it under weights.

    Parameters
    ----------
    evidence : Combined
        Scores of each stream, shape (n, n_timeframes), with the confidence that the detectors
        deserve.
    combined : Combined
        The same with that confidence times the trust in the bars.
    consensus : Consensus
        Shape (n,).
    trust : ndarray, shape (n,)
        Trust in the data, [0, 1], NaN where nothing scored.
    key : ndarray, shape (n,)
        strength x confidence x consensus: what is ranked by.
    """

    evidence: Combined
    combined: Combined
    consensus: Consensus
    trust: FloatArray
    key: FloatArray


def judge(seen: Seen, weights: FloatArray, timeframe_weights: FloatArray) -> Judgement:
    """Judge each row by itself.

    Parameters
    ----------
    seen : Seen
    weights : ndarray, shape (n_detectors,)
        As `weight_array` gives them.
    timeframe_weights : ndarray, shape (n_timeframes,)
        As `consensus.timeframe_weights` gives them.
    """
    evidence = combine(
        seen.scores, seen.confidences, seen.trend, seen.volatility, weights, seen.exists
    )
    combined = replace(evidence, confidence=evidence.confidence * seen.trust)
    consensus = aggregate(combined, seen.volatility, timeframe_weights)
    return Judgement(
        evidence, combined, consensus,
        symbol_trust(seen.trust, combined.net, timeframe_weights),
        consensus.strength * consensus.confidence * consensus.consensus,
    )  # fmt: skip
