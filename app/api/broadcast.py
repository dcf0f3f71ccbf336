"""The stream's middle: messages come from a source and go out to those who asked.

Everything here runs on the server's loop, one callback at a time; so a client that joins reads
the newest states and is registered for the next ones without anything in between.
"""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence, Set
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from app.api.limits import Bucket, Limits
from app.api.messages import Message, encode
from app.api.outlet import Outlet
from app.api.source import Source
from app.auth.roles import Caller
from opportunity.contracts.realtime import (
    SYMBOL_CHANNELS,
    Channel,
    ClosingMessage,
)
from opportunity.market.wall import wall_ms

if TYPE_CHECKING:
    from tornado.web import Application

    from app.services import Services

logger = structlog.get_logger(__name__)

SETTING: Final = "realtime"
TICK_S: Final = 1.0

SLICE_S, LONG_SLICE_S = 0.004, 0.02
LOOK_EVERY: Final = 16
"""How long messages are handed to sockets before others have their turn, the second when rounds
pile up; after so many clients the clock is looked at."""
MANY_ROUNDS, MOST_ROUNDS = 4, 32
"""Rounds that wait for their slices; if it comes to more than the second, all are sent at once."""

DEFAULT: Final = "*"
"""Key of those who never subscribed: they get the symbols that REST subscribed."""

UNWELCOME: Final = 4001
"""Closing code: the login has ended, was revoked, or may do other things now."""


class Client(Protocol):
    """What the broadcast needs of a connection."""

    outlet: Outlet
    caller: Caller
    address: str

    def choose(self, message: Message) -> bytes | None:
        """Return the frame of a message of a channel it listens to, or None to skip it."""

    def close(self, code: int, reason: str) -> None:
        """Close the connection."""


Heard = tuple[Message, Set[Client]]
"""A message, and those who listen to it."""


def _plan(heard: Sequence[Heard]) -> Iterable[tuple[Client, Sequence[Heard]]]:
    """Return who gets what; those who are there now, for who comes later has seen it."""
    if len(heard) == 1:
        return [(client, heard) for client in heard[0][1]]
    found: dict[Client, list[Heard]] = {}
    for one in heard:
        for client in one[1]:
            found.setdefault(client, []).append(one)
    return list(found.items())


