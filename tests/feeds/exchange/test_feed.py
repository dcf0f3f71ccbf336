import asyncio
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from app.exchange.call_faults import Refuse
from app.exchange.server import LocalExchange
from opportunity.bus.memory import Hub
from opportunity.feeds.base import Closed, Forming
from opportunity.feeds.exchange.feed import ExchangeFeed
from opportunity.feeds.exchange.finality.assembler import Assembler
from opportunity.feeds.exchange.lines import lines as lines_module
from opportunity.feeds.exchange.lines import subjects
from opportunity.feeds.exchange.records import Answer, Frame, Rows
from opportunity.feeds.exchange.venue import venue as venue_module
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.live.agent import Agent
from opportunity.market.observations import Funding, OrderBook, Trades
from opportunity.market.quality import require_valid
from opportunity.market.timeframe import MINUTE_MS
from tests.feeds.exchange.faultbed import QUICK, SPEED, SYMBOLS


@pytest.fixture
async def exchange():
    async with LocalExchange(SYMBOLS, speed=SPEED) as running:
        yield running


@pytest.fixture
async def make(exchange, tmp_path):
    made = []

    def feed(symbols=SYMBOLS, **values):
        values = {"url": exchange.url, "folder": tmp_path, "tuning": QUICK} | values
        made.append(ExchangeFeed("binance", symbols, **values))
        return made[-1]

    yield feed
    for one in made:
        await one.close()


async def read(feed, n, state=None):
    """Return what comes until `n` bars of each symbol have come, and the feed is as wanted."""
    records, stream = [], feed.stream()
    async with asyncio.timeout(60):
        async for record in stream:
            records.append(record)
            of_last = [r for r in records if isinstance(r, Closed)]
            counts = np.bincount(
                np.concatenate([r.rows for r in of_last] or [np.empty(0, int)]).astype(int),
                minlength=len(feed.symbols),
            )
            if counts.min() >= n and state in (None, feed.status().state):
                break
    await stream.aclose()
    return records


def bars_of(records, row):
    batches = [r for r in records if isinstance(r, Closed)]
    times = np.concatenate([r.times[r.rows == row] for r in batches])
    return times, np.concatenate([r.values[r.rows == row] for r in batches])


async def test_streamed_bars_are_the_markets_and_go_on_from_history(make):
    feed = make()
    start = await feed.open()
    assert (feed.source, feed.base, feed.symbols) == ("simulated", "1m", SYMBOLS)
    records = await read(feed, 12, "live")
    market = SimulatedMarket(SYMBOLS, 7)
    for row, symbol in enumerate(SYMBOLS):
        times, values = bars_of(records, row)
        assert times[0] == start
        assert (np.diff(times) == MINUTE_MS).all()
        np.testing.assert_array_equal(values, market.bars(np.array([row]), "1m", times)[0])
        before = await feed.history(symbol, "1m", 50, start)
        whole = await feed.history(symbol, "1m", 50 + times.size, int(times[-1]) + MINUTE_MS)
        require_valid(whole)
        np.testing.assert_array_equal(whole.time, np.concatenate([before.time, times]))
        np.testing.assert_array_equal(whole.values, np.concatenate([before.values, values]))
    assert feed.status().state == "live"


async def test_batches_ascend_and_nothing_comes_before_its_close(make):
    feed = make()
    await feed.open()
    stream, times = feed.stream(), []
    async with asyncio.timeout(20):
        async for record in stream:
            assert record.time <= feed.clock.now()
            if isinstance(record, Closed):
                assert (record.times + MINUTE_MS == record.time).all()
                assert record.settled is not None
                assert (record.settled[record.rows] >= record.time).all()
                if not record.late.any():
                    times.append(record.time)
            if len(times) == 15:
                break
    await stream.aclose()
    assert all(a < b for a, b in pairwise(times))


async def test_a_reader_that_comes_back_misses_nothing(make):
    feed = make()
    start = await feed.open()
    await feed.clock.wait_until(start + 12 * MINUTE_MS)  # many bars are there at once
    records = [*await read(feed, 1), *await read(feed, 14)]
    for row in range(len(SYMBOLS)):
        times, _ = bars_of(records, row)
        assert times[0] == start
        assert (np.diff(times) == MINUTE_MS).all()


