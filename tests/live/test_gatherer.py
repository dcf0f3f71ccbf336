import asyncio
import threading
from collections.abc import Sequence

import numpy as np
import pytest

from opportunity.errors import OpportunityError
from opportunity.feeds.base import Feed
from opportunity.live import gatherer
from opportunity.live.gatherer import Gatherer
from opportunity.market.observations import Funding, Headline, Record, Trades, by_availability
from opportunity.market.timeframe import DAY_MS

NOW = 100 * DAY_MS
NEEDS = {Funding: 90 * DAY_MS, Headline: 4 * DAY_MS, Trades: 14 * DAY_MS}


def funding(at: int, rate: float = 1e-4) -> Funding:
    return Funding(at, at, "x", "BTC/USDT", rate)


def headline(at: int, title: str = "t") -> Headline:
    return Headline(at - 5, at, "desk", title, "Paper")


def prints(*times: int) -> Trades:
    n = len(times)
    return Trades("x", "BTC/USDT", np.array(times), np.full(n, 10.0), np.ones(n),
                  np.ones(n, np.int8))


class Asked(Feed):
    """A feed of records only."""

    name = "asked"

    def __init__(self, records: Sequence[Record]) -> None:
        self.records, self.asked = list(records), []

    async def observations(self, kinds, since, until):
        self.asked.append((set(kinds), since, until))
        return by_availability(
            r for r in self.records if isinstance(r, kinds)
            and since <= (r.time[-1] if isinstance(r, Trades) else r.available_at) < until
        )

    async def open(self): ...
    def stream(self): ...
    async def close(self): ...
    async def histories(self, timeframe, n_bars, end_ms): ...
    async def history(self, symbol, timeframe, n_bars, end_ms): ...


class Kept:
    """A store in memory that can be told to fail."""

    def __init__(self, records: Sequence[Record] = ()) -> None:
        self.records, self.broken = list(records), False

    def append(self, records) -> int:
        if self.broken:
            raise OpportunityError("disk full")
        fresh = [r for r in records if r not in self.records]
        self.records += fresh
        return len(fresh)

    def known(self, kind, since, until, symbol=None):
        return [r for r in self.records if type(r) is kind and since <= r.available_at < until]


    def forget(self, before: int) -> int:
        self.records = [r for r in self.records if r.available_at >= before]
        return 0


class Poller:
    """Sources that have what a test puts there."""

    def __init__(self) -> None:
        self.waiting: list[Record] = []

    def drain(self, until: int):
        out = [r for r in self.waiting if r.available_at < until]
        self.waiting = [r for r in self.waiting if r.available_at >= until]
        return out

    async def run(self): ...
    async def close(self): ...


def test_past_goes_as_far_back_as_each_kind_matters():
    old, new = funding(NOW - 91 * DAY_MS), funding(NOW - 89 * DAY_MS)
    feed = Asked([old, new, headline(NOW - 5 * DAY_MS), headline(NOW), prints(NOW - 2 * DAY_MS)])
    past = asyncio.run(Gatherer(feed).past(NEEDS, NOW))
    assert past == [new, headline(NOW)]
    reach = {kind: since for kinds, since, _ in feed.asked for kind in kinds}
    assert reach[Trades] == NOW - gatherer.PRINTS_MS
    assert all(until == NOW + 1 for _, _, until in feed.asked)


def test_past_joins_store_and_feed_without_repeating_a_record():
    store = Kept([funding(NOW - 20), headline(NOW - 10)])
    past = asyncio.run(Gatherer(Asked([funding(NOW - 20), funding(NOW - 5)]), store).past(
        NEEDS, NOW))
    assert past == [funding(NOW - 20), headline(NOW - 10), funding(NOW - 5)]


def test_fresh_goes_on_where_the_past_ended_and_repeats_nothing():
    feed = Asked([funding(NOW), funding(NOW + 1), headline(NOW + 2), funding(NOW + 3)])

    async def run():
        gathering = Gatherer(feed)
        await gathering.past(NEEDS, NOW)
        return [await gathering.fresh(t) for t in (NOW, NOW + 2, NOW + 2, NOW + 1, NOW + 9)]

    assert asyncio.run(run()) == [
        [], [funding(NOW + 1), headline(NOW + 2)], [], [], [funding(NOW + 3)]
    ]


def test_what_comes_late_is_known_from_now_on():
    poller = Poller()

    async def run():
        gathering = Gatherer(Asked([]), sources=poller)
        await gathering.past(NEEDS, NOW)
        await gathering.fresh(NOW + 100)
        poller.waiting = [
            headline(NOW + 50, "late"), headline(NOW + 120, "fresh"), funding(NOW + 200)
        ]
        first = await gathering.fresh(NOW + 150)
        return first, await gathering.fresh(NOW + 300)

    first, second = asyncio.run(run())
    assert [(r.title, r.event_time, r.available_at) for r in first] == [
        ("late", NOW + 45, NOW + 101), ("fresh", NOW + 115, NOW + 120)
    ]
    assert second == [funding(NOW + 200)]


def test_late_prints_keep_their_order():
    feed = Asked([])
    block = prints(NOW + 5, NOW + 150, NOW + 160)

    async def run():
        gathering = Gatherer(feed)
        await gathering.past(NEEDS, NOW)
        await gathering.fresh(NOW + 100)
        feed.records.append(block)
        return await gathering.fresh(NOW + 200)

    (found,) = asyncio.run(run())
    assert found.time.tolist() == [NOW + 101, NOW + 150, NOW + 160]


