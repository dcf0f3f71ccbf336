"""The stream's source in an edge: what the bus brings, and what the agent's process is asked for.

Events have numbers without gaps. One that comes too early waits until those before it were
fetched; one that came before is dropped. So however they come here, by the bus, by asking, twice
or not in order, listeners get each once and in order.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

import orjson
import structlog

from app.api.messages import Message
from app.api.problems import ApiError
from app.api.source import MOST_MISSED, Listener, Ring, Wants
from app.edge.upstream import Lost
from opportunity.bus.parcel import Parcel
from opportunity.contracts.realtime import CHANNELS, EVENT_CHANNELS, Channel
from opportunity.contracts.stream import StreamEvents, StreamFacts

logger = structlog.get_logger(__name__)

AGAIN_S: Final = (0.2, 1.0)
PATIENCE_S: Final = 10.0
"""For how long a client that resumes waits for an agent that is away."""

Unavailable: Final = (*Lost, ApiError)


class Log(Protocol):
    """Where events can be had that the bus did not bring."""

    async def events(self, channel: str, after: int) -> StreamEvents:
        """Return the events after a number; one of `Unavailable` without an answer."""


class BusSource:
    """A `Source` over a bus.

    Parameters
    ----------
    log : Log
        Of the agent's process.
    n_events : int
        Events of a channel that are kept at hand.
    broke : callable
        Called when clients must start anew: the numbers are others now, or events are gone.
    """

    def __init__(self, log: Log, n_events: int, broke: Callable[[], None]) -> None:
        self._log, self._n_events, self._broke = log, n_events, broke
        self._facts: StreamFacts | None = None
        self._states: dict[Channel, dict[str, Message]] = {}
        self._rings: dict[Channel, Ring] = {}
        self._early: dict[Channel, dict[int, Message]] = {}
        self._heads: dict[Channel, int] = {}
        self._filling: dict[Channel, asyncio.Future[None]] = {}
        self._listeners: dict[object, Listener] = {}
        self.gaps = self.repeated = 0

    # -- what is -----------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether the agent's process was heard of."""
        return self._facts is not None

    @property
    def epoch(self) -> str:
        """Of all numbers; '' before the agent's process was heard of."""
        return "" if self._facts is None else self._facts.epoch

    @property
    def symbols(self) -> Sequence[str]:
        """Symbols that are watched."""
        return () if self._facts is None else self._facts.symbols

    @property
    def subscribed(self) -> Sequence[str]:
        """Symbols of the default stream."""
        return () if self._facts is None else self._facts.subscribed

    @property
    def enabled(self) -> bool:
        """Whether the agent gives signals."""
        return self._facts is not None and self._facts.enabled

    def newest(self, channel: Channel, key: str = "") -> Message | None:
        """Return the newest state of a channel and symbol; None before the first."""
        return self._states.get(channel, {}).get(key)

    def newest_of(self, channel: Channel) -> list[Message]:
        """Return the newest states of a channel that comes whole, in the order of their numbers."""
        return sorted(self._states.get(channel, {}).values(), key=lambda message: message.seq)

    def seqs(self) -> dict[Channel, int]:
        """Return the number of the newest event that listeners were given, by channel."""
        return {channel: ring.head for channel, ring in self._rings.items()}

    async def missed(self, channel: Channel, after: int) -> list[Message] | None:
        """Return the events after a number, out of memory or the log; see `Source`."""
        ring = self._rings.get(channel)
        if ring is None:
            return None
        at_hand = ring.after(after)
        if at_hand is not None or after > ring.head:
            return at_hand
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                told = await self._log.events(channel, after)
            except Unavailable:
                if asyncio.get_running_loop().time() > deadline:
                    return None
                await asyncio.sleep(AGAIN_S[1])
                continue
            ring = self._rings.get(channel)
            if ring is None or not told.complete or told.epoch != self.epoch:
                return None
            return ring.complete(self._messages(told), after)

    def listen(self, callback: Listener, wants: Wants | None = None) -> Callable[[], None]:
        """Call back with new messages; see `Source`. States come whether wanted or not."""
        key = object()
        self._listeners[key] = callback

        def leave() -> None:
            self._listeners.pop(key, None)

        return leave

    async def close(self) -> None:
        """Fetch and tell nothing more."""
        self._listeners.clear()
        running = tuple(self._filling.values())
        for one in running:
            one.cancel()
        if running:
            await asyncio.wait(running)

    # -- what comes in -----------------------------------------------------------------------

    def hear(self, facts: StreamFacts) -> None:
        """Take in what the agent's process says of itself, and look for what did not come."""
        before, self._facts = self._facts, facts
        told: Mapping[Any, int] = facts.seqs
        seqs: dict[Channel, int] = {channel: told.get(channel, 0) for channel in EVENT_CHANNELS}
        if before is None or before.epoch != facts.epoch:
            self._begin(seqs, anew=before is not None)
            return
        for channel, head in seqs.items():
            self._heads[channel] = max(head, self._heads.get(channel, 0))
            if self._rings[channel].head < head:
                self._fill(channel)

    def take(self, parcels: Iterable[Parcel]) -> None:
        """Take in what came by the bus; before the first facts nothing is of use."""
        out: list[Message] = []
        for parcel in parcels:
            channel = next((c for c in CHANNELS if c == parcel.channel), None)
            if channel is None or parcel.epoch != self.epoch or not parcel.epoch:
                continue
            message = Message(channel, parcel.key, parcel.seq, parcel.epoch, parcel.body)
            out += self._event(message) if channel in EVENT_CHANNELS else self._state(message)
        self._give(out)

    def _begin(self, seqs: dict[Channel, int], anew: bool) -> None:
        self._states.clear()
        self._early.clear()
        for filling in self._filling.values():
            filling.cancel()
        self._filling.clear()
        self._rings = {channel: Ring(head, self._n_events) for channel, head in seqs.items()}
        self._heads = dict(seqs)
        if anew:
            self._broke()

    def _state(self, message: Message) -> list[Message]:
        known = self._states.setdefault(message.channel, {})
        old = known.get(message.key)
        if old is not None and old.seq >= message.seq:
            return []  # what a Redis that hung brings late
        known[message.key] = message
        return [message]

    def _event(self, message: Message) -> list[Message]:
        ring = self._rings[message.channel]
        if message.seq <= ring.head:
            self.repeated += 1
            return []
        early = self._early.setdefault(message.channel, {})
        early[message.seq] = message
        out: list[Message] = []
        while (following := early.pop(ring.head + 1, None)) is not None:
            ring.add(following)
            out.append(following)
        if early:
            self._heads[message.channel] = max(self._heads[message.channel], *early)
            while len(early) > MOST_MISSED:  # the log has them
                del early[max(early)]
            self._fill(message.channel)
        return out

    def _give(self, messages: Sequence[Message]) -> None:
        if messages:
            for callback in tuple(self._listeners.values()):
                callback(messages)

    # -- what did not come -------------------------------------------------------------------

    def _fill(self, channel: Channel) -> None:
        if channel in self._filling:
            return
        self.gaps += 1
        made = asyncio.ensure_future(self._fetch(channel))
        self._filling[channel] = made
        made.add_done_callback(lambda done: self._filled(channel, done))

    def _filled(self, channel: Channel, done: "asyncio.Future[None]") -> None:
        if self._filling.get(channel) is done:
            del self._filling[channel]

    async def _fetch(self, channel: Channel) -> None:
        """Ask until nothing is missing."""
        wait_s = AGAIN_S[0]
        while (ring := self._rings[channel]).head < self._heads[channel]:
            try:
                told = await self._log.events(channel, ring.head)
            except Unavailable:
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, AGAIN_S[1])
                continue
            if told.epoch != self.epoch:
                return  # the facts will say so, too
            if not told.complete:
                self._leap(channel, told.head)
                return
            before = ring.head
            self._give([m for one in self._messages(told) for m in self._event(one)])
            if ring.head == before:  # the log does not have yet what was announced
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, AGAIN_S[1])

    def _leap(self, channel: Channel, head: int) -> None:
        """Go on behind events that cannot be had: clients must know, so they start anew."""
        logger.warning("events out of reach", channel=channel, head=head)
        self._rings[channel] = Ring(head, self._n_events)
        self._heads[channel] = max(head, self._heads[channel])
        self._early.pop(channel, None)
        self._broke()

    def _messages(self, told: StreamEvents) -> list[Message]:
        return [
            Message(told.channel, "", int(fields["seq"]), told.epoch, orjson.dumps(fields))
            for fields in told.events
        ]
