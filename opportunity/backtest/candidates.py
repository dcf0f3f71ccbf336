"""Weight vectors to be judged: points of the simplex, as only the ratios of weights matter."""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opportunity.contracts import DETECTOR_NAMES
from opportunity.market.bars import FloatArray

N: Final = len(DETECTOR_NAMES)

MOST: Final = 10_000_000
"""Vectors of one set; more are a typing error."""

_LEAST: Final = 1e-12  # of a uniform number, below which its logarithm is cut


def active_detectors(history: Any) -> NDArray[np.bool_]:
    """Return which detectors had what they read before the history ended.

    Weights of the others decide nothing: vectors that differ in those only would be the same
    trial under many names.
    """
    return np.asarray(history.exists_from < history.batches.time[-1])


def equal_weights(active: NDArray[np.bool_]) -> FloatArray:
    """Return 1/N for each active detector; shape (n_detectors,).

    Raises
    ------
    ValueError
        If none is active.
    """
    if not active.any():
        raise ValueError("active must name a detector or more, was none")
    return np.asarray(active / active.sum())


def random_weights(n: int, active: NDArray[np.bool_], seed: int) -> FloatArray:
    """Draw vectors evenly from the simplex, equal weights first; shape (n, n_detectors).

    Raises
    ------
    ValueError
        If `n` is out of 1 to `MOST`.
    """
    _check(n)
    matrix = np.zeros((n, N))
    matrix[0] = equal_weights(active)
    drawn = np.random.default_rng(seed).standard_exponential((n - 1, int(active.sum())))
    matrix[1:, active] = drawn / drawn.sum(axis=1, keepdims=True)
    return matrix


def grid_weights(n: int, active: NDArray[np.bool_]) -> FloatArray:
    """Return the finest even grid on the simplex of at most `n` vectors, equal weights first.

    With nine detectors, steps of 1/4 make 495 vectors, of 1/6 3,003, of 1/8 12,870.

    Raises
    ------
    ValueError
        If `n` is out of 1 to `MOST`.
    """
    _check(n)
    k = int(active.sum())
    equal = equal_weights(active)
    steps = 0
    while math.comb(steps + k, k - 1) <= n - 1 and (k > 1 or steps < 1):
        steps += 1
    if steps == 0:
        return equal[None]
    matrix = np.zeros((math.comb(steps + k - 1, k - 1), N))
    matrix[:, active] = _parts(steps, k) / steps
    matrix = matrix[np.abs(matrix - equal).max(axis=1) > 1e-9]
    return np.concatenate([equal[None], matrix])


def _parts(total: int, k: int) -> NDArray[np.int64]:
    """Return all ways to share `total` among `k`, in order."""
    if k == 1:
        return np.array([[total]])
    blocks = []
    for first in range(total, -1, -1):
        rest = _parts(total - first, k - 1)
        blocks.append(np.column_stack([np.full(len(rest), first), rest]))
    return np.concatenate(blocks)


def from_cube(points: FloatArray, active: NDArray[np.bool_]) -> FloatArray:
    """Turn points of the unit cube (n, n_active) into weights (n, n_detectors).

    Evenly drawn points become evenly drawn weights, the middle equal weights, and 1 no weight.
    """
    matrix = np.zeros((len(points), N))
    drawn = -np.log(np.clip(points, _LEAST, 1.0))
    total = drawn.sum(axis=1, keepdims=True)
    matrix[:, active] = np.where(total > 0, drawn / np.where(total > 0, total, 1.0),
                                 1.0 / points.shape[1])
    return matrix


def checked_matrix(weights: ArrayLike) -> FloatArray:
    """Return weights as a contiguous matrix (n, n_detectors), as they are, not normalised.

    Raises
    ------
    ValueError
        If the shape is another, or a weight is negative, not finite, or a row all 0.
    """
    matrix = np.ascontiguousarray(weights, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[1] != N or not len(matrix):
        raise ValueError(f"weights must be of shape (n, {N}), was {matrix.shape}")
    if not (np.isfinite(matrix) & (matrix >= 0)).all():
        raise ValueError("weights must be finite and >= 0 everywhere")
    empty = np.flatnonzero(matrix.sum(axis=1) == 0)
    if empty.size:
        raise ValueError(f"weights must not all be 0, were in row {empty[0]}")
    return matrix


def _check(n: int) -> None:
    if not 1 <= n <= MOST:
        raise ValueError(f"n must be 1 to {MOST:,} vectors, was {n}")
