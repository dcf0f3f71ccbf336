"""Which position the value at risk comes from: parts that add up to the whole."""

import math
from dataclasses import dataclass, field

import numpy as np

from opportunity.market.bars import FloatArray
from opportunity.risk.value_at_risk import Asked, deviation


@dataclass(frozen=True, slots=True, eq=False)  # arrays have no single truth value to compare by
class Components:
    """The parametric value at risk, taken apart.

    Parameters
    ----------
    var : float
        The sum of `parts`, added in their order; quote currency.
    parts : ndarray of shape (n_assets,)
        What each position adds; below 0 for one that hedges.
    marginal : ndarray of shape (n_assets,)
        By how much `var` grows for each unit of quote currency that the notional grows.
    alone : ndarray of shape (n_assets,)
        Value at risk of each position by itself, >= 0.
    """

    var: float
    parts: FloatArray = field(repr=False)
    marginal: FloatArray = field(repr=False)
    alone: FloatArray = field(repr=False)

    @property
    def diversified(self) -> float:
        """Share of the lone values at risk that holding them together saves, [0, 1]."""
        total = float(self.alone.sum())
        return 0.0 if total == 0.0 else max(0.0, 1.0 - self.var / total)


def components(notionals: FloatArray, covariance: FloatArray, asked: Asked) -> Components:
    """Take the parametric value at risk apart by Euler's theorem.

    Parameters
    ----------
    notionals : ndarray of shape (n_assets,)
        Signed, quote currency.
    covariance : ndarray of shape (n_assets, n_assets)
        Of simple returns, per bar.
    asked : Asked
        Level and horizon.

    Notes
    -----
    marginal_i = z sqrt(h) (C w)_i / sd(w), part_i = w_i marginal_i. Source: Litterman, 1996,
    Hot spots and hedges, Journal of Portfolio Management.
    """
    factor = asked.z * math.sqrt(asked.horizon)
    spread = deviation(notionals, covariance)
    alone = factor * np.abs(notionals) * np.sqrt(np.maximum(np.diag(covariance), 0.0))
    if spread == 0.0:
        zeros = np.zeros(notionals.size)
        return Components(0.0, zeros, zeros, alone)
    marginal = factor * (covariance @ notionals) / spread
    parts = notionals * marginal
    return Components(float(sum(parts.tolist())), parts, marginal, alone)
