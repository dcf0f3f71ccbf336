"""What goes wrong for longer than a moment, or with the surroundings of the feed."""

import asyncio
import time
from itertools import pairwise

import numpy as np
import pytest

from app.exchange.server import LocalExchange
from opportunity.bus.memory import Hub
from opportunity.feeds.base import Closed
from opportunity.feeds.exchange.feed import ExchangeFeed, wall_ms
from opportunity.feeds.exchange.lines.line import LineSettings
from opportunity.feeds.exchange.tuning import Tuning
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.live.agent import Agent
from opportunity.live.streams import Streams
from opportunity.market.timeframe import MINUTE_MS
from opportunity.market.trust import weigh
from tests.feeds.exchange.faultbed import QUICK, SPEED, SYMBOLS, WARM, Bed, prepare
from tests.feeds.exchange.faulttruth import astray, judge

OUTAGE: int = 10_000
"""Bars that pass while the exchange is away."""


def feed_of(exchange, folder, **values):
    tuning = values.pop("tuning", QUICK)
    return ExchangeFeed(
        "binance", SYMBOLS, url=exchange.url, folder=folder, tuning=tuning, **values
    )


async def follow(feed, until):
    """Return the batches until something is so."""
    stream, batches = feed.stream(), []
    async with asyncio.timeout(30):
        async for event in stream:
            if isinstance(event, Closed):
                batches.append(event)
            if until(batches):
                break
    await stream.aclose()
    return batches


async def test_no_call_goes_out_inside_a_ban_and_not_after_a_restart_either(tmp_path):
    async with LocalExchange(SYMBOLS, speed=SPEED) as exchange:
        faults = exchange.faults
        feed = feed_of(exchange, tmp_path)
        await feed.open()
        await follow(feed, lambda batches: len(batches) == 2)
        faults.order({"kind": "rate_limit", "status": 418, "retry_after_s": 2, "times": 1})
        with pytest.raises(VenueError, match="locked this address out"):
            await feed.venue.tickers()
        ends = faults.real() + 1.8
        status = feed.status()
        assert status.state == "banned"
        assert 0 < status.retry_at - wall_ms() <= 3_000  # in whole seconds
        await feed.close()
        calls = faults.calls
        again = feed_of(exchange, tmp_path)
        with pytest.raises(VenueError) as raised:
            await again.open()
        assert raised.value.kind == "banned"
        assert raised.value.retry_at == pytest.approx(status.retry_at, abs=1_000)
        assert faults.calls == calls
        await asyncio.sleep((raised.value.retry_at - wall_ms()) / 1000)
        await again.open()
        assert faults.real() >= ends
        assert await follow(again, lambda batches: len(batches) == 2)
        assert faults.calls_in_ban == 0
        await again.close()


async def test_a_flood_of_missed_bars_is_worked_off_in_order_and_in_bounds(tmp_path):
    async with LocalExchange(SYMBOLS, speed=SPEED) as exchange:
        feed = feed_of(exchange, tmp_path)
        await feed.open()
        before = await follow(feed, lambda batches: len(batches) == 2)
        exchange.faults.order({"kind": "maintenance", "for_s": 0.5})
        later = exchange.now() + OUTAGE * MINUTE_MS
        exchange.clock.start(later)
        feed.clock.start(later)
        newest = np.zeros(len(SYMBOLS), np.int64)

        def all_there(batches):
            newest[batches[-1].rows] = batches[-1].times
            return (newest > later).all()

        batches = before + await follow(feed, lambda new: new and all_there(new))
        assert feed.status().state == "live"
        await feed.close()
    market = SimulatedMarket(SYMBOLS, 7)
    for row in range(len(SYMBOLS)):
        times = np.concatenate([b.times[b.rows == row] for b in batches])
        values = np.concatenate([b.values[b.rows == row] for b in batches])
        assert times.size > OUTAGE
        assert (np.diff(times) == MINUTE_MS).all()
        np.testing.assert_array_equal(values, market.bars(np.array([row]), "1m", times)[0])
    in_time = [b.time for b in batches if not b.late.any()]
    assert all(a < b for a, b in pairwise(in_time))


