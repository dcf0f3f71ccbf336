"""The best rising step function through noisy points: pool adjacent violators.

Source: Ayer, Brunk, Ewing, Reid, Silverman, "An empirical distribution function for sampling with
incomplete information", Annals of Mathematical Statistics 26, 1955.
"""

from typing import Any

import numpy as np

from opportunity.kernels import kernel
from opportunity.market.bars import FloatArray


def isotonic(y: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the never-falling values nearest to `y` by weighted squared distance.

    Parameters
    ----------
    y, weights : ndarray of shape (n,)
        Values in the order of what they depend on, and how much each counts, > 0.

    Returns
    -------
    ndarray of shape (n,)
        Equal within each pooled run; their weighted sum is that of `y`.
    """
    fitted = np.array(y, dtype=np.float64)
    pool_rows(fitted, np.array(weights, dtype=np.float64), np.empty(fitted.size, np.int64))
    return fitted


@kernel
def pool_rows(y: Any, weights: Any, ends: Any) -> None:
    """Replace `y` by its isotonic fit; `weights` and `ends` (n,) are scratch afterwards."""
    n_blocks = 0  # the finished blocks' means and weights stand at the front of the arrays
    for i in range(y.size):
        mean = y[i]
        weight = weights[i]
        while n_blocks > 0 and y[n_blocks - 1] >= mean:
            n_blocks -= 1
            total = weights[n_blocks] + weight
            mean = (y[n_blocks] * weights[n_blocks] + mean * weight) / total
            weight = total
        y[n_blocks] = mean
        weights[n_blocks] = weight
        ends[n_blocks] = i + 1
        n_blocks += 1
    for block in range(n_blocks - 1, -1, -1):  # backwards: nothing is overwritten unread
        first = ends[block - 1] if block > 0 else 0
        y[first : ends[block]] = y[block]
