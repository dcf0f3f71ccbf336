"""Rows of streams picked out for decisions, and their contributions brought together; compiled."""

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


@kernel
def mean_contributions(contributions: Any, net: Any, weights: Any, out: Any) -> None:
    """Fill the mean over the timeframes that scored, (n, n_detectors), by their weight."""
    n, n_frames, n_detectors = contributions.shape
    for k in range(n):
        total = 0.0
        for f in range(n_frames):
            if not np.isnan(net[k, f]):
                total += weights[f]
        for i in range(n_detectors):
            share = 0.0
            n_found = 0
            for f in range(n_frames):
                part = contributions[k, f, i]
                if not np.isnan(part):
                    share += weights[f] * part
                    n_found += 1
            out[k, i] = share / total if n_found > 0 and total > 0.0 else np.nan
