"""From a score to a probability: what the past says of calls that were as strong as this one.

A calibrator sees only what does not know the side (strength, confidence, disagreement,
coverage), so a mirrored market gets the same success.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal

import numpy as np

from opportunity.errors import CalibrationError, unknown
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import length_ms
from opportunity.scoring.calls import Calls
from opportunity.scoring.combination import Combined
from opportunity.scoring.isotonic import isotonic
from opportunity.scoring.logistic import fit_logistic, logistic

Method = Literal["isotonic", "logistic"]
METHODS: Final[tuple[Method, ...]] = ("isotonic", "logistic")

LEAST: Final = 200.0
"""Effective outcomes without which nothing is calibrated: the hit rate alone is then uncertain by
3.5 points (one standard error)."""

PRIOR: Final = 0.1
"""Belief before any outcome: odds are even, and a standard deviation of evidence moves the log
odds by a tenth (2.5 points). Published hit rates of price rules rarely stray further."""

PRIOR_OUTCOMES: Final = 400.0
"""The same belief about a step of the curve, in outcomes: p (1 - p) / 0.025^2."""

N_STEPS: Final = 20
STEP_OUTCOMES: Final = 50.0
"""The curve rises in at most so many steps, each of at least so many effective outcomes."""

FEATURES: Final = ("strength", "confidence", "disagreement", "coverage")


Judged = Combined | Calls
"""What has the evidence of calls."""


def features(seen: Judged) -> FloatArray:
    """Return the evidence as columns in the order of `FEATURES`, shape (..., 4)."""
    return np.stack([getattr(seen, name) for name in FEATURES], axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class Calibrator:
    """Probability that a call of one timeframe is right, from what is known of the call.

    Parameters
    ----------
    method : str
        ``isotonic``: a rising curve over strength; ``logistic``: all of `FEATURES`.
    timeframe : str
        Of the bars that it was fitted on, with `horizon` and `barrier` as of `outcomes`.
    knots : ndarray of shape (2, n_knots)
        Isotonic: strengths and the success there; straight lines between them.
    centre, scale, coefficients : ndarray of shape (4,), (4,), (5,)
        Logistic: the features are centred and scaled; the first coefficient is the intercept.
    hit_rate, neither : float
        Shares of the calls that were right, and of those where neither side was.
    n_calls, n_effective : int, float
        Outcomes that it was fitted on, and how many independent ones they are worth.
    start, end, known : int
        When the first and the last of those calls were made, and when the last outcome was known,
        ms UTC.
    """

    method: Method
    timeframe: str
    horizon: int
    barrier: float
    knots: FloatArray
    centre: FloatArray
    scale: FloatArray
    coefficients: FloatArray
    hit_rate: float
    neither: float
    n_calls: int
    n_effective: float
    start: int
    end: int
    known: int

    def predict(self, seen: Judged) -> FloatArray:
        """Return the success of calls; NaN where there is no call.

        Parameters
        ----------
        seen : Combined or Calls
            Evidence of any one shape.
        """
        if self.method == "isotonic":
            return np.interp(seen.strength, *self.knots)  # NaN stays NaN
        x = (features(seen) - self.centre) / self.scale
        return logistic(self.coefficients[0] + x @ self.coefficients[1:])

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, which `from_dict` reads."""
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Calibrator":
        """Read what `as_dict` returned.

        Raises
        ------
        CalibrationError
            If something is missing or of a wrong kind.
        """
        arrays = ("knots", "centre", "scale", "coefficients")
        try:
            read: dict[str, Any] = {f.name: values[f.name] for f in fields(cls)}
            read |= {n: np.array(read[n], dtype=np.float64) for n in arrays}
            read["scale"] = np.where(np.isnan(read["scale"]), np.inf, read["scale"])  # JSON's null
            made = cls(**read)
            length_ms(made.timeframe)
            _require_usable(made)
        except (KeyError, TypeError, ValueError) as error:
            raise CalibrationError(f"calibrator must be readable: {error}") from error
        return made


def _require_usable(made: Calibrator) -> None:
    if made.method not in METHODS:
        raise ValueError(unknown("method", made.method, METHODS))
    if made.method == "isotonic":
        ok = made.knots.shape[0] == 2 and made.knots.size > 0 and bool(
            (np.diff(made.knots) >= 0).all() and ((made.knots >= 0) & (made.knots <= 1)).all()
        )
    else:
        n = len(FEATURES)
        shapes = [a.shape for a in (made.centre, made.scale, made.coefficients)]
        ok = shapes == [(n,), (n,), (n + 1,)] and bool(np.isfinite(made.coefficients).all())
    if not ok:
        raise ValueError(f"its {made.method} numbers are not of a calibrator")


