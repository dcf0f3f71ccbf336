"""The one place that wires the objects: feed, shared Param objects, agent, hub, database.

The API and the pages call this and nothing below it, so both do the same thing the same way.
"""

import asyncio
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import structlog

from app.backtests import Backtests
from app.feed import sources_of
from app.feed_watch import FeedWatch
from app.names import state_name, symbols_key, time_key
from app.presets import Preset, Presets, check_weights
from app.scans import Asked, scan
from app.verify import new_session
from opportunity import __version__
from opportunity.bus.memory import Hub
from opportunity.config import Settings
from opportunity.contracts import DETECTOR_NAMES
from opportunity.errors import unknown
from opportunity.feeds.base import Feed
from opportunity.feeds.clock import wall_ms
from opportunity.feeds.status import FeedStatus
from opportunity.live.agent import Agent
from opportunity.live.calibrate import saved_calibration
from opportunity.live.chart import LEAD_BARS, ChartData, chart_of
from opportunity.live.context import Context, context_of
from opportunity.live.scan_report import ScanReport
from opportunity.market.bars import Bar
from opportunity.market.symbols import parse_symbol
from opportunity.market.timeframe import Timeframe
from opportunity.scoring.explanation import Explanation
from opportunity.scoring.presets import PRESETS
from opportunity.scoring.snapshot import MarketSnapshot
from opportunity.scoring.weights import Weights
from opportunity.shared import Shared
from opportunity.storage.bar_notes import NotePage
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
        self.hub = Hub(loop)
        self._loop, self._started = loop, loop.time()
        self._settings, self._versions = memory.settings, memory.weights
        self._presets, self._notes = Presets(memory.presets), memory.bar_notes(state_name(settings))
        self.backtests = Backtests.of(settings, feed, memory, self._now, self.hub)
        stored = self._settings.read()
        self._subscribed: tuple[str, ...] = tuple(stored.get("subscribed", ()))
        newest = self._versions.newest() or self._versions.add(PRESETS["balanced"], "start")
        self.weights_version = newest.version
        self.weights = Weights(**newest.weights)
        self.rules = ScanRules(**stored.get("rules", {}))
        self.session = new_session(settings.home, wall_ms()) if settings.record else None
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
            enabled=stored.get("enabled", settings.agent_enabled),
            scan_interval_ms=stored.get("scan_interval_ms", settings.scan_interval_ms),
        )
        self._by: str | None = None
        self._watch_shared()
        shared: tuple[Shared, ...] = (self.weights, self.rules, self.agent)
        for one in shared:
            one.bind_thread()
        self._clock_keeper: asyncio.TimerHandle | None = None
        self._feed_watch = FeedWatch(self.feed_status, self.hub, loop)

    # -- life ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the agent on its own thread; a market that does not answer is asked again."""
        self._feed_watch.start()
        await self.agent.start(thread=True, patient=True)
        if self.feed_name == "exchange":
            self._settings.write(**{symbols_key(self.settings): list(self.symbols)})
        self._keep_time()

    async def stop(self) -> None:
        """Stop the agent and close what is open."""
        await self.backtests.close()
        self._feed_watch.stop()
        if self._clock_keeper is not None:
            self._clock_keeper.cancel()
        try:
            await self.agent.stop()
            self._remember_time()
        finally:
            self.agent.close()
            self.hub.close()
            self._memory.close()

    def _keep_time(self) -> None:
        self._clock_keeper = self._loop.call_later(KEEP_TIME_S, self._keep_time)
        self._remember_time()

    def _remember_time(self) -> None:
        if self.agent.time:
            self._settings.write(**{time_key(self.feed.name): self.agent.time})

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
    def subscribed(self) -> tuple[str, ...]:
        """Symbols that the default stream pushes, of those that are watched now."""
        return tuple(s for s in self._subscribed if s in self.symbols)

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

    # -- what people turn --------------------------------------------------------------------------

    def apply_weights(
        self, values: Mapping[str, float], by: str, expected: int | None = None
    ) -> int:
        """Make weights the shared ones: stored, then set at once, then told to everybody.

        Parameters
        ----------
        values : mapping
            All nine weights, each in [0, 1], summing to 1 within 0.01.
        by : str
            Who: ``page``, ``api`` or ``python``.
        expected : int, optional
            Version that the caller started from.

        Returns
        -------
        int
            The new version.

        Raises
        ------
        ValueError
            If a weight is missing, out of range, or the sum is off.
        ConflictError
            If somebody else was quicker.
        """
        checked = check_weights(values)
        stored = self._versions.add(checked, by, expected)
        self.weights_version = stored.version
        with self._doing(by):
            self.weights.update(checked)
        self._tell("weights", checked, stored.version, by)
        return stored.version

    def presets(self) -> list[Preset]:
        """Return the built-in presets, then the saved ones by name."""
        return self._presets.all()

    def save_preset(self, name: str, values: Mapping[str, float]) -> Preset:
        """Save or replace a preset; see `Presets.save`."""
        return self._presets.save(name, values)

    def delete_preset(self, name: str) -> None:
        """Delete a saved preset; see `Presets.delete`."""
        self._presets.delete(name)

    def set_enabled(self, enabled: bool, by: str) -> None:
        """Switch the agent's signals on or off; setting it twice is the same as once."""
        with self._doing(by):
            self.agent.enabled = enabled

    def set_interval(self, scan_interval_ms: int, by: str) -> None:
        """Set the heartbeat; ValueError outside 100 to 60000 ms."""
        low, high = self.agent.param["scan_interval_ms"].bounds
        if not low <= scan_interval_ms <= high:
            raise ValueError(
                f"scan_interval_ms must be {low} to {high}, was {scan_interval_ms}"
            )
        with self._doing(by):
            self.agent.scan_interval_ms = scan_interval_ms

    def subscribe(self, symbols: Sequence[str]) -> tuple[str, ...]:
        """Set which symbols the default stream pushes; the universe stays as it is.

        Raises
        ------
        ValueError
            If a symbol is malformed or not watched, or there are more than `max_symbols`.
        """
        names = tuple(dict.fromkeys(parse_symbol(s) for s in symbols))
        if len(names) > self.settings.max_symbols:
            raise ValueError(
                f"symbols must be at most {self.settings.max_symbols}, was {len(names)}"
            )
        for name in names:
            if name not in self.symbols:
                raise ValueError(unknown("symbol", name, self.symbols))
        self._settings.write(subscribed=list(names))
        self._subscribed = names
        return names

    def set_rules(self, values: Mapping[str, Any], by: str) -> None:
        """Change some of the shared rules at once; ValueError when one breaks its bounds."""
        there = _values(self.rules)
        for name in values:
            if name not in there:
                raise ValueError(unknown("scan rule", name, there))
        changed = ScanRules(**{**there, **values})  # raises before anything shared has changed
        with self._doing(by):
            self.rules.param.update(**_values(changed))

    def _tell(self, what: str, value: Any, number: int | None, by: str) -> None:
        self.hub.emit(
            "config", {"what": what, "value": value, "version": number, "by": by, "ts": wall_ms()}
        )

    @contextmanager
    def _doing(self, by: str) -> Iterator[None]:
        """Name who changes the shared objects inside; outside it is Python code."""
        self._by, before = by, self._by
        try:
            yield
        finally:
            self._by = before

    def _watch_shared(self) -> None:
        """Store and tell every change of the shared objects, whoever makes it."""
        self.weights.param.watch(self._weights_set, list(DETECTOR_NAMES))
        self.agent.param.watch(self._agent_set, ["enabled", "scan_interval_ms"])
        self.rules.param.watch(self._rules_set, list(_values(self.rules)))
        self.agent.param.watch(self._agent_changed, ["enabled", "running", "last_error"])

    def _agent_changed(self, *_: Any) -> None:
        self.hub.publish("status", "", {"enabled": self.agent.enabled})

    def _agent_set(self, *events: Any) -> None:
        changed = {event.name: event.new for event in events}
        self._tell("agent", changed, None, self._by or "python")
        self._settings.write(**changed)

    def _rules_set(self, *_: Any) -> None:
        rules = _values(self.rules)
        self._tell("rules", rules, None, self._by or "python")
        self._settings.write(rules=rules)

    def _weights_set(self, *_: Any) -> None:
        if self._by is None:  # `apply_weights` has stored its own already
            stored = self._versions.add(self.weights.as_dict(), "python")
            self.weights_version = stored.version
            self._tell("weights", stored.weights, stored.version, "python")


def _values(rules: ScanRules) -> dict[str, Any]:
    return {n: v for n, v in rules.param.values().items() if n != "name"}
