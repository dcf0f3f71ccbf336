"""The one place that wires the objects: feed, shared Param objects, agent, hub, database.

The API and the pages call this and nothing below it, so both do the same thing the same way.
"""

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import structlog

from app.alerts.wiring import alerts_of
from app.audit import Audit
from app.auth.accounts import Accounts
from app.backtests import Backtests
from app.backups import Backups
from app.bar_source import source_of
from app.controls import Controls
from app.feed import sources_of
from app.feed_watch import FeedWatch
from app.housekeeping import Housekeeping
from app.journal import JournalService
from app.names import state_name, symbols_key, time_key
from app.once import Once
from app.paper import Paper
from app.retention import Retention
from app.risk import Risk
from app.scans import Asked, scan
from app.shadows import Shadows
from app.surroundings import Around
from app.universe import Universe
from app.verify import new_session
from app.what_if import Market, WhatIfs
from opportunity import __version__
from opportunity.bus.memory import Hub
from opportunity.config import Settings
from opportunity.feeds.base import Feed
from opportunity.feeds.clock import wall_ms
from opportunity.feeds.status import FeedStatus
from opportunity.live.agent import Agent
from opportunity.live.calibrate import saved_calibration
from opportunity.live.chart import LEAD_BARS, ChartData, chart_of
from opportunity.live.context import Context, context_of
from opportunity.live.scan_report import ScanReport
from opportunity.market.bars import Bar, Bars
from opportunity.market.timeframe import Timeframe
from opportunity.scoring.explanation import Explanation
from opportunity.scoring.snapshot import MarketSnapshot
from opportunity.scoring.weights import Weights
from opportunity.shared import Shared
from opportunity.storage.bar_notes import NotePage
from opportunity.storage.failures import DatabaseError
from opportunity.storage.repositories import Memory
from opportunity.strategy import Evaluation, ScanRules, evaluate

logger = structlog.get_logger(__name__)

KEEP_TIME_S: Final = 15.0