def fit(calls: Calls, method: Method = "isotonic", least: float = LEAST) -> Calibrator:
    """Fit a calibrator to calls whose outcome is known.

    Parameters
    ----------
    calls : Calls
        Of one timeframe, pooled over symbols; open ones are passed over.
    method : str
        One of `METHODS`.
    least : float
        Effective outcomes that are needed.

    Raises
    ------
    CalibrationError
        If there are fewer, or every call turned out alike.
    ValueError
        If the method is unknown.
    """
    if method not in METHODS:
        raise ValueError(unknown("method", method, METHODS))
    if not calls.resolved.all():
        calls = calls.take(calls.resolved)
    n_effective = effective(calls)
    if n_effective < least:
        raise CalibrationError(
            f"effective outcomes must be >= {least:.0f}, was {n_effective:.0f} ({len(calls)} calls)"
        )
    weights = calls.weight * (n_effective / calls.weight.sum())
    knots, centre, scale, coefficients = np.empty((2, 0)), np.empty(0), np.empty(0), np.empty(0)
    if method == "isotonic":
        knots = _curve(calls, weights)
    else:
        centre, scale, coefficients = _plane(calls, weights)
    return Calibrator(
        method=method, timeframe=calls.timeframe, horizon=calls.horizon, barrier=calls.barrier,
        knots=knots, centre=centre, scale=scale, coefficients=coefficients,
        hit_rate=float(np.average(calls.right, weights=weights)),
        neither=float(np.average(1.0 - calls.right - calls.against, weights=weights)),
        n_calls=len(calls), n_effective=n_effective,
        start=int(calls.at.min()), end=int(calls.at.max()), known=int(calls.known.max()),
    )


def effective(calls: Calls) -> float:
    """Return how many independent outcomes resolved calls are worth.

    Calls overlap in time, and symbols move together. The first is told by how much of its life
    each call has to itself; the second by how far the hit rate strays from one stretch of two
    horizons to the next (Cameron, Miller, "A practitioner's guide to cluster-robust inference",
    2015): independent outcomes would stray by p (1 - p) / n. The smaller number counts.
    """
    if not len(calls):
        return 0.0
    total = float(calls.weight.sum())
    rate = float(np.average(calls.right, weights=calls.weight))
    block = calls.at // (2 * calls.horizon * length_ms(calls.timeframe))
    block -= block.min()
    stray = np.bincount(block, calls.weight * (calls.right - rate))
    n_blocks = int(np.count_nonzero(np.bincount(block)))
    spread = float(np.square(stray).sum())
    if n_blocks < 2 or spread == 0.0:
        return 0.0
    variance = spread / total**2 * n_blocks / (n_blocks - 1)
    return min(total, rate * (1.0 - rate) / variance)


def _curve(calls: Calls, weights: FloatArray) -> FloatArray:
    """Fit the isotonic curve: steps of equal weight, each drawn towards the overall hit rate."""
    order = np.argsort(calls.strength, kind="stable")
    strength, right, weights = calls.strength[order], calls.right[order], weights[order]
    total = weights.sum()
    n_steps = int(np.clip(total // STEP_OUTCOMES, 1, N_STEPS))
    passed = np.cumsum(weights) - weights / 2
    step = np.minimum((passed / total * n_steps).astype(np.int64), n_steps - 1)
    # Equal strengths belong together: all go where the first of them went.
    first = np.concatenate([[True], np.diff(strength) > 0])
    step = step[np.maximum.accumulate(np.where(first, np.arange(step.size), 0))]
    _, step = np.unique(step, return_inverse=True)
    mass = np.bincount(step, weights)
    place = np.bincount(step, weights * strength) / mass
    overall = (np.dot(weights, right) + PRIOR_OUTCOMES / 2) / (total + PRIOR_OUTCOMES)
    believed = np.array(mass + PRIOR_OUTCOMES, dtype=np.float64)
    rate = (np.bincount(step, weights * right) + PRIOR_OUTCOMES * overall) / believed
    return np.stack([place, isotonic(rate, believed)])


def _plane(calls: Calls, weights: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Fit the logistic regression; a feature that never varies is left out by its scale."""
    x = features(calls)
    centre = np.average(x, axis=0, weights=weights)
    spread = np.sqrt(np.average(np.square(x - centre), axis=0, weights=weights))
    scale = np.where(spread > 1e-9, spread, np.inf)
    columns = np.column_stack([np.ones(len(calls)), (x - centre) / scale])
    return centre, scale, fit_logistic(columns, calls.right, weights, PRIOR)
