"""What a stream would score if its unfinished bar closed now; a look ahead, never a signal."""

from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np

from opportunity.contracts import DETECTOR_NAMES
from opportunity.detectors.base import CONFIDENCE, SCORE
from opportunity.detectors.events import EVENT
from opportunity.live.streams import Streams
from opportunity.market.bars import Bar, FloatArray
from opportunity.market.timeframe import Timeframe, length_ms
from opportunity.market.timeframe import timeframe as checked
from opportunity.scoring.context import ATR, TREND, VOLATILITY, context_run
from opportunity.scoring.ensemble import combine
from opportunity.scoring.explanation import Explanation
from opportunity.scoring.scores import explain
from opportunity.scoring.snapshot import MarketSnapshot
from opportunity.scoring.trust import trust_note


def preview(
    streams: Streams,
    lock: AbstractContextManager[object],
    stream: tuple[int, Timeframe],
    bar: Bar,
    weights: FloatArray,
) -> Explanation | None:
    """Score an unfinished bar on copies of the stream's states; the stream does not change.

    Parameters
    ----------
    streams : Streams
        Warm.
    lock : context manager
        Held while states are copied and records are read.
    stream : tuple of int and Timeframe
        Index of the symbol, and the timeframe.
    bar : Bar
        As it would close.
    weights : ndarray of shape (n_detectors,)
        Detector weights.

    Returns
    -------
    Explanation or None
        `closed` is when the bar will close; nothing is said of `trust`. None if it has closed
        meanwhile or holds no price.

    Notes
    -----
    A third of a millisecond. No success is told: that is known of closed bars only.
    """
    symbol, timeframe = stream
    time, values = np.array([[bar.time]]), np.array([[bar[1:]]], np.float64)
    if not np.isfinite(values).all():
        return None
    where = np.array([symbol])
    with lock:
        states, closed = streams.row(symbol, timeframe)
        known = [
            streams.observers.rows(i, where, timeframe, time) for i in range(len(streams.detectors))
        ]
        exists = streams.observers.exists
    if bar.time < closed:
        return None
    scores, confidences = np.full((2, len(DETECTOR_NAMES)), np.nan)
    row, none = np.zeros(1, np.int64), np.empty((1, 0), EVENT)
    for i, detector in enumerate(streams.detectors):
        out = np.full((1, 1, detector.width), np.nan)
        detector.run(
            states[i],
            row,
            detector.packed,
            time,
            values,
            known[i],
            out,
            none,
            np.zeros(1, np.int64),
        )
        scores[i], confidences[i] = out[0, 0, SCORE], out[0, 0, CONFIDENCE]
    out = np.full((1, 1, 3), np.nan)
    context_run(states[-1], row, time, values, out)
    trend, volatility = float(out[0, 0, TREND]), float(out[0, 0, VOLATILITY])
    combined = combine(scores, confidences, np.nan_to_num(trend), volatility, weights, exists)
    told = explain(
        combined,
        scores,
        confidences,
        weights,
        trend,
        volatility,
        timeframe,
        bar.time + length_ms(timeframe),
    )
    return replace(told, symbol=streams.symbols[symbol], price=bar.close, atr=float(out[0, 0, ATR]))


def trusted(seen: Explanation, snapshot: MarketSnapshot) -> Explanation:
    """Lower the confidence of a preview by the trust in the bars that it stands on."""
    frame = snapshot.timeframes.index(checked(seen.timeframe))
    at = snapshot.symbols.index(seen.symbol), frame
    trust = float(snapshot.trust[at])
    note = trust_note(snapshot.distrust[at], seen.timeframe) if trust < 1 else ""
    return replace(seen, confidence=seen.confidence * trust).trusted(trust, note)
