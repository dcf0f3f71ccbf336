"""Weights fitted to outcomes: a logistic regression that has to earn every step from 1/N.

The outcome of a bar is which barrier the price touched first (`scoring.barriers`); the evidence is
what each detector adds to the score, confidence times gated score. A bar counts twice, as a call
up and as a call down, so that a market that rose teaches no detector to be bullish. Coefficients
are >= 0 and drawn to their common mean; how strongly is decided on outcomes that the fit has not
seen, and in doubt strongly: estimated weights lose to equal ones more often than they win.

Sources: Tibshirani, Hastie, Friedman, *The Elements of Statistical Learning*, 2009, 7.10 (the
one-standard-error rule); López de Prado, *Advances in Financial Machine Learning*, 2018, chapters
4 (uniqueness) and 7 (purging, embargo); DeMiguel, Garlappi, Uppal, "Optimal versus naive
diversification", Review of Financial Studies 22, 2009 (equal weights).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from opportunity.backtest.extras import needed
from opportunity.backtest.fit_samples import Samples, samples_of
from opportunity.backtest.splits import Gaps, Steps, k_fold, learnable
from opportunity.contracts import DETECTOR_NAMES
from opportunity.errors import CalibrationError
from opportunity.market.bars import Bars, FloatArray
from opportunity.scoring.barriers import BARRIER, HORIZON
from opportunity.scoring.logistic import fit_logistic, logistic
from opportunity.scoring.scores import Scores

SHRINKAGES: Final = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, float("inf"))
"""Strengths of the pull to the mean, by the weight of all samples; inf: equal weights."""

LEAST: Final = 100.0
"""Effective outcomes below which nothing is fitted."""

SURE: Final = 2.0
"""Standard errors by which a fit must be better than its base rate to have told anything."""

_WIDE: Final = 1e3  # prior of what is not shrunk
_NEAR: Final = 1e-12


@dataclass(frozen=True, eq=False)
class FittedWeights:
    """Weights as outcomes would have them; arrays over detectors in their order.

    Parameters
    ----------
    weights : ndarray, shape (n_detectors,)
        Sum 1; 0 for detectors that never spoke.
    coefficients : ndarray, shape (n_detectors,)
        Log odds of being right for each unit of confidence times score.
    shrinkage : float
        That was chosen; inf where equal weights were good enough.
    path : DataFrame
        By shrinkage: log loss on unseen outcomes, the standard error of its distance from the
        best, and the weights.
    base_loss, base_error : float
        Log loss of knowing only how often calls are right, and the standard error, over the
        tests, of how far that of the weights is below it.
    n, effective : int, float
        Bars with an outcome, and how many independent ones they are worth.
    """

    weights: FloatArray
    coefficients: FloatArray
    shrinkage: float
    path: pd.DataFrame
    base_loss: float
    base_error: float
    n: int
    effective: float

    @property
    def loss(self) -> float:
        """Log loss on unseen outcomes, of the shrinkage that was chosen."""
        return float(self.path["loss"].to_dict()[self.shrinkage])

    @property
    def informative(self) -> bool:
        """Whether the detectors told more of unseen outcomes than their base rate.

        By more than `SURE` standard errors: the shrinkage was chosen on the same tests, and the
        best of some losses is below the base rate by luck alone every other time.
        """
        return self.base_loss - self.loss > SURE * self.base_error

    def as_dict(self) -> dict[str, float]:
        """Return the weights by detector name."""
        return dict(zip(DETECTOR_NAMES, self.weights.tolist(), strict=True))

    def __repr__(self) -> str:
        inside = ", ".join(f"{n}={w:.3f}" for n, w in self.as_dict().items())
        told = "better" if self.informative else "no better"
        return (
            f"<FittedWeights {inside}; shrinkage {self.shrinkage:g}, on unseen outcomes {told} "
            f"than the base rate ({self.loss:.4f} against {self.base_loss:.4f})>"
        )


def fit_weights(
    bars: Bars | Scores | Sequence[Bars | Scores],
    *,
    horizon: int = HORIZON,
    barrier: float = BARRIER,
    n_folds: int = 5,
    embargo: int = HORIZON,
    shrinkages: Sequence[float] = SHRINKAGES,
) -> FittedWeights:
    """Fit weights to what became of calls.

    Parameters
    ----------
    bars : Bars, Scores, or a sequence of them
        Streams of one timeframe; scores are taken as they are.
    horizon : int
        Bars after which the sign of the move decides, >= 1.
    barrier : float
        Distance of both barriers, ATR.
    n_folds : int
        Tests that the shrinkage is chosen by, >= 2.
    embargo : int
        Bars left out behind each test.
    shrinkages : sequence of float
        To choose from; inf is always among them.

    Returns
    -------
    FittedWeights

    Raises
    ------
    CalibrationError
        If the outcomes are worth fewer than `LEAST` independent ones.
    ValueError
        If there is no stream, timeframes differ, or a number is out of its range.
    BarError
        As `score`.

    Notes
    -----
    Fitted on all of the bars given: what it is worth, only other bars tell. Give it those before
    a date and `backtest` the weights on those after it.
    """
    samples = samples_of(bars, horizon, barrier)
    if samples.weight.sum() < LEAST:
        raise CalibrationError(
            f"outcomes must be worth {LEAST:g} independent ones, were {samples.weight.sum():.1f}"
        )
    wanted = sorted({float(s) for s in shrinkages} | {float("inf")})
    if not wanted[0] > 0:
        raise ValueError(f"shrinkages must be > 0, was {wanted[0]}")
    losses, bases = _unseen(samples, wanted, n_folds, embargo)
    chosen, errors = _in_doubt_the_strongest(losses)
    fitted = [_fit(samples, strength) for strength in wanted]
    path = pd.DataFrame(
        {"loss": losses.mean(axis=1), "error": errors},
        index=pd.Index(wanted, name="shrinkage"),
    )
    for i, name in enumerate(DETECTOR_NAMES):
        path[name] = [_shares(c, samples.active)[i] for c in fitted]
    return FittedWeights(
        _shares(fitted[chosen], samples.active), _spread(fitted[chosen], samples.active),
        wanted[chosen], path, float(bases.mean()),
        float((bases - losses[chosen]).std(ddof=1) / np.sqrt(bases.size)), len(samples),
        float(samples.weight.sum()),
    )


def _unseen(
    samples: Samples, wanted: Sequence[float], n_folds: int, embargo: int
) -> tuple[FloatArray, FloatArray]:
    """Return the log loss of each strength on each test, (n_strengths, n_folds), and the base's."""
    steps = Steps(int(samples.start.min()), int(samples.start.max()) + 1)
    losses, bases = [], []
    for split in k_fold(steps, n_folds, Gaps()):
        kept = learnable(samples.start, samples.end, split.test, embargo)
        tested = (samples.start >= split.test.start) & (samples.start < split.test.end)
        if not (kept.any() and tested.any()):
            continue
        train, test = samples.take(kept), samples.take(tested)
        losses.append([_loss(_fit(train, strength), test) for strength in wanted])
        bases.append(_loss(_base(train), test))
    if len(losses) < 2:
        raise ValueError("bars must leave something to learn from in 2 folds or more, did not")
    return np.array(losses).T, np.array(bases)


