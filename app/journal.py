"""The journal as handlers and pages use it: decisions, outcomes, statistics and alarms.

The work is done on threads; `opportunity.live.journal` judges, `opportunity.scoring` measures.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

import structlog

from app.journal_alarms import Alarms
from app.journal_figures import Gate, gates
from app.names import state_name
from opportunity.bus.memory import Hub
from opportunity.config import Settings
from opportunity.errors import OpportunityError
from opportunity.feeds.base import Feed
from opportunity.feeds.clock import wall_ms
from opportunity.live.agent import Agent
from opportunity.live.journal import Journal, whole
from opportunity.live.trader import DECISION_TIMEFRAME, decision_of
from opportunity.market.bars import Bars
from opportunity.market.timeframe import Timeframe
from opportunity.storage.decisions import Chosen, DecisionPage
from opportunity.storage.outcomes import Tally
from opportunity.storage.repositories import Memory
from opportunity.storage.samples import Samples

logger = structlog.get_logger(__name__)

MOST_SAMPLES: Final = 20_000
"""Judged candidates that statistics are made of: the newest."""

MOST_KEPT: Final = 8
"""Answers that are kept until there are new outcomes."""

T = TypeVar("T")


class JournalService:
    """The journal of one server.

    Parameters
    ----------
    settings : Settings
    memory : Memory
    agent : Agent
        Whose candidates are judged; asked to learn anew when its calibration is off.
    feed : Feed
        Whose history judges.
    hub : Hub
        Heard for decision closes, told the alarms.
    """

    def __init__(
        self, settings: Settings, memory: Memory, agent: Agent, feed: Feed, hub: Hub
    ) -> None:
        market = state_name(settings)
        self._memory, self._agent, self._feed, self._hub = memory, agent, feed, hub
        self._decisions, self._samples = memory.decisions(market), memory.samples(market)
        self._outcomes, self._events = memory.outcomes(market), memory.events
        self._market, self._key = market, f"trial of {market}"
        self._journal: Journal | None = None
        self._alarms: Alarms | None = None
        self._task: asyncio.Task[None] | None = None
        self._leave: Callable[[], None] | None = None
        self._kept: dict[tuple[Any, ...], asyncio.Future[Any]] = {}

    # -- life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to judge, once the agent is ready; called again it does nothing."""
        if self._task is not None:
            return
        stored = self._memory.settings.read().get(self._key, {})
        self._alarms = Alarms(
            self._samples, self.timeframe, self._market, self._feed.source,
            int(stored.get("since", 0)),
        )  # fmt: skip
        self._journal = Journal(
            self._outcomes, self._history, lambda: self._agent.time, self.timeframe
        )
        serves = self._agent.calibration()
        if serves is not None and serves.known == stored.get("off"):
            self._agent.learn_again()  # it was found off before the restart
        self._leave = self._hub.subscribe(self._heard)
        self._task = asyncio.ensure_future(self._journal.run(self._judged))
        self._task.add_done_callback(_ended)

    async def close(self) -> None:
        """End it; what is under way on a thread is waited for."""
        if self._leave is not None:
            self._leave()
            self._leave = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        if self._kept:
            await asyncio.wait(self._kept.values())
            self._kept.clear()

    # -- what is ---------------------------------------------------------------------------------

    @property
    def timeframe(self) -> Timeframe:
        """Timeframe of decisions."""
        trading = self._agent.trading
        wanted = DECISION_TIMEFRAME if trading is None else trading.decision_timeframe
        return decision_of(self._agent.timeframes, wanted)

    @property
    def error(self) -> str:
        """Why nothing can be judged now; empty while all is well."""
        if self._task is not None and self._task.done():
            return "the journal has stopped; the log of the server says why"
        return "" if self._journal is None else self._journal.error

    @property
    def alarms(self) -> Alarms | None:
        """What is watched; None before the start."""
        return self._alarms

    async def decisions(
        self, chosen: Chosen | None = None, limit: int = 100, after: int | None = None
    ) -> DecisionPage:
        """Return the newest decisions that are asked for; see `DecisionRepository.read`."""
        return await asyncio.to_thread(self._decisions.read, chosen, limit, after)

    async def tally(self) -> Tally:
        """Count candidates and outcomes."""
        return await self._once(("tally",), self._outcomes.tally)

    async def gates(self, horizon: int, since: int = 0) -> tuple[Samples, list[Gate]]:
        """Return what each rule and limit stopped, and what that would have made."""

        def work() -> tuple[Samples, list[Gate]]:
            found = self._samples.samples(horizon, since, MOST_SAMPLES)
            return found, gates(found, self._samples.counts(since))

        return await self._once(("gates", horizon, since), work)

    async def figures(
        self, what: str, make: Callable[[Samples], T], horizon: int, since: int = 0
    ) -> tuple[Samples, T]:
        """Return the newest judged candidates, and what a function makes of them on a thread.

        Parameters
        ----------
        what : str
            Names the function: its answer is kept until there are new outcomes.
        make : callable
        horizon : int
            Decision bars.
        since : int
            Decision closes from then on, ms UTC.
        """

        def work() -> tuple[Samples, T]:
            found = self._samples.samples(horizon, since, MOST_SAMPLES)
            return found, make(found)

        return await self._once((what, horizon, since), work)

    async def _once(self, key: tuple[Any, ...], work: Callable[[], T]) -> T:
        """Do work on a thread once for all who ask for the same; forget it when it fails."""
        kept = self._kept.get(key)
        if kept is None:
            while len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            kept = self._kept[key] = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            found: T = await asyncio.shield(kept)
        except BaseException:
            if kept.done() and self._kept.get(key) is kept:
                del self._kept[key]
            raise
        return found

    # -- what comes in ---------------------------------------------------------------------------

    async def _history(self, symbol: str, timeframe: Timeframe, n_bars: int, end_ms: int) -> Bars:
        return await self._agent.ask(self._feed.history(symbol, timeframe, n_bars, end_ms))

    def _heard(self, states: Any, _: Any) -> None:
        evaluation = states.get(("scan", ""))
        if evaluation is not None and self._journal is not None:
            self._journal.heard(evaluation.snapshot.time)

    async def _judged(self, _: int) -> None:
        """Look at new outcomes: log and tell alarms, have a calibration that is off replaced."""
        self._kept.clear()
        assert self._alarms is not None
        now, began = self._agent.time, wall_ms()
        told = await whole(self._alarms.examine, now)
        if told.events:
            for event in await whole(self._events.append, told.events):
                if event.at >= began:  # else it was told before
                    self._hub.emit("event", event)
        if told.off:
            await self._replace(now)

    async def _replace(self, now: int) -> None:
        assert self._alarms is not None
        serves = self._agent.calibration()
        off = None if serves is None else serves.known
        logger.info("calibration is off", known=off)
        stored = {self._key: {"since": now, "off": off}}
        await whole(lambda: self._memory.settings.write(**stored))
        self._alarms.acquit(now)
        self._agent.learn_again()


def _ended(task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, OpportunityError):
        logger.error("journal stopped", error=repr(error))
