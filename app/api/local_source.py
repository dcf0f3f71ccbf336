"""The stream's source beside the agent: states from the hub, events from the log."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pydantic
import structlog

from app.api.event_line import EventLine
from app.api.limits import Limits
from app.api.messages import Message
from app.api.press import Press
from app.api.source import Listener, Wants
from app.api.throttle import Throttle
from app.services import Services
from opportunity.bus.memory import Events, States
from opportunity.contracts.realtime import Channel
from opportunity.feeds.clock import wall_ms

logger = structlog.get_logger(__name__)

WINDOW_S: Final = 60.0
START_PER_MS: Final = 1_000
"""States are numbered from the wall time on, so that they rise over restarts, too."""

CHANNEL_OF: Final[dict[str, Channel]] = {
    "signal": "signal", "price": "price", "scan": "market_scan", "status": "status",
    "backtest": "backtest", "portfolio": "portfolio",
}  # fmt: skip
"""Hub topic -> channel of the stream, for states."""


class LocalSource:
    """A `Source` over the services of this process.

    Parameters
    ----------
    services : Services
        Whose hub is heard; its log is asked for the newest numbers here, which may block.
    limits : Limits

    Raises
    ------
    DatabaseError
        If the log cannot be read.
    """

    def __init__(self, services: Services, limits: Limits) -> None:
        self._services = services
        self.epoch = services.events.epoch()
        self.press = Press(services, self.epoch, wall_ms() * START_PER_MS)
        self._broken = 0
        self._events = EventLine(services.events, self.press, limits.n_events, self._give)
        self._payloads: dict[tuple[Channel, str], Any] = {("status", ""): None}
        self._pressed: dict[tuple[Channel, str], Message] = {}
        self._throttle = Throttle(limits.throttle_s, self._direction)
        self._release: asyncio.TimerHandle | None = None
        self._scans: deque[float] = deque(maxlen=10_000)
        self._listeners: dict[object, tuple[Listener, Wants | None]] = {}
        self._loop = asyncio.get_running_loop()
        self._load_newest()
        self._leave = services.hub.subscribe(self._receive)

    # -- what is -----------------------------------------------------------------------------

    @property
    def symbols(self) -> Sequence[str]:
        """Symbols that are watched; an exchange's are not known before it answers."""
        return self._services.symbols

    @property
    def subscribed(self) -> Sequence[str]:
        """Symbols that REST subscribed."""
        return self._services.controls.subscribed

    @property
    def enabled(self) -> bool:
        """Whether the agent gives signals."""
        return bool(self._services.agent.enabled)

    @property
    def broken(self) -> int:
        """Messages that broke their contract."""
        return self._broken + self._events.broken

    @property
    def scans_per_min(self) -> int:
        """Scans published within the last minute."""
        since = self._loop.time() - WINDOW_S
        return sum(at >= since for at in self._scans)

    def newest(self, channel: Channel, key: str = "") -> Message | None:
        """Return the newest state of a channel and symbol; None before the first."""
        place = (channel, key)
        if channel == "status":  # never told by the hub in full: look again
            self._pressed.pop(place, None)
        if place not in self._pressed and place in self._payloads:
            made = self._state(channel, key, self._payloads[place])
            if made is not None:
                self._pressed[place] = made
        return self._pressed.get(place)

    def newest_of(self, channel: Channel) -> list[Message]:
        """Return the newest states of a channel that comes whole, in the order of their numbers."""
        keys = [key for (c, key) in self._payloads if c == channel]
        found = [m for key in keys if (m := self.newest(channel, key)) is not None]
        return sorted(found, key=lambda message: message.seq)

    def seqs(self) -> dict[Channel, int]:
        """Return the number of the newest event that listeners were given, by channel."""
        return self._events.seqs()

    async def missed(self, channel: Channel, after: int) -> list[Message] | None:
        """Return the events after a number, out of memory or the log; see `Source`."""
        return await self._events.missed(channel, after)

    def listen(self, callback: Listener, wants: Wants | None = None) -> Callable[[], None]:
        """Call back with new messages; see `Source`."""
        key = object()
        self._listeners[key] = callback, wants

        def leave() -> None:
            self._listeners.pop(key, None)

        return leave

    async def close(self) -> None:
        """Hear nothing more; a look into the log that is under way is waited for."""
        self._leave()
        self._listeners.clear()
        if self._release is not None:
            self._release.cancel()
        await self._events.close()

    # -- what comes in -----------------------------------------------------------------------

    def _load_newest(self) -> None:
        hub = self._services.hub
        for topic in ("signal", "price", "scan", "backtest", "portfolio"):
            for key, payload in hub.latest_of(topic).items():
                self._payloads[CHANNEL_OF[topic], key] = payload

    def _receive(self, states: States, events: Events) -> None:
        out: list[Message] = []
        for topic, payload in events:
            if topic == "event" and payload.channel is not None:
                out += self._events.hear(payload)
            elif topic == "config":  # the change is in the log, under its number
                self._events.look("config")
        for (topic, key), payload in states.items():
            channel = CHANNEL_OF.get(topic)
            if channel is not None:
                out += self._changed(channel, key, payload)
        self._give(out)

    def _changed(self, channel: Channel, key: str, payload: Any) -> list[Message]:
        """Keep a state; work it into a message only where somebody wants it."""
        now = self._loop.time()
        if channel == "market_scan":
            self._scans.append(now)
        self._payloads[channel, key] = payload
        self._pressed.pop((channel, key), None)
        if channel == "signal":
            if not self.enabled:  # off means off: one that was under way is not sent any more
                return []
            if not self._throttle.passes(key, now):
                self._arm()
                return []
        return self._wanted(channel, key)

    def _wanted(self, channel: Channel, key: str) -> list[Message]:
        wanted = any(wants is None or wants(channel, key) for _, wants in self._listeners.values())
        message = self.newest(channel, key) if wanted else None
        return [] if message is None else [message]

    def _state(self, channel: Channel, key: str, payload: Any) -> Message | None:
        # A payload that breaks its contract costs its own message, never the stream.
        press = self.press
        try:
            match channel:
                case "signal":
                    return press.signal(key, payload)
                case "price":
                    return press.price(key, payload)
                case "market_scan":
                    return press.market_scan(payload)
                case "status":
                    return press.status()
                case "backtest":
                    return press.backtest(key, payload)
                case "portfolio":
                    return press.portfolio(payload)
                case _:
                    return None  # events have no newest state
        except (pydantic.ValidationError, TypeError, ValueError):
            self._broken += 1
            logger.exception("message broke its contract", channel=channel, key=key)
            return None

    # -- what goes out -----------------------------------------------------------------------

    def _direction(self, symbol: str) -> str:
        payload = self._payloads["signal", symbol]
        return str(payload.get("direction")) if isinstance(payload, Mapping) else ""

    def _arm(self) -> None:
        due_at = self._throttle.due_at
        if self._release is None and due_at is not None:
            self._release = self._loop.call_at(due_at, self._release_held)

    def _release_held(self) -> None:
        self._release = None
        if not self.enabled:
            self._throttle.clear()
            return
        due = self._throttle.due(self._loop.time())
        self._give([message for symbol in due for message in self._wanted("signal", symbol)])
        self._arm()

    def _give(self, messages: Sequence[Message]) -> None:
        if messages:
            for callback, _ in tuple(self._listeners.values()):
                callback(messages)
