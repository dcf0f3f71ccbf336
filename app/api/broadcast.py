"""The stream's middle: hub batches come in, numbered messages go out to those who asked.

Everything here runs on the server's loop, one callback at a time; so a client that joins reads
the newest states and is registered for the next ones without anything in between.
"""

import asyncio
import random
from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Final, Protocol

import numpy as np
import pydantic
import structlog
from tornado.web import Application

from app.api.limits import Limits
from app.api.messages import Message, Press, encode
from app.api.outlet import Outlet
from app.services import Services
from opportunity.bus.memory import Events, States
from opportunity.contracts.realtime import (
    EVENT_CHANNELS,
    SYMBOL_CHANNELS,
    Channel,
    ClosingMessage,
)

logger = structlog.get_logger(__name__)

SETTING: Final = "realtime"
TICK_S: Final = 1.0
WINDOW_S: Final = 60.0
CLOCK_S: Final = 1e-3
"""A timer may fire this much early; what is due then is due."""

DEFAULT: Final = "*"
"""Key of those who never subscribed: they get the symbols that REST subscribed."""

CHANNEL_OF: Final[dict[str, Channel]] = {
    "signal": "signal", "price": "price", "scan": "market_scan", "status": "status",
    "backtest": "backtest", "portfolio": "portfolio",
}  # fmt: skip
"""Hub topic -> channel of the stream, for states."""

CHANNEL_OF_EVENT: Final[dict[str, Channel]] = {
    "order": "trade", "fill": "trade", "trade": "trade", "breaker": "alert",
    "price_alert": "alert", "alert": "alert", "storage": "alert", "lease": "alert",
}  # fmt: skip
"""Kind of an event of the log -> channel of the stream; other kinds do not travel."""


class Client(Protocol):
    """What the broadcast needs of a connection."""

    outlet: Outlet

    def choose(self, message: Message) -> bytes | None:
        """Return the frame of a message of a channel it listens to, or None to skip it."""

    def close(self, code: int, reason: str) -> None:
        """Close the connection."""