def test_records_are_kept_but_prints_are_not():
    store = Kept()
    feed = Asked([funding(NOW - 5), prints(NOW - 4), headline(NOW + 5), prints(NOW + 6)])

    async def run():
        gathering = Gatherer(feed, store)
        await gathering.past(NEEDS, NOW)
        await gathering.fresh(NOW + 10)
        await gathering.keep()

    asyncio.run(run())
    assert store.records == [funding(NOW - 5), headline(NOW + 5)]


def test_made_records_are_kept_too():
    store = Kept()
    gathering = Gatherer(Asked([]), store)
    gathering.note([funding(7)])
    asyncio.run(gathering.keep())
    assert store.records == [funding(7)]


def test_a_store_that_fails_is_tried_again_and_the_wait_is_bounded(monkeypatch):
    monkeypatch.setattr(gatherer, "MOST_UNKEPT", 3)
    store, feed = Kept(), Asked([funding(NOW + i) for i in range(1, 6)])
    store.broken = True

    async def run():
        gathering = Gatherer(feed, store)
        await gathering.past(NEEDS, NOW)
        await gathering.fresh(NOW + 10)
        await gathering.keep()
        store.broken = False
        await gathering.keep()

    asyncio.run(run())
    assert store.records == [funding(NOW + i) for i in (3, 4, 5)]


def test_what_came_late_is_kept_as_known_late():
    store, poller = Kept(), Poller()

    async def run():
        gathering = Gatherer(Asked([]), store, poller)
        await gathering.past(NEEDS, NOW)
        await gathering.fresh(NOW + 100)
        poller.waiting = [headline(NOW + 50)]
        told = await gathering.fresh(NOW + 150)
        await gathering.keep()
        return told

    assert asyncio.run(run()) == store.records
    assert store.records[0].available_at == NOW + 101


def test_what_was_heard_twice_counts_from_the_first_time():
    first, again = Headline(3, NOW - 9, "desk", "t", "P"), Headline(3, NOW - 2, "desk", "t", "P")
    store = Kept([first])
    past = asyncio.run(Gatherer(Asked([again]), store).past(NEEDS, NOW))
    assert past == [first]


def test_store_is_not_given_what_it_gave():
    class Counted(Kept):
        def append(self, records) -> int:
            appended.extend(records)
            return super().append(records)

    appended: list[Record] = []
    store = Counted([funding(NOW - 20)])

    async def run():
        gathering = Gatherer(Asked([funding(NOW - 20), funding(NOW - 5)]), store)
        await gathering.past(NEEDS, NOW)
        await gathering.keep()

    asyncio.run(run())
    assert appended == [funding(NOW - 5)]


def test_store_that_cannot_be_read_costs_its_records_only():
    class Unreadable(Kept):
        def known(self, kind, since, until, symbol=None):
            raise OpportunityError("disk gone")

    past = asyncio.run(Gatherer(Asked([funding(NOW - 5)]), Unreadable()).past(NEEDS, NOW))
    assert past == [funding(NOW - 5)]


def test_past_reaches_back_from_the_first_bar_that_is_caught_up_with():
    feed, first = Asked([funding(NOW - 95 * DAY_MS)]), NOW - 6 * DAY_MS
    assert asyncio.run(Gatherer(feed).past(NEEDS, NOW, first)) == feed.records
    reach = {kind: since for kinds, since, _ in feed.asked for kind in kinds}
    assert reach == {
        Funding: first - 90 * DAY_MS, Headline: first - 4 * DAY_MS,
        Trades: NOW - gatherer.PRINTS_MS,
    }


@pytest.mark.parametrize("lasting", [True, False])
def test_made_records_are_wanted_where_they_cannot_be_had_again(lasting):
    feed = Asked([])
    feed.lasting = lasting
    assert Gatherer(feed, Kept()).wants_made == (not lasting)
    assert not Gatherer(feed).wants_made


def test_records_nobody_will_ask_for_are_let_go_once_a_day():
    old = funding(NOW - gatherer.KEPT_MS - DAY_MS)
    store = Kept([old, funding(NOW - DAY_MS)])

    async def run():
        gathering = Gatherer(Asked([]), store)
        await gathering.past(NEEDS, NOW)
        await gathering.keep()
        assert store.records == [funding(NOW - DAY_MS)]
        store.records.append(old)
        await gathering.fresh(NOW + DAY_MS // 2)
        await gathering.keep()
        assert old in store.records
        await gathering.fresh(NOW + DAY_MS)
        await gathering.keep()

    asyncio.run(run())
    assert old not in store.records


async def test_what_waits_for_a_slow_store_is_bounded(monkeypatch):
    monkeypatch.setattr(gatherer, "MOST_UNKEPT", 5)
    busy, go_on = threading.Event(), threading.Event()

    class Slow(Kept):
        def append(self, records) -> int:
            busy.set()
            assert go_on.wait(10)
            return super().append(records)

    kept = Slow()
    gathered = Gatherer(Asked([]), kept)
    gathered.note(headline(NOW, str(i)) for i in range(20))  # nothing is written: all may wait
    keeping = asyncio.ensure_future(gathered.keep())
    assert await asyncio.to_thread(busy.wait, 10)
    for i in range(20, 40):
        gathered.note([headline(NOW, str(i))])
    go_on.set()
    await keeping
    await gathered.keep()
    assert [r.title for r in kept.records] == [str(i) for i in (*range(20), *range(35, 40))]
