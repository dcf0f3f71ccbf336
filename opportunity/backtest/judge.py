"""What it takes to judge weight vectors, and by which number they are put in order.

Search, walk-forward and the cluster know only this: something that turns a matrix of vectors and
a span of a history into running sums, and that can run one vector again, bar by bar.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.tally_metrics import metrics_of_tallies
from opportunity.errors import OpportunityError, unknown
from opportunity.market.bars import FloatArray

Progress = Callable[[int, int], None]
"""Called with parts done and parts in all."""

Stop = Callable[[], bool]
"""Asked between parts: True ends the work with `CancelledError`."""

LEAST_TRADES: Final = 30
"""With fewer trades a vector is not ranked, a result has a warning and its guard fails: the error
of any mean is larger than what is looked for."""


class CancelledError(OpportunityError):
    """Raised when somebody asked to stop."""


class ParityError(OpportunityError):
    """Raised when the single engine does not repeat what a sweep found; never shown as a result."""


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """How vectors did over one span, starting flat and closing everything at its end.

    Parameters
    ----------
    tally : ndarray of TALLY, shape (n,)
        Running sums of each vector.
    equity : ndarray of float64, shape (n,)
        Value at the end, quote currency.
    """

    tally: NDArray[Any]
    equity: FloatArray

    def __len__(self) -> int:
        return self.equity.size

    def take(self, rows: Any) -> "Verdicts":
        """Return those that `rows` picks."""
        return Verdicts(self.tally[rows], self.equity[rows])


def join(parts: Sequence[Verdicts]) -> Verdicts:
    """Put verdicts one behind the other."""
    return Verdicts(
        np.concatenate([p.tally for p in parts]), np.concatenate([p.equity for p in parts])
    )


class Judge(Protocol):
    """Judges vectors under fixed rules, costs, sizes and limits; picklable."""

    @property
    def cash(self) -> float:
        """What each run starts with, quote currency."""

    @property
    def horizon(self) -> int:
        """Decision bars that a trade lasts at most; 0 where there is no bound."""

    @property
    def key(self) -> str:
        """Digest of rules, costs, sizes and limits: equal ones give equal verdicts."""

    def __call__(self, history: Any, matrix: FloatArray, start: int, end: int) -> Verdicts:
        """Judge vectors (n, n_detectors) on the batches `start` to `end`, each by itself."""

    def rerun(
        self, history: Any, weights: FloatArray, start: int, end: int, cash: float
    ) -> FloatArray:
        """Run one vector through the single engine; equity after each batch, (end - start,)."""


OBJECTIVES: Final = (
    "sharpe", "sortino", "calmar", "total_return", "cagr", "sqn", "profit_factor", "expectancy"
)
"""Metrics by which vectors can be put in order; larger is better."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What a good vector is.

    Parameters
    ----------
    objective : str
        One of `OBJECTIVES`.
    least_trades : int
        With fewer trades a vector has no value, >= 0.

    Raises
    ------
    ValueError
        If the objective is unknown or the number negative.
    """

    objective: str = "sharpe"
    least_trades: int = LEAST_TRADES

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            raise ValueError(unknown("objective", self.objective, OBJECTIVES))
        if self.least_trades < 0:
            raise ValueError(f"least_trades must be >= 0, was {self.least_trades}")

    def values(self, verdicts: Verdicts, cash: float, factor: float) -> FloatArray:
        """Return the value of each vector; NaN where it is undefined or the trades too few.

        Parameters
        ----------
        verdicts : Verdicts
        cash : float
            What each run started with.
        factor : float
            Bars of a year, `curve_metrics.annual_factor`.
        """
        found = metrics_of_tallies(verdicts.tally, cash, verdicts.equity, factor)[self.objective]
        few = verdicts.tally["n_trades"] < self.least_trades
        return np.where(few | ~np.isfinite(found), np.nan, found)


def sharpes(verdicts: Verdicts, cash: float) -> FloatArray:
    """Return the Sharpe ratio of single bars, not annualised, as guards take it."""
    return metrics_of_tallies(verdicts.tally, cash, verdicts.equity, 1.0)["sharpe"]


def best_of(values: FloatArray) -> int:
    """Return the first index of the largest value; -1 where every value is NaN."""
    if not np.isfinite(values).any():
        return -1
    return int(np.nanargmax(values))
