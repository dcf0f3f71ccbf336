import asyncio

import numpy as np
import pytest

from app.alerts import price_feed
from app.alerts.price_feed import Market, PriceFeed
from opportunity.errors import CoverageError
from opportunity.market.bars import Bars
from opportunity.storage.events import EventRepository
from opportunity.storage.failures import DatabaseError
from opportunity.storage.price_alerts import PriceAlertRepository

M = 60_000


class World:
    """A market of one symbol whose bars are written by hand."""

    def __init__(self, engine) -> None:
        self.highs: dict[int, float] = {}
        self.asked: list[tuple[int, int]] = []
        self.told: list = []
        self.refuse = False
        self.store = PriceAlertRepository(engine, "m", lambda: 5)
        self.log = EventRepository(engine, lambda: 5)
        self.feed = self.make()

    def make(self) -> PriceFeed:
        market = Market("m", "simulated", M, self.history)
        return PriceFeed(market, self.store, self.log, self.told.extend)

    async def history(self, symbol: str, n: int, end: int) -> Bars:
        self.asked.append((n, end))
        if self.refuse:
            raise CoverageError("none there")
        times = [t for t in range(end - n * M, end, M) if t // M in self.highs]
        rows = [[1.0, self.highs[t // M], 1.0, 1.0, 1.0] for t in times]
        return Bars(np.array(times, np.int64), np.array(rows, float).reshape(-1, 5))

    async def price(self, minute: int, high: float, symbol: str = "A") -> list[float]:
        bar = (minute * M, 1.0, high, 1.0, 1.0, 0.0)
        self.feed.hear({("price", symbol): bar, ("signal", symbol): {}})
        await self.feed.look()
        return [event.body["touched"] for event in self.told]


@pytest.fixture
async def world(engine, monkeypatch):
    monkeypatch.setattr(price_feed, "ASK_S", 0.0)
    return World(engine)


async def test_touched_kept_told_and_over(world):
    made = await world.feed.add("A", "above", 100.0, "top", False)
    assert await world.price(0, 90) == []
    assert await world.price(0, 101) == [101]
    assert await world.price(0, 102) == [101]
    (event,) = world.log.read(("price_alert",))
    assert (event.body["id"], event.body["note"], event.time) == (made.id, "top", 0)
    assert [(a.active, a.fired_at) for a in world.store.read()] == [(False, 0)]
    assert world.feed._symbols == frozenset()


async def test_bars_between_two_looks_are_asked_for(world):
    await world.feed.add("A", "above", 100.0, "", False)
    await world.price(0, 90)
    world.highs = {0: 90, 1: 101, 2: 90}
    assert await world.price(3, 90) == [101]
    assert world.asked == [(3, 3 * M)]
    assert world.log.read()[0].time == M


async def test_a_bar_that_is_not_there_yet_is_asked_for_again(world):
    await world.feed.add("A", "above", 100.0, "", False)
    await world.price(0, 90)
    assert await world.price(1, 90) == []
    world.highs = {0: 105}
    assert await world.price(1, 90) == [105]


async def test_bars_that_cannot_be_had_do_not_end_it(world):
    world.refuse = True
    await world.feed.add("A", "above", 100.0, "", False)
    await world.price(0, 90)
    assert await world.price(1, 101) == [101]


async def test_other_symbols_and_deleted_ones_cost_nothing(world):
    made = await world.feed.add("A", "above", 100.0, "", False)
    assert await world.price(0, 200, symbol="B") == []
    assert await world.feed.remove(made.id)
    assert not await world.feed.remove(made.id)
    assert await world.price(0, 200) == []
    assert world.feed.all() == []


async def test_what_was_armed_comes_back_after_a_restart(world):
    await world.feed.add("A", "above", 100.0, "", True)
    await world.price(0, 90)
    await world.price(0, 101)
    world.feed = world.make()
    assert [a.active for a in world.feed.all()] == [False]
    await world.price(1, 90)  # it has left: counts again
    assert [a.active for a in world.store.read()] == [True]
    assert await world.price(2, 102) == [101, 102]


async def test_a_touch_that_cannot_be_kept_is_owed(world, monkeypatch):
    made = await world.feed.add("A", "above", 100.0, "", False)

    def full(_):
        raise DatabaseError("full")

    with monkeypatch.context() as broken:
        broken.setattr(world.log, "append", full)
        await world.price(0, 90)
        assert await world.price(0, 101) == []
        assert await world.price(1, 90) == []
    assert [a.active for a in world.store.read()] == [True]
    assert await world.price(2, 90) == [101]  # though the price went away meanwhile
    assert [(a.id, a.active, a.fired_at) for a in world.store.read()] == [(made.id, False, 0)]
    assert await world.price(3, 102) == [101]


async def test_what_is_owed_is_bounded(world, monkeypatch):
    monkeypatch.setattr(price_feed, "MOST_OWED", 2)
    for price in (100.0, 101.0, 102.0):
        await world.feed.add("A", "above", price, "", False)

    def full(_):
        raise DatabaseError("full")

    with monkeypatch.context() as broken:
        broken.setattr(world.log, "append", full)
        await world.price(0, 90)
        await world.price(0, 103)
    await world.price(1, 90)
    assert [event.body["price"] for event in world.told] == [101, 102]


async def test_what_is_owed_needs_no_other_price(world, monkeypatch):
    monkeypatch.setattr(price_feed, "AGAIN_S", 0.01)
    append, full, refused = world.log.append, True, asyncio.Event()
    loop = asyncio.get_running_loop()

    def sometimes(events):
        if full:
            loop.call_soon_threadsafe(refused.set)
            raise DatabaseError("full")
        return append(events)

    monkeypatch.setattr(world.log, "append", sometimes)
    await world.feed.add("A", "above", 100.0, "", False)
    world.feed.start()
    bar = (0, 1.0, 101.0, 1.0, 101.0, 0.0)
    world.feed.hear({("price", "A"): bar})
    await asyncio.wait_for(refused.wait(), 30)
    assert world.told == []
    full = False
    async with asyncio.timeout(30):
        while not world.told:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
    await world.feed.close()


async def test_closing_tries_once_again(world, monkeypatch):
    await world.feed.add("A", "above", 100.0, "", False)

    def full(_):
        raise DatabaseError("full")

    with monkeypatch.context() as broken:
        broken.setattr(world.log, "append", full)
        await world.price(0, 90)
        assert await world.price(0, 101) == []
    await world.feed.close()
    assert [event.body["touched"] for event in world.log.read()] == [101]


async def test_its_task_looks_and_ends(world):
    world.feed.start()
    await world.feed.add("A", "above", 100.0, "", False)
    world.feed.hear({("price", "A"): ("odd",)})  # does not end it
    await asyncio.sleep(0)
    world.feed.hear({("price", "A"): (0, 1.0, 101.0, 1.0, 101.0, 0.0)})
    async with asyncio.timeout(30):
        while not world.told:
            world.feed.hear({("price", "A"): (0, 1.0, 101.0, 1.0, 101.0, 0.0)})
            await asyncio.sleep(0.005)
    await world.feed.close()
