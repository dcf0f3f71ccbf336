"""The bus between processes: a Redis that carries what the stream says to those who show it.

Redis holds nothing that is needed: events are in the log of the database, states come again. So
it may stop, hang or be emptied; what that costs is time, and readers ask the agent meanwhile.
Each second a beat tells the newest numbers, so that a reader knows what it missed.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from opportunity.bus.parcel import Parcel, pack_all

logger = structlog.get_logger(__name__)

BEAT_S: Final = 1.0
ANSWER_S: Final = 2.0
"""Longest wait for an answer of Redis; one that hangs counts as stopped."""

AGAIN_S: Final = (0.1, 1.0)
MOST_EVENTS: Final = 1_000
MOST_STATES: Final = 20_000
KEPT_S: Final = 86_400
"""Seconds after which Redis forgets what nobody renewed."""

Failed: Final = (RedisError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Names:
    """Keys and channel in Redis of one server; others may use the same Redis."""

    prefix: str

    @classmethod
    def of(cls, secret: str) -> "Names":
        """Return those of the server whose processes share a secret, which stays unknown."""
        digest = hashlib.sha256(b"opportunity bus " + secret.encode()).hexdigest()
        return cls(f"opportunity:{digest[:16]}")

    @property
    def live(self) -> str:
        """Channel on which batches come."""
        return f"{self.prefix}:live"

    @property
    def beats(self) -> str:
        """Channel on which the beat comes."""
        return f"{self.prefix}:beat"

    @property
    def newest(self) -> str:
        """Hash of the newest states."""
        return f"{self.prefix}:newest"

    def events(self, channel: str) -> str:
        """Stream of the newest events of a channel."""
        return f"{self.prefix}:events:{channel}"


def connect(url: str) -> "Redis":
    """Return a client that gives up soon and never tries twice by itself.

    Raises
    ------
    ValueError
        If the address is none of Redis; it is not shown, as it may hold a password.
    """
    try:
        made: Redis = Redis.from_url(
            url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S,
            retry=Retry(NoBackoff(), 0), decode_responses=False,
        )  # fmt: skip
    except ValueError:
        raise ValueError("redis_url must be redis://[USER:PASSWORD@]HOST:PORT[/N]") from None
    return made


def obey() -> None:
    """Raise the cancellation of this task that the client of Redis has swallowed, if it has."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


class Publisher:
    """Puts parcels on the bus; what Redis does not take now waits, within bounds.

    Parameters
    ----------
    client : Redis
        See `connect`; closed by `run` at its end.
    names : Names
    beat : callable
        Returns what each second tells, JSON.
    """

    def __init__(self, client: "Redis", names: Names, beat: Callable[[], bytes]) -> None:
        self._client, self._names, self._beat = client, names, beat
        self._states: dict[str, Parcel] = {}
        self._events: deque[Parcel] = deque(maxlen=MOST_EVENTS)
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.up = False
        self.n_published = self.failures = 0
        self.lag_s = 0.0

    @property
    def n_waiting(self) -> int:
        """Parcels that Redis has not taken yet."""
        return len(self._events) + len(self._states)

    def offer(self, parcels: Iterable[Parcel]) -> None:
        """Take parcels over; returns at once.

        Of events beyond `MOST_EVENTS` the oldest are left out: readers find them in the log.
        """
        for parcel in parcels:
            if parcel.event:
                self._events.append(parcel)
            elif parcel.place in self._states or len(self._states) < MOST_STATES:
                self._states[parcel.place] = parcel
        self._wake.set()

    def hurry(self) -> None:
        """Send the next beat now."""
        self._wake.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        wait_s = AGAIN_S[0]
        try:
            while True:
                obey()
                try:
                    await self._publish()
                except Failed as error:
                    self._failed(error)
                    await asyncio.sleep(wait_s)
                    wait_s = min(2 * wait_s, AGAIN_S[1])
                    continue
                wait_s = AGAIN_S[0]
                obey()
                with suppress(TimeoutError):
                    async with asyncio.timeout(BEAT_S):
                        await self._wake.wait()
        finally:
            with suppress(*Failed):
                await self._client.aclose()

    async def _publish(self) -> None:
        self._wake.clear()
        events, states = list(self._events), dict(self._states)
        started = self._loop.time()
        await self._send(events, states)
        sent = set(map(id, events))  # only now: what Redis did not take is sent again
        while self._events and id(self._events[0]) in sent:
            self._events.popleft()
        for place, parcel in states.items():
            if self._states.get(place) is parcel:
                del self._states[place]
        self.lag_s = self._loop.time() - started
        self.n_published += len(sent) + len(states)
        if not self.up:
            logger.info("bus reached")
        self.up = True

    async def _send(self, events: list[Parcel], states: dict[str, Parcel]) -> None:
        names = self._names
        pipe = self._client.pipeline(transaction=False)
        for parcel in events:
            pipe.xadd(
                names.events(parcel.channel), {b"p": parcel.pack()},
                maxlen=MOST_EVENTS, approximate=True,
            )  # fmt: skip
            pipe.expire(names.events(parcel.channel), KEPT_S)
        if states:
            kept = {place: parcel.pack() for place, parcel in states.items()}
            pipe.hset(names.newest, mapping=kept)  # type: ignore[arg-type]  # bytes are fine
            pipe.expire(names.newest, KEPT_S)
        if events or states:
            pipe.publish(names.live, pack_all([*events, *states.values()]))
        pipe.publish(names.beats, self._beat())
        async with asyncio.timeout(2 * ANSWER_S):
            await pipe.execute()

    def _failed(self, error: BaseException) -> None:
        self.failures += 1
        if self.up or self.failures == 1:
            logger.warning("bus not reached", error=type(error).__name__)
        self.up = False
