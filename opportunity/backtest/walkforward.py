"""Walk forward: choose weights on the past, trade them on what came next, join what they earned.

The joined curve is what somebody would have seen who had searched again and again, each time
knowing only the past; the difference from what the search promised is how much of it was luck.

Source: Pardo, *The Evaluation and Optimization of Trading Strategies*, 2008, chapter 11; purging
and embargo as in `splits`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from opportunity.backtest.candidates import active_detectors, checked_matrix, equal_weights
from opportunity.backtest.cluster import judge_all
from opportunity.backtest.curve_metrics import annual_factor
from opportunity.backtest.history import History
from opportunity.backtest.judge import (
    LEAST_TRADES,
    Aim,
    CancelledError,
    Judge,
    ParityError,
    Progress,
    Stop,
    best_of,
)
from opportunity.backtest.means import Means, means_of
from opportunity.backtest.search import Found, Plan, as_history, as_judge, find
from opportunity.backtest.span import BarsLike
from opportunity.backtest.splits import Gaps, Split, Steps, forward
from opportunity.backtest.trials import TrialCounter, count_vectors
from opportunity.backtest.walked import Fold, WalkForward
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import length_ms
from opportunity.scoring.barriers import HORIZON
from opportunity.trading.setup import TradeSetup

EMBARGO: Final = 0.01
"""Share of the span that is left out besides the horizon: López de Prado's hundredth."""


def walk_forward(
    bars: BarsLike | History,
    weights: ArrayLike | Plan | None = None,
    *,
    n_folds: int = 6,
    train: int | float = 0.5,
    anchored: bool = True,
    purge: int | None = None,
    embargo: int | None = None,
    objective: str = "sharpe",
    least_trades: int = LEAST_TRADES,
    setup: TradeSetup | Judge | None = None,
    cluster: str | None = None,
    threads: int | None = None,
    trials: TrialCounter | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
    **history: Any,
) -> WalkForward:
    """Choose weights fold by fold and trade each choice on the bars after it.

    Parameters
    ----------
    bars : Bars, sequence of Bars, mapping, or History
        Bars are prepared first.
    weights : array_like of shape (n, n_detectors), or Plan, optional
        Vectors to choose from, or how to search for them in every fold; defaults to 1,000 random
        ones.
    n_folds : int
        Tests, >= 1; equally long and without a hole between them.
    train : int or float
        Where the first test begins: after so many base bars, or that share of the span.
    anchored : bool
        Learn from everything before a test; False: from the last `train` only.
    purge : int, optional
        Base bars left out before each test, so that no trade that was learnt from reaches into
        it; defaults to the time stop of the rules, or 24 decision bars without one.
    embargo : int, optional
        Base bars left out besides; defaults to a hundredth of the span.
    objective, least_trades
        As `search`; a Plan has its own.
    setup, cluster, threads, trials, progress, stop, **history
        As `search`.

    Returns
    -------
    WalkForward

    Raises
    ------
    ValueError
        If an argument is unknown or out of its range, or the span too short for the folds.
    CoverageError, CancelledError, ClusterError, ParityError, ConflictError
        As `search`.
    """
    judge = as_judge(setup)
    prepared = as_history(bars, history)
    given = Plan(aim=Aim(objective, least_trades)) if weights is None else weights
    aim = given.aim if isinstance(given, Plan) else Aim(objective, least_trades)
    span = Steps(prepared.start_batch, len(prepared.batches))
    gaps = gaps_of(prepared, judge, span, purge, embargo)
    splits = forward(span, n_folds, gaps, train, anchored)
    with means_of(cluster, threads, trials, progress, stop) as means:
        if isinstance(given, Plan):
            found = _searched(prepared, judge, splits, given, means)
        else:
            found = _chosen_from(prepared, judge, splits, (checked_matrix(given), aim), means)
        folds = _folds(prepared, judge, splits, found, aim)
        return _joined(prepared, judge, folds, aim, means)


