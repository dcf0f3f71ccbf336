"""Contributions of the detectors, brought together over the timeframes of a symbol; compiled."""

from typing import Any

import numpy as np

from opportunity.kernels import kernel
from opportunity.market.bars import FloatArray
from opportunity.scoring.combination import Combined


def symbol_contributions(combined: Combined, weights: FloatArray) -> FloatArray:
    """Return what each detector adds to the net of each symbol.

    Parameters
    ----------
    combined : Combined
        Of shape (n, n_timeframes).
    weights : ndarray, shape (n_timeframes,)
        Across timeframes.

    Returns
    -------
    ndarray, shape (n, n_detectors)
        Their sum is the net of `consensus.aggregate` to 1e-12; NaN for a detector that was not
        available on any timeframe.
    """
    n, _, n_detectors = combined.contributions.shape
    means = np.empty((n, n_detectors))
    mean_contributions(combined.contributions, combined.net, weights, means)
    return means


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
