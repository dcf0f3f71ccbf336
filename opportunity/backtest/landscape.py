"""How a value lies over weights, two detectors at a time: a plateau may be believed, a peak not.

The best of many vectors is lucky. One whose neighbours are about as good was found where weights
matter; one that stands alone was found by chance.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.market.bars import FloatArray

BINS: Final = 8
"""Of each weight; the last one takes what lies above `MOST_SHOWN` of the vectors."""

MOST_SHOWN: Final = 0.98
NEIGHBOURS: Final = 20


@dataclass(frozen=True, slots=True, eq=False)
class Landscape:
    """A value over pairs of weights; arrays of pairs in the order of `pairs`.

    Parameters
    ----------
    names : tuple of str
        Detectors whose weight differs between the vectors.
    edges : ndarray of float64, shape (n_names, n_bins + 1)
        Of the bins of each weight; the last bin has no upper end.
    pairs : tuple of (int, int)
        Rows of `names`: the first goes down, the second across.
    mean, best : ndarray of float64, shape (n_pairs, n_bins, n_bins)
        Of the values in each cell; NaN where there is none.
    count : ndarray of int64, shape (n_pairs, n_bins, n_bins)
        Vectors in each cell.
    around : float
        Mean value of the `NEIGHBOURS` vectors nearest to the best one; NaN without any.
    median : float
        Of all values.
    """

    names: tuple[str, ...]
    edges: FloatArray
    pairs: tuple[tuple[int, int], ...]
    mean: FloatArray
    best: FloatArray
    count: NDArray[np.int64]
    around: float
    median: float


def landscape(
    matrix: FloatArray, values: FloatArray, names: tuple[str, ...], n_bins: int = BINS
) -> Landscape:
    """Sum values up over the weights that led to them.

    Parameters
    ----------
    matrix : ndarray of float64, shape (n, n_detectors)
        Weights.
    values : ndarray of float64, shape (n,)
        NaN where there is none; such vectors are left out.
    names : tuple of str
        Of the columns.
    n_bins : int
        Of each weight, >= 2.

    Raises
    ------
    ValueError
        If shapes do not fit each other.
    """
    if matrix.shape != (values.size, len(names)):
        raise ValueError(
            f"matrix must have the shape {(values.size, len(names))}, was {matrix.shape}"
        )
    known = np.isfinite(values)
    some, value = matrix[known], values[known]
    differs = np.ptp(some, axis=0) > 0 if len(some) else np.zeros(len(names), bool)
    some = some[:, differs]
    kept = tuple(name for name, does in zip(names, differs.tolist(), strict=True) if does)
    edges, cell = _binned(some, n_bins)
    pairs = tuple(combinations(range(len(kept)), 2))
    found = [_summed(cell[:, a] * n_bins + cell[:, b], value, n_bins) for a, b in pairs]
    shape = (len(pairs), n_bins, n_bins)
    mean, best, count = (
        np.array([part[k] for part in found]).reshape(shape) for k in range(3)
    )
    return Landscape(
        kept, edges, pairs, mean, best, count.astype(np.int64), _around(some, value),
        float(np.median(value)) if value.size else float("nan"),
    )  # fmt: skip


def _binned(some: FloatArray, n_bins: int) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return edges of even bins from 0 on for each column, and the bin of each weight."""
    if not some.size:
        return np.empty((some.shape[1], n_bins + 1)), np.empty(some.shape, np.int64)
    tops = np.maximum(np.quantile(some, MOST_SHOWN, axis=0), 1e-9)
    edges = tops[:, None] * np.linspace(0.0, 1.0, n_bins + 1)
    cell = np.minimum((some / tops * n_bins).astype(np.int64), n_bins - 1)
    return edges, cell


def _summed(
    cell: NDArray[np.int64], value: FloatArray, n_bins: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    n = n_bins * n_bins
    count = np.bincount(cell, minlength=n).astype(np.float64)
    total = np.bincount(cell, value, n)
    mean = np.where(count > 0, total / np.maximum(count, 1.0), np.nan)
    best = np.full(n, -np.inf)
    np.maximum.at(best, cell, value)
    return mean, np.where(count > 0, best, np.nan), count


def _around(some: FloatArray, value: FloatArray) -> float:
    """Return the mean value of the vectors nearest to the best, which itself does not count."""
    if value.size < 2:
        return float("nan")
    far = np.abs(some - some[int(np.argmax(value))]).sum(axis=1)
    far[int(np.argmax(value))] = np.inf
    near = np.argsort(far, kind="stable")[: min(NEIGHBOURS, value.size - 1)]
    return float(value[near].mean())