async def test_lines_are_replaced_before_the_venue_cuts_them():
    lines = LineSettings(
        silence_s=0.5, longest_silence_s=0.8, recycle_s=1.0, first_s=0.02, longest_s=0.3
    )
    tuning = Tuning(patience=QUICK.patience, lines=lines, looks=QUICK.looks)
    cut = {"kind": "day_cut", "age_s": 2.0, "for_s": 4.0}
    prepare()
    run = await Bed(3, (cut,), tuning=tuning, whole=True).run()
    assert run.finished, run.wrong
    assert judge(run) == []
    assert run.reconnects >= 3
    assert run.injected["day_cut"] == 0
    assert not run.states & {"recovering", "down"}


@pytest.mark.parametrize(
    ("zone", "night"),
    [
        ("America/New_York", 1_762_062_600_000),  # 2025-11-02 05:50, ten minutes before
        pytest.param("America/New_York", 1_772_952_600_000, marks=pytest.mark.slow),
        pytest.param("Europe/London", 1_761_439_800_000, marks=pytest.mark.slow),
        pytest.param("Europe/London", 1_774_745_400_000, marks=pytest.mark.slow),
    ],
)
async def test_a_night_on_which_the_clocks_change_is_like_any_other(monkeypatch, zone, night):
    prepare()
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        offsets = {time.localtime(night / 1000 + s).tm_gmtoff for s in (0, 1_800)}
        run = await Bed(4, after=20, start_ms=night).run()
    time.tzset()
    assert len(offsets) == 2, "the clocks do not change in that night"
    assert run.finished, run.wrong
    assert judge(run) == []
    assert astray(run, WARM) == []


async def test_clocks_that_differ_by_more_than_five_seconds_take_all_trust_away(tmp_path):
    async with LocalExchange(SYMBOLS, speed=1.0, start_ms=wall_ms()) as exchange:
        exchange.faults.order({"kind": "clock_skew", "by_ms": 8_000})
        feed = feed_of(exchange, tmp_path)
        await feed.open()
        faults = feed.faults()
        await feed.close()
    assert faults.skew_ms == pytest.approx(8_000, abs=1_500)
    streams = Streams(SYMBOLS, ("1m",), "1m", "simulated")
    assert (weigh(streams._distrust())[1] == 1.0).all()
    streams.faults = faults
    assert (weigh(streams._distrust())[1] == 0.0).all()
    streams.close()


async def test_an_agent_lives_through_all_of_it_at_once(tmp_path):
    hub = Hub(asyncio.get_running_loop())
    async with LocalExchange(SYMBOLS, speed=SPEED) as exchange:
        feed = feed_of(exchange, tmp_path)
        agent = Agent(feed, hub=hub, timeframes=("1m", "5m"), scan_interval_ms=1_000)
        async with asyncio.timeout(60):
            await agent.start()
            for fault in (
                {"kind": "drop", "period_s": 0.5, "for_s": 2.0},
                {"kind": "server_error", "probability": 0.3, "for_s": 2.0},
                {"kind": "invalid", "what": "null", "probability": 0.1, "for_s": 2.0},
                {"kind": "correction", "bp": 50.0, "probability": 0.1, "for_s": 2.0},
                {"kind": "bad_frame", "what": "cut", "probability": 0.02, "for_s": 2.0},
            ):
                exchange.faults.order(fault)
            until = exchange.now() + 35 * MINUTE_MS
            while agent.time < until:
                assert agent.running, agent.last_error
                await asyncio.sleep(0.05)
            # what was asked for in vain is confirmed empty in a while, and the others wait for it
            while not np.isfinite(agent.evaluation().consensus.net).all():
                assert agent.running, agent.last_error
                await asyncio.sleep(0.05)
        evaluation = agent.evaluation()
        struck = set(exchange.faults.injected)
        await agent.stop()
        agent.close()
    hub.close()
    assert struck == {"drop", "server_error", "invalid", "correction", "bad_frame"}
    assert not agent.last_error
    assert evaluation.snapshot.symbols == SYMBOLS
    assert np.isfinite(evaluation.consensus.net).all()
