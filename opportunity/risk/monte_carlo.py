"""Losses drawn from a covariance: many markets that could come, all from one seed."""

from typing import Final

import numpy as np

from opportunity.market.bars import FloatArray

N_PATHS: Final = 20_000
"""The standard error of a value at risk at 0.95 is then about 1 % of it."""

SEED: Final = 20_240_101

_PIECE: Final = 2_048  # paths at a time: bounds the memory whatever the number of assets


def drawn_losses(
    notionals: FloatArray, covariance: FloatArray, seed: int = SEED, n_paths: int = N_PATHS
) -> FloatArray:
    """Draw losses of a portfolio over one horizon.

    Parameters
    ----------
    notionals : ndarray of shape (n_assets,)
        Signed, quote currency.
    covariance : ndarray of shape (n_assets, n_assets)
        Of the log returns over the whole horizon, positive semi-definite.
    seed : int
        The same seed gives the same losses.
    n_paths : int
        Markets drawn, > 0.

    Returns
    -------
    ndarray of shape (n_paths,)
        Losses, quote currency.

    Notes
    -----
    Log returns are normal, shifted so that no price is expected to rise or fall; prices stay
    above 0, so a long cannot lose more than its notional while a short can. Cost
    O(n_paths n_assets^2).
    """
    if n_paths < 1:
        raise ValueError(f"n_paths must be >= 1, was {n_paths}")
    # Eigenvalues rather than Cholesky: two assets that move as one are no error.
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    shift = np.diag(covariance) / 2.0
    rng = np.random.default_rng(seed)
    losses = np.empty(n_paths)
    for first in range(0, n_paths, _PIECE):
        piece = losses[first : first + _PIECE]
        drawn = rng.standard_normal((piece.size, notionals.size)) @ root.T
        piece[:] = -np.expm1(drawn - shift) @ notionals
    return losses