class Services:
    """Everything a handler or a page may use.

    Parameters
    ----------
    settings : Settings
        As read from the environment and the command line.
    feed : Feed
        Where bars come from.
    memory : Memory
        What survives a restart.
    loop : asyncio.AbstractEventLoop
        The server's loop; it owns the shared objects.
    """

    def __init__(
        self, settings: Settings, feed: Feed, memory: Memory, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.settings, self.feed, self._memory = settings, feed, memory
        self.version, self.epoch = __version__, secrets.token_hex(6)
        self.websocket_stats = {"connections": 0, "subscriptions": 0, "messages_sent": 0}
        self.accounts = Accounts.of(settings, memory.accounts)
        self.bus: Any = None  # where other processes serve clients, see app.edge.outbound
        self.events = memory.events
        self.hub = Hub(loop)
        self._loop, self._started = loop, loop.time()
        self._notes = memory.bar_notes(state_name(settings))
        self.controls = Controls(settings, memory, self.hub)
        self.weights, self.rules = self.controls.weights, self.controls.rules
        self.backtests = Backtests.of(settings, feed, memory, self._now, self.hub)
        stored = self.controls.stored
        self.session = new_session(settings.home, wall_ms()) if settings.record else None
        lease = memory.lease(state_name(settings))
        lease.acquire()  # the error names another live server that trades this market
        self.agent = Agent(
            feed=feed,
            weights=self.weights,
            rules=self.rules,
            timeframes=settings.timeframes,
            hub=self.hub,
            state=settings.home / "state" / f"{state_name(settings)}.npz",
            store=memory.observations(state_name(settings)),
            sources=sources_of(settings, feed, wall_ms),
            calibration=saved_calibration(settings.home),
            notes=self._notes,
            session=self.session,
            ledger=memory.ledger(state_name(settings)),
            lease=lease,
            enabled=stored.get("enabled", settings.agent_enabled),
            scan_interval_ms=stored.get("scan_interval_ms", settings.scan_interval_ms),
        )
        self.controls.watch(self.agent)
        self.paper = Paper(settings, memory, self.agent)
        self.risk = Risk(self.agent, feed, self.paper)
        self.journal = JournalService(settings, memory, self.agent, feed, self.hub)
        self.shadows = Shadows.of(settings, memory, self.agent, self.hub)
        self.around = Around(self.agent, memory.observations(state_name(settings)), self._now)
        self.universe = Universe(settings, memory.turned, self.agent, self.paper.held)
        self.what_ifs = WhatIfs(
            lambda: Market(
                self.symbols, self.timeframes, self.paper.trading.setup(),
                self.rules.record().timeframe_weights,
            ),
            lambda: source_of(settings, feed, self._now, None), self._now, self.backtests.trials,
        )
        self.watchlists, self.once = memory.watchlists, Once(memory.idempotency)
        self.agent.param.watch(self._agent_changed, ["enabled", "running", "last_error"])
        shared: tuple[Shared, ...] = (self.weights, self.rules, self.agent)
        for one in shared:
            one.bind_thread()
        self._clock_keeper: asyncio.Future[None] | None = None
        self._ended = asyncio.Event()
        self._feed_watch = FeedWatch(self.feed_status, self.hub, loop)
        self.retention = Retention(settings, memory, lambda: self.agent.time or 0)
        self._housekeeping = Housekeeping(self.retention.days, memory)
        audit = Audit(memory.events, lambda: self.agent.time or 0)
        self.backups = Backups(settings, audit, wall_ms)
        self.alerts = alerts_of(settings, memory, self.hub, feed, self.agent)

    # -- life ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the agent on its own thread; a market that does not answer is asked again."""
        self.accounts.start()
        self._feed_watch.start()
        await self.alerts.start()
        await self.agent.start(thread=True, patient=True)
        if self.feed_name == "exchange":
            self._memory.settings.write(**{symbols_key(self.settings): list(self.symbols)})
        self._clock_keeper = asyncio.ensure_future(self._keep_time())
        self.journal.start()
        self._housekeeping.start()

    async def stop(self) -> None:
        """Stop the agent and close what is open."""
        self.what_ifs.close()
        await self.backtests.close()
        await self.journal.close()
        self._feed_watch.stop()
        self._ended.set()
        if self._clock_keeper is not None:
            await self._clock_keeper
        try:
            await self.agent.stop()
            self._remember_time()
        finally:
            await self.alerts.close()
            await self._housekeeping.close()
            await self.accounts.close()
            self.agent.close()
            self.hub.close()
            self._memory.close()

    async def _keep_time(self) -> None:
        while not self._ended.is_set():
            try:
                await asyncio.to_thread(self._remember_time)
            except DatabaseError as error:
                logger.warning("time not stored", error=str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), KEEP_TIME_S)

    def _remember_time(self) -> None:
        if self.agent.time:
            self._memory.settings.write(**{time_key(self.feed.name): self.agent.time})

    def _now(self) -> int:
        """Feed time that an answer is about: all that the agent has worked in."""
        return self.agent.time or self.feed.clock.now()

    # -- facts -----------------------------------------------------------------------------------

    @property
    def source(self) -> str:
        """Stamp of everything that this server shows, e.g. ``simulated``."""
        return self.feed.source

    @property
    def feed_name(self) -> str:
        """Name of the feed in `FEEDS`."""
        return self.feed.name

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols that are watched."""
        return self.feed.symbols

    @property
    def timeframes(self) -> tuple[Timeframe, ...]:
        """Timeframes that are scored."""
        return self.agent.timeframes

    @property
    def base(self) -> Timeframe:
        """Length of the feed's bars."""
        return self.feed.base

    @property
    def uptime_s(self) -> float:
        """Seconds since the server began."""
        return self._loop.time() - self._started

    def feed_status(self) -> FeedStatus | None:
        """Return how the line to the market is; None for a feed that has none."""
        return self.feed.status()

    def look_at_storage(self) -> int:
        """Return how many notices wait to be sent; blocks. See whether the database answers.

        Raises
        ------
        DatabaseError
            If it does not.
        """
        return self._memory.outbox.n_waiting()

    async def notes(
        self,
        symbol: str | None = None,
        kind: str | None = None,
        since: int = 0,
        limit: int = 100,
        after: int | None = None,
    ) -> NotePage:
        """Return what happened to single bars, newest first; see `BarNoteRepository.read`."""
        return await asyncio.to_thread(self._notes.read, symbol, kind, since, limit, after)

    # -- judgements ------------------------------------------------------------------------------

    def snapshot(self) -> MarketSnapshot | None:
        """Return the newest detector outputs; None while the agent warms up."""
        return self.agent.snapshot()

    def evaluation(self) -> Evaluation | None:
        """Return the newest ranking under the shared weights and rules."""
        return self.agent.evaluation()

    def evaluate(
        self,
        weights: Weights,
        rules: ScanRules | None = None,
        symbols: Sequence[str] | None = None,
        timeframes: Sequence[Timeframe] | None = None,
    ) -> Evaluation | None:
        """Rank under anybody's draft; touches nothing that others see."""
        snapshot = self.agent.snapshot()
        if snapshot is None:
            return None
        return evaluate(
            snapshot, weights, self.rules if rules is None else rules,
            symbols=symbols, timeframes=timeframes, calibration=self.agent.calibration(weights),
        )

    async def scan(
        self,
        symbols: Sequence[str],
        timeframes: Sequence[Timeframe],
        weights: Weights | None = None,
        rules: ScanRules | None = None,
        quick: bool = False,
    ) -> ScanReport:
        """Scan on request, by default under copies of the shared weights and rules; see `Asked`."""
        asked = Asked(
            symbols, timeframes, (self.weights if weights is None else weights).as_array(),
            (self.rules if rules is None else rules).record(), quick,
        )
        return await scan(self.agent, asked, self._now())

    async def bars(
        self, symbol: str, timeframe: Timeframe, n_bars: int, end: int | None = None
    ) -> Bars:
        """Return the newest bars of a stream that had closed by `end`, ms UTC, or by now."""
        until = self._now() if end is None else min(end, self._now())
        return await self.agent.ask(self.feed.history(symbol, timeframe, n_bars, until))

    async def chart(self, symbol: str, timeframe: Timeframe, n_bars: int = 300) -> ChartData:
        """Return the newest bars of a stream with scores and events."""
        bars = await self.agent.ask(
            self.feed.history(symbol, timeframe, LEAD_BARS + n_bars, self._now())
        )
        weights = Weights(**self.weights.as_dict())
        forming = self.forming(symbol, timeframe)
        known = self.agent.observers([symbol]) if symbol in self.symbols else None
        return await asyncio.to_thread(chart_of, bars, weights, n_bars, forming, known)

    async def context(self, symbol: str, most: int = 12) -> Context | None:
        """Return what is known of a watched symbol besides bars, with its newest headlines.

        None while the agent warms up. Read on another thread: the agent may hold the lock.
        """
        known = self.agent.observers([symbol])
        if known is None:
            return None
        return await asyncio.to_thread(
            context_of, known, symbol, self.source, self._now(), most
        )

    def forming(self, symbol: str, timeframe: Timeframe) -> Bar | None:
        """Return the unfinished bar of a stream; None without, and outside the universe."""
        return self.agent.forming(symbol, timeframe)

    def preview(self, symbol: str, timeframe: Timeframe) -> Explanation | None:
        """Return what the unfinished bar of a stream would score; a look ahead, never a signal."""
        return self.agent.preview(symbol, timeframe)

    def _agent_changed(self, *_: Any) -> None:
        self.hub.publish("status", "", {"enabled": self.agent.enabled})