def _in_doubt_the_strongest(losses: FloatArray) -> tuple[int, FloatArray]:
    """Return the strongest pull whose loss is within one standard error of the best one's."""
    best = int(losses.mean(axis=1).argmin())
    apart = losses - losses[best]
    errors = apart.std(axis=1, ddof=1) / np.sqrt(losses.shape[1])
    near = apart.mean(axis=1) <= errors
    return int(np.flatnonzero(near).max()), errors


def _fit(samples: Samples, strength: float) -> FloatArray:
    """Return coefficients of the active detectors, >= 0, and the intercept behind them."""
    x, right, weight = samples.calls()
    together = np.column_stack([x.sum(axis=1), np.ones(len(x))])
    common, intercept = fit_logistic(together, right, weight, _WIDE)
    k = x.shape[1]
    start = np.append(np.full(k, max(common, 0.0)), intercept)
    if np.isinf(strength) or k == 1:
        return start
    needed("scipy.optimize")
    from scipy.optimize import minimize

    pull = strength * weight.sum()

    def cost(at: FloatArray) -> tuple[float, FloatArray]:
        odds = x @ at[:-1] + at[-1]
        apart = at[:-1] - at[:-1].mean()
        # log(1 + e^z) - y z, in a form that neither overflows nor loses digits.
        value = weight @ (np.logaddexp(0.0, odds) - right * odds) + 0.5 * pull * apart @ apart
        slope = weight * (logistic(odds) - right)
        return float(value), np.append(x.T @ slope + pull * apart, slope.sum())

    bounds = [(0.0, None)] * k + [(None, None)]
    found = minimize(
        cost, start, jac=True, method="L-BFGS-B", bounds=bounds,
        options={"maxiter": 500, "ftol": 1e-14, "gtol": 1e-8 * float(weight.sum())},
    )
    return np.asarray(found.x)


def _base(samples: Samples) -> FloatArray:
    """Return the model that knows only how often calls are right."""
    x, right, weight = samples.calls()
    rate = float(np.clip((weight @ right) / weight.sum(), 1e-6, 1 - 1e-6))
    return np.append(np.zeros(x.shape[1]), np.log(rate / (1 - rate)))


def _loss(coefficients: FloatArray, samples: Samples) -> float:
    x, right, weight = samples.calls()
    odds = x @ coefficients[:-1] + coefficients[-1]
    return float(weight @ (np.logaddexp(0.0, odds) - right * odds) / weight.sum())


def _spread(coefficients: FloatArray, active: NDArray[np.bool_]) -> FloatArray:
    whole = np.zeros(active.size)
    whole[active] = coefficients[:-1]
    return whole


def _shares(coefficients: FloatArray, active: NDArray[np.bool_]) -> FloatArray:
    """Return weights of sum 1; equal ones where no detector has a coefficient above 0."""
    whole = _spread(coefficients, active)
    total: Any = whole.sum()
    return np.asarray(whole / total if total > _NEAR else active / active.sum())
