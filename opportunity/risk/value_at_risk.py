"""Value at risk and expected shortfall of a portfolio by four methods.

Both are losses in quote currency, positive when money is lost. Notionals are what each position
is worth at its mark, negative for a short. Returns are simple and per bar; the horizon counts
bars and may be a fraction of one.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal, get_args

import numpy as np

from opportunity.errors import unknown
from opportunity.market.bars import FloatArray
from opportunity.risk.cornish_fisher import expanded
from opportunity.risk.covariance import ledoit_wolf
from opportunity.risk.monte_carlo import SEED, drawn_losses
from opportunity.risk.returns import LEAST_ROWS, require_rows

Method = Literal["historical", "parametric", "cornish_fisher", "monte_carlo"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)

NORMAL: Final = NormalDist()

_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about the tail.

    Parameters
    ----------
    level : float
        Share of the outcomes that are no worse than the value at risk, (0.5, 1).
    horizon : float
        Bars, > 0.
    method : str
        One of `METHODS`.
    seed : int
        Of the Monte Carlo draws.

    Raises
    ------
    ValueError
        If one is out of its range, or the method unknown.
    """

    level: float = 0.95
    horizon: float = 1.0
    method: Method = "parametric"
    seed: int = SEED

    def __post_init__(self) -> None:
        if not 0.5 < self.level < 1.0:
            raise ValueError(f"level must be in (0.5, 1), was {self.level}")
        if not 0.0 < self.horizon < math.inf:
            raise ValueError(f"horizon must be finite and > 0 bars, was {self.horizon}")
        if self.method not in METHODS:
            raise ValueError(unknown("method", self.method, METHODS))

    @property
    def z(self) -> float:
        """The one-sided quantile of the normal: 1.645 at 0.95, 2.326 at 0.99."""
        return NORMAL.inv_cdf(self.level)


@dataclass(frozen=True, slots=True)
class Tail:
    """What may be lost.

    Parameters
    ----------
    var : float
        Value at risk: the loss that is exceeded in a share 1 - level of the horizons, quote
        currency; below 0 where even that is a gain. NaN where the method cannot tell.
    es : float
        Expected shortfall: the mean loss of that worst share; never below `var`.
    note : str
        Why a method cannot tell; empty otherwise.
    """

    var: float
    es: float
    note: str = ""


def value_at_risk(notionals: FloatArray, returns: FloatArray, asked: Asked) -> Tail:
    """Return what a portfolio may lose over the horizon.

    Parameters
    ----------
    notionals : ndarray of shape (n_assets,)
        Signed, quote currency.
    returns : ndarray of shape (n_rows, n_assets)
        Simple, per bar.
    asked : Asked

    Raises
    ------
    CoverageError
        If there are too few rows for the method and level; the text names the least.
    ValueError
        If the shapes do not fit, or Cornish and Fisher's expansion does not hold for these
        returns (see `cornish_fisher.expanded`).
    """
    weights = np.asarray(notionals, dtype=np.float64)
    if returns.ndim != 2 or weights.shape != (returns.shape[1],):
        raise ValueError(
            "notionals and returns must be of shape (n_assets,) and (n_rows, n_assets), "
            f"were {weights.shape} and {returns.shape}"
        )
    if not np.any(weights):
        return Tail(0.0, 0.0)
    if asked.method == "historical":
        return historical(returns @ weights, asked)
    if asked.method == "parametric":
        return parametric(deviation(weights, ledoit_wolf(returns).covariance), asked)
    if asked.method == "cornish_fisher":
        return cornish_fisher(returns @ weights, asked)
    shrunk = ledoit_wolf(np.log1p(returns)).covariance
    losses = drawn_losses(weights, shrunk * asked.horizon, asked.seed)
    return Tail(*order_statistic(losses, asked.level))


def deviation(notionals: FloatArray, covariance: FloatArray) -> float:
    """Return the standard deviation of the P&L of one bar, quote currency."""
    return math.sqrt(max(0.0, float(notionals @ covariance @ notionals)))


