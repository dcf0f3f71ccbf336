"""Streams of a venue: what the hooks see, and what no frame and no ban may do."""

import asyncio
import time

import pytest

from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.gate import Patience
from opportunity.feeds.exchange.venue.transport import Trip, trip
from opportunity.feeds.exchange.venue.venue import Venue
from tests.feeds.exchange.scripted import MINUTE, Reply, Scripted, wall_ms

QUICK = Patience(first_s=0.001, longest_s=0.004, wait_s=0.3, open_s=0.2, attempts=1)
OPENED = 1_700_000_040_000


def kline(close="100.5", x=False, time=OPENED):
    bar = {
        "t": time, "T": time + MINUTE - 1, "s": "BTCUSDT", "i": "1m", "o": "100", "h": "101",
        "l": "99", "c": close, "v": "5", "x": x,
    }  # fmt: skip
    return {"e": "kline", "E": time, "s": "BTCUSDT", "k": bar}


@pytest.fixture
async def server():
    async with Scripted() as server:
        yield server


@pytest.fixture
async def venue(server):
    venue = Venue("binance", url=server.url, wall_ms=wall_ms, rate=False, patience=QUICK)
    await venue.open()
    yield venue
    await venue.close()


class Heard:
    def __init__(self):
        self.messages, self.events = [], []

    def hooks(self):
        return (
            lambda client, message: self.messages.append(message),
            lambda client: self.events.append("connected"),
            lambda client, reason: self.events.append("closed"),
        )


async def test_hooks_see_messages_and_ccxt_parses_them(server, venue):
    heard = Heard()
    stream = venue.stream(*heard.hooks())
    watch = asyncio.ensure_future(stream.watch_ohlcv("BTC/USDT", "1m"))
    await server.until(lambda: server.heard)
    assert server.heard[0]["params"] == ["btcusdt@kline_1m"]
    server.send(kline(x=True))
    rows = await asyncio.wait_for(watch, 30)
    assert list(rows[-1]) == [OPENED, 100.0, 101.0, 99.0, 100.5, 5.0]
    assert heard.messages[-1]["k"]["x"] is True
    await stream.close()
    assert heard.events[0] == "connected"
    assert {c.path for c in server.calls} == {"/api/v3/exchangeInfo", "/api/v3/time"}


async def test_a_hook_can_keep_a_message_from_ccxt(server, venue):
    seen = []
    stream = venue.stream(lambda client, message: seen.append(message) or "k" in message)
    watch = asyncio.ensure_future(stream.watch_ohlcv("BTC/USDT", "1m"))
    await server.until(lambda: server.heard)
    server.send(kline())
    await server.until(lambda: any("k" in m for m in seen))
    assert not watch.done()
    assert not stream.ohlcvs
    watch.cancel()
    await stream.close()


@pytest.mark.parametrize(
    "bad",
    ['{"e":"kline","s":"BT', [], {"e": "kline", "s": "BTCUSDT"}, "17", '"text"', "",
     {"e": "kline", "s": "BTCUSDT", "k": None}, {"stream": 1}],
)  # fmt: skip
async def test_a_bad_frame_does_not_end_the_line(server, venue, bad):
    stream = venue.stream()
    watch = asyncio.ensure_future(stream.watch_ohlcv("BTC/USDT", "1m"))
    await server.until(lambda: server.heard)
    server.send(bad)
    server.send(kline("100.75"))
    rows = await asyncio.wait_for(watch, 30)
    assert rows[-1][4] == 100.75
    assert len(server.dials) == 1
    await stream.close()


async def test_a_hook_that_fails_does_not_end_the_line(server, venue):
    seen = []

    def broken(client, message):
        seen.append(message)
        raise KeyError("k")

    stream = venue.stream(broken)
    watch = asyncio.ensure_future(stream.watch_ohlcv("BTC/USDT", "1m"))
    await server.until(lambda: server.heard)
    for n in range(3):
        server.send(kline(time=OPENED + n * MINUTE))
    await server.until(lambda: len(seen) >= 3)
    assert stream.bad_frames >= 2
    watch.cancel()
    await stream.close()


