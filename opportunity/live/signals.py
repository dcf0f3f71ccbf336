"""Signals: the newest judgement of a symbol, in the shape that travels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.strategy import Evaluation


def signals_of(evaluation: Evaluation, rows: NDArray[np.int64]) -> dict[str, dict[str, Any]]:
    """Return one signal per symbol that has a score, by symbol.

    Parameters
    ----------
    evaluation : Evaluation
        A ranking of the whole universe.
    rows : ndarray of int64
        Indices of the symbols wanted.
    """
    signals = {}
    for row in rows.tolist():
        seen = evaluation.row(row)
        if np.isfinite(seen.final_score):
            signals[seen.symbol] = {
                "type": "signal",
                "symbol": seen.symbol,
                "direction": seen.direction,
                "confidence": seen.confidence,
                "score": seen.final_score,
                "risk_level": seen.risk_level,
                "success": seen.success if np.isfinite(seen.success) else None,
                "timeframes": dict(seen.timeframes),
                "trust": seen.trust,
                "trust_note": seen.trust_note,
                "ts": evaluation.snapshot.time,
                "source": evaluation.snapshot.source,
            }
    return signals
