"""What walking forward found: the choices, what they promised and what they kept."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from opportunity.backtest.judge import Verdicts
from opportunity.backtest.splits import Split
from opportunity.backtest.tally_metrics import metrics_of_tallies
from opportunity.contracts import DETECTOR_NAMES
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray
from opportunity.storage.judged import TrialCount


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """One choice and its test.

    Parameters
    ----------
    split : Split
        Batches learnt from and tested on.
    weights : ndarray, shape (n_detectors,)
        What was chosen.
    found : bool
        False where no vector had a value, so that equal weights were taken.
    in_sample, out_of_sample : float
        Value of the choice on what it was chosen on, and on the test.
    equal : float
        Value of equal weights on the test.
    verdict : Verdicts
        Running sums of the choice on the test; one row.
    n_judged : int
        Vectors that it was chosen from.
    """

    split: Split
    weights: FloatArray
    found: bool
    in_sample: float
    out_of_sample: float
    equal: float
    verdict: Verdicts
    n_judged: int


@dataclass(frozen=True, eq=False)
class WalkForward:
    """What walking forward found.

    Parameters
    ----------
    folds : tuple of Fold
    time : ndarray of int64, shape (n_batches,)
        Closes of all tests, ms UTC.
    equity, equal_equity : ndarray, shape (n_batches,)
        Of the choices, and of equal weights, out of sample; every fold starts flat with what the
        one before left and closes everything at its end.
    cash : float
        At the start.
    objective : str
        By which was chosen.
    trials : TrialCount
        Everything ever tried on this data.
    digest, source : str
        Of the data.
    """

    folds: tuple[Fold, ...]
    time: TimeArray
    equity: FloatArray
    equal_equity: FloatArray
    cash: float
    objective: str
    trials: TrialCount
    digest: str
    source: str

    @property
    def weights(self) -> FloatArray:
        """What each fold chose, each with the sum 1; shape (n_folds, n_detectors)."""
        chosen = np.stack([f.weights for f in self.folds])
        return np.asarray(chosen / chosen.sum(axis=1, keepdims=True))

    @property
    def in_sample(self) -> float:
        """Mean value of the choices where they were made; NaN without any."""
        return _mean([f.in_sample for f in self.folds])

    @property
    def out_of_sample(self) -> float:
        """Mean value of the choices on their tests; NaN without any."""
        return _mean([f.out_of_sample for f in self.folds])

    @property
    def efficiency(self) -> float:
        """What was kept of what was promised: out of sample by in sample; NaN unless that is > 0.

        1 is no loss, 0 is nothing kept. Of the folds that have both: what equal weights earned
        where nothing was chosen keeps no promise. Source: Pardo, as the module `walkforward`.
        """
        both = [(f.in_sample, f.out_of_sample) for f in self.folds]
        known = np.array([pair for pair in both if np.isfinite(pair).all()]).reshape(-1, 2)
        promised, kept = known.sum(axis=0)
        return float(kept / promised) if promised > 0 else float("nan")

    @property
    def stability(self) -> float:
        """Share of the weight that stays from one choice to the next, [0, 1]; NaN with one fold.

        1 is the same choice every time. Choices that jump are those of noise.
        """
        if len(self.folds) < 2:
            return float("nan")
        return float(1.0 - np.abs(np.diff(self.weights, axis=0)).sum(axis=1).mean() / 2.0)

    @property
    def spread(self) -> FloatArray:
        """Standard deviation of each detector's weight across folds; shape (n_detectors,)."""
        return np.asarray(self.weights.std(axis=0))

    @cached_property
    def returns(self) -> FloatArray:
        """Of each batch out of sample, the first against the cash; shape (n_batches,)."""
        before = np.concatenate([[self.cash], self.equity[:-1]])
        return np.where(before > 0, self.equity / np.where(before > 0, before, 1.0) - 1.0, 0.0)

    @property
    def trades(self) -> int:
        """Trades closed out of sample."""
        return int(sum(f.verdict.tally["n_trades"][0] for f in self.folds))

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each fold: times, values in and out of sample, metrics, weights."""
        starts = [f.split.test.start - self.folds[0].split.test.start for f in self.folds]
        lengths = [f.split.test.length for f in self.folds]
        closes = pd.to_datetime(self.time, unit="ms", utc=True)
        rows = {
            "test_first": [closes[a] for a in starts],
            "test_last": [closes[a + n - 1] for a, n in zip(starts, lengths, strict=True)],
            "train_bars": [f.split.n_train for f in self.folds],
            "judged": [f.n_judged for f in self.folds],
            "found": [f.found for f in self.folds],
            "in_sample": [f.in_sample for f in self.folds],
            "out_of_sample": [f.out_of_sample for f in self.folds],
            "equal_weights": [f.equal for f in self.folds],
        }
        factor = 1.0
        tallies = np.concatenate([f.verdict.tally for f in self.folds])
        finals = np.concatenate([f.verdict.equity for f in self.folds])
        metrics = metrics_of_tallies(tallies, self.cash, finals, factor)
        rows |= {n: list(metrics[n]) for n in ("total_return", "max_drawdown", "trades")}
        rows |= {n: list(self.weights[:, i]) for i, n in enumerate(DETECTOR_NAMES)}
        return pd.DataFrame(rows, index=pd.RangeIndex(len(self.folds), name="fold"))

    def __repr__(self) -> str:
        return (
            f"<WalkForward of {len(self.folds)} folds: {self.objective} {self.in_sample:.3f} in "
            f"sample, {self.out_of_sample:.3f} out of it; equity {self.equity[-1]:.2f}, with "
            f"equal weights {self.equal_equity[-1]:.2f}; {self.trials.n} trials on this data>"
        )


def _mean(values: list[float]) -> float:
    known = [v for v in values if np.isfinite(v)]
    return float(np.mean(known)) if known else float("nan")
