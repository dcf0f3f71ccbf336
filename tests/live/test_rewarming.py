import asyncio
import threading
from dataclasses import replace

import numpy as np
import pytest

from opportunity.errors import CoverageError
from opportunity.feeds.base import Closed
from opportunity.live import rewarming as module
from opportunity.live.rewarming import Rewarmer
from opportunity.live.state import duplicate
from opportunity.live.streams import Streams
from opportunity.live.warming import feed_figures, warm
from opportunity.market.figures import DayFigures
from opportunity.market.trust import Faults

FRAMES = ("1h", "4h", "1d")
CORRECTED = 5_505
END = 5_511


class World:
    """Streams that lived through some bars, one of which the feed corrects afterwards."""

    def __init__(self, feed) -> None:
        self.feed, self.lock = feed, threading.Lock()
        self.streams = Streams(feed.symbols, FRAMES, "1h", "simulated")
        self.day = DayFigures(len(feed.symbols), "1h")
        self.done: list[list[int]] = []
        self.rewarmer = Rewarmer(feed, self.streams, self.day, self.lock, self._done)

    async def _done(self, rows) -> None:
        self.done.append(rows.tolist())

    async def begin(self, start: int) -> None:
        await warm(self.feed, self.streams, start, lambda *_: None)
        await feed_figures(self.feed, self.streams, self.day, start)

    def take(self, event: Closed) -> None:
        """Work a batch in, as the agent does."""
        with self.lock:
            self.day.feed(event.rows, event.times, event.values)
            self.streams.update(event.rows, event.times, event.values)
            if event.settled is not None:
                self.streams.flush(event.settled)
            elif event.times.size:
                self.streams.flush(int(event.times.max()))
            self.rewarmer.heard(event)

    def look(self):
        return self.streams.snapshot(self.day)

    async def until(self, condition) -> None:
        task = asyncio.ensure_future(self.rewarmer.run())
        try:
            async with asyncio.timeout(20):
                while not condition():  # noqa: ASYNC110 - a thread tells nobody of its end
                    await asyncio.sleep(0.001)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def world(scripted):
    made = World(scripted.ScriptedFeed(3))
    await made.begin(await made.feed.open())
    for bar in range(5_500, END):
        made.take(made.feed.batch(bar))
    yield made
    made.streams.close()


def correct(feed, row: int, bar: int = CORRECTED) -> None:
    """Say from now on that a bar was wilder, as `history` tells it."""
    values = feed.bars[row].values.copy()
    values[bar] *= [1.0, 1.2, 0.8, 1.1, 3.0]
    feed.bars[row] = replace(feed.bars[row], values=values)


async def fresh(feed, end: int) -> World:
    made = World(feed)
    await made.begin(int(feed.bars[0].time[end]))
    made.streams.close()
    return made


def arrays(world: World) -> dict[str, np.ndarray]:
    seen = world.look()
    held = {name: np.array(a) for name, a in seen.arrays().items() if name != "exists"}
    return held | {"patterns": np.array([" ".join(p) for p in seen.patterns])}


def others(array: np.ndarray) -> bytes:
    """Copy the bytes of the first and the last symbol's rows."""
    n = len(array) // 3
    return duplicate(array[:n]).tobytes() + duplicate(array[2 * n :]).tobytes()


def partial(world: World, row: int) -> list:
    state = world.streams.save()["partial"][row]
    return [state[name].tolist() for name in ("time", "closed", "count", "value")]


async def test_corrected_symbol_equals_a_fresh_start_and_others_stay(world) -> None:
    before, states = arrays(world), dict(world.streams.save())
    kept = {name: others(a) for name, a in states.items() if a.ndim and name != "universe"}
    correct(world.feed, 1)
    world.rewarmer.ask(np.array([1]))
    assert world.rewarmer.pending
    await world.until(lambda: world.done)
    assert world.done == [[1]]
    assert not world.rewarmer.pending
    after, wanted = arrays(world), arrays(await fresh(world.feed, END))
    assert not np.array_equal(after["scores"][1], before["scores"][1], equal_nan=True)
    for name, array in wanted.items():
        np.testing.assert_array_equal(after[name][1], array[1], name)
        np.testing.assert_array_equal(after[name][[0, 2]], before[name][[0, 2]], name)
    for name, data in kept.items():
        assert others(states[name]) == data, name


