"""How good probabilities were: reliability curve, Brier score taken apart, ECE, log loss, AUC.

Sources: Murphy, "A new vector partition of the probability score", Journal of Applied
Meteorology 12, 1973; Stephenson, Coelho, Jolliffe, "Two extra components in the Brier score
decomposition", Weather and Forecasting 23, 2008; Naeini, Cooper, Hauskrecht, "Obtaining well
calibrated probabilities using Bayesian binning", AAAI 2015 (ECE).
"""

from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.errors import CalibrationError
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray
from opportunity.scoring.barriers import HORIZON
from opportunity.scoring.bootstrap import LEVEL, N_DRAWS, Kind, draw_blocks, interval

N_BINS: Final = 10
BLOCK: Final = 2 * HORIZON
"""Moments in a block: calls further apart than the horizon share no bar."""

SMALLEST: Final = float(np.finfo(np.float64).eps)
"""Probabilities are kept so far from 0 and 1 when their logarithm is taken."""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """How stated probabilities and outcomes went together.

    Parameters
    ----------
    n : int
        Outcomes.
    count, stated, observed, low, high : ndarray of shape (n_bins,)
        Of each bin that holds any: outcomes, mean probability, share of the outcomes that were
        right, and bounds of that share.
    hit_rate : float
        Share of all outcomes that were right.
    brier : float
        Mean squared distance of probability and outcome, [0, 1]; 0.25 is what 0.5 gets.
    miscalibration, resolution, uncertainty : float
        Murphy's terms: distance of the curve from the diagonal (best 0), distance of the bins'
        shares from the hit rate (more is better), and what the hit rate itself leaves open.
    within_variance, within_covariance : float
        What Murphy's terms miss where probabilities differ inside a bin, so that brier =
        miscalibration - resolution + uncertainty + within_variance - within_covariance exactly.
    ece : float
        Mean distance of the curve from the diagonal, weighted by outcomes.
    ece_chance : float
        What it would stay under in `level` of the samples if the probabilities were perfect: the
        curve never lies on the diagonal exactly, so a smaller `ece` shows no fault at all.
    log_loss : float
        Mean negative log likelihood, nats; log 2 = 0.693 is what 0.5 gets.
    auc : float
        Chance that a right call was stated higher than a wrong one; 0.5 is no order at all.
    intervals : dict of str to (float, float)
        Bounds of hit_rate, brier, ece and log_loss; those of ece without what drawing adds to it.
    level : float
        Share of the resamples between the bounds.
    """

    n: int
    count: NDArray[np.int64]
    stated: FloatArray
    observed: FloatArray
    low: FloatArray
    high: FloatArray
    hit_rate: float
    brier: float
    miscalibration: float
    resolution: float
    uncertainty: float
    within_variance: float
    within_covariance: float
    ece: float
    ece_chance: float
    log_loss: float
    auc: float
    intervals: dict[str, Interval]
    level: float

    def __repr__(self) -> str:
        return f"<Reliability of {self.n} outcomes: Brier {self.brier:.4f}, ECE {self.ece:.4f}>"

    @property
    def skill(self) -> float:
        """1 - brier / uncertainty: above 0 only where the hit rate alone would have done worse."""
        return 1.0 - self.brier / self.uncertainty if self.uncertainty > 0 else float("nan")

    def plot(self, title: str = "", width: int = 420) -> Any:
        """Draw the reliability diagram; see `plots.reliability_chart`."""
        from opportunity.plots.reliability import reliability_chart

        return reliability_chart(self, title, width)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, which `from_dict` reads."""
        values = asdict(self)
        values["intervals"] = {name: list(bounds) for name, bounds in self.intervals.items()}
        return {n: v.tolist() if isinstance(v, np.ndarray) else v for n, v in values.items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Reliability":
        """Read what `as_dict` returned.

        Raises
        ------
        CalibrationError
            If something is missing.
        """
        try:
            read = {f.name: values[f.name] for f in fields(cls)}
            read["auc"] = float("nan") if read["auc"] is None else read["auc"]  # JSON's null
            read["count"] = np.array(read["count"], dtype=np.int64)
            for name in ("stated", "observed", "low", "high"):
                read[name] = np.array(read[name], dtype=np.float64)
            read["intervals"] = {name: (a, b) for name, (a, b) in read["intervals"].items()}
            return cls(**read)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CalibrationError(f"reliability must be readable: {error}") from error


def reliability(
    stated: FloatArray,
    right: FloatArray,
    at: TimeArray | None = None,
    n_bins: int = N_BINS,
    block: int = BLOCK,
    n_draws: int = N_DRAWS,
    level: float = LEVEL,
    seed: int = 0,
    kind: Kind = "moving",
) -> Reliability:
    """Judge probabilities by outcomes.

    Parameters
    ----------
    stated : ndarray of shape (n,)
        Probabilities, [0, 1]; rows with NaN in either array are passed over.
    right : ndarray of shape (n,)
        1 or 0.
    at : ndarray of int64, shape (n,), optional
        When each was stated; rows of one moment are drawn together. Defaults to one moment a row.
    n_bins : int
        Bins of equal count; equal probabilities share a bin.
    block, n_draws, level, seed, kind
        Of the bootstrap, see `bootstrap.draw_blocks`; a block counts moments.

    Raises
    ------
    ValueError
        If nothing is left, a probability lies outside [0, 1] or an outcome is neither 0 nor 1.

    Notes
    -----
    The bins stay where they are while blocks are drawn, so the bounds leave out what other bins
    would have done. A tenth of a second for 60,000 outcomes.
    """
    stated, right, moment = _checked(stated, right, at)
    n = stated.size
    place = bins_of(stated, n_bins)
    count, sums = np.bincount(place), np.bincount(place, stated)
    n_right = np.bincount(place, right)
    mean, share = sums / count, n_right / count
    hit_rate = float(right.mean())
    away, off = stated - mean[place], right - share[place]
    errors, losses = np.square(stated - right), _losses(stated, right)

    rows = _by_moment(moment, place, stated, right, errors, losses)
    drawn = draw_blocks(len(rows), block, n_draws, seed, kind).sums(rows)
    k = count.size
    counts, stateds, rights = drawn[:, :k], drawn[:, k : 2 * k], drawn[:, 2 * k : 3 * k]
    totals = counts.sum(axis=1)
    ece = float(np.abs(sums - n_right).sum() / n)
    gaps = (stateds - rights) / totals[:, None]
    eces = np.abs(gaps).sum(axis=1)
    noise = np.abs(gaps - (sums - n_right) / n).sum(axis=1)
    shares = np.full(counts.shape, np.nan)
    np.divide(rights, counts, out=shares, where=counts > 0)
    low, high = interval(shares, level)
    spread = {
        "hit_rate": rights.sum(axis=1) / totals,
        "brier": drawn[:, -2] / totals,
        "ece": np.maximum(0.0, eces - (eces.mean() - ece)),
        "log_loss": drawn[:, -1] / totals,
    }
    bounds = {name: interval(values, level) for name, values in spread.items()}
    return Reliability(
        n=n, count=count, stated=mean, observed=share, low=low, high=high, hit_rate=hit_rate,
        brier=float(errors.mean()),
        miscalibration=float((count * np.square(mean - share)).sum() / n),
        resolution=float((count * np.square(share - hit_rate)).sum() / n),
        uncertainty=hit_rate * (1.0 - hit_rate),
        within_variance=float(np.square(away).mean()),
        within_covariance=float(2.0 * (off * away).mean()),
        ece=ece,
        ece_chance=float(np.quantile(noise, level)),
        log_loss=float(losses.mean()),
        auc=auc(stated, right),
        intervals={name: (float(a), float(b)) for name, (a, b) in bounds.items()},
        level=level,
    )


def bins_of(stated: FloatArray, n_bins: int) -> NDArray[np.int64]:
    """Return the bin of each row: bins of equal count, numbered from 0 without the empty ones."""
    if n_bins < 1:
        raise ValueError(f"n_bins must be >= 1, was {n_bins}")
    inner = np.quantile(stated, np.linspace(0, 1, n_bins + 1)[1:-1])
    _, place = np.unique(np.searchsorted(inner, stated), return_inverse=True)
    return place.astype(np.int64)


def auc(stated: FloatArray, right: FloatArray) -> float:
    """Return the area under the ROC curve, ties counted half; NaN where all turned out alike."""
    _, place, count = np.unique(stated, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - (count - 1) / 2.0  # mean rank, from 1, of equal values
    n_right = float(right.sum())
    n_wrong = right.size - n_right
    if n_right == 0 or n_wrong == 0:
        return float("nan")
    ranks = float(np.dot(middle[place], right))
    return (ranks - n_right * (n_right + 1) / 2) / (n_right * n_wrong)


def improvement(
    before: FloatArray, after: FloatArray, right: FloatArray, at: TimeArray | None = None,
    block: int = BLOCK, n_draws: int = N_DRAWS, level: float = LEVEL, seed: int = 0,
) -> tuple[float, Interval]:
    """Return by how much the Brier score fell from `before` to `after`, with its bounds.

    Arguments as of `reliability`; only rows that both know are judged.
    """
    both = np.where(np.isfinite(before), after, np.nan)
    there = np.isfinite(both) & np.isfinite(right)
    _, _, moment = _checked(both, right, at)
    gain = np.square(before - right)[there] - np.square(after - right)[there]
    sums = np.stack([np.bincount(moment), np.bincount(moment, gain)], axis=1).astype(np.float64)
    drawn = draw_blocks(len(sums), block, n_draws, seed).sums(sums)
    low, high = interval(drawn[:, 1] / drawn[:, 0], level)
    return float(gain.mean()), (float(low), float(high))


def _checked(
    stated: FloatArray, right: FloatArray, at: TimeArray | None
) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """Return the rows that are whole, and their moments numbered from 0 in order of time."""
    stated, right = np.asarray(stated, np.float64), np.asarray(right, np.float64)
    if stated.ndim != 1 or stated.shape != right.shape:
        raise ValueError(f"stated and right must be of one shape (n,), "
                         f"was {stated.shape} and {right.shape}")
    there = np.isfinite(stated) & np.isfinite(right)
    stated, right = stated[there], right[there]
    if not stated.size:
        raise ValueError("stated and right must hold one whole row or more, was none")
    if stated.min() < 0 or stated.max() > 1:
        raise ValueError(f"stated must lie in [0, 1], was {stated.min()} to {stated.max()}")
    if not np.isin(right, (0.0, 1.0)).all():
        raise ValueError("right must be 0 or 1 in every row")
    if at is None:
        return stated, right, np.arange(stated.size)
    _, moment = np.unique(np.asarray(at)[there], return_inverse=True)
    return stated, right, moment.astype(np.int64)


def _losses(stated: FloatArray, right: FloatArray) -> FloatArray:
    p = np.clip(stated, SMALLEST, 1.0 - SMALLEST)
    return -np.where(right > 0, np.log(p), np.log1p(-p))


def _by_moment(
    moment: NDArray[np.int64], place: NDArray[np.int64], stated: FloatArray, right: FloatArray,
    errors: FloatArray, losses: FloatArray,
) -> FloatArray:
    """Sum by moment: count, probabilities and outcomes of each bin, then errors and losses."""
    n, k = int(moment.max()) + 1, int(place.max()) + 1
    cell = moment * k + place
    parts = [
        np.bincount(cell, weights, n * k).reshape(n, k) for weights in (None, stated, right)
    ]
    ends = [np.bincount(moment, weights, n)[:, None] for weights in (errors, losses)]
    return np.concatenate([*parts, *ends], axis=1)