async def test_a_stream_that_is_cancelled_as_news_come_ends_all_the_same():
    feed = ExchangeFeed("binance", SYMBOLS)
    feed.assembler = SimpleNamespace(next_at=lambda now: now + MINUTE_MS)
    resting = asyncio.ensure_future(feed._rest(None, feed.clock.real()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    feed._wake.set()
    resting.cancel()
    await asyncio.wait([resting])
    assert resting.cancelled()


async def test_open_bars_are_forming_only(make):
    feed = make()
    await feed.open()
    forming = [r for r in await read(feed, 30) if isinstance(r, Forming)]
    assert forming
    for record in forming:
        assert (record.times + MINUTE_MS > record.time - MINUTE_MS).all()
        assert (record.values[:, 2] <= record.values[:, 3]).all()


async def test_the_largest_symbols_are_watched_when_only_a_number_is_given(make, exchange):
    feed = make(2)
    await feed.open()
    tickers = await feed.venue.tickers()
    largest = sorted(tickers.values(), key=lambda t: -t.quote_volume)[:2]
    assert feed.symbols == tuple(t.symbol for t in largest)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"symbols": ["BTC/USTD"]}, "Did you mean 'BTC/USDT'"),
        ({"symbols": 3, "quote": "USTD"}, "Did you mean 'USDT'"),
    ],
)
async def test_what_is_not_there_is_refused_with_a_near_name(make, values, words):
    with pytest.raises(ValueError, match=words):
        await make(**values).open()


def test_nonsense_is_refused_before_anything_is_asked():
    with pytest.raises(ValueError, match="symbols must be >= 1, was 0"):
        ExchangeFeed("binance", 0)
    with pytest.raises(ValueError, match="Did you mean 'binance'"):
        ExchangeFeed("binnance")
    with pytest.raises(ValueError, match="timeframe"):
        ExchangeFeed("binance", base="3m")


async def test_an_exchange_that_is_not_there_is_an_error_and_leaves_nothing_open(tmp_path):
    feed = ExchangeFeed("binance", url="http://127.0.0.1:9", folder=tmp_path, tuning=QUICK)
    with pytest.raises(VenueError):
        await feed.open()
    assert feed.status().state == "down"
    await feed.close()
    assert feed.faults() is None
    assert feed.notes() == []


async def test_an_exchange_that_comes_late_is_opened_at_the_next_attempt(make, exchange):
    order = exchange.faults.add(Refuse())
    feed = make()
    assert (feed.source, feed.status().state) == ("simulated", "connecting")
    with pytest.raises(VenueError) as caught:
        await feed.open()
    assert caught.value.passing
    assert feed.status().state == "down"
    exchange.faults.remove(order)
    async with asyncio.timeout(20):
        while not feed.symbols:
            try:
                await feed.open()
            except VenueError:  # the gate gives it a rest
                await asyncio.sleep(0.1)
    # Bars come by REST until the stream has begun.
    assert len(bars_of(await read(feed, 3, "live"), 0)[0]) >= 3


async def test_status_can_be_asked_at_any_moment_of_the_opening(make):
    feed = make()
    opening = asyncio.ensure_future(feed.open())
    seen = set()
    while not opening.done():
        seen.add(feed.status().state)
        assert feed.faults() is None
        assert feed.notes() == []
        await asyncio.sleep(0)
    await opening
    assert seen == {"connecting"}


async def test_symbols_of_the_last_time_stay_in_their_places(make):
    feed = make(2, before=(SYMBOLS[2], SYMBOLS[0], "GONE/USDT"))
    await feed.open()
    assert feed.symbols == (SYMBOLS[2], SYMBOLS[0])


async def test_symbols_that_are_held_are_watched_besides(make):
    feed = make((SYMBOLS[1],), held=(SYMBOLS[2], SYMBOLS[1], "GONE/USDT"))
    await feed.open()
    assert feed.symbols == (SYMBOLS[1], SYMBOLS[2])


async def test_what_another_start_would_watch(make):
    feed = make((SYMBOLS[0],))
    await feed.open()
    found = await feed.largest(2)
    assert len(found) == 2
    assert SYMBOLS[0] in found
    assert all(turnover > 0 for turnover in found.values())
    assert feed.chosen(["btcusdt"]) == ("BTC/USDT",)
    with pytest.raises(ValueError, match="quote must be"):
        await feed.largest(2, "XXX")
    with pytest.raises(ValueError, match="symbol of binance"):
        feed.chosen(["NOPE/USDT"])


