"""How returns vary together: sample covariance, Ledoit-Wolf shrinkage, correlations."""

from dataclasses import dataclass, field

import numpy as np

from opportunity.market.bars import FloatArray
from opportunity.risk.returns import LEAST_ROWS, require_rows


@dataclass(frozen=True, slots=True, eq=False)  # arrays have no single truth value to compare by
class Shrunk:
    """A covariance pulled towards a multiple of the identity.

    Parameters
    ----------
    covariance : ndarray of shape (n_assets, n_assets)
        Per bar, symmetric and positive semi-definite.
    shrinkage : float
        How far it was pulled, [0, 1]; 0: the sample covariance, 1: the target.
    """

    covariance: FloatArray = field(repr=False)
    shrinkage: float


def sample_covariance(returns: FloatArray, least: int = LEAST_ROWS) -> FloatArray:
    """Return the unbiased covariance (divided by n - 1), shape (n_assets, n_assets).

    Raises
    ------
    CoverageError
        If there are fewer than `least` rows (2 at the least).
    ValueError
        If a return is not finite.
    """
    values = _checked(returns, max(least, 2), "a covariance")
    centred = values - values.mean(axis=0)
    covariance: FloatArray = centred.T @ centred / (len(values) - 1)
    return covariance


def ledoit_wolf(returns: FloatArray, least: int = LEAST_ROWS) -> Shrunk:
    """Shrink the covariance towards its mean variance times the identity.

    Parameters
    ----------
    returns : ndarray of shape (n_rows, n_assets)
        Per bar.
    least : int
        Fewest rows taken.

    Returns
    -------
    Shrunk
        (1 - shrinkage) S + shrinkage mu I, where S is the covariance divided by n and mu the mean
        of its diagonal. Equal to `sklearn.covariance.ledoit_wolf` to rounding.

    Raises
    ------
    CoverageError
        If there are fewer than `least` rows.
    ValueError
        If a return is not finite.

    Notes
    -----
    The shrinkage is the share of the distance from S to the target that is error of S. Cost
    O(n_rows n_assets^2). Source: Ledoit and Wolf, 2004, A well-conditioned estimator for
    large-dimensional covariance matrices, Journal of Multivariate Analysis 88.
    """
    values = _checked(returns, max(least, 1), "a covariance")
    n, p = values.shape
    centred = values - values.mean(axis=0)
    sample = centred.T @ centred / n
    if p == 1:
        return Shrunk(sample, 0.0)
    mu = float(np.trace(sample)) / p
    squares = centred**2
    spread = float(((squares.T @ squares) / n - sample**2).sum()) / (n * p)  # error of the sample
    distance = float(((sample - mu * np.eye(p)) ** 2).sum()) / p
    shrinkage = 0.0 if distance == 0.0 else max(0.0, min(spread, distance) / distance)
    shrunk = (1.0 - shrinkage) * sample
    shrunk[np.diag_indices(p)] += shrinkage * mu
    return Shrunk(shrunk, shrinkage)


def correlations(covariance: FloatArray) -> FloatArray:
    """Return the correlations of a covariance, in [-1, 1], 1 on the diagonal.

    What never moved has no correlation with others: NaN there.
    """
    deviations = np.sqrt(np.diag(covariance))
    scale = np.where(deviations > 0, deviations, np.nan)
    found: FloatArray = np.clip(covariance / np.outer(scale, scale), -1.0, 1.0)
    np.fill_diagonal(found, 1.0)
    return found


def _checked(returns: FloatArray, least: int, what: str) -> FloatArray:
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] == 0:
        raise ValueError(f"returns must be of shape (n_rows, n_assets), were {values.shape}")
    require_rows(len(values), least, what)
    if not np.isfinite(values).all():
        raise ValueError("returns must be finite, were not all")
    return values
