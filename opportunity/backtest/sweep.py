"""Many weight vectors judged on one history: the numbers of a backtest for each, without its rows.

Detector outputs are made once; every vector is scored and traded over them in one pass. Its running
sums, trades and final equity are those of the single engine bit for bit, for any number of threads.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from opportunity.backtest.cluster import Executor, Threads, judge_chunk
from opportunity.backtest.curve_metrics import annual_factor, years_of
from opportunity.backtest.history import History, prepare
from opportunity.backtest.judge import LEAST_TRADES, Aim, Progress, Stop, Verdicts, join
from opportunity.backtest.setup_judge import SetupJudge
from opportunity.backtest.span import BarsLike, Moment
from opportunity.backtest.sweep_tables import tables_of
from opportunity.backtest.tally_metrics import metrics_of_tallies
from opportunity.backtest.trials import TrialCounter, count_vectors
from opportunity.contracts import DETECTOR_NAMES
from opportunity.errors import NotSweepable
from opportunity.market.bars import FloatArray
from opportunity.scoring.scores import Records
from opportunity.trading.costs import Costs, Sizing
from opportunity.trading.setup import (
    RiskLike,
    RulesLike,
    TradeSetup,
    risk_record,
    rules_record,
)

PIECE: Final = 128
"""Most vectors that one thread takes at a time: their accounts stay in its cache."""

MATRIX: Final = f"weights must be of shape (n_vectors, {len(DETECTOR_NAMES)})"


def weight_matrix(weights: ArrayLike) -> FloatArray:
    """Return weight vectors as float64, one a row.

    Raises
    ------
    ValueError
        If the shape is not (n_vectors, n_detectors), or a weight is negative or not finite.
    """
    matrix = np.ascontiguousarray(weights, np.float64)
    if matrix.ndim != 2 or matrix.shape[1] != len(DETECTOR_NAMES):
        raise ValueError(f"{MATRIX}, was {matrix.shape}")
    wrong = ~(np.isfinite(matrix) & (matrix >= 0))
    if wrong.any():
        row, column = np.argwhere(wrong)[0].tolist()
        raise ValueError(
            f"weights must be finite and >= 0, was {matrix[row, column]} for "
            f"{DETECTOR_NAMES[column]} in vector {row}"
        )
    return matrix


@dataclass(frozen=True, eq=False)
class SweepResult:
    """What became of each weight vector; n of them, in the order in which they were given.

    Parameters
    ----------
    weights : ndarray, shape (n, n_detectors)
    tally : ndarray of TALLY, shape (n,)
        Running sums.
    equity : ndarray, shape (n,)
        At the end, quote currency.
    judge : SetupJudge
        Under what was traded.
    time : ndarray of int64, shape (n_batches,)
        Closes of the bars traded, ms UTC.
    source : str
        Stamp of the bars, e.g. ``simulated``.
    """

    weights: FloatArray
    tally: NDArray[Any]
    equity: FloatArray
    judge: SetupJudge
    time: NDArray[np.int64]
    source: str

    def __len__(self) -> int:
        return self.equity.size

    def __repr__(self) -> str:
        return (
            f"<SweepResult of {len(self)} vectors over {self.time.size} bars, "
            f"{self.source or 'no source'}>"
        )

    @cached_property
    def metrics(self) -> dict[str, FloatArray]:
        """Metrics by name, each of shape (n,); NaN where undefined."""
        return metrics_of_tallies(
            self.tally, self.judge.cash, self.equity, annual_factor(self.time), years_of(self.time)
        )

    def best(
        self, objective: str = "sharpe", n: int = 1, least_trades: int = LEAST_TRADES
    ) -> pd.DataFrame:
        """Return the rows of the `n` best vectors, best first; ties by their order.

        Parameters
        ----------
        objective : str
            One of `judge.OBJECTIVES`.
        n : int
        least_trades : int
            Vectors with fewer trades are left out, and those whose objective is undefined.

        Raises
        ------
        ValueError
            If the objective is unknown.
        """
        values = Aim(objective, least_trades).values(
            Verdicts(self.tally, self.equity), self.judge.cash, annual_factor(self.time)
        )
        order = np.argsort(-values, kind="stable")  # NaN last
        return self.to_frame().iloc[order[np.isfinite(values[order])][:n]]

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each vector: its weights, then its metrics."""
        columns = {name: self.weights[:, i] for i, name in enumerate(DETECTOR_NAMES)}
        frame = pd.DataFrame(columns | self.metrics)
        frame.index.name = "vector"
        return frame