class Realtime:
    """All connections of one server, and what is newest for each channel and symbol.

    Parameters
    ----------
    services : Services
        Whose hub is read; `services.websocket_stats` is kept up to date.
    limits : Limits, optional
        Defaults, with `max_connections` and `max_symbols` of the settings.
    """

    def __init__(self, services: Services, limits: Limits | None = None) -> None:
        self.services = services
        self.limits = limits or Limits(
            max_connections=services.settings.max_connections,
            max_symbols=services.settings.max_symbols,
        )
        self.press = Press(services)
        self.clients: set[Client] = set()
        self.events: dict[Channel, deque[Message]] = {
            channel: deque(maxlen=self.limits.n_events) for channel in EVENT_CHANNELS
        }
        self.stats = services.websocket_stats
        self.closing = False
        self.slow = self.broken = 0
        self._coalesced = 0
        self.lag_s = 0.0
        self._payloads: dict[tuple[Channel, str], Any] = {("status", ""): None}
        self._pressed: dict[tuple[Channel, str], Message] = {}
        self._listeners: dict[tuple[Channel, str], set[Client]] = {}
        self._sent_at: dict[str, float] = {}
        self._shown: dict[str, str] = {}
        self._held: set[str] = set()
        self._scans: deque[float] = deque(maxlen=10_000)
        self._loop = asyncio.get_running_loop()
        self._empty = asyncio.Event()
        self._release: asyncio.TimerHandle | None = None
        self._status_at = self.now()
        self._load_newest()
        self._leave = services.hub.subscribe(self._receive)
        self._ticker = self._loop.call_later(TICK_S, self._tick, self.now() + TICK_S)

    @classmethod
    def of(cls, application: Application, services: Services) -> "Realtime":
        """Return the application's broadcast, made on first use."""
        made: Realtime = application.settings.get(SETTING) or cls(services)
        application.settings[SETTING] = made
        return made

    def now(self) -> float:
        """Return monotonic seconds."""
        return self._loop.time()

    @property
    def full(self) -> bool:
        """Whether another connection would be one too many."""
        return len(self.clients) >= self.limits.max_connections

    @property
    def scans_per_min(self) -> int:
        """Scans published within the last minute."""
        since = self.now() - WINDOW_S
        return sum(at >= since for at in self._scans)

    @property
    def coalesced(self) -> int:
        """States that waiting clients never saw because a newer one came."""
        return self._coalesced + sum(client.outlet.coalesced for client in self.clients)

    # -- connections -------------------------------------------------------------------------

    def join(self, client: Client) -> None:
        """Greet a connection with the status and count it in."""
        self.clients.add(client)
        self.stats["connections"] = len(self.clients)
        self.give(client, [self.press.status()])

    def leave(self, client: Client) -> None:
        """Count a connection out."""
        self.clients.discard(client)
        self._coalesced += client.outlet.coalesced
        self.stats["connections"] = len(self.clients)
        if not self.clients:
            self._empty.set()

    def newest(self, channel: Channel, key: str = "") -> Message | None:
        """Return the newest state of a channel and symbol; None before the first."""
        place = (channel, key)
        if channel == "status":  # never told by the hub in full: look again
            self._pressed.pop(place, None)
        if place not in self._pressed and place in self._payloads:
            for made in self._press(channel, key, self._payloads[place]):
                self._pressed[place] = made
        return self._pressed.get(place)

    def newest_of(self, channel: Channel) -> list[Message]:
        """Return the newest states of a channel that comes whole, in the order of their numbers."""
        keys = [key for (c, key) in self._payloads if c == channel]
        found = [m for key in keys if (m := self.newest(channel, key)) is not None]
        return sorted(found, key=lambda message: message.seq)

    def give(self, client: Client, messages: Iterable[Message]) -> None:
        """Send those of the messages that the client does not filter out."""
        chosen = [(m.state_key, data) for m in messages if (data := client.choose(m)) is not None]
        self.stats["messages_sent"] += len(chosen)
        client.outlet.send(chosen)

    def reply(self, client: Client, frame: bytes) -> None:
        """Send a frame that must arrive."""
        self.stats["messages_sent"] += 1
        client.outlet.send([(None, frame)])

    async def close(self) -> None:
        """Send everybody away with 1012 and a wait that differs per client."""
        self.closing = True
        self._empty.clear()
        self._leave()
        self._ticker.cancel()
        if self._release is not None:
            self._release.cancel()
        if not self.clients:
            return
        low, high = self.limits.reconnect_ms
        for client in tuple(self.clients):
            wait = random.randint(low, high)  # not a secret: it only spreads the clients
            self.reply(client, encode(ClosingMessage(code=1012, reconnect_after_ms=wait)))
            client.close(1012, f"reconnect_after_ms={wait}")
        try:
            await asyncio.wait_for(self._empty.wait(), self.limits.close_s)
        except TimeoutError:
            logger.info("clients did not say goodbye", clients=len(self.clients))

    # -- who asked for what ------------------------------------------------------------------

    def listen(self, client: Client, channel: Channel, key: str) -> None:
        """Send a client the messages of a channel and symbol from now on."""
        self._listeners.setdefault((channel, key), set()).add(client)

    def unlisten(self, client: Client, channel: Channel, key: str) -> None:
        """Send them no more."""
        listeners = self._listeners.get((channel, key), set())
        listeners.discard(client)
        if not listeners:
            self._listeners.pop((channel, key), None)

    def _audience(self, channel: Channel, key: str) -> set[Client]:
        whole = channel not in SYMBOL_CHANNELS  # its listeners get all of its keys
        audience = self._listeners.get((channel, "" if whole else key), set())
        if channel == "signal" and key in self.services.controls.subscribed:
            return audience | self._listeners.get((channel, DEFAULT), set())
        return audience

    # -- what comes in -----------------------------------------------------------------------

    def _load_newest(self) -> None:
        hub = self.services.hub
        for topic in ("signal", "price", "scan", "backtest", "portfolio"):
            for key, payload in hub.latest_of(topic).items():
                self._payloads[CHANNEL_OF[topic], key] = payload

    def _receive(self, states: States, events: Events) -> None:
        out = [message for topic, payload in events for message in self._happened(topic, payload)]
        for (topic, key), payload in states.items():
            channel = CHANNEL_OF.get(topic)
            if channel is None:
                continue
            if channel == "market_scan":
                self._scans.append(self.now())
            # A state that nobody listens to is only kept, not worked into a message.
            self._payloads[channel, key] = payload
            self._pressed.pop((channel, key), None)
            if channel == "signal" and (not self.services.agent.enabled or self._hold(key)):
                continue  # off means off: one that was under way is not sent any more
            if self._audience(channel, key):
                out += self._newest_list(channel, key)
        self._spread(out)

    def _happened(self, topic: str, payload: Any) -> list[Message]:
        """Make the message of an event and keep it for those who come back."""
        channel: Channel | None = None
        if topic == "config":
            channel = "config"
        elif topic == "event":
            channel = CHANNEL_OF_EVENT.get(payload.kind)
        if channel is None:
            return []
        made = self._press(channel, "", payload)
        self.events[channel].extend(made)
        return made

    def _newest_list(self, channel: Channel, key: str) -> list[Message]:
        message = self.newest(channel, key)
        return [] if message is None else [message]

    def _press(self, channel: Channel, key: str, payload: Any) -> list[Message]:
        # A payload that breaks its contract costs its own message, never the stream.
        press = self.press
        try:
            match channel:
                case "signal":
                    return [press.signal(key, payload)]
                case "price":
                    return [press.price(key, payload)]
                case "market_scan":
                    return [press.market_scan(payload)]
                case "status":
                    return [press.status()]
                case "config":
                    return [press.config(payload)]
                case "backtest":
                    return [press.backtest(key, payload)]
                case "portfolio":
                    return [press.portfolio(payload)]
                case "trade" | "alert":
                    return [press.event(channel, payload)]
        except (pydantic.ValidationError, TypeError, ValueError):
            self.broken += 1
            logger.exception("message broke its contract", channel=channel, key=key)
            return []

    # -- at most one signal per symbol and interval ------------------------------------------

    def _hold(self, symbol: str) -> bool:
        """Hold a signal back if one went out just now and the direction is the same."""
        direction = self._direction(symbol)
        recent = self.now() - self._sent_at.get(symbol, -np.inf) < self.limits.throttle_s
        if recent and direction == self._shown.get(symbol):
            self._held.add(symbol)
            if self._release is None:
                self._arm()
            return True
        self._held.discard(symbol)
        self._sent_at[symbol], self._shown[symbol] = self.now(), direction
        return False

    def _direction(self, symbol: str) -> str:
        payload = self._payloads["signal", symbol]
        return str(payload.get("direction")) if isinstance(payload, Mapping) else ""

    def _arm(self) -> None:
        first = min(self._sent_at[symbol] for symbol in self._held)
        self._release = self._loop.call_at(first + self.limits.throttle_s, self._release_held)

    def _release_held(self) -> None:
        self._release = None
        now = self.now() + CLOCK_S
        due = [s for s in self._held if now - self._sent_at[s] >= self.limits.throttle_s]
        out: list[Message] = []
        if not self.services.agent.enabled:
            self._held.clear()
            return
        for symbol in due:
            self._held.discard(symbol)
            self._sent_at[symbol], self._shown[symbol] = now, self._direction(symbol)
            out += self._newest_list("signal", symbol)
        self._spread(out)
        if self._held:
            self._arm()

    # -- what goes out -----------------------------------------------------------------------

    def _spread(self, messages: Iterable[Message]) -> None:
        frames: dict[Client, list[tuple[Hashable | None, bytes]]] = {}
        for message in messages:
            for client in self._audience(message.channel, message.key):
                data = client.choose(message)
                if data is not None:
                    frames.setdefault(client, []).append((message.state_key, data))
        for client, chosen in frames.items():
            self.stats["messages_sent"] += len(chosen)
            client.outlet.send(chosen)

    def _tick(self, due: float) -> None:
        now = self.now()
        self.lag_s = max(0.0, now - due)
        for client in tuple(self.clients):
            client.outlet.check(self.limits.drain_s)
        if now - self._status_at >= self.limits.status_s:
            self._status_at = now
            self._spread(self._newest_list("status", ""))
        self._ticker = self._loop.call_later(TICK_S, self._tick, now + TICK_S)