def gaps_of(
    history: Any, judge: Judge, span: Steps, purge: int | None, embargo: int | None
) -> Gaps:
    """Return what is left out before each test, base bars."""
    if purge is None:
        steps = length_ms(history.decision) // length_ms(history.base)
        purge = (judge.horizon or HORIZON) * steps
    return Gaps(purge, round(EMBARGO * span.length) if embargo is None else embargo)


def _chosen_from(
    history: Any, judge: Judge, splits: Sequence[Split], asked: tuple[FloatArray, Aim],
    means: Means,
) -> list[Found]:
    """Judge the same vectors on the training span of every fold, all in one go."""
    matrix, aim = asked
    factor = annual_factor(history.batches.time)
    spans = [split.train[0] for split in splits]
    chunks = [(matrix, *span) for span in spans]
    verdicts = judge_all(judge, history, chunks, means.at, means.progress, means.stop)
    # A vector that is judged on one past after another is one trial: that of the longest past.
    run = history, judge, *spans[-1]
    count_vectors(means.trials, "walk_forward", run, matrix, verdicts[-1])
    return [Found(matrix, aim.values(v, judge.cash, factor), v) for v in verdicts]


def _searched(
    history: Any, judge: Judge, splits: Sequence[Split], plan: Plan, means: Means
) -> list[Found]:
    """Search anew in every fold."""
    found = []
    for i, split in enumerate(splits):
        if means.stop is not None and means.stop():
            raise CancelledError("walk-forward was cancelled")
        name = f"{plan.study}/{i}" if plan.study else ""
        part = replace(plan, seed=plan.seed + i, study=name)
        found.append(find(history, judge, split.train[0], part, means.quietly()))
        if means.progress is not None:
            means.progress(i + 1, len(splits))
    return found


def _folds(
    history: Any, judge: Judge, splits: Sequence[Split], found: Sequence[Found], aim: Aim
) -> list[Fold]:
    """Try every choice, and equal weights, on the test it has not seen."""
    factor = annual_factor(history.batches.time)
    equal = equal_weights(active_detectors(history))
    folds = []
    for split, part in zip(splits, found, strict=True):
        best = best_of(part.values)
        chosen = part.matrix[best] if best >= 0 else equal
        tried = judge(history, np.stack([chosen, equal]), *split.test)
        # A test is short: its value counts however few its trades are.
        value, other = replace(aim, least_trades=0).values(tried, judge.cash, factor)
        folds.append(Fold(
            split, chosen, best >= 0, float(part.values[best]) if best >= 0 else float("nan"),
            float(value), float(other), tried.take([0]), len(part.matrix),
        ))  # fmt: skip
    return folds


def _joined(
    history: Any, judge: Judge, folds: Sequence[Fold], aim: Aim, means: Means
) -> WalkForward:
    equal = equal_weights(active_detectors(history))
    curves = []
    for vectors in ([f.weights for f in folds], [equal] * len(folds)):
        parts: list[FloatArray] = []
        cash = judge.cash
        for fold, weights in zip(folds, vectors, strict=True):
            parts.append(judge.rerun(history, weights, *fold.split.test, cash))
            cash = float(parts[-1][-1])
            if not cash > 0:  # nothing is left to trade with
                break
        curves.append(_filled(parts, sum(f.split.test.length for f in folds)))
    first = folds[0]
    if curves[0][first.split.test.length - 1] != first.verdict.equity[0]:
        raise ParityError("the first test must end alike in sweep and engine, did not")
    test = Steps(first.split.test.start, folds[-1].split.test.end)
    return WalkForward(
        tuple(folds), history.batches.time[test.start : test.end], curves[0], curves[1],
        judge.cash, aim.objective, means.trials.count(history.digest), history.digest,
        history.source,
    )


def _filled(parts: Sequence[FloatArray], n: int) -> FloatArray:
    """Join curves; where the money ran out the last value stays."""
    curve = np.concatenate(parts)
    return np.concatenate([curve, np.full(n - curve.size, curve[-1])])