@pytest.mark.parametrize("status", [418, 429])
async def test_no_dial_goes_out_inside_a_ban(server, venue, status):
    server.answers["/api/v3/klines"] = Reply("", status, {"Retry-After": "0.6"})
    with pytest.raises(VenueError) as caught:
        await venue.bars("BTC/USDT", "1m", wall_ms() - MINUTE, 1)
    stream = venue.stream()
    with pytest.raises(Exception, match="next call in"):
        await asyncio.wait_for(stream.watch_ohlcv("BTC/USDT", "1m"), 30)
    with pytest.raises(VenueError):
        await venue.may_connect()
    assert not server.dials
    await asyncio.sleep((caught.value.retry_at - wall_ms()) / 1000 + 0.01)
    await venue.may_connect()
    watch = asyncio.ensure_future(stream.watch_ohlcv("BTC/USDT", "1m"))
    await server.until(lambda: server.heard)
    server.send(kline())
    assert await asyncio.wait_for(watch, 30)
    await stream.close()


async def test_a_ban_in_answer_to_a_dial_holds_back_everything(server, venue):
    server.dial_reply = Reply("", 429, {"Retry-After": "30"})
    heard = Heard()
    stream = venue.stream(*heard.hooks())
    with pytest.raises(Exception, match="429"):
        await asyncio.wait_for(stream.watch_ohlcv("BTC/USDT", "1m"), 30)
    assert heard.events == ["closed"]
    assert venue.gate.why == "limited"
    calls = len(server.calls)
    with pytest.raises(VenueError) as caught:
        await venue.bars("BTC/USDT", "1m", wall_ms() - MINUTE, 1)
    assert 29_000 < caught.value.retry_at - wall_ms() <= 30_000
    assert len(server.calls) == calls
    assert len(server.dials) == 1
    await stream.close()


async def test_snapshots_of_a_streamed_book_pass_the_gate(server, venue):
    depth = {"lastUpdateId": 100, "bids": [["99.9", "1"]], "asks": [["100.1", "1"]]}
    server.answers["/api/v3/depth"] = depth
    stream = venue.stream()
    before = venue.gate.calls.out
    book = await asyncio.wait_for(stream.watch_order_book("BTC/USDT"), 30)
    assert book["bids"][0][:2] == [99.9, 1.0]
    assert venue.gate.calls.out == before + server.count("/api/v3/depth") == before + 1
    await stream.close()


async def test_streams_share_the_bucket_and_the_session(venue):
    one, two = venue.stream(), venue.stream()
    assert one.throttler is two.throttler
    assert one.session is two.session
    assert one.markets is two.markets
    await one.close()
    await two.close()


async def test_requests_of_one_call_are_judged_each_by_its_own_answer(server, venue):
    server.answers["/slow"] = Reply([1], wait_s=0.1)
    server.answers["/gone"] = Reply({"code": -1121, "msg": "Invalid symbol."}, 400)
    seen = Trip()
    trip.set(seen)
    client = venue.stream()
    began = time.monotonic()
    fine, gone = await asyncio.gather(
        *(client.fetch(server.url + path) for path in ("/slow", "/gone")), return_exceptions=True
    )
    assert fine == [1]
    assert gone.kind == "refused"
    assert began <= seen.first_at <= seen.sent_at < seen.back_at
    assert seen.status == 200
    await client.close()


async def test_what_a_closed_stream_still_asks_says_nothing_about_the_venue(server, venue):
    stream = venue.stream()
    await stream.close()
    n_calls, n_out = len(server.calls), venue.gate.calls.out
    for reopened in (False, True) * 4:
        if reopened:
            stream.open()  # ccxt does so before it looks for its connection
        with pytest.raises(VenueError, match="closed") as caught:
            await stream.fetch_order_book("BTC/USDT", 5)
        assert caught.value.kind == "unreachable"
    assert (len(server.calls), venue.gate.calls.out) == (n_calls, n_out)
    assert venue.gate.why == ""
    await venue.resync()
