"""What every feed keeps, whatever it is fed from."""

import asyncio
from itertools import pairwise

import numpy as np
import pytest

from opportunity.feeds import FEEDS, Closed, Feed, Forming
from opportunity.market.quality import require_valid
from opportunity.market.resample import resample
from opportunity.market.timeframe import length_ms, on_grid

pytestmark = pytest.mark.parametrize("name", FEEDS)
N = 130  # batches
N_WAITED_FOR = 40  # of a feed that does not jump from one to the next


async def read(feed: Feed, n: int) -> list[Closed | Forming]:
    out, closed = [], 0
    stream = feed.stream()
    async for record in stream:
        out.append(record)
        closed += isinstance(record, Closed)
        if closed == n:
            break
    await stream.aclose()
    return out


def enough(feed: Feed) -> int:
    return N if feed.lasting else N_WAITED_FOR


def same(one: list[Closed], other: list[Closed]) -> bool:
    return len(one) == len(other) and all(
        a.time == b.time and np.array_equal(a.rows, b.rows) and np.array_equal(a.values, b.values)
        for a, b in zip(one, other, strict=True)
    )


def closed(records: list[Closed | Forming]) -> list[Closed]:
    return [r for r in records if isinstance(r, Closed)]


def by_time(batches: list[Closed]) -> dict[tuple[int, int], tuple[float, ...]]:
    """Return the bars by row and opening time."""
    return {
        (int(row), int(time)): tuple(values)
        for b in batches
        for row, time, values in zip(b.rows, b.times, b.values.tolist(), strict=True)
    }


def of_row(batches: list[Closed], row: int) -> tuple[np.ndarray, np.ndarray]:
    at = [(b, np.flatnonzero(b.rows == row)) for b in batches]
    times = [b.times[i] for b, i in at]
    values = [b.values[i] for b, i in at]
    return np.concatenate(times), np.concatenate(values)


async def test_stream_is_closed_bars_in_order_without_repeats(name, make_feed):
    feed = make_feed(name)
    start = await feed.open()
    records = await read(feed, enough(feed))
    length = length_ms(feed.base)
    batches = closed(records)
    in_order = records if feed.lasting else batches  # a close is told after it has happened
    assert all(a.time <= b.time for a, b in pairwise(in_order))
    assert batches[0].time == start + length
    for batch in batches:
        assert (batch.times + length == batch.time).all()
        assert on_grid(batch.times, feed.base).all()
        assert (np.diff(batch.rows) > 0).all()
        assert batch.values.shape == (batch.rows.size, 5)
        assert not batch.late.any()
    assert (np.diff([b.time for b in batches]) > 0).all()
    await feed.close()


async def test_nothing_is_closed_before_its_time(name, make_feed):
    feed = make_feed(name)
    await feed.open()
    n = 0
    async for record in feed.stream():
        assert record.time <= feed.clock.now()
        n += isinstance(record, Closed)
        if n == 20:
            break
    await feed.close()


async def test_history_and_stream_are_one_series(name, make_feed):
    feed = make_feed(name)
    start = await feed.open()
    batches = closed(await read(feed, enough(feed)))
    end = batches[-1].time
    for row, symbol in enumerate(feed.symbols):
        times, values = of_row(batches, row)
        before = await feed.history(symbol, feed.base, 50, start)
        whole = await feed.history(symbol, feed.base, 50 + times.size, end)
        require_valid(whole)
        assert before.time[-1] + length_ms(feed.base) <= start
        np.testing.assert_array_equal(whole.time, np.concatenate([before.time, times]))
        np.testing.assert_array_equal(whole.values, np.concatenate([before.values, values]))
    await feed.close()


async def test_restart_at_any_time_gives_the_same_bars(name, make_feed):
    one = make_feed(name, 15 * 24)
    await one.open()
    first = closed(await read(one, enough(one)))
    other = make_feed(name, 15 * 24 + (2 if one.lasting else 0.25), speed=100_000)
    start = await other.open()
    if one.lasting:
        batches = [b for b in first if b.time > start]
        assert same(batches[:5], closed(await read(other, N))[:5]) or not batches
    else:  # it starts at whatever time it is
        before, after = by_time(first), by_time(closed(await read(other, 10)))
        common = before.keys() & after.keys()
        assert len(common) >= 10
        assert {k: before[k] for k in common} == {k: after[k] for k in common}
    for feed in (one, other):
        await feed.close()


