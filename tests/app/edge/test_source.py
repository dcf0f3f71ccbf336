"""The source of an edge: whatever the bus loses, repeats or mixes up, each event comes once."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.api.messages import Message
from app.api.problems import ApiError
from app.edge import source as module
from app.edge.source import BusSource
from opportunity.bus.parcel import Parcel
from opportunity.contracts.stream import StreamEvents, StreamFacts

EPOCH = "e1"


def facts(head: int, epoch: str = EPOCH, run: str = "r1", **more: Any) -> StreamFacts:
    given = {
        "epoch": epoch, "seqs": {"config": head, "trade": 0, "alert": 0}, "run": run,
        "symbols": ["BTC/USDT"], "subscribed": ["BTC/USDT"], "enabled": True, "n_revoked": 0,
        "revoked": [],
    }  # fmt: skip
    return StreamFacts(**(given | more))


def event(seq: int, epoch: str = EPOCH) -> Parcel:
    body = orjson.dumps({"seq": seq, "epoch": epoch})
    return Parcel("config", "", seq, epoch, body, event=True)


def state(seq: int, key: str = "BTC/USDT", channel: str = "price") -> Parcel:
    return Parcel(channel, key, seq, EPOCH, orjson.dumps({"seq": seq}))


class FakeLog:
    """An agent's process with a log, which may be away."""

    def __init__(self, head: int = 0, first: int = 1) -> None:
        self.head, self.first, self.epoch = head, first, EPOCH
        self.fails = self.asked = 0

    async def events(self, channel: str, after: int) -> StreamEvents:
        self.asked += 1
        await asyncio.sleep(0)
        if self.fails:
            self.fails -= 1
            raise ApiError(503, "agent_away", "away")
        complete = after + 1 >= self.first
        found = range(after + 1, self.head + 1) if complete else ()
        return StreamEvents(
            epoch=self.epoch, channel="config", after=after, head=self.head, complete=complete,
            events=[{"seq": seq, "epoch": self.epoch} for seq in found],
        )  # fmt: skip


class World:
    """A source, its log, and what it told."""

    def __init__(self, head: int = 0, n_events: int = 8) -> None:
        self.log, self.broke = FakeLog(head), 0
        self.source = BusSource(self.log, n_events, self._broke)
        self.told: list[Message] = []
        self.leave = self.source.listen(self._tell)

    def _broke(self) -> None:
        self.broke += 1

    def _tell(self, messages: Sequence[Message]) -> None:
        self.told += messages

    @property
    def seqs(self) -> list[int]:
        return [m.seq for m in self.told if m.channel == "config"]

    async def until(self, head: int) -> None:
        async with asyncio.timeout(30):
            while self.source.seqs().get("config") != head:  # noqa: ASYNC110 - fetched by itself
                await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_S", (0.001, 0.002))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("bus"), st.lists(st.integers(1, 20), min_size=1, max_size=6)),
        st.tuples(st.just("beat"), st.integers(0, 20)),
        st.tuples(st.just("turn"), st.just(0)),
        st.tuples(st.just("away"), st.integers(1, 3)),
    ),
    max_size=25,
)


@settings(deadline=None)
@given(STEPS, st.integers(0, 3))
def test_every_event_comes_once_and_in_order(steps: list[Any], start: int) -> None:
    async def run() -> None:
        world = World(head=20)
        world.source.hear(facts(start))
        for kind, what in steps:
            match kind:
                case "bus":
                    world.source.take([event(seq) for seq in what])
                case "beat":
                    world.source.hear(facts(what))
                case "away":
                    world.log.fails = what
                case "turn":
                    await asyncio.sleep(0)
            assert world.seqs == list(range(start + 1, start + 1 + len(world.seqs)))
        world.source.hear(facts(20))
        await world.until(20)
        assert world.seqs == list(range(start + 1, 21))
        assert world.broke == 0
        await world.source.close()

    asyncio.run(run())