async def test_bars_go_on_after_the_exchange_as_after_a_fresh_start(world) -> None:
    correct(world.feed, 1)
    world.rewarmer.ask(np.array([1]))
    await world.until(lambda: world.done)
    other = await fresh(world.feed, END)
    assert partial(world, 1) == partial(other, 1)
    for bar in range(END, END + 30):
        for one in (world, other):
            one.take(world.feed.batch(bar))
    for name, array in arrays(other).items():
        np.testing.assert_array_equal(arrays(world)[name][1], array[1], name)


async def test_bars_that_come_meanwhile_are_in_both(world) -> None:
    asked = asyncio.Event()
    history = world.feed.history

    async def slow(*args):
        asked.set()
        if world.streams.time < world.feed.bars[0].time[END + 3]:
            for bar in range(END, END + 3):
                world.take(world.feed.batch(bar))
        return await history(*args)

    world.feed.history = slow
    correct(world.feed, 1)
    world.rewarmer.ask(np.array([1]))
    await world.until(lambda: world.done)
    wanted = arrays(await fresh(world.feed, END))
    assert asked.is_set()
    other = World(world.feed)
    await other.begin(int(world.feed.bars[0].time[END]))
    for bar in range(END, END + 3):
        other.take(world.feed.batch(bar))
    other.streams.close()
    for name, array in arrays(other).items():
        np.testing.assert_array_equal(arrays(world)[name][1], array[1], name)
    assert not np.array_equal(arrays(other)["closed"], wanted["closed"])


async def test_symbol_that_is_behind_is_warmed_to_where_it_is(world) -> None:
    rows = np.array([0, 2])
    settled = np.full(3, world.feed.bars[0].time[END])
    batch = world.feed.batch(END, [0, 2])
    world.take(replace(batch, rows=rows, settled=settled))
    correct(world.feed, 1)
    world.rewarmer.ask(np.array([1]))
    await world.until(lambda: world.done)
    assert world.streams.newest[1] == world.feed.bars[0].time[END - 1]
    assert world.look().closed[1, 0] == world.feed.bars[0].time[END]
    world.take(replace(world.feed.batch(END, [1]), late=np.ones(1, bool)))
    wanted = await fresh(world.feed, END + 1)
    np.testing.assert_array_equal(world.look().closed[1], wanted.look().closed[1])


async def test_longer_bar_closed_without_its_last_constituent_stays_closed(world) -> None:
    """It was confirmed that no bar came: the history up to the newest one does not know that."""
    settled = np.full(3, world.feed.bars[0].time[5_512])
    world.take(replace(world.feed.batch(END, [0, 2]), settled=settled))  # 5511 ends four hours
    assert world.look().closed[1, 1] == world.feed.bars[0].time[5_512]
    world.rewarmer.ask(np.array([1]))
    await world.until(lambda: world.done)
    assert world.look().closed[1, 1] == world.feed.bars[0].time[5_512]


