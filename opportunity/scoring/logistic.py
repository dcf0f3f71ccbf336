"""Logistic regression with weights and a prior, by Newton's method.

Source: Platt, "Probabilistic outputs for support vector machines", 1999 (a score into a
probability); Hastie, Tibshirani, Friedman, *The Elements of Statistical Learning*, 2009, 4.4.1.
"""

from typing import Final

import numpy as np

from opportunity.market.bars import FloatArray

N_STEPS: Final = 25
NEAR: Final = 1e-9
"""Change of every coefficient at which the steps end."""

FARTHEST: Final = 30.0
"""Bound of the log odds, beyond which exp adds nothing but overflow."""


def logistic(log_odds: FloatArray) -> FloatArray:
    """Turn log odds into probabilities, any shape."""
    return 1.0 / (1.0 + np.exp(-np.clip(log_odds, -FARTHEST, FARTHEST)))


def fit_logistic(x: FloatArray, y: FloatArray, weights: FloatArray, prior: float) -> FloatArray:
    """Return the coefficients that make `logistic(x @ coefficients)` likeliest.

    Parameters
    ----------
    x : ndarray of shape (n, n_columns)
        Evidence; a column of ones gives an intercept.
    y : ndarray of shape (n,)
        0 or 1.
    weights : ndarray of shape (n,)
        How many independent outcomes each row counts for, >= 0.
    prior : float
        Standard deviation, > 0, of the normal prior around 0 of every coefficient.

    Returns
    -------
    ndarray of shape (n_columns,)
    """
    penalty = 1.0 / prior**2
    coefficients = np.zeros(x.shape[1])
    for _ in range(N_STEPS):
        p = logistic(x @ coefficients)
        gradient = x.T @ (weights * (y - p)) - penalty * coefficients
        curvature = (x.T * (weights * p * (1.0 - p))) @ x + penalty * np.eye(x.shape[1])
        step = np.linalg.solve(curvature, gradient)
        coefficients += step
        if np.abs(step).max() < NEAR:
            break
    return coefficients
