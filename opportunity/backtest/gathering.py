"""Rows of streams picked out for decisions; compiled."""

from typing import Any

import numpy as np

from opportunity.kernels import kernel


@kernel
def gather(source: Any, rows: Any, target: Any) -> None:
    """Copy rows of a stream's scores, confidences, trend and volatility; -1 is one without any."""
    scores, confidences, trend, volatility = source
    to_scores, to_confidences, to_trend, to_volatility = target
    n = scores.shape[1]
    for k in range(rows.size):
        row = rows[k]
        if row < 0:
            to_scores[k] = np.nan
            to_confidences[k] = np.nan
            to_trend[k] = 0.0
            to_volatility[k] = np.nan
        else:
            for i in range(n):
                to_scores[k, i] = scores[row, i]
                to_confidences[k, i] = confidences[row, i]
            to_trend[k] = trend[row]
            to_volatility[k] = volatility[row]
