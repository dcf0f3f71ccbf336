"""A bus over a real Redis: who publishes, who reads, and what was heard."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from opportunity.bus.parcel import Parcel
from opportunity.bus.redis import Names, Publisher, connect
from opportunity.bus.redis_reader import Ears, Reader

NAMES = Names.of("a secret of tests")


def state(seq: int, key: str = "BTC/USDT") -> Parcel:
    return Parcel("price", key, seq, "e1", b'{"seq":%d}' % seq)


def event(seq: int) -> Parcel:
    return Parcel("config", "", seq, "e1", b'{"seq":%d}' % seq, event=True)


class Heard:
    """What a reader has told."""

    def __init__(self) -> None:
        self.parcels: list[Parcel] = []
        self.beats: list[bytes] = []
        self.joined = self.lost = 0
        self._changed = asyncio.Condition()

    def ears(self) -> Ears:
        return Ears(self._parcels, self._beat, self._joined, self._lost)

    def _parcels(self, parcels: list[Parcel]) -> None:
        self.parcels += parcels
        self._notify()

    def _beat(self, beat: bytes) -> None:
        self.beats.append(beat)
        self._notify()

    async def _joined(self) -> None:
        self.joined += 1
        self._notify()

    def _lost(self) -> None:
        self.lost += 1
        self._notify()

    def _notify(self) -> None:
        asyncio.get_running_loop().call_soon(lambda: asyncio.ensure_future(self._wake()))

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, condition: Callable[[], object], timeout_s: float = 15) -> None:
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(condition)


@asynccontextmanager
async def bus(url: str, names: Names = NAMES) -> AsyncIterator[tuple[Publisher, Reader, Heard]]:
    heard = Heard()
    publisher = Publisher(connect(url), names, lambda: b"beat")
    reader = Reader(connect(url), names, heard.ears())
    running = [asyncio.ensure_future(publisher.run()), asyncio.ensure_future(reader.run())]
    try:
        yield publisher, reader, heard
    finally:
        for one in running:
            one.cancel()
        await asyncio.wait(running)


async def down(publisher: Publisher) -> None:
    async with asyncio.timeout(10):
        while publisher.up:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.02)
