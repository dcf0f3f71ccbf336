"""How weights are looked for, and what was found."""

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import pandas as pd

from opportunity.backtest.curve_metrics import annual_factor
from opportunity.backtest.judge import Aim, Verdicts
from opportunity.backtest.tally_metrics import metrics_of_tallies
from opportunity.contracts import DETECTOR_NAMES
from opportunity.errors import unknown
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray
from opportunity.storage.judged import TrialCount

Method = Literal["random", "grid", "tpe", "cmaes"]

METHODS: Final[tuple[Method, ...]] = get_args(Method)


@dataclass(frozen=True, slots=True)
class Plan:
    """How weights are looked for.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    n : int
        Vectors at most; of an optimiser's study in all.
    aim : Aim
        What a good vector is.
    seed : int
        The same seed finds the same.
    study : str
        Name under which an optimiser's study is kept and gone on with; empty: it is not kept.

    Raises
    ------
    ValueError
        If the method is unknown, or a study is to be kept of one that has none.
    """

    method: Method = "random"
    n: int = 1_000
    aim: Aim = field(default_factory=Aim)
    seed: int = 0
    study: str = ""

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(unknown("search method", self.method, METHODS))
        if self.n < 1:
            raise ValueError(f"n must be >= 1 vector, was {self.n}")
        if self.study and self.method not in ("tpe", "cmaes"):
            raise ValueError(f"study must be empty for {self.method}, was {self.study!r}")


@dataclass(frozen=True, eq=False)
class SearchResult:
    """What a search found; arrays of n vectors in the order in which they were judged.

    Parameters
    ----------
    plan : Plan
    matrix : ndarray, shape (n, n_detectors)
        Weights, each vector with the sum 1; equal weights first.
    values : ndarray, shape (n,)
        By the objective; NaN where undefined or with too few trades.
    verdicts : Verdicts
        Running sums and final equity of each.
    best : int
        Row of the best; -1 where no vector has a value.
    time : ndarray of int64, shape (n_batches,)
        Closes of the batches judged on, ms UTC.
    equity : ndarray, shape (n_batches,)
        Of the best, by the single engine; empty without one.
    cash : float
        At the start of each run.
    trials : TrialCount
        Everything ever tried on this data, this search included.
    digest, source : str
        Of the data.
    """

    plan: Plan
    matrix: FloatArray
    values: FloatArray
    verdicts: Verdicts
    best: int
    time: TimeArray
    equity: FloatArray
    cash: float
    trials: TrialCount
    digest: str
    source: str

    @property
    def weights(self) -> dict[str, float] | None:
        """The best vector by detector name; None where no vector has a value."""
        if self.best < 0:
            return None
        return dict(zip(DETECTOR_NAMES, self.matrix[self.best].tolist(), strict=True))

    @property
    def value(self) -> float:
        """Its value."""
        return float(self.values[self.best]) if self.best >= 0 else float("nan")

    @property
    def equal_value(self) -> float:
        """The value of equal weights: what no search would have given."""
        return float(self.values[0])

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each vector, the best first: value, metrics and weights."""
        found = metrics_of_tallies(
            self.verdicts.tally, self.cash, self.verdicts.equity, annual_factor(self.time)
        )
        named = dict(zip(DETECTOR_NAMES, self.matrix.T, strict=True))
        frame = pd.DataFrame({"value": self.values, **found, **named})
        return frame.sort_values("value", ascending=False, kind="stable", na_position="last")

    def __repr__(self) -> str:
        return (
            f"<SearchResult of {len(self.values)} vectors by {self.plan.method}: best "
            f"{self.plan.aim.objective} {self.value:.3f}, equal weights {self.equal_value:.3f}; "
            f"{self.trials.n} trials on this data>"
        )
