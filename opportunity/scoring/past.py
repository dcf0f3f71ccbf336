"""What detectors said of past bars, kept small: new weights are judged without a new look."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from opportunity.market.timeframe import TimeArray, Timeframe
from opportunity.scoring.barriers import BARRIER, HORIZON, Outcomes, outcomes
from opportunity.scoring.calls import Calls, judged
from opportunity.scoring.ensemble import WeightsLike, combine
from opportunity.scoring.scores import Evidence

SmallArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """Evidence and outcomes of one stream; about 110 bytes a bar.

    Parameters
    ----------
    timeframe : Timeframe
    closed : ndarray of int64, shape (n_bars,)
        Close of each bar, ms UTC.
    scores, confidences : ndarray of float32, shape (n_bars, n_detectors)
        NaN where unavailable.
    trend, volatility : ndarray of float32, shape (n_bars,)
    exists : ndarray of bool, shape (n_detectors,)
        Detectors that had what they read.
    found : Outcomes
        Of entries at each close, with `horizon` and `barrier`.
    """

    timeframe: Timeframe
    closed: TimeArray
    scores: SmallArray
    confidences: SmallArray
    trend: SmallArray
    volatility: SmallArray
    exists: NDArray[np.bool_]
    found: Outcomes
    horizon: int
    barrier: float

    def calls(self, weights: WeightsLike | None = None) -> Calls:
        """Return what these weights would have called, and how it turned out."""
        combined = combine(
            self.scores, self.confidences, self.trend, self.volatility, weights, self.exists
        )
        return judged(
            self.timeframe, self.closed, combined, self.found, self.horizon, self.barrier
        )


def keep(evidence: Evidence, horizon: int = HORIZON, barrier: float = BARRIER) -> Past:
    """Return what is worth keeping of the evidence of one stream.

    Raises
    ------
    ValueError
        If the bars carry no timeframe.
    """
    bars = evidence.bars
    if bars.timeframe is None:
        raise ValueError("bars must have a timeframe to be judged, was None")
    scores, confidences, trend, volatility = (
        a.astype(np.float32)
        for a in (evidence.scores, evidence.confidences, evidence.trend, evidence.volatility)
    )
    return Past(
        bars.timeframe, bars.close_time, scores, confidences, trend, volatility, evidence.exists,
        outcomes(bars, evidence.atr, horizon, barrier), horizon, barrier,
    )
