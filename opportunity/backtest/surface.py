"""How much cost and how much delay a result bears.

An edge that is gone at twice the assumed slippage, or a bar later, is not one: costs are guessed
and orders are late. Every cell is a run of the single engine.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from opportunity.backtest.cluster import Executor, Threads
from opportunity.backtest.curve_metrics import annual_factor
from opportunity.backtest.history import History
from opportunity.backtest.judge import Progress, Stop
from opportunity.backtest.search import as_history
from opportunity.backtest.setup_judge import SetupJudge
from opportunity.backtest.span import BarsLike
from opportunity.backtest.tally_metrics import metrics_of_tally
from opportunity.market.bars import FloatArray
from opportunity.scoring.ensemble import WeightsLike, weight_array
from opportunity.trading.costs import MOST_COST, Costs
from opportunity.trading.setup import TradeSetup

MULTIPLES: Final = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
"""Times the costs assumed."""

DELAYS: Final = (0, 1, 2, 3)
"""Base bars by which every decision is acted on later."""

METRICS: Final = (
    "total_return", "cagr", "sharpe", "sortino", "max_drawdown", "trades", "win_rate",
    "profit_factor",
)  # fmt: skip

_STEPS: Final = 20  # halvings in the search for a break-even
_NO_COST: Final = Costs(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Metrics by costs and delay.

    Parameters
    ----------
    multiples : tuple of float
        Rows: times the costs of the setup.
    delays : tuple of int
        Columns: base bars.
    values : dict of str to ndarray, shape (n_multiples, n_delays)
        By metric; NaN where undefined.
    break_even : ndarray, shape (n_delays,)
        Multiple of the costs at which nothing is earned: 0 where nothing is earned without any,
        inf where something is left at the largest that can be set, NaN where the setup has none.
    costs : Costs
        Those that are multiplied.
    source : str
        Stamp of the bars.
    """

    multiples: tuple[float, ...]
    delays: tuple[int, ...]
    values: dict[str, FloatArray]
    break_even: FloatArray
    costs: Costs
    source: str

    @property
    def break_even_cost(self) -> FloatArray:
        """Fee, slippage and half the spread a side at the break-even, fraction; (n_delays,)."""
        return self.break_even * (self.costs.fee + self.costs.slip)

    def to_frame(self, metric: str | None = None) -> pd.DataFrame:
        """Return one metric by multiple and delay, or one row for each cell with all of them.

        Raises
        ------
        KeyError
            If the metric was not measured.
        """
        rows = pd.Index(self.multiples, name="costs")
        if metric is not None:
            columns = pd.Index(self.delays, name="delay")
            return pd.DataFrame(self.values[metric], index=rows, columns=columns)
        cells = pd.MultiIndex.from_product([self.multiples, self.delays], names=["costs", "delay"])
        return pd.DataFrame({n: v.ravel() for n, v in self.values.items()}, index=cells)

    def __repr__(self) -> str:
        told = ", ".join(
            f"{d} bars late {b:.2f}" for d, b in zip(self.delays, self.break_even, strict=True)
        )
        return f"<Surface: breaks even at this multiple of the costs: {told}>"


def surface(
    bars: BarsLike | History,
    weights: WeightsLike | None = None,
    *,
    multiples: Sequence[float] = MULTIPLES,
    delays: Sequence[int] = DELAYS,
    setup: TradeSetup | None = None,
    at: Executor | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
    **history: Any,
) -> Surface:
    """Run one set of weights under other costs and later.

    Parameters
    ----------
    bars : Bars, sequence of Bars, mapping, or History
    weights : Weights, mapping or ndarray, optional
        Defaults to balanced.
    multiples : sequence of float
        Times the fee, slippage and spread of the setup, >= 0; each is cut at `MOST_COST`.
    delays : sequence of int
        Base bars by which every decision is acted on later, >= 0.
    setup : TradeSetup, optional
        Defaults of the agent without one.
    at : Executor, optional
        Where to work; threads of this machine without one.
    progress, stop : callable, optional
    **history
        As `prepare`.

    Returns
    -------
    Surface

    Raises
    ------
    ValueError
        If there is nothing to run or a number is negative.
    CoverageError
        As `prepare`.
    CancelledError
        If `stop` said so.
    """
    if not multiples or not delays:
        raise ValueError("multiples and delays must each hold a number, one held none")
    if min(multiples) < 0:
        raise ValueError(f"multiples must be >= 0, was {min(multiples)}")
    given = setup or TradeSetup()
    prepared, array = as_history(bars, history), weight_array(weights)
    judges = [
        SetupJudge(_costing(given, m), delay=d) for m in multiples for d in delays
    ]  # fmt: skip
    limits = [SetupJudge(given, delay=d) for d in delays]
    pieces: list[tuple[Callable[..., Any], SetupJudge]] = [(_cell, j) for j in judges]
    pieces += [(_break_even, j) for j in limits]
    place: Executor = Threads() if at is None else at
    found = place.map(_work, (prepared, array), pieces, progress, stop)
    shape = len(multiples), len(delays)
    cells = found[: len(judges)]
    return Surface(
        tuple(map(float, multiples)), tuple(map(int, delays)),
        {n: np.array([c[n] for c in cells]).reshape(shape) for n in METRICS},
        np.array(found[len(judges) :], dtype=np.float64), given.costs, prepared.source,
    )


def _work(data: tuple[History, FloatArray], piece: tuple[Callable[..., Any], SetupJudge]) -> Any:
    task, judge = piece
    return task(*data, judge)


def _cell(history: History, weights: FloatArray, judge: SetupJudge) -> dict[str, float]:
    start, end = history.start_batch, len(history.batches)
    ran = judge.run(history, weights, start, end)
    factor = annual_factor(history.batches.time[start:end])
    return metrics_of_tally(ran.tally, judge.cash, float(ran.equity[-1]), factor)


def _break_even(history: History, weights: FloatArray, judge: SetupJudge) -> float:
    """Double the costs until nothing is earned, then halve what is between."""
    costs = judge.setup.costs
    highest = max(costs.fee, costs.slippage, costs.spread)
    if highest == 0:
        return float("nan")

    def earns(multiple: float) -> bool:
        made = replace(judge, setup=_costing(judge.setup, multiple))
        last = made.rerun(history, weights, history.start_batch, len(history.batches), made.cash)
        return bool(last[-1] > made.cash)

    most = MOST_COST / highest
    if not earns(0.0):
        return 0.0
    low, high = 0.0, min(1.0, most)
    while earns(high):
        if high == most:
            return float("inf")
        low, high = high, min(2.0 * high, most)
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if earns(middle) else (low, middle)
    return low


def _costing(setup: TradeSetup, multiple: float) -> TradeSetup:
    costs = setup.costs
    scaled = {
        name: min(getattr(costs, name) * multiple, MOST_COST)
        for name in ("fee", "slippage", "spread")
    }
    return replace(setup, costs=replace(_NO_COST, **scaled))