async def test_nothing_is_known_before_the_agent_was_heard_of() -> None:
    world = World()
    source = world.source
    source.take([event(1), state(1)])
    assert (source.ready, source.epoch, source.enabled) == (False, "", False)
    assert (tuple(source.symbols), tuple(source.subscribed)) == ((), ())
    assert source.newest("price", "BTC/USDT") is None
    assert await source.missed("config", 0) is None
    assert source.seqs() == {}
    assert world.told == []
    source.hear(facts(3))
    assert (source.ready, source.epoch, source.enabled) == (True, EPOCH, True)
    assert list(source.symbols) == list(source.subscribed) == ["BTC/USDT"]
    assert source.seqs() == {"config": 3, "trade": 0, "alert": 0}
    await source.close()


async def test_of_a_state_the_newest_number_wins_whatever_comes_late() -> None:
    world = World()
    world.source.hear(facts(0))
    world.source.take([state(5), state(3), state(5), state(7, "ETH/USDT"), state(6)])
    assert [(m.key, m.seq) for m in world.told] == [
        ("BTC/USDT", 5), ("ETH/USDT", 7), ("BTC/USDT", 6),
    ]  # fmt: skip
    newest = world.source.newest("price", "BTC/USDT")
    assert newest is not None
    assert newest.seq == 6
    assert [m.seq for m in world.source.newest_of("price")] == [6, 7]
    await world.source.close()


async def test_what_does_not_belong_to_the_epoch_is_left_out() -> None:
    world = World()
    world.source.hear(facts(0))
    world.source.take([event(1, "e0"), Parcel("nothing", "", 1, EPOCH, b"{}")])
    assert world.told == []
    await world.source.close()


async def test_a_new_epoch_sends_everybody_away() -> None:
    world = World()
    world.source.hear(facts(4))
    world.source.take([state(5)])
    world.source.hear(facts(2, epoch="e2"))
    assert world.broke == 1
    assert world.source.newest("price", "BTC/USDT") is None
    assert world.source.seqs()["config"] == 2
    await world.source.close()


async def test_events_out_of_reach_send_everybody_away() -> None:
    world = World(head=50)
    world.log.first = 40
    world.source.hear(facts(2))
    world.source.hear(facts(50))
    await world.until(50)
    assert world.broke == 1
    assert world.seqs == []
    world.source.take([event(51)])
    assert world.seqs == [51]
    await world.source.close()


async def test_missed_events_come_out_of_memory_or_the_log() -> None:
    world = World(head=12, n_events=4)
    world.source.hear(facts(2))
    world.source.take([event(seq) for seq in range(3, 13)])
    at_hand = await world.source.missed("config", 9)
    assert at_hand is not None
    assert ([m.seq for m in at_hand], world.log.asked) == ([10, 11, 12], 0)
    world.log.fails = 2
    fetched = await world.source.missed("config", 1)
    assert fetched is not None
    assert ([m.seq for m in fetched], world.log.asked) == (list(range(2, 13)), 3)
    assert await world.source.missed("config", 99) is None
    world.log.first = 8
    assert await world.source.missed("config", 1) is None
    await world.source.close()


async def test_missed_gives_up_on_an_agent_that_stays_away(monkeypatch: Any) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.01)
    world = World(head=12, n_events=4)
    world.source.hear(facts(12))
    world.log.fails = 10**9
    assert await world.source.missed("config", 3) is None
    await world.source.close()


async def test_who_leaves_is_told_nothing_more() -> None:
    world = World()
    world.source.hear(facts(0))
    world.leave()
    world.leave()
    world.source.take([event(1)])
    assert world.told == []
    assert world.source.seqs()["config"] == 1
    await world.source.close()


async def test_close_ends_what_is_being_fetched() -> None:
    world = World(head=5)
    world.log.fails = 10**9
    world.source.hear(facts(0))
    world.source.hear(facts(5))
    await asyncio.sleep(0.005)
    await world.source.close()
    assert world.log.asked
