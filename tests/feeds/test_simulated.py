import numpy as np
import pytest

from opportunity.feeds import Clock, Closed, Forming, SimulatedFeed
from opportunity.feeds.simulated import DEFAULT_START_MS
from opportunity.market.timeframe import MINUTE_MS, TIMEFRAMES, on_grid

START = 1_704_067_200_000  # 2024-01-01


async def test_default_feed_has_history_for_every_timeframe_at_once():
    feed = SimulatedFeed(3)
    start = await feed.open()
    assert start == DEFAULT_START_MS
    assert on_grid(np.array([start]), "1h").all()
    for timeframe in TIMEFRAMES:
        _, values = await feed.histories(timeframe, 1000, start)
        bars = np.isfinite(values[:, :, 3]).sum(axis=1)
        assert (bars == (1000 if timeframe != "1w" else 283)).all()
    assert (feed.source, feed.base, len(feed.symbols)) == ("simulated", "1m", 3)
    await feed.close()


async def test_start_is_cut_to_the_minute_and_joins_in_the_middle_of_an_hour():
    at = START + 17 * MINUTE_MS + 12_345
    feed = SimulatedFeed(2, start_ms=at, speed=1e5)
    start = await feed.open()
    assert start == START + 17 * MINUTE_MS
    times = []
    async for record in feed.stream():
        if isinstance(record, Closed):
            times.append(record.time)
        if len(times) == 150:
            break
    assert times == [start + MINUTE_MS * (i + 1) for i in range(150)]
    await feed.close()


def test_start_before_the_market_is_refused():
    with pytest.raises(ValueError, match="start_ms must be >="):
        SimulatedFeed(1, start_ms=1_500_000_000_000)


async def test_forming_bar_is_the_beginning_of_the_closed_bar(make_feed):
    feed = make_feed("simulated", speed=12)
    await feed.open()
    forming: list[Forming] = []
    checked = 0
    async for record in feed.stream():
        if isinstance(record, Forming):
            forming.append(record)
            continue
        for part in forming:
            closed = record.values[part.rows]
            assert (part.times == record.times[part.rows]).all()
            assert part.times[0] <= part.time < record.time
            assert (part.values[:, 0] == closed[:, 0]).all()
            assert (part.values[:, 1] <= closed[:, 1]).all()
            assert (part.values[:, 2] >= closed[:, 2]).all()
            assert (part.values[:, 4] <= closed[:, 4]).all()
            checked += part.rows.size
        forming.clear()
        if checked > 100:
            break
    await feed.close()


async def test_forming_comes_four_times_a_real_second_at_any_speed(make_feed):
    for speed in (1, 60, 3600):
        feed = make_feed("simulated", speed=speed)
        await feed.open()
        shown = []
        async for record in feed.stream():
            if isinstance(record, Forming):
                shown.append(feed.clock.real())
            if shown and feed.clock.real() - shown[0] > 10:
                break
        assert 36 <= len(shown) <= 41
        await feed.close()


async def test_speed_may_change_while_it_runs(make_feed):
    feed = make_feed("simulated", speed=60)
    await feed.open()
    n, began = 0, feed.clock.real()
    async for record in feed.stream():
        if isinstance(record, Closed):
            n += 1
            if n == 5:
                assert feed.clock.real() - began == pytest.approx(5, abs=0.1)
                feed.clock.speed = 6000
            if n == 105:
                break
    assert feed.clock.real() - began == pytest.approx(6, abs=0.2)
    await feed.close()


async def test_a_slow_consumer_gets_every_bar(make_feed):
    feed = make_feed("simulated", speed=1e5)
    await feed.open()
    times = []
    async for record in feed.stream():
        feed.clock.start(feed.clock.now() + 90_000)  # the clock runs away
        if isinstance(record, Closed):
            times.append(record.time)
        if len(times) == 200:
            break
    assert np.diff(times).tolist() == [MINUTE_MS] * 199
    await feed.close()


async def test_a_coin_outside_the_universe_has_history_too():
    feed = SimulatedFeed(["BTC/USDT"], clock=Clock(START))
    start = await feed.open()
    bars = await feed.history("ETH/USDT", "4h", 10, start)
    assert (len(bars), bars.symbol, bars.source) == (10, "ETH/USDT", "simulated")
    assert feed.symbols == ("BTC/USDT",)
    await feed.close()


async def test_many_symbols_form_in_a_thread():
    feed = SimulatedFeed(260, clock=Clock(START, 60))
    await feed.open()
    async for record in feed.stream():
        if isinstance(record, Forming):
            assert record.rows.size > 100
            break
    await feed.close()