def parametric(deviation: float, asked: Asked) -> Tail:
    """Return the tail of a normal P&L without drift.

    Parameters
    ----------
    deviation : float
        Standard deviation of the P&L of one bar, quote currency, >= 0.
    asked : Asked
        z of its level is one-sided. Over h bars the deviation grows by sqrt(h): returns are
        taken as independent.

    Notes
    -----
    var = z sd, es = sd pdf(z) / (1 - level). The drift is taken as 0: over days it is far
    smaller than the error with which it could be known.
    Source: J.P. Morgan and Reuters, 1996, RiskMetrics Technical Document.
    """
    spread = deviation * math.sqrt(asked.horizon)
    return Tail(asked.z * spread, NORMAL.pdf(asked.z) / (1.0 - asked.level) * spread)


def historical(pnl: FloatArray, asked: Asked) -> Tail:
    """Return the tail of the P&L that today's positions would have made in the past.

    Parameters
    ----------
    pnl : ndarray of shape (n_rows,)
        Of one bar each, quote currency.
    asked : Asked
        Over h bars both numbers grow by sqrt(h).

    Raises
    ------
    CoverageError
        If there are fewer than `LEAST_ROWS`, or so few that the worst share is less than one row.

    Notes
    -----
    See `order_statistic`.
    """
    needed = max(LEAST_ROWS, math.ceil(1.0 / (1.0 - asked.level) - _ROUNDING))
    require_rows(len(pnl), needed, f"a historical value at risk at {asked.level:g}")
    var, es = order_statistic(-pnl, asked.level)
    grown = math.sqrt(asked.horizon)
    return Tail(var * grown, es * grown)


def order_statistic(losses: FloatArray, level: float) -> tuple[float, float]:
    """Return value at risk and expected shortfall of equally likely losses.

    Parameters
    ----------
    losses : ndarray of shape (n,)
    level : float
        In (0, 1).

    Returns
    -------
    var : float
        The ceil(n level)-th smallest loss: the smallest one that is not exceeded with
        probability `level`. No interpolation.
    es : float
        var + mean(max(loss - var, 0)) / (1 - level): the mean of the worst share 1 - level, the
        row at its edge counted in part.

    Notes
    -----
    Source: Acerbi and Tasche, 2002, On the coherence of expected shortfall, Journal of Banking
    and Finance 26; Rockafellar and Uryasev, 2002, in the same volume.
    """
    n = losses.size
    row = max(math.ceil(n * level - _ROUNDING), 1) - 1
    var = float(np.partition(losses, row)[row])
    beyond = float(np.maximum(losses - var, 0.0).mean())
    return var, var + beyond / (1.0 - level)


def cornish_fisher(pnl: FloatArray, asked: Asked) -> Tail:
    """Return the tail of a P&L whose skewness and kurtosis bend the normal's quantiles.

    Parameters
    ----------
    pnl : ndarray of shape (n_rows,)
        Of one bar each, quote currency.
    asked : Asked
        Over h bars the deviation grows by sqrt(h), skewness shrinks by sqrt(h) and excess
        kurtosis by h, as for a sum of independent returns.

    Raises
    ------
    CoverageError
        If there are too few rows.
    ValueError
        If the expansion is not monotone for these moments.
    """
    require_rows(len(pnl), LEAST_ROWS, "the moments of Cornish and Fisher")
    centred = pnl - pnl.mean()
    spread = math.sqrt(float((centred**2).mean()))
    if spread <= _ROUNDING * max(1.0, float(np.abs(pnl).max())):
        return Tail(0.0, 0.0)
    ratio, h = centred / spread, asked.horizon
    skewness = float((ratio**3).mean()) / math.sqrt(h)
    kurtosis = (float((ratio**4).mean()) - 3.0) / h
    var, es = expanded(asked.level, skewness, kurtosis)
    grown = spread * math.sqrt(h)
    return Tail(var * grown, es * grown)
