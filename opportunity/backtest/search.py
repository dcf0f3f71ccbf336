"""Look for weights: by a grid, by chance or by an optimiser.

The best vector is run again by the single engine before it is shown.

Whatever is found was found by looking at this data: the more vectors, the luckier the best one.
Every vector is counted, and `walk_forward` shows what such a search is worth on data it has not
seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.candidates import (
    active_detectors,
    equal_weights,
    grid_weights,
    random_weights,
)
from opportunity.backtest.cluster import judge_all
from opportunity.backtest.curve_metrics import annual_factor
from opportunity.backtest.history import History, prepare
from opportunity.backtest.judge import (
    LEAST_TRADES,
    Aim,
    Judge,
    ParityError,
    Progress,
    Stop,
    Verdicts,
    best_of,
    join,
)
from opportunity.backtest.means import Means, means_of
from opportunity.backtest.searched import METHODS as METHODS
from opportunity.backtest.searched import Method, SearchResult
from opportunity.backtest.searched import Plan as Plan
from opportunity.backtest.setup_judge import SetupJudge
from opportunity.backtest.span import BarsLike
from opportunity.backtest.splits import Steps
from opportunity.backtest.study import StudyPlan, run_study
from opportunity.backtest.trials import TrialCounter, count_vectors, key_of
from opportunity.market.bars import FloatArray
from opportunity.trading.setup import TradeSetup


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What was judged on one span, and under which digest."""

    matrix: FloatArray
    values: FloatArray
    verdicts: Verdicts


def search(
    bars: BarsLike | History,
    method: Method = "random",
    n: int = 1_000,
    *,
    objective: str = "sharpe",
    least_trades: int = LEAST_TRADES,
    seed: int = 0,
    study: str = "",
    setup: TradeSetup | Judge | None = None,
    cluster: str | None = None,
    threads: int | None = None,
    trials: TrialCounter | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
    **history: Any,
) -> SearchResult:
    """Look for the weights that would have done best.

    Parameters
    ----------
    bars : Bars, sequence of Bars, mapping, or History
        What to look on; bars are prepared first.
    method : str
        ``random`` draws evenly from all proportions, ``grid`` takes even steps through them,
        ``tpe`` and ``cmaes`` learn from what they have judged.
    n : int
        Vectors at most.
    objective : str
        Metric by which vectors are put in order: one of `judge.OBJECTIVES`.
    least_trades : int
        With fewer trades a vector has no value.
    seed : int
        The same seed finds the same, on any number of threads and on a cluster.
    study : str
        Keep an optimiser's study in the database under this name; the same call goes on with it.
    setup : TradeSetup, optional
        Rules, costs, size, limits and cash; the defaults of the agent without one.
    cluster : str, optional
        Scheduler of a Dask cluster, ``tcp://host:port``; threads of this machine without one.
    threads : int, optional
        How many of them; all processors that this process may use without a number.
    trials : TrialCounter, optional
        Counts every vector judged; the database of the settings without one.
    progress : callable, optional
        Called with parts done and in all.
    stop : callable, optional
        True ends the search.
    **history
        As `prepare`: timeframes, decision_timeframe, observations, start, end, partial.

    Returns
    -------
    SearchResult

    Raises
    ------
    ValueError
        If an argument is unknown or out of its range.
    CoverageError
        As `prepare`.
    ConflictError
        If the study began on other data or terms, or somebody else goes on with it.
    CancelledError
        If `stop` said so.
    ClusterError
        If the cluster cannot be reached or fails.
    ParityError
        If the single engine does not repeat the best result bit for bit.
    """
    plan = Plan(method, n, Aim(objective, least_trades), seed, study)
    judge = as_judge(setup)
    prepared = as_history(bars, history)
    span = Steps(prepared.start_batch, len(prepared.batches))
    with means_of(cluster, threads, trials, progress, stop) as means:
        found = find(prepared, judge, span, plan, means)
        tried = means.trials.count(prepared.digest)
    best = best_of(found.values)
    equity = confirm(prepared, judge, span, found, best) if best >= 0 else np.empty(0)
    return SearchResult(
        plan, found.matrix, found.values, found.verdicts, best,
        prepared.batches.time[span.start : span.end], equity, judge.cash, tried, prepared.digest,
        prepared.source,
    )


def find(history: Any, judge: Judge, span: Steps, plan: Plan, means: Means) -> Found:
    """Judge the vectors of a plan on a span of a history, and count them."""
    active = active_detectors(history)
    factor = annual_factor(history.batches.time)
    if plan.method in ("random", "grid"):
        matrix = (
            grid_weights(plan.n, active)
            if plan.method == "grid"
            else random_weights(plan.n, active, plan.seed)
        )
        chunk = (matrix, *span)
        (verdicts,) = judge_all(judge, history, [chunk], means.at, means.progress, means.stop)
        count_vectors(means.trials, "search", (history, judge, *span), matrix, verdicts)
        return Found(matrix, plan.aim.values(verdicts, judge.cash, factor), verdicts)
    return _optimised(history, judge, span, plan, means, active)


def _optimised(
    history: Any, judge: Judge, span: Steps, plan: Plan, means: Means, active: NDArray[np.bool_]
) -> Found:
    factor = annual_factor(history.batches.time)
    parts: list[Verdicts] = []

    def judged_now(matrix: FloatArray) -> FloatArray:
        (verdicts,) = judge_all(judge, history, [(matrix, *span)], means.at)
        count_vectors(means.trials, "search", (history, judge, *span), matrix, verdicts)
        parts.append(verdicts)
        return plan.aim.values(verdicts, judge.cash, factor)

    terms = key_of(equal_weights(active)[None], history.digest, judge.key, span, plan.aim)
    asked = StudyPlan(plan.method, plan.n, plan.seed, terms, plan.study)  # type: ignore[arg-type] # never grid or random here
    done = run_study(asked, active, judged_now, means.studies, means.progress, means.stop)
    if done.n_before:
        before = done.matrix[: done.n_before]
        (verdicts,) = judge_all(judge, history, [(before, *span)], means.at)
        again = plan.aim.values(verdicts, judge.cash, factor)
        if not np.array_equal(again, done.values[: done.n_before], equal_nan=True):
            raise ParityError("study must repeat its earlier values bit for bit, did not")
        parts.insert(0, verdicts)
    return Found(done.matrix, done.values, join(parts))


def confirm(history: Any, judge: Judge, span: Steps, found: Found, best: int) -> FloatArray:
    """Run one vector by the single engine; return its equity, equal to what the sweep said.

    Raises
    ------
    ParityError
        If it is not.
    """
    equity = judge.rerun(history, found.matrix[best], *span, judge.cash)
    if equity[-1] != found.verdicts.equity[best]:
        raise ParityError(
            "the best vector must end alike in sweep and engine, ended at "
            f"{found.verdicts.equity[best]!r} and {equity[-1]!r}"
        )
    return equity


def as_judge(setup: TradeSetup | Judge | None) -> Judge:
    """Return a judge under a setup, the agent's defaults for None, or the judge that was given."""
    if setup is None or isinstance(setup, TradeSetup):
        return SetupJudge(setup or TradeSetup())
    return setup


def as_history(bars: Any, arguments: Mapping[str, Any]) -> Any:
    """Return a history as it is, or prepare bars.

    Raises
    ------
    ValueError
        If a history is given with arguments that are for preparing one.
    """
    if isinstance(bars, History) or hasattr(bars, "batches"):
        if arguments:
            names = ", ".join(sorted(arguments))
            raise ValueError(f"a prepared history must come without arguments of its own: {names}")
        return bars
    return prepare(bars, **arguments)