def sweep(
    bars: BarsLike | History,
    weights: ArrayLike,
    *,
    timeframe: str | None = None,
    timeframes: Iterable[str] | None = None,
    decision_timeframe: str | None = None,
    rules: RulesLike = None,
    costs: Costs | None = None,
    risk: RiskLike = None,
    sizing: Sizing | None = None,
    cash: float = 10_000.0,
    timeframe_weights: Mapping[str, float] | None = None,
    observations: Records = None,
    start: Moment = None,
    end: Moment = None,
    partial: bool = False,
    finer: object = None,
    funding: object = None,
    executor: Executor | None = None,
    trials: TrialCounter | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> SweepResult:
    """Backtest many weight vectors on one symbol.

    Parameters
    ----------
    bars : Bars or History
        Base bars of one symbol, or what `prepare` made of them: then timeframes, observations and
        span are its own.
    weights : array_like, shape (n_vectors, n_detectors)
        In the order of `DETECTORS`, finite and >= 0.
    timeframe : str, optional
        The only timeframe, and that of the decisions.
    timeframes, decision_timeframe, observations, start, end, partial
        As in `prepare`; not with a `History`.
    rules, costs, risk, sizing, cash
        As in `backtest`.
    timeframe_weights : mapping, optional
        Replaces default weights across timeframes.
    finer, funding
        Not possible in a sweep; there so that a call of `backtest` can be turned into one.
    executor : Executor, optional
        Where to work; threads of this machine unless given.
    trials : TrialCounter, optional
        Counts every vector, such as `trials.open_trials`; nothing is counted without one, and
        what nobody counted no guard can allow for.
    progress, stop : callable, optional
        Called with pieces done and in all; asked whether to stop.

    Raises
    ------
    NotSweepable
        If there are several symbols, finer bars or funding.
    CancelledError
        If `stop` said so.
    CoverageError, BarError, TypeError, ValueError
        As in `prepare`, or if weights or an argument are out of their range.

    Notes
    -----
    The same bits as `backtest` of each vector by itself, whatever the number of threads.
    """
    for name, given in (("finer", finer), ("funding", funding)):
        if given is not None:
            raise NotSweepable(
                f"{name} must not be given to a sweep, was given: backtest each vector by itself"
            )
    matrix = weight_matrix(weights)
    asked = {
        "timeframes": timeframes if timeframe is None else [timeframe],
        "decision_timeframe": decision_timeframe or timeframe, "observations": observations,
        "start": start, "end": end,
    }  # fmt: skip
    history = _history(bars, asked, partial)
    setup = TradeSetup(
        rules_record(rules), costs or Costs(), sizing or Sizing(), risk_record(risk), cash
    )
    judge = SetupJudge(setup, None if timeframe_weights is None else dict(timeframe_weights))
    tables_of(history, judge.timeframe_weights)  # made once, and errors come before any thread
    first, last = history.start_batch, len(history.batches)
    size = min(PIECE, max(1, -(-len(matrix) // 2)))
    pieces = [(matrix[i : i + size], first, last) for i in range(0, len(matrix), size)]
    found = (executor or Threads()).map(judge_chunk, (judge, history), pieces, progress, stop)
    verdicts = join(found) if found else judge(history, matrix, first, last)
    if trials is not None and len(matrix):
        count_vectors(trials, "sweep", (history, judge, first, last), matrix, verdicts)
    return SweepResult(
        matrix, verdicts.tally, verdicts.equity, judge, history.batches.time[first:],
        history.source,
    )


def _history(bars: BarsLike | History, asked: dict[str, Any], partial: bool) -> History:
    if not isinstance(bars, History):
        return prepare(bars, **asked, partial=partial)
    for name, value in asked.items():
        if value is not None:
            raise ValueError(f"{name} must not be given with a History, which has its own")
    return bars