async def test_two_runs_from_one_time_give_the_same_bars(name, make_feed):
    one, other = make_feed(name), make_feed(name)
    for feed in (one, other):
        await feed.open()
    first, second = closed(await read(one, 30)), closed(await read(other, 30))
    if one.lasting:
        assert same(first, second)
    before, after = by_time(first), by_time(second)
    common = before.keys() & after.keys()
    assert len(common) >= 4
    assert {k: before[k] for k in common} == {k: after[k] for k in common}
    for feed in (one, other):
        await feed.close()


async def test_histories_equal_history_padded_in_front(name, make_feed):
    feed = make_feed(name)
    start = await feed.open()
    for timeframe, n in (("1h", 300), ("4h", 60), ("1d", 500)):
        time, values = await feed.histories(timeframe, n, start)
        assert time.shape == (len(feed.symbols), n)
        assert values.shape == (len(feed.symbols), n, 5)
        for row, symbol in enumerate(feed.symbols):
            bars = await feed.history(symbol, timeframe, n, start)
            lacking = n - len(bars)
            assert not time[row, :lacking].any()
            assert np.isnan(values[row, :lacking]).all()
            np.testing.assert_array_equal(time[row, lacking:], bars.time)
            np.testing.assert_array_equal(values[row, lacking:], bars.values)
            assert (bars.time + length_ms(timeframe) <= start).all()
            assert (bars.timeframe, bars.symbol, bars.source) == (timeframe, symbol, feed.source)
    await feed.close()


async def test_longer_timeframes_are_the_base_resampled(name, make_feed):
    feed = make_feed(name)
    start = await feed.open()
    base = await feed.history("BTC/USDT", "1h", 24 * 14, start)
    for timeframe in ("2h", "4h", "6h", "12h", "1d"):
        expected = resample(base, timeframe)[1:]
        found = await feed.history("BTC/USDT", timeframe, len(expected), start)
        np.testing.assert_array_equal(found.time, expected.time)
        np.testing.assert_array_equal(found.values, expected.values)
    await feed.close()


async def test_forming_comes_between_batches_and_is_no_closed_bar(name, make_feed):
    feed = make_feed(name, speed=60)
    await feed.open()
    records = await read(feed, 5)
    forming = [r for r in records if isinstance(r, Forming)]
    assert forming
    for record in forming:
        low, high = record.values[:, 2], record.values[:, 1]
        assert (low <= record.values[:, 3]).all()
        assert (record.values[:, 3] <= high).all()
        # a bar of an exchange forms until its close is heard of
        slack = 0 if feed.lasting else length_ms(feed.base)
        assert (record.times + length_ms(feed.base) > record.time - slack).all()
    await feed.close()


async def test_close_ends_a_waiting_stream_and_may_be_repeated(name, make_feed):
    feed = make_feed(name, speed=0.1)
    await feed.open()
    seen = []

    async def follow() -> None:
        async for record in feed.stream():
            seen.append(record)
            if len(seen) == 2:
                await feed.close()

    await asyncio.wait_for(follow(), 10)
    assert len(seen) == 2
    await feed.close()


async def test_nonsense_is_refused(name, make_feed):
    feed = make_feed(name)
    start = await feed.open()
    with pytest.raises(ValueError, match="timeframe"):
        await feed.history("BTC/USDT", "3m", 10, start)
    with pytest.raises(ValueError, match="n_bars"):
        await feed.histories("1h", 0, start)
    with pytest.raises(Exception, match="NOSUCH/USDT"):
        await feed.history("NOSUCH/USDT", "1h", 10, start)
    await feed.close()


def test_every_feed_has_its_name(name):
    assert FEEDS[name].name == name
    assert FEEDS[name].__doc__
