"""What research asks besides a backtest, as jobs: walk-forward, calibration, costs and delay.

A search over a long history and a backtest share one worker (`app.jobs`); here is what each of
the other questions does there, and what it leaves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.backtest_plan import MOST_WALKED, Plan
from app.backtests import Backtests, spare_cores
from app.jobs import Job, Progress
from opportunity.contracts.sweep import MAX_OPTIMISED
from opportunity.market.timeframe import divides

if TYPE_CHECKING:
    from opportunity.backtest.searched import Plan as Look
    from opportunity.backtest.surface import Surface
    from opportunity.backtest.walked import WalkForward
    from opportunity.scoring.calibration import Calibration
    from opportunity.scoring.calibrator import Method

MOST_FOLDS: Final = 24


@dataclass(frozen=True, slots=True)
class Folds:
    """How a history is cut for walking forward.

    Parameters
    ----------
    n : int
        Tests, in 1..`MOST_FOLDS`.
    train : float
        Share of the span before the first test, in (0, 1).
    anchored : bool
        Learn from everything before a test; False: from the last `train` only.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    n: int = 6
    train: float = 0.5
    anchored: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.n, int) or not 1 <= self.n <= MOST_FOLDS:
            raise ValueError(f"folds must be a whole number in 1..{MOST_FOLDS}, was {self.n}")
        if not isinstance(self.train, float) or not 0 < self.train < 1:
            raise ValueError(f"train must be a share in (0, 1), was {self.train}")


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """What walking forward leaves."""

    plan: Plan
    result: "WalkForward"


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """What a calibration leaves; it is looked at, never put to use from here."""

    plan: Plan
    result: "Calibration"


@dataclass(frozen=True, slots=True, eq=False)
class Stressed:
    """What other costs and delays leave of a plan."""

    plan: Plan
    result: "Surface"


def check_look(plan: Plan, look: "Look") -> None:
    """Refuse a search that would take too long.

    Raises
    ------
    ValueError
        The text says how many vectors there may be.
    """
    if look.method in ("tpe", "cmaes") and look.n > MAX_OPTIMISED:
        raise ValueError(
            f"vectors must be at most {MAX_OPTIMISED:,} for {look.method}, was {look.n:,}"
        )
    if len(plan.symbols) > 1 and look.n * plan.n_bars > MOST_WALKED:
        most = max(1, MOST_WALKED // plan.n_bars)
        raise ValueError(
            f"vectors must be at most {most:,} for so many bars of several symbols, was {look.n:,}"
        )


def stopping(progress: Progress) -> Callable[[], bool]:
    """Return what a search asks between two pieces; a job that was stopped ends there."""

    def stop() -> bool:
        progress.check()
        return False

    return stop


def submit_walk_forward(backtests: Backtests, plan: Plan, look: "Look", folds: Folds) -> Job:
    """Queue walking forward: weights chosen on the past of each fold, traded after it.

    Raises
    ------
    QueueFullError
        If too many wait.
    ValueError
        If the search would take too long.
    """
    check_look(plan, look)

    def work(progress: Progress) -> Walked:
        from opportunity.backtest.walkforward import walk_forward

        history = backtests.history(plan, progress)
        progress.at(0, folds.n, "folds", "walking forward")
        found = walk_forward(
            history, look, n_folds=folds.n, train=folds.train, anchored=folds.anchored,
            setup=plan.setup, threads=spare_cores(), trials=backtests.trials,
            progress=lambda done, total: progress.at(done, total, "folds", "walking forward"),
            stop=stopping(progress),
        )  # fmt: skip
        return Walked(plan, found)

    about = plan.as_dict() | {
        "method": look.method, "n": look.n, "objective": look.aim.objective, "folds": folds.n,
        "train": folds.train, "anchored": folds.anchored,
    }  # fmt: skip
    del about["weights"]
    return backtests.jobs.submit("walk_forward", about, work)


def submit_calibration(backtests: Backtests, plan: Plan, method: "Method") -> Job:
    """Queue how often calls of the weights were right against what was stated before.

    Raises
    ------
    QueueFullError
        If too many wait.
    """

    def work(progress: Progress) -> Calibrated:
        from opportunity.live.calibrate import calibrate

        source, bars, n = backtests.source(plan), {}, len(plan.symbols)
        for i, symbol in enumerate(plan.symbols):
            progress.at(i, n, "symbols", "reading bars")
            bars[symbol] = source.load(symbol, plan.timeframe, plan.start, plan.end)
        frames = [t for t in plan.timeframes if divides(plan.timeframe, t)]
        progress.at(0, 0, "streams", "scoring")
        found = calibrate(
            bars, timeframes=frames, weights=plan.weights, method=method, save=False,
            observations=source.records(list(bars.values())) if plan.context else [],
            progress=lambda done, total: progress.at(
                done, total, "streams", "measuring" if done == total else "scoring"
            ),
        )  # fmt: skip
        return Calibrated(plan, found)

    return backtests.jobs.submit("calibration", plan.as_dict() | {"method": method}, work)


def submit_surface(backtests: Backtests, plan: Plan) -> Job:
    """Queue what is left of the weights under other costs, and when every decision comes late.

    Raises
    ------
    QueueFullError
        If too many wait.
    """

    def work(progress: Progress) -> Stressed:
        from opportunity.backtest.cluster import Threads
        from opportunity.backtest.surface import surface

        history = backtests.history(plan, progress)
        progress.at(0, 0, "runs", "trading")
        found = surface(
            history, plan.weights, setup=plan.setup, at=Threads(spare_cores()),
            progress=lambda done, total: progress.at(done, total, "runs", "trading"),
            stop=stopping(progress),
        )  # fmt: skip
        return Stressed(plan, found)

    return backtests.jobs.submit("surface", plan.as_dict(), work)
