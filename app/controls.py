"""What people turn: weights, presets, the switch, scan rules, the default subscription.

Whoever turns it (page, API, Python), it is stored, told to everybody and comes back at the next
start. What page and API turn is stored on a thread, one after the other: a database that is slow
holds up nobody else.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import structlog

from app.audit import Audit
from app.presets import Preset, Presets, Said, check_weights
from opportunity.bus.memory import Hub
from opportunity.config import Settings
from opportunity.contracts import DETECTOR_NAMES
from opportunity.errors import unknown
from opportunity.feeds.clock import wall_ms
from opportunity.live.agent import Agent
from opportunity.market.symbols import parse_symbol
from opportunity.scoring.consensus import timeframe_weights
from opportunity.scoring.presets import PRESETS
from opportunity.scoring.weights import Weights
from opportunity.storage.events import Event
from opportunity.storage.failures import DatabaseError
from opportunity.storage.repositories import Memory, StoredWeights
from opportunity.strategy import ScanRules

logger = structlog.get_logger(__name__)


class Controls:
    """The shared objects that people turn, and what is stored of them.

    Parameters
    ----------
    settings : Settings
        Bounds of the default subscription.
    memory : Memory
        What survives a restart.
    hub : Hub
        Told every change, under the topic ``config``.
    """

    def __init__(self, settings: Settings, memory: Memory, hub: Hub) -> None:
        self._most, self._hub = settings.max_symbols, hub
        self._settings, self._versions = memory.settings, memory.weights
        self._presets = Presets(memory.presets)
        self.stored = self._settings.read()
        """Settings as they were at the start."""
        self._subscribed: tuple[str, ...] = tuple(self.stored.get("subscribed", ()))
        newest = self._versions.newest() or self._versions.add(PRESETS["balanced"], "start")
        self.weights_version = newest.version
        self.weights = Weights(**newest.weights)
        self.rules = ScanRules(**self.stored.get("rules", {}))
        self._active, self._ruled = self.weights.as_dict(), _values(self.rules)
        self._by: str | None = None
        self._turns = asyncio.Lock()
        self._audit = Audit(memory.events, lambda: self.agent.time or 0)

    def watch(self, agent: Agent) -> None:
        """Store and tell every change of the shared objects, whoever makes it."""
        self.agent = agent
        self.weights.param.watch(self._weights_set, list(DETECTOR_NAMES))
        agent.param.watch(self._agent_set, ["enabled", "scan_interval_ms"])
        self.rules.param.watch(self._rules_set, list(_values(self.rules)))

    @property
    def subscribed(self) -> tuple[str, ...]:
        """Symbols that the default stream pushes, of those that are watched now."""
        return tuple(s for s in self._subscribed if s in self.agent.symbols)

    async def apply_weights(
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
        async with self._turns:
            said = self._audit.event("weights", by, self._active, checked)
            stored = await asyncio.to_thread(self._versions.add, checked, by, expected, [said])
            if stored.version > self.weights_version:  # else Python was later, and its hold
                self.weights_version, self._active = stored.version, checked
                with self._doing(by):
                    self.weights.update(checked)
                self._tell("weights", checked, stored.version, by)
            return stored.version

    async def weights_history(self, limit: int = 30) -> tuple[StoredWeights, ...]:
        """Return the versions of the weights that were applied, newest first."""
        return await asyncio.to_thread(self._versions.read, limit)

    def presets(self) -> list[Preset]:
        """Return the built-in presets, then the saved ones by name."""
        return self._presets.all()

    async def save_preset(
        self, name: str, values: Mapping[str, float], by: str,
        check: Callable[[], None] | None = None,
    ) -> Preset:
        """Save or replace a preset; see `Presets.save`.

        Parameters
        ----------
        name : str
        values : mapping
        by : str
            Who, for the audit.
        check : callable, optional
            Asked when nobody else is at it; what it raises ends it.
        """
        async with self._turns:
            if check is not None:
                check()
            saved = await asyncio.to_thread(
                self._presets.save, name, values, self._preset_said(name, by)
            )
            self._tell("preset", {"name": name, "weights": saved.weights}, None, by)
            return saved

    async def delete_preset(
        self, name: str, by: str, check: Callable[[], None] | None = None
    ) -> None:
        """Delete a saved preset; see `Presets.delete`, and `save_preset` for the others."""
        async with self._turns:
            if check is not None:
                check()
            await asyncio.to_thread(self._presets.delete, name, self._preset_said(name, by))
            self._tell("preset", {"name": name, "weights": None}, None, by)

    def _preset_said(self, name: str, by: str) -> Said:
        return lambda before, after: self._audit.event(
            "preset", by, before, after, f"preset {name}"
        )

    async def set_enabled(self, enabled: bool, by: str) -> None:
        """Switch the agent's signals on or off; setting it twice is the same as once.

        Raises
        ------
        ValueError
            If it is neither.
        DatabaseError
            If it cannot be stored; nothing has changed then.
        """
        if not isinstance(enabled, bool):
            raise ValueError(f"enabled must be True or False, was {enabled!r}")
        await self._turn(by, enabled=enabled)

    async def set_interval(self, scan_interval_ms: int, by: str) -> None:
        """Set the heartbeat; ValueError outside 100 to 60000 ms."""
        low, high = self.agent.param["scan_interval_ms"].bounds
        if not (low <= scan_interval_ms <= high and isinstance(scan_interval_ms, int)):
            raise ValueError(
                f"scan_interval_ms must be whole and {low} to {high}, was {scan_interval_ms}"
            )
        await self._turn(by, scan_interval_ms=scan_interval_ms)

    async def subscribe(self, symbols: Sequence[str]) -> tuple[str, ...]:
        """Set which symbols the default stream pushes; the universe stays as it is.

        Raises
        ------
        ValueError
            If a symbol is malformed or not watched, or there are more than `max_symbols`.
        """
        names = tuple(dict.fromkeys(parse_symbol(s) for s in symbols))
        if len(names) > self._most:
            raise ValueError(
                f"symbols must be at most {self._most}, was {len(names)}"
            )
        for name in names:
            if name not in self.agent.symbols:
                raise ValueError(unknown("symbol", name, self.agent.symbols))
        async with self._turns:
            await asyncio.to_thread(self._settings.write, subscribed=list(names))
            self._subscribed = names
        return names

    async def set_rules(self, values: Mapping[str, Any], by: str) -> None:
        """Change some of the shared rules at once; ValueError when one breaks its bounds."""
        for name in values:
            if name not in _values(self.rules):
                raise ValueError(unknown("scan rule", name, _values(self.rules)))
        across = values.get("timeframe_weights")
        if isinstance(across, Mapping):  # else refused below
            timeframe_weights(self.agent.timeframes, across)

        def wanted() -> tuple[dict[str, Any], dict[str, Any]]:
            there = _values(self.rules)  # raises before anything shared has changed
            return there, _values(ScanRules(**{**there, **values}))

        async with self._turns:
            there, changed = wanted()
            while changed != there:
                said = self._audit.event("rules", by, there, changed, "scan rules")
                await asyncio.to_thread(self._settings.write, said, rules=changed)
                if _values(self.rules) == there:
                    break
                there, changed = wanted()  # Python has set something meanwhile
            with self._doing(by):
                self.rules.param.update(**changed)

    async def _turn(self, by: str, **values: Any) -> None:
        """Store what changes of the agent, then set it: what fails has changed nothing."""
        async with self._turns:
            while changed := {n: v for n, v in values.items() if v != getattr(self.agent, n)}:
                before = {n: getattr(self.agent, n) for n in changed}
                said = self._audit.event("agent", by, before, changed)
                await asyncio.to_thread(self._settings.write, said, **changed)
                if before == {n: getattr(self.agent, n) for n in changed}:
                    break  # else Python has set it meanwhile, and stored that
            with self._doing(by):
                self.agent.param.update(**values)

    def _tell(self, what: str, value: Any, number: int | None, by: str) -> None:
        self._hub.emit(
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

    def _agent_set(self, *events: Any) -> None:
        changed = {event.name: event.new for event in events}
        if "enabled" in changed:
            logger.info("agent switched", enabled=changed["enabled"], by=self._by or "python")
        if self._by is None:
            said = self._audit.event("agent", "python", {e.name: e.old for e in events}, changed)
            self._python_set("agent", said, changed)
        self._tell("agent", changed, None, self._by or "python")

    def _rules_set(self, *_: Any) -> None:
        rules = _values(self.rules)
        if self._by is None:
            said = self._audit.event("rules", "python", self._ruled, rules, "scan rules")
            self._python_set("rules", said, {"rules": rules})
        self._ruled = rules
        self._tell("rules", rules, None, self._by or "python")

    def _python_set(self, what: str, said: Event, values: Mapping[str, Any]) -> None:
        """Keep what Python code has set; what cannot be stored holds until the next start."""
        try:
            self._settings.write(said, **values)
        except DatabaseError as error:
            logger.error("change not stored", what=what, error=str(error))

    def _weights_set(self, *_: Any) -> None:
        if self._by is not None:  # `apply_weights` has stored its own already
            return
        values = self.weights.as_dict()
        said = self._audit.event("weights", "python", self._active, values)
        try:
            self.weights_version = self._versions.add(values, "python", events=[said]).version
        except DatabaseError as error:
            logger.error("change not stored", what="weights", error=str(error))
        self._active = values
        self._tell("weights", values, self.weights_version, "python")


def _values(rules: ScanRules) -> dict[str, Any]:
    return {n: v for n, v in rules.param.values().items() if n != "name"}