class Realtime:
    """All connections of one server.

    Parameters
    ----------
    source : Source
        Where messages come from; closed with it.
    limits : Limits, optional
    stats : mutable mapping, optional
        Counters `connections`, `subscriptions` and `messages_sent`, kept up to date.
    """

    def __init__(
        self, source: Source, limits: Limits | None = None,
        stats: MutableMapping[str, int] | None = None,
    ) -> None:  # fmt: skip
        self.source = source
        self.limits = limits or Limits()
        self.clients: set[Client] = set()
        self.stats = stats if stats is not None else Counter[str]()
        for name in ("connections", "subscriptions", "messages_sent"):
            self.stats.setdefault(name, 0)
        self.closing = False
        self.slow = self.refused = self.unwelcome = 0
        self._coalesced = 0
        self.lag_s = 0.0
        self._users: Counter[str] = Counter()
        self._addresses: Counter[str] = Counter()
        self._listeners: dict[tuple[Channel, str], set[Client]] = {}
        self._loop = asyncio.get_running_loop()
        self._empty = asyncio.Event()
        self._status_at = self.now()
        limits = self.limits
        self._accepts = Bucket(limits.accepts_per_s, limits.accepts_burst, self.now())
        self._rounds: deque[Iterator[tuple[Client, Sequence[Heard]]]] = deque()
        self._pumping: asyncio.Handle | None = None
        self._leave = source.listen(self._receive, self._wants)
        self._forget: Callable[[], None] = lambda: None
        self._ticker = self._loop.call_later(TICK_S, self._tick, self.now() + TICK_S)

    @classmethod
    def of(cls, application: "Application", services: "Services") -> "Realtime":
        """Return the application's broadcast, made on first use beside the agent."""
        made: Realtime | None = application.settings.get(SETTING)
        if made is None:
            from app.api.local_source import LocalSource  # heavy, and not for every process

            limits = Limits.of(services.settings)
            made = cls(LocalSource(services, limits), limits, services.websocket_stats)
            accounts = getattr(services, "accounts", None)
            if accounts is not None:
                made._forget = accounts.on_revoked(made.revoked)
            application.settings[SETTING] = made
        return made

    def now(self) -> float:
        """Return monotonic seconds."""
        return self._loop.time()

    @property
    def broken(self) -> int:
        """Messages that broke their contract."""
        return int(getattr(self.source, "broken", 0))

    @property
    def scans_per_min(self) -> int:
        """Scans published within the last minute, where the source counts them."""
        return int(getattr(self.source, "scans_per_min", 0))

    @property
    def coalesced(self) -> int:
        """States that waiting clients never saw because a newer one came."""
        return self._coalesced + sum(client.outlet.coalesced for client in self.clients)

    # -- connections -------------------------------------------------------------------------

    def refusal(self, caller: Caller, address: str) -> str:
        """Say why one more connection would be one too many; empty where it is welcome.

        Asked just before the upgrade, of which it takes one of the second's.

        Parameters
        ----------
        caller : Caller
        address : str
            Where it comes from; '' for this machine, which may open as many as there are.
        """
        refusal = self._full(caller, address)
        self.refused += bool(refusal)
        return refusal

    def _full(self, caller: Caller, address: str) -> str:
        limits = self.limits
        if self.closing:
            return "The server is going down."
        if len(self.clients) >= limits.max_connections:
            return "The server takes no more connections now."
        if address and 0 < limits.max_of_user <= self._users[caller.name]:
            return f"{limits.max_of_user} connections of one user are the most."
        if address and 0 < limits.max_of_address <= self._addresses[address]:
            return f"{limits.max_of_address} connections of one address are the most."
        if self._accepts.take(self.now()) > 0:
            return "Too many connect at the same time."
        return ""

    def join(self, client: Client) -> None:
        """Greet a connection with the status and count it in."""
        self.clients.add(client)
        self._users[client.caller.name] += 1
        self._addresses[client.address] += 1
        self.stats["connections"] = len(self.clients)
        status = self.source.newest("status")
        if status is not None:
            self.give(client, [status])

    def leave(self, client: Client) -> None:
        """Count a connection out."""
        if client in self.clients:
            self.clients.discard(client)
            self._coalesced += client.outlet.coalesced
            for counter, key in (
                (self._users, client.caller.name), (self._addresses, client.address),
            ):  # fmt: skip
                counter[key] -= 1
                if not counter[key]:
                    del counter[key]
        self.stats["connections"] = len(self.clients)
        if not self.clients:
            self._empty.set()

    def give(self, client: Client, messages: Iterable[Message]) -> None:
        """Send those of the messages that the client does not filter out."""
        chosen = [(m.state_key, data) for m in messages if (data := client.choose(m)) is not None]
        self.stats["messages_sent"] += len(chosen)
        client.outlet.send(chosen)

    def reply(self, client: Client, frame: bytes) -> None:
        """Send a frame that must arrive."""
        self.stats["messages_sent"] += 1
        client.outlet.send([(None, frame)])

    def revoked(self, name: str) -> None:
        """Close the connections of a user or token that is not what it was; from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._revoked, name)

    def _revoked(self, name: str) -> None:
        for client in tuple(self.clients):
            caller = client.caller
            if name and caller.how != "loopback" and name in (caller.name, caller.token):
                self._send_away(client, "login revoked")

    def _send_away(self, client: Client, why: str) -> None:
        if not client.outlet.closed:  # who was told goes in a moment
            self.unwelcome += 1
            client.close(UNWELCOME, why)

    async def close(self) -> None:
        """Send everybody away with 1012 and a wait that differs per client."""
        self.closing = True
        self._empty.clear()
        self._leave()
        self._forget()
        self._forget = lambda: None
        self._ticker.cancel()
        self._rounds.clear()  # what is not sent is in the log, or newer when they are back
        if self._pumping is not None:
            self._pumping.cancel()
        low, high = self.limits.reconnect_ms
        for client in tuple(self.clients):
            wait = random.randint(low, high)  # not a secret: it only spreads the clients
            self.reply(client, encode(ClosingMessage(code=1012, reconnect_after_ms=wait)))
            client.close(1012, f"reconnect_after_ms={wait}")
        if self.clients:
            try:
                await asyncio.wait_for(self._empty.wait(), self.limits.close_s)
            except TimeoutError:
                logger.info("clients did not say goodbye", clients=len(self.clients))
        await self.source.close()

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
        default = self._listeners.get((channel, DEFAULT))
        if default and channel == "signal" and key in self.source.subscribed:
            return audience | default
        return audience

    def _wants(self, channel: Channel, key: str) -> bool:
        return bool(self._audience(channel, key))

    # -- what goes out -----------------------------------------------------------------------

    def _receive(self, messages: Sequence[Message]) -> None:
        if not messages:
            return
        heard = [(message, self._audience(message.channel, message.key)) for message in messages]
        self._rounds.append(iter(_plan(heard)))
        if self._pumping is None or len(self._rounds) >= MOST_ROUNDS:
            self._pump()

    def _pump(self) -> None:
        """Send what there is to send, a slice at a time: others want the loop, too."""
        if self._pumping is not None:
            self._pumping.cancel()
        self._pumping = None
        many = len(self._rounds) >= MANY_ROUNDS
        ends, n = self.now() + (LONG_SLICE_S if many else SLICE_S), 0
        while self._rounds:
            for client, heard in self._rounds[0]:
                self._hand(client, heard)
                n += 1
                late = n % LOOK_EVERY == 0 and self.now() > ends
                if late and len(self._rounds) < MOST_ROUNDS:
                    self._pumping = self._loop.call_soon(self._pump)
                    return
            self._rounds.popleft()

    def _hand(self, client: Client, heard: Sequence[Heard]) -> None:
        if len(heard) == 1:  # the usual case by far, and the one that many clients share
            message, audience = heard[0]
            data = client.choose(message) if client in audience else None
            if data is not None:
                self.stats["messages_sent"] += 1
                client.outlet.send_one(message.state_key, data)
            return
        self.give(client, [message for message, audience in heard if client in audience])

    def _tick(self, due: float) -> None:
        now = self.now()
        self.lag_s = max(0.0, now - due)
        wall = wall_ms()
        for client in tuple(self.clients):
            client.outlet.check(self.limits.drain_s)
            expires = client.caller.expires
            if expires is not None and expires <= wall:
                self._send_away(client, "login expired")
        if now - self._status_at >= self.limits.status_s:
            self._status_at = now
            status = self.source.newest("status") if self._wants("status", "") else None
            self._receive([] if status is None else [status])
        self._ticker = self._loop.call_later(TICK_S, self._tick, now + TICK_S)