async def test_failure_changes_nothing_and_is_tried_again(world, monkeypatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    history, tries = world.feed.history, []

    async def fail(symbol, *args):
        if symbol == world.feed.symbols[1]:
            tries.append(symbol)
            if len(tries) < 3:
                raise CoverageError("history must be there, was not")
        return await history(symbol, *args)

    world.feed.history = fail
    before = arrays(world)
    correct(world.feed, 1)
    world.rewarmer.ask(np.array([1, 2]))
    await world.until(lambda: world.done)
    assert world.done == [[2]]  # one that fails does not hold up the others
    assert world.rewarmer.pending
    np.testing.assert_array_equal(arrays(world)["scores"][1], before["scores"][1])
    await world.until(lambda: len(world.done) > 1)
    assert world.done[-1] == [1]
    assert not world.rewarmer.pending


async def test_round_with_too_many_batches_begins_again(world, monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST_HEARD", 1)
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    history = world.feed.history

    async def slow(*args):
        if world.streams.time < world.feed.bars[0].time[END + 3]:
            for bar in range(END, END + 3):
                world.take(world.feed.batch(bar))
        return await history(*args)

    world.feed.history = slow
    correct(world.feed, 1)
    world.rewarmer.ask(np.array([1]))
    await world.until(lambda: world.done)
    wanted = arrays(await fresh(world.feed, END + 3))
    for name, array in wanted.items():
        np.testing.assert_array_equal(arrays(world)[name][1], array[1], name)


async def test_round_cut_short_is_still_pending(world) -> None:
    async def never(*_):
        await asyncio.Event().wait()

    world.feed.history = never
    world.rewarmer.ask(np.array([1]))
    await world.until(lambda: world.rewarmer._busy)
    assert world.rewarmer.pending
    assert world.done == []


async def test_symbol_without_history_is_given_up_at_last(world, monkeypatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.0)
    monkeypatch.setattr(module, "MOST_TRIES", 3)
    tries = []

    async def fail(symbol, *_):
        tries.append(symbol)
        raise CoverageError("history must be there, was not")

    world.feed.history = fail
    world.rewarmer.ask(np.array([1]))
    await world.until(lambda: len(tries) == 3 and not world.rewarmer.pending)
    assert world.done == []


async def test_bar_that_came_late_is_in_after_the_exchange(world) -> None:
    """It was confirmed empty and never streams: history alone says that it is there."""
    settled = np.full(3, world.feed.bars[0].time[END + 1])
    world.take(replace(world.feed.batch(END, [0, 2]), settled=settled))
    world.rewarmer.ask(np.array([1]))
    await world.until(lambda: world.done)
    world.take(world.feed.batch(END + 1))
    wanted = await fresh(world.feed, END + 2)
    for name, array in arrays(wanted).items():
        np.testing.assert_array_equal(arrays(world)[name][1], array[1], name)


@pytest.mark.parametrize("behind", [("1h", "4h", "1d"), ("4h",)], ids=["all", "longer"])
async def test_history_that_does_not_reach_the_newest_bar_is_asked_for_again(
    world, monkeypatch, behind
) -> None:
    """A bar that has just streamed may not be in the answers of the venue yet."""
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    for bar in range(END, 5_512):
        world.take(world.feed.batch(bar))  # ends four hours
    history, asked, told = world.feed.history, [], []

    async def late(symbol, timeframe, n_bars, end):
        asked.append(timeframe)
        lags = timeframe in behind and not told
        return await history(symbol, timeframe, n_bars, end - (1 if lags else 0))

    world.feed.history = late
    correct(world.feed, 1)
    world.rewarmer.ask(np.array([1]))
    await world.until(lambda: world.done or len(asked) > 4)
    assert world.done == []
    told.append("all")
    await world.until(lambda: world.done)
    wanted = await fresh(world.feed, 5_512)
    for name, array in arrays(wanted).items():
        np.testing.assert_array_equal(arrays(world)[name][1], array[1], name)


async def test_history_is_asked_for_when_the_newest_close_has_settled(world, monkeypatch) -> None:
    """An exchange's history leaves out what closed a moment ago, also what never streamed."""
    monkeypatch.setattr(module, "SETTLE_S", 0.2)
    end, clock = int(world.feed.bars[0].time[END + 2]), world.feed.clock
    world.take(world.feed.batch(END))
    world.take(replace(world.feed.batch(END + 1, [0, 2]), settled=np.full(3, end)))
    history = world.feed.history

    async def graceful(symbol, timeframe, n_bars, until):
        return await history(symbol, timeframe, n_bars, min(until, clock.now() - 150))

    world.feed.history = graceful
    clock.start(end + 10)
    world.rewarmer.ask(np.array([1]))
    await world.until(lambda: world.done)
    world.take(world.feed.batch(END + 2))
    wanted = await fresh(world.feed, END + 3)
    for name, array in arrays(wanted).items():
        np.testing.assert_array_equal(arrays(world)[name][1], array[1], name)


async def test_holes_of_history_cost_no_trust_while_bars_are_missing(world) -> None:
    none, no = np.zeros(3), np.zeros(3, np.bool_)
    faults = Faults(none, none + 0.05, ~no, none, none, no, no)
    bars = world.feed.bars[1]
    kept = np.delete(np.arange(len(bars)), [5_490])
    world.feed.bars[1] = replace(bars, time=bars.time[kept], values=bars.values[kept])
    world.streams.faults = faults
    world.rewarmer.ask(np.array([1]))
    await world.until(lambda: world.done)
    world.streams.faults = replace(faults, pending=no, missing=none)
    assert (world.look().trust[1] == 1).all()
