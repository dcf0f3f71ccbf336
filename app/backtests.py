"""Backtests of the server: where their bars come from, how they run, who waits for them."""

import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import structlog

from app.backtest_plan import Plan
from app.bar_source import BarSource, source_of, telling
from app.jobs import Job, Jobs, Progress
from app.promote import Examined, examine
from opportunity.bus.memory import Hub
from opportunity.config import Settings
from opportunity.errors import OpportunityError
from opportunity.feeds.base import Feed
from opportunity.feeds.clock import wall_ms
from opportunity.storage.promotions import PromotionRepository
from opportunity.storage.repositories import Memory

if TYPE_CHECKING:
    from opportunity.backtest.history import History
    from opportunity.backtest.result import BacktestResult
    from opportunity.backtest.searched import Plan as Look
    from opportunity.backtest.searched import SearchResult
    from opportunity.backtest.trials import TrialCounter

logger = structlog.get_logger(__name__)

SLOTS: Final = 64
"""Jobs of which the stream keeps the newest state; more than are ever kept."""


def spare_cores() -> int:
    """Return how many threads a job may work on: one core stays for the live agent."""
    return max(1, len(os.sched_getaffinity(0)) - 1)


class KeyUsedError(OpportunityError, ValueError):
    """Raised when an idempotency key comes again with another request."""


@dataclass(frozen=True, slots=True, eq=False)
class Ran:
    """What a backtest job leaves."""

    plan: Plan
    result: "BacktestResult"

    @property
    def config(self) -> dict[str, Any]:
        """The request with all defaults."""
        scored = self.result.capsule.timeframes  # those by default, as far as there is history
        return self.plan.as_dict() | {"timeframes": list(scored)}


@dataclass(frozen=True, slots=True, eq=False)
class Swept:
    """What a sweep leaves, and how many of the best are told."""

    result: "SearchResult"
    top: int
    plan: Plan


