"""The agent's side of several processes: what the others are told, by the bus or when asked."""

import asyncio
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson

from app.api.messages import Message
from app.api.source import Source
from opportunity.bus.parcel import Parcel
from opportunity.contracts.realtime import CHANNELS, EVENT_CHANNELS, SYMBOL_CHANNELS, Channel
from opportunity.contracts.stream import StreamChanges, StreamFacts, StreamState

if TYPE_CHECKING:
    from tornado.web import Application

    from app.services import Services

SETTING: Final = "relay"
MOST_REVOKED: Final = 200
"""Of those that have ended lately; who has heard of none of them for longer sends all away."""

STATUS_S: Final = 5.0
FORGOTTEN_S: Final = 15.0
"""After which an edge that asks nothing any more counts as gone."""

MOST_EDGES: Final = 1_000
ELSEWHERE: Final = "elsewhere"
"""Counter of connections that other processes hold."""

OnRevoked = Callable[[Callable[[str], None]], Callable[[], None]]


class Taker(Protocol):
    """Where parcels go."""

    def offer(self, parcels: Sequence[Parcel]) -> None:
        """Take parcels over."""

    def hurry(self) -> None:
        """Tell the facts now."""


class Relay:
    """Keeps the newest states in the order in which they changed.

    Parameters
    ----------
    source : Source
        Of this process.
    on_revoked : callable, optional
        See `Accounts.on_revoked`.
    stats : mutable mapping, optional
        Where `ELSEWHERE` is kept up to date.
    """

    def __init__(
        self, source: Source, on_revoked: OnRevoked | None = None,
        stats: MutableMapping[str, int] | None = None,
    ) -> None:  # fmt: skip
        self._source = source
        self._stats: MutableMapping[str, int] = {} if stats is None else stats
        self._edges: dict[str, tuple[float, int]] = {}
        self.run = secrets.token_hex(8)
        self._states: OrderedDict[tuple[Channel, str], tuple[int, Message]] = OrderedDict()
        self._cursor = 0
        self._revoked: deque[str] = deque(maxlen=MOST_REVOKED)
        self._n_revoked = 0
        self._takers: list[Taker] = []
        self._loop = asyncio.get_running_loop()
        self._status_at = 0.0
        self._load()
        self._leave = [source.listen(self._heard)]
        if on_revoked is not None:
            self._leave.append(on_revoked(self._ended))

    @classmethod
    def of(cls, application: "Application", services: "Services") -> "Relay":
        """Return the application's relay, made on first use."""
        made: Relay | None = application.settings.get(SETTING)
        if made is None:
            from app.api.broadcast import Realtime

            accounts: Any = getattr(services, "accounts", None)
            source = Realtime.of(application, services).source
            made = cls(
                source, None if accounts is None else accounts.on_revoked,
                services.websocket_stats,
            )  # fmt: skip
            application.settings[SETTING] = made
        return made

    def give(self, taker: Taker) -> None:
        """Let somebody have all that comes from now on, and the newest states at once."""
        self._takers.append(taker)
        taker.offer([self._parcel(message) for _, message in self._states.values()])

    def note(self, edge: str, connections: int) -> None:
        """Note how many connections another process holds."""
        if edge and (edge in self._edges or len(self._edges) < MOST_EDGES):
            self._edges[edge] = self._loop.time(), connections
        self._count()

    def close(self) -> None:
        """Hear nothing more."""
        for leave in self._leave:
            leave()
        self._takers.clear()

    def facts(self) -> StreamFacts:
        """Return what a process must know besides the messages."""
        seqs: Any = self._source.seqs()
        return StreamFacts(
            epoch=self._source.epoch, seqs=seqs, symbols=list(self._source.symbols),
            subscribed=list(self._source.subscribed), enabled=self._source.enabled,
            n_revoked=self._n_revoked, revoked=list(self._revoked), run=self.run,
        )  # fmt: skip

    def beat(self) -> bytes:
        """Return the facts as JSON, as the bus tells them each second."""
        self._look_at_status()
        return orjson.dumps(self.facts().model_dump())

    def changes(self, run: str, cursor: int) -> StreamChanges:
        """Return the states that have changed since a cursor of this run; of another run all."""
        self._look_at_status()
        since = cursor if run == self.run else 0
        found: list[StreamState] = []
        for at, message in reversed(self._states.values()):
            if at <= since:
                break
            found.append(StreamState(
                channel=message.channel, key=message.key, seq=message.seq,
                data=dict(message.fields),
            ))  # fmt: skip
        return StreamChanges(cursor=self._cursor, facts=self.facts(), states=found[::-1])

    # -- what comes in -----------------------------------------------------------------------

    def _load(self) -> None:
        for channel in CHANNELS:
            if channel in SYMBOL_CHANNELS:
                found = [self._source.newest(channel, key) for key in self._source.symbols]
            elif channel in EVENT_CHANNELS:
                continue
            else:
                found = list(self._source.newest_of(channel))
            self._keep([message for message in found if message is not None])

    def _heard(self, messages: Sequence[Message]) -> None:
        self._keep([one for one in messages if one.state_key is not None])
        parcels = [self._parcel(message) for message in messages]
        for taker in self._takers:
            taker.offer(parcels)

    def _keep(self, states: Sequence[Message]) -> None:
        for message in states:
            place = (message.channel, message.key)
            self._cursor += 1
            self._states[place] = self._cursor, message
            self._states.move_to_end(place)

    def _count(self) -> None:
        since = self._loop.time() - FORGOTTEN_S
        self._edges = {name: one for name, one in self._edges.items() if one[0] >= since}
        self._stats[ELSEWHERE] = sum(connections for _, connections in self._edges.values())

    def _look_at_status(self) -> None:
        # Nobody tells of it: it holds numbers that change all the time.
        self._count()
        now = self._loop.time()
        if now - self._status_at >= STATUS_S or not self._status_at:
            self._status_at = now
            self._heard(self._source.newest_of("status"))

    def _ended(self, who: str) -> None:
        self._n_revoked += 1
        self._revoked.append(who)
        for taker in self._takers:
            taker.hurry()

    @staticmethod
    def _parcel(message: Message) -> Parcel:
        return Parcel(
            message.channel, message.key, message.seq, message.epoch, message.data,
            event=message.state_key is None,
        )  # fmt: skip