async def test_a_second_feed_goes_on_without_a_hole(make):
    one = make()
    await one.open()
    last = bars_of(await read(one, 5), 0)[0][-1]
    await one.close()
    other = make()
    start = await other.open()
    missed = await other.history("BTC/USDT", "1m", (start - last) // MINUTE_MS, start)
    times = np.concatenate([[last], missed.time, bars_of(await read(other, 3), 0)[0]])
    assert (np.diff(times) == MINUTE_MS).all() or times[0] == times[1]


async def test_close_ends_a_waiting_stream_and_may_be_repeated(make):
    feed = make()
    await feed.open()
    before = asyncio.all_tasks()
    seen = []

    async def follow():
        async for record in feed.stream():
            seen.append(record)
            if len(seen) == 3:
                await feed.close()

    async with asyncio.timeout(10):
        await follow()
        await feed.close()
        left = asyncio.all_tasks() - before
        if left:
            await asyncio.wait(left)


async def test_prints_books_and_funding_are_heard(make):
    feed = make()
    start = await feed.open()
    await read(feed, 12)
    known = await feed.observations((Trades, OrderBook, Funding), 0, feed.clock.now() + 1)
    kinds = {type(record) for record in known}
    assert {Trades, OrderBook, Funding} <= kinds
    for record in known:
        assert record.source == "simulated"
        if isinstance(record, Trades):
            assert record.time.min() >= start - MINUTE_MS


async def test_a_quiet_run_has_nothing_to_complain_about(make):
    feed = make()
    await feed.open()
    await read(feed, 12)
    faults = feed.faults()
    for name in ("mismatch", "revised", "suspicious", "ended"):
        assert not getattr(faults, name).any(), name
    assert not {n.kind for n in feed.notes()} & {"corrected", "refused", "empty", "spike"}


async def test_the_agent_runs_on_it_and_every_signal_says_simulated(make):
    hub = Hub(asyncio.get_running_loop())
    feed = make()
    agent = Agent(feed, hub=hub, timeframes=("1m", "5m"), scan_interval_ms=1_000)
    async with asyncio.timeout(60):
        await agent.start()
        begun = agent.time
        while agent.time < begun + 12 * MINUTE_MS:
            assert agent.running, agent.last_error
            await asyncio.sleep(0.05)
    evaluation = agent.evaluation()
    await agent.stop()
    agent.close()
    hub.close()
    assert evaluation.snapshot.symbols == SYMBOLS
    assert evaluation.snapshot.source == "simulated"
    assert np.isfinite(evaluation.consensus.net).all()


def test_history_is_asked_anew_from_the_oldest_bar_that_can_be_corrected_on():
    feed = ExchangeFeed("binance", SYMBOLS)
    start = 1_748_865_600_000
    feed.symbols = SYMBOLS
    feed.assembler = assembler = Assembler(SYMBOLS, "1m", start, 2_000, 5_000)
    told = []
    feed.archive = SimpleNamespace(revise=lambda symbol, since: told.append((symbol, since)))
    bar = (100.0, 101.0, 99.0, 100.0, 5.0)
    assembler.history(0, np.array([start - MINUTE_MS]), np.array([bar]))
    for time in range(start, start + 110 * MINUTE_MS, MINUTE_MS):
        assembler.frame(Frame(0, time, bar, True, time + MINUTE_MS))
    now = start + 111 * MINUTE_MS
    assert len(assembler.take(now)) == 110
    other = (100.0, 105.0, 99.0, 104.0, 9.0)
    assembler.frame(Frame(0, start, other, True, now))  # a venue corrects a bar of long ago
    want = next(w for w in assembler.wanted(now) if w.row == 0)
    assembler.answer(Answer(want, Rows(np.array([start]), np.array([other]), now)))
    rows = assembler.corrected()
    assert rows.tolist() == [0]
    feed._revise(rows)
    assert [symbol for symbol, _ in told] == ["BTC/USDT"]
    assert told[0][1] <= start


async def test_a_feed_that_was_closed_streams_when_it_is_opened_again(make):
    feed = make()
    await feed.open()
    await feed.close()
    start = await feed.open()
    assert bars_of(await read(feed, 3), 0)[0][0] == start


async def test_without_a_stream_every_bar_is_asked_for(make, monkeypatch):
    feed = make()
    monkeypatch.setattr(type(feed.venue), "has", without("watchOHLCV", type(feed.venue).has))
    start = await feed.open()
    records = await read(feed, 8, "polling")
    await the_markets(records, start)
    assert {n.kind for n in feed.notes()} <= {"rest", "late"}


async def test_a_stream_that_does_not_say_what_is_closed_only_forms_bars(make, monkeypatch):
    for module in (venue_module, subjects, lines_module):
        monkeypatch.setattr(module, "TAPS", {})
    feed = make()
    start = await feed.open()
    assert not feed.venue.tells_closed
    records = await read(feed, 8, "live")
    await the_markets(records, start)
    notes = feed.notes()
    assert {n.kind for n in notes} <= {"rest", "late"}
    assert sum(n.kind == "rest" for n in notes) >= 8 * len(SYMBOLS)


def without(what, has):
    return lambda venue, asked: asked != what and has(venue, asked)


async def the_markets(records, start):
    market = SimulatedMarket(SYMBOLS, 7)
    for row in range(len(SYMBOLS)):
        times, values = bars_of(records, row)
        assert times[0] == start
        assert (np.diff(times) == MINUTE_MS).all()
        np.testing.assert_array_equal(values, market.bars(np.array([row]), "1m", times)[0])