class Backtests:
    """The backtests of one server.

    Parameters
    ----------
    find : callable
        Returns where the bars of an exchange come from; of None, those of the server's market.
    hub : Hub
        Told how jobs go, under the topic ``backtest``.
    trials : TrialCounter
        Counts every run.
    promotions : PromotionRepository
        Where it is written down which weights were put to use.
    """

    def __init__(
        self, find: Callable[[str | None], BarSource], hub: Hub, trials: "TrialCounter",
        promotions: PromotionRepository,
    ) -> None:  # fmt: skip
        self._find, self._hub, self.clock = find, hub, time.monotonic
        self.trials, self.promotions = trials, promotions
        self.jobs = Jobs(self._told, wall_ms, self.clock, _weigh)
        self._keys: OrderedDict[str, tuple[str, str]] = OrderedDict()

    @classmethod
    def of(
        cls, settings: Settings, feed: Feed, memory: Memory, now: Callable[[], int], hub: Hub
    ) -> "Backtests":
        """Return the backtests of a server; `now` is its feed's time, ms UTC."""
        return cls(
            lambda exchange: source_of(settings, feed, now, exchange), hub, memory.trials(),
            memory.promotions(),
        )  # fmt: skip

    def submit(self, plan: Plan, key: str | None = None) -> Job:
        """Queue a backtest.

        Parameters
        ----------
        plan : Plan
        key : str, optional
            Idempotency key: the same plan under the same key is the same job.

        Raises
        ------
        QueueFullError
            If too many wait.
        KeyUsedError
            If the key was used for another plan.
        """
        about = plan.as_dict()
        digest = hashlib.sha256(repr(about).encode()).hexdigest()
        if key is not None and key in self._keys:
            before, id_ = self._keys[key]
            if before != digest:
                raise KeyUsedError("Idempotency-Key was used for another request")
            known = next((job for job in self.jobs.all() if job.id == id_), None)
            if known is not None:
                return known
        job = self.jobs.submit("backtest", about, lambda progress: self.run(plan, progress))
        if key is not None:
            self._keys[key] = (digest, job.id)
            while len(self._keys) > SLOTS:
                self._keys.popitem(last=False)
        return job

    def run(self, plan: Plan, progress: Progress) -> Ran:
        """Run a plan; on the worker's thread."""
        from opportunity.backtest.engine import backtest
        from opportunity.backtest.trials import count_run

        history, setup = self.history(plan, progress), plan.setup
        n = len(history.batches)
        progress.at(0, n, "bars", "trading")
        result = backtest(
            history, weights=plan.weights, rules=setup.rules, costs=setup.costs,
            sizing=setup.sizing, risk=setup.risk, cash=setup.cash, seed=plan.seed,
        )  # fmt: skip
        # The metrics are worked out here, not by the answer on the loop: they stay with the result.
        logger.info("backtest done", bars=n, trades=result.metrics.trades)
        count_run(self.trials, history, result)
        return Ran(plan, result)

    def submit_sweep(self, plan: Plan, look: "Look", top: int) -> Job:
        """Queue a search for weights; `top` of the best are told.

        Raises
        ------
        QueueFullError
            If too many wait.
        """
        def work(progress: Progress) -> Swept:
            from opportunity.backtest.search import search

            history = self.history(plan, progress)
            found = search(
                history, look.method, look.n, objective=look.aim.objective,
                least_trades=look.aim.least_trades, seed=look.seed, setup=plan.setup,
                threads=spare_cores(), trials=self.trials,
                progress=lambda done, total: progress.at(done, total, "pieces", "judging"),
            )  # fmt: skip
            return Swept(found, top, plan)

        about = plan.as_dict() | {"method": look.method, "n": look.n}
        del about["weights"]
        return self.jobs.submit("sweep", about, work)

    def submit_examination(self, ran: Ran, weights: Mapping[str, float]) -> Job:
        """Queue the question whether weights may be put to use, on the data of a backtest.

        Bars that came since are left out: they would be other data, of which no trial is counted.

        Raises
        ------
        QueueFullError
            If too many wait.
        """
        plan = replace(ran.plan, end=int(ran.result.time[-1]))

        def work(progress: Progress) -> Examined:
            history = self.history(plan, progress)
            return examine(
                history, weights, plan.setup, self.trials,
                lambda done, total: progress.at(done, total, "runs", "asking the guards"),
            )  # fmt: skip

        return self.jobs.submit("promote", plan.as_dict() | {"weights": dict(weights)}, work)

    def source(self, plan: Plan) -> BarSource:
        """Return where the bars of a plan come from.

        Raises
        ------
        CoverageError
            If there are no stored bars of its exchange.
        """
        return self._find(plan.exchange)

    def history(self, plan: Plan, progress: Progress) -> "History":
        """Read the bars of a plan and run the detectors over them; on the worker's thread."""
        from opportunity.backtest.history import prepare

        source, bars = self.source(plan), []
        n = len(plan.symbols)
        for i, symbol in enumerate(plan.symbols):
            progress.at(i, n, "symbols", "reading bars")
            bars.append(source.load(symbol, plan.timeframe, plan.first, plan.end))
        known = None
        if plan.context:
            progress.at(0, n, "symbols", "reading what was known besides bars")
            known = source.records(bars)
        progress.at(0, 0, "bars", "running the detectors")
        with telling(source, plan.timeframe):
            return prepare(
                bars, timeframes=plan.timeframes if plan.named else None,
                decision_timeframe=plan.decision_timeframe,
                observations=known, start=plan.start, end=plan.end,
                progress=lambda done, total: progress.at(
                    done, total, "bars", "running the detectors"
                ),
            )  # fmt: skip

    async def close(self) -> None:
        """Stop what runs."""
        await self.jobs.close()

    def _told(self, job: Job) -> None:
        self._hub.publish("backtest", str(job.number % SLOTS), job)


def _weigh(held: Any) -> int:
    """Return roughly how many bytes a result holds: of all arrays in it, however deep."""
    if isinstance(held, np.ndarray):
        return int(held.nbytes)
    if isinstance(held, tuple | list):
        return sum(_weigh(part) for part in held)
    if is_dataclass(held):
        return sum(_weigh(getattr(held, part.name)) for part in fields(held))
    return 0
