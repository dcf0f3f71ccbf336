"""Where the stream comes in: the bus while it carries, questions while it does not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from redis_server import RedisServer

from app.api.problems import ApiError
from app.edge import tap as module
from app.edge.source import BusSource
from app.edge.tap import Tap
from opportunity.bus.parcel import Parcel
from opportunity.bus.redis import Names, Publisher, connect
from opportunity.contracts.stream import StreamChanges, StreamEvents, StreamFacts, StreamState


class FakeAgent:
    """What the agent's process says when it is asked."""

    def __init__(self) -> None:
        self.head, self.run, self.seq, self.away = 0, "r1", 1, False
        self.revoked: list[str] = []
        self.asked: list[tuple[str, int]] = []

    def facts(self) -> StreamFacts:
        return StreamFacts(
            epoch="e1", seqs={"config": self.head, "trade": 0, "alert": 0}, symbols=["BTC/USDT"],
            subscribed=[], enabled=True, n_revoked=len(self.revoked), revoked=self.revoked[-2:],
            run=self.run,
        )  # fmt: skip

    async def changes(self, run: str, cursor: int) -> StreamChanges:
        self.asked.append((run, cursor))
        if self.away:
            raise ApiError(503, "agent_away", "away")
        state = StreamState(channel="price", key="BTC/USDT", seq=self.seq, data={"seq": self.seq})
        return StreamChanges(cursor=self.seq, facts=self.facts(), states=[state])

    async def events(self, channel: str, after: int) -> StreamEvents:
        return StreamEvents(
            epoch="e1", channel="config", after=after, head=self.head, complete=True,
            events=[{"seq": seq} for seq in range(after + 1, self.head + 1)],
        )  # fmt: skip


class World:
    def __init__(self, redis_url: str = "") -> None:
        self.agent = FakeAgent()
        upstream: Any = self.agent
        self.source = BusSource(upstream, 8, lambda: None)
        self.seqs: list[int] = []
        self.source.listen(lambda told: self.seqs.extend(m.seq for m in told))
        self.ended: list[str] = []
        self.tap = Tap(self.source, upstream, redis_url, "secret", self.ended.append)

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - it runs by itself
                await asyncio.sleep(0.005)


@asynccontextmanager
async def running(*redis_url: str) -> AsyncIterator[World]:
    world = World(*redis_url)
    run = asyncio.ensure_future(world.tap.run())
    try:
        yield world
    finally:
        run.cancel()
        await asyncio.wait([run])
        await world.source.close()
    assert run.cancelled()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_S", 0.01)


@pytest.mark.usefixtures("soon")
async def test_without_a_bus_it_asks_again_and_again() -> None:
    async with running() as world:
        await world.until(lambda: world.source.ready)
        world.agent.head, world.agent.seq = 3, 9
        await world.until(lambda: {1, 2, 3, 9} <= set(world.seqs))
        assert world.agent.asked[0] == ("", 0)
        await world.until(lambda: world.agent.asked[-1] == ("r1", 9))
        assert not world.tap.bus_up
        world.agent.away = True
        asked = len(world.agent.asked)
        await world.until(lambda: len(world.agent.asked) > asked + 2)
        world.agent.away, world.agent.head = False, 4
        await world.until(lambda: 4 in world.seqs)


@pytest.mark.usefixtures("soon")
async def test_who_ends_is_told_and_all_are_looked_at_when_that_is_not_known() -> None:
    async with running() as world:
        await world.until(lambda: world.source.ready)
        world.agent.revoked.append("a")
        await world.until(lambda: world.ended == ["a"])
        world.agent.revoked += ["b", "c"]
        await world.until(lambda: world.ended == ["a", "b", "c"])
        world.agent.revoked += ["d", "e", "f"]  # more than are told
        await world.until(lambda: world.ended == ["a", "b", "c", ""])
        world.agent.run = "r2"
        await world.until(lambda: world.ended == ["a", "b", "c", "", ""])


async def test_while_the_bus_carries_nothing_is_asked(redis_server: RedisServer) -> None:
    async with running(redis_server.url) as world:
        publisher = Publisher(
            connect(redis_server.url), Names.of("secret"),
            lambda: orjson.dumps(world.agent.facts().model_dump()),
        )  # fmt: skip
        publishing = asyncio.ensure_future(publisher.run())
        await world.until(lambda: world.tap.bus_up and world.source.ready)
        await world.until(lambda: world.tap.polls >= 2)
        polls = world.tap.polls
        world.agent.head = 1
        publisher.offer([
            Parcel("config", "", 1, "e1", b"{}", event=True),
            Parcel("price", "BTC/USDT", 50, "e1", b"{}"),
        ])  # fmt: skip
        await world.until(lambda: {1, 50} <= set(world.seqs))
        world.agent.head = 3  # 2 and 3 were lost on the way: the beat tells of them
        publisher.hurry()
        await world.until(lambda: {2, 3} <= set(world.seqs))
        assert world.tap.polls == polls
        redis_server.stop()
        await world.until(lambda: not world.tap.bus_up)
        await world.until(lambda: world.tap.polls > polls)
        publishing.cancel()
        await asyncio.wait([publishing])


async def test_states_of_the_bus_do_while_the_agent_is_away(redis_server: RedisServer) -> None:
    async with running(redis_server.url) as world:
        world.agent.away = True
        publisher = Publisher(
            connect(redis_server.url), Names.of("secret"),
            lambda: orjson.dumps(world.agent.facts().model_dump()),
        )  # fmt: skip
        publisher.offer([Parcel("price", "ETH/USDT", 5, "e1", b'{"seq":5}')])
        publishing = asyncio.ensure_future(publisher.run())
        await world.until(lambda: world.source.newest("price", "ETH/USDT") is not None)
        publishing.cancel()
        await asyncio.wait([publishing])


async def test_a_beat_that_makes_no_sense_is_left() -> None:
    world = World()
    world.tap._beat(b"garbage")
    world.tap._beat(b'{"epoch": 1}')
    assert not world.source.ready
    await world.source.close()


async def test_while_the_bus_carries_it_asks_now_and_then(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.05)
    async with running(redis_server.url) as world:
        publisher = Publisher(
            connect(redis_server.url), Names.of("secret"),
            lambda: orjson.dumps(world.agent.facts().model_dump()),
        )  # fmt: skip
        publishing = asyncio.ensure_future(publisher.run())
        await world.until(lambda: world.tap.bus_up)
        world.agent.seq = 70  # the bus has lost it
        await world.until(lambda: 70 in world.seqs)
        publishing.cancel()
        await asyncio.wait([publishing])
