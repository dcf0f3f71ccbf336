"""The other end of the bus: what was published is heard, and where it breaks it is found again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import structlog
from redis.asyncio import Redis

from opportunity.bus.parcel import Parcel, unpack, unpack_all
from opportunity.bus.redis import AGAIN_S, ANSWER_S, BEAT_S, Failed, Names, obey

logger = structlog.get_logger(__name__)

SILENT_S: Final = 2.5
"""Without a beat for so long a reader takes the bus for broken."""


@dataclass(frozen=True, slots=True)
class Ears:
    """What a reader calls; all on its loop.

    Parameters
    ----------
    parcels : callable
        With those of one batch.
    beat : callable
        With what the beat says.
    joined : coroutine function
        Each time that it listens anew; what came before is not known to it.
    lost : callable
        When there was no beat for `SILENT_S`.
    """

    parcels: Callable[[list[Parcel]], None]
    beat: Callable[[bytes], None]
    joined: Callable[[], Awaitable[None]]
    lost: Callable[[], None]


class Reader:
    """Listens to the bus, and comes back to it whenever it breaks.

    Parameters
    ----------
    client : Redis
        See `connect`; closed by `run` at its end.
    names : Names
    ears : Ears
    """

    def __init__(self, client: "Redis", names: Names, ears: Ears) -> None:
        self._client, self._names, self._ears = client, names, ears
        self._loop = asyncio.get_running_loop()
        self._heard = -SILENT_S
        self.up = False
        self.broken = 0

    async def run(self) -> None:
        """Listen until cancelled."""
        wait_s = AGAIN_S[0]
        try:
            while True:
                obey()
                before = self._heard
                try:
                    await self._listen()
                except Failed as error:
                    logger.debug("bus not heard", error=type(error).__name__)
                self._silent()
                wait_s = AGAIN_S[0] if self._heard > before else min(2 * wait_s, AGAIN_S[1])
                await asyncio.sleep(wait_s)
        finally:
            with suppress(*Failed):
                await self._client.aclose()

    async def newest(self) -> list[Parcel]:
        """Return the newest states that Redis holds; none when it does not answer."""
        try:
            found: Any = await self._ask(self._client.hgetall(self._names.newest))
        except Failed:
            return []
        return self._read(found.values())

    async def events(self, channel: str) -> list[Parcel]:
        """Return the newest events that Redis holds; none when it does not answer."""
        try:
            found: Any = await self._ask(self._client.xrange(self._names.events(channel)))
        except Failed:
            return []
        return self._read(fields[b"p"] for _, fields in found if b"p" in fields)

    async def _ask(self, question: Any) -> Any:
        async with asyncio.timeout(2 * ANSWER_S):
            return await question

    def _read(self, packed: Iterable[bytes]) -> list[Parcel]:
        found = []
        for data in packed:
            try:
                found.append(unpack(data))
            except ValueError:
                self.broken += 1
        return found

    async def _listen(self) -> None:
        pubsub: Any = self._client.pubsub(ignore_subscribe_messages=True)
        try:
            async with asyncio.timeout(2 * ANSWER_S):
                await pubsub.subscribe(self._names.live, self._names.beats)
            joined, self._heard = False, self._loop.time()
            while self._loop.time() - self._heard < SILENT_S:
                message = await pubsub.get_message(timeout=BEAT_S / 2)
                obey()
                if message is None:
                    continue
                if not joined:  # the first beat: the bus carries, and from here on it all comes
                    joined = self.up = True
                    await self._ears.joined()
                self._hear(message)
        finally:
            with suppress(*Failed):
                async with asyncio.timeout(ANSWER_S):
                    await pubsub.aclose()

    def _hear(self, message: dict[str, Any]) -> None:
        self._heard = self._loop.time()
        data = message["data"]
        if message["channel"] == self._names.beats.encode():
            self._ears.beat(data)
            return
        try:
            parcels = unpack_all(data)
        except ValueError:
            self.broken += 1
            return
        self._ears.parcels(parcels)

    def _silent(self) -> None:
        if self.up:
            logger.warning("bus silent")
            self.up = False
            self._ears.lost()
