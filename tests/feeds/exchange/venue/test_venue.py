import asyncio
import time

import numpy as np
import pytest

from opportunity.feeds.exchange.venue import venue as venue_module
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.gate import Patience
from opportunity.feeds.exchange.venue.venue import Venue
from tests.feeds.exchange.scripted import (
    MINUTE,
    Call,
    Reply,
    Scripted,
    Series,
    binance,
    klines,
    wall_ms,
)

QUICK = Patience(first_s=0.001, longest_s=0.004, wait_s=0.3, failures=5, open_s=0.2)
KLINES = "/api/v3/klines"


@pytest.fixture
async def server():
    async with Scripted() as server:
        yield server


@pytest.fixture
async def made(server):
    """Makes venues at the server; they are closed at the end."""
    venues = []

    def make(folder=None, **more):
        more = {"rate": False, "timeout_s": 0.5, "patience": QUICK, "wall_ms": wall_ms} | more
        venues.append(Venue("binance", url=server.url, folder=folder, **more))
        return venues[-1]

    yield make
    for venue in venues:
        await venue.close()


@pytest.fixture
async def venue(made):
    venue = made()
    await venue.open()
    return venue


async def test_open_loads_markets_and_reads_the_clock(server, venue):
    assert set(venue.markets) == {"BTC/USDT", "ETH/USDT"}
    market = venue.markets["BTC/USDT"]
    assert (market.id, market.active, market.price_step) == ("BTCUSDT", True, 0.01)
    assert market.amount_step == 0.0001
    assert (venue.stamp, venue.speed) == ("simulated", 1.0)
    assert abs(venue.clock.now() - wall_ms()) < 200
    assert abs(venue.skew_ms) < 200
    assert venue.timeframes[0] == "1m"
    assert venue.timeframes[-1] == "1w"
    assert venue.page == 1000
    assert venue.tells_closed
    assert {c.path for c in server.calls} == {"/api/v3/exchangeInfo", "/api/v3/time"}


async def test_bars_come_as_told(venue):
    since = wall_ms() // MINUTE * MINUTE - 4 * MINUTE
    before = venue.clock.now()
    rows = await venue.bars("BTC/USDT", "1m", since, 3)
    np.testing.assert_array_equal(rows.times, since + MINUTE * np.arange(3))
    np.testing.assert_array_equal(rows.values, [[100, 101, 99, 100.5, 5]] * 3)
    assert before - 1 <= rows.asked_at <= venue.clock.now()


async def test_a_venue_that_takes_no_since_gives_the_bar_all_the_same(server, venue):
    def newest(call):
        rows = klines(Call(call.at, call.path, {"limit": "999"}))
        return rows[-int(call.query["limit"]) :]

    server.answers[KLINES] = newest
    since = wall_ms() // MINUTE * MINUTE - 3 * MINUTE
    rows = await venue.bars("BTC/USDT", "1m", since, 1)
    assert since in rows.times
    old = since - 2_000 * MINUTE  # out of reach of a page: no more is asked for than needed
    await venue.bars("BTC/USDT", "1m", old, 7)
    assert server.calls[-1].query["limit"] == "7"


async def test_a_local_exchange_says_what_it_is(server, made):
    server.answers = binance(told={"source": "replay:year", "speed": 60.0})
    start = wall_ms()
    server.answers["/api/v3/time"] = lambda _: {
        "serverTime": start + (wall_ms() - start) * 60 + 5_000
    }
    venue = made()
    await venue.open()
    assert (venue.stamp, venue.stamp_name, venue.speed) == ("replay:year", "replay-year", 60.0)
    assert venue.clock.speed == 60.0
    expected = start + (wall_ms() - start) * 60 + 5_000
    assert abs(venue.clock.now() - expected) < 60 * 100
    before = venue.clock.now()
    await venue.resync()
    assert venue.clock.now() >= before


BROKEN = {
    "html": Reply("<html>maintenance</html>", kind="text/html"),
    "html as json": Reply("<html>maintenance</html>"),
    "cut json": Reply('[[1700000000000,"1"'),
    "cut json of bytes": Reply('[[1700000000000,"1"', kind="application/octet-stream"),
    "nothing": Reply(""),
    "empty record": Reply("{}"),
    "a text": Reply('"no"'),
    "short body": Reply("[[1", length=5000),
    "10 MiB": Reply(b"[" + b" " * (10 << 20) + b"]"),
    "500": Reply({"code": -1000, "msg": "?"}, 500),
    "502": Reply("<html>bad gateway</html>", 502, kind="text/html"),
    "503": Reply("", 503),
    "599": Reply("{}", 599),
    "dropped": Reply(drop=True),
    "late": Reply([], wait_s=5.0),
}
GARBLED = {
    "html", "html as json", "cut json", "cut json of bytes", "nothing", "empty record", "a text",
    "short body", "10 MiB",
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
async def test_a_broken_answer_is_asked_for_again_and_never_passes_for_data(server, venue, fault):
    since = wall_ms() // MINUTE * MINUTE - 4 * MINUTE
    good = server.answers[KLINES]
    server.answers[KLINES] = Series([BROKEN[fault], good])
    rows = await venue.bars("BTC/USDT", "1m", since, 2)
    assert rows.times.size == 2
    server.answers[KLINES] = BROKEN[fault]
    with pytest.raises(VenueError) as caught:
        await venue.bars("BTC/USDT", "1m", since, 2)
    assert caught.value.kind == ("garbled" if fault in GARBLED else "unreachable")
    assert "://" not in str(caught.value)
    again = 3 if fault == "dropped" else 0  # aiohttp itself asks again on a line that was kept open
    assert 5 <= server.count(KLINES) <= 5 + again


BARRED = {"code": 0, "msg": "Service unavailable from a restricted location, see https://x.y/z."}
CLOUD = "<html>The distribution is configured to block access from your country.</html>"


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (Reply(BARRED, 451), "unsupported", "does not serve the place where this machine is"),
        (Reply(CLOUD, 403, kind="text/html"), "unsupported", "(HTTP status 403)"),
        (Reply("<html>busy</html>", 403, kind="text/html"), "unreachable", "403"),
    ],
)
async def test_a_place_that_is_not_served_is_told_at_once(server, made, reply, kind, words):
    server.answers["/api/v3/exchangeInfo"] = reply
    venue = made()
    with pytest.raises(VenueError) as caught:
        await venue.open()
    assert caught.value.kind == kind
    assert words in str(caught.value)
    assert server.count("/api/v3/exchangeInfo") == (1 if kind == "unsupported" else 3)
    assert venue.gate.calls.failed == server.count("/api/v3/exchangeInfo")


async def test_what_a_venue_does_not_have_is_no_failure(server, venue):
    with pytest.raises(VenueError) as caught:
        await venue.book("BTC/USDT", 5)
    assert caught.value.kind == "unsupported"
    assert venue.gate.calls.failed == 0


async def test_other_depths_than_the_venue_knows_are_cut_from_the_whole_book(server, venue):
    book = {"lastUpdateId": 1, "bids": [["2", "1"], ["1", "1"]], "asks": [["3", "1"], ["4", "1"]]}

    def depth(call):
        return Reply({"code": -1100, "msg": "?"}, 400) if "limit" in call.query else book

    server.answers["/api/v3/depth"] = depth
    for _ in range(2):
        assert (await venue.book("BTC/USDT", 1)).bids == ((2.0, 1.0),)
    assert server.count("/api/v3/depth") == 3


async def test_tickers_and_prints_are_read(server, venue):
    server.answers["/api/v3/ticker/24hr"] = [
        {"symbol": s, "lastPrice": "10", "quoteVolume": "70", "closeTime": 5, "volume": "7"}
        for s in ("BTCUSDT", "ETHUSDT", "NEWUSDT")
    ]
    server.answers["/api/v3/aggTrades"] = [
        {"a": 2, "p": "3", "q": "4", "f": 1, "l": 1, "T": 1_700_000_000_002, "m": True},
        {"a": 1, "p": "1", "q": "2", "f": 1, "l": 1, "T": 1_700_000_000_001, "m": False},
    ]
    assert set(await venue.tickers()) == {"BTC/USDT", "ETH/USDT"}
    found = await venue.tickers(["ETH/USDT"])
    assert (found["ETH/USDT"].last, found["ETH/USDT"].quote_volume) == (10.0, 70.0)
    trades = await venue.prints("BTC/USDT", 1_700_000_000_000, 10)
    assert (trades.price.tolist(), trades.side.tolist()) == ([1.0, 3.0], [1, -1])


async def test_named_tickers_are_asked_for_a_few_at_a_time(server, venue, monkeypatch):
    monkeypatch.setattr(venue_module, "AT_ONCE", 1)

    def tickers(call):
        return [
            {"symbol": s, "lastPrice": "10", "quoteVolume": "70", "closeTime": 5, "volume": "7"}
            for s in ("BTCUSDT", "ETHUSDT") if s in str(call.query)
        ]  # fmt: skip

    server.answers["/api/v3/ticker/24hr"] = tickers
    assert set(await venue.tickers(["BTC/USDT", "ETH/USDT"])) == {"BTC/USDT", "ETH/USDT"}
    assert server.count("/api/v3/ticker/24hr") == 2
    assert await venue.tickers([]) == {}


async def test_the_clock_never_goes_back_and_believes_a_leap_only_twice(server, venue):
    ahead = [0, 7_200_000, 0, 0, 0, 0, -3_600_000, 0, 0, 0]
    server.answers["/api/v3/time"] = lambda _: {"serverTime": wall_ms() + ahead.pop()}
    last = venue.clock.now()
    await venue.resync()
    await venue.resync()
    assert last <= venue.clock.now() < wall_ms() + 2_000
    server.answers["/api/v3/time"] = lambda _: {"serverTime": wall_ms() + 60_000}
    calls = server.count("/api/v3/time")
    await venue.resync()
    assert server.count("/api/v3/time") == calls + 10
    assert abs(venue.clock.now() - wall_ms() - 60_000) < 2_000
    last = venue.clock.now()
    server.answers["/api/v3/time"] = lambda _: {"serverTime": wall_ms()}
    await venue.resync()
    assert venue.clock.now() >= last
    assert venue.clock.speed < 1.0
    assert abs(venue.skew_ms) < 1_000


async def test_a_venue_that_is_not_there_is_unreachable(server, made):
    venue = made()
    server._server.stop()
    with pytest.raises(VenueError) as caught:
        await venue.open()
    assert caught.value.kind == "unreachable"
    with pytest.raises(VenueError, match="must be open"):
        await venue.refresh()


async def test_rows_of_nonsense_come_as_nan(server, venue):
    server.answers[KLINES] = [
        [1_700_000_000_000, "100", None, "x", "NaN", "5"], None, [], ["soon", 1, 2, 3, 4, 5],
        [1_700_000_060_000, "100", "101", "99", "100", "1e400"], {"a": 1},
    ]  # fmt: skip
    rows = await venue.bars("BTC/USDT", "1m", 1_700_000_000_000, 10)
    assert rows.times.size == rows.values.shape[0]
    assert not np.isfinite(rows.values).all(axis=1).any() or rows.times.size < 6
    assert not np.isfinite(rows.values[rows.times == 1_700_000_000_000]).all()


@pytest.mark.parametrize("markets", [{}, {"symbols": []}, Reply("<html>"), {"symbols": None}])
async def test_markets_are_loaded_again_after_a_bad_answer(server, venue, markets):
    path = "/api/v3/exchangeInfo"
    good = server.answers[path]
    server.answers[path] = Series([markets, good])
    await venue.refresh()
    assert len(venue.markets) == 2
    server.answers[path] = markets
    with pytest.raises(VenueError) as caught:
        await venue.refresh()
    assert caught.value.kind == "garbled"
    assert len(venue.markets) == 2
    assert (await venue.bars("BTC/USDT", "1m", wall_ms() - 3 * MINUTE, 2)).times.size == 2


async def test_a_symbol_that_halts_is_not_active_after_a_refresh(server, venue):
    server.answers["/api/v3/exchangeInfo"]["symbols"][0]["status"] = "BREAK"
    del server.answers["/api/v3/exchangeInfo"]["symbols"][1]
    await venue.refresh()
    assert {s: m.active for s, m in venue.markets.items()} == {"BTC/USDT": False}


async def test_an_unknown_symbol_is_refused_and_does_not_count_as_failure(server, venue):
    with pytest.raises(VenueError, match=r"was 'BTC/USD'. Did you mean 'BTC/USDT'") as caught:
        await venue.bars("BTC/USD", "1m", 0, 1)
    assert (caught.value.kind, caught.value.retryable) == ("refused", False)
    assert server.count(KLINES) == 0
    server.answers[KLINES] = Reply({"code": -1121, "msg": "Invalid symbol."}, 400)
    for _ in range(7):
        with pytest.raises(VenueError) as caught:
            await venue.bars("BTC/USDT", "1m", 0, 1)
        assert caught.value.kind == "refused"
    assert server.count(KLINES) == 7
    assert venue.gate.why == ""


async def test_the_breaker_opens_probes_once_and_closes(server, venue):
    good = server.answers[KLINES]
    server.answers[KLINES] = Reply("", 503)
    since = wall_ms() - 3 * MINUTE

    async def outcome():
        try:
            return (await venue.bars("BTC/USDT", "1m", since, 2)).times.size
        except VenueError as error:
            return error.kind

    assert [await outcome(), await outcome()] == ["unreachable"] * 2
    assert venue.gate.why == "failing"
    assert venue.gate.paused_until > wall_ms()
    calls = server.count(KLINES)
    server.answers[KLINES] = lambda call: Reply(good(call), wait_s=0.05)
    async with asyncio.TaskGroup() as group:  # all wait, one goes first
        tasks = [group.create_task(outcome()) for _ in range(6)]
        await server.until(lambda: server.count(KLINES) > calls)
        await asyncio.sleep(0.02)
        assert server.count(KLINES) == calls + 1
    assert [t.result() for t in tasks] == [2] * 6
    assert venue.gate.why == ""


@pytest.mark.parametrize("status", [429, 418])
@pytest.mark.parametrize("dated", [False, True])
async def test_no_call_goes_out_inside_a_ban_also_after_a_restart(
    server, made, tmp_path, status, dated
):
    asked_s = 0.6
    venue = made(tmp_path)
    await venue.open()
    banned_until = 0.0

    def ban(call):
        nonlocal banned_until
        banned_until = time.monotonic() + asked_s
        text = f"{asked_s}"
        if dated:  # whole seconds: between 1 and 2 from now
            at = time.time_ns() // 1_000_000_000 + 2
            text = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(at))
        server.answers[KLINES] = good
        return Reply({"code": -1003, "msg": "wait"}, status, {"Retry-After": text})

    good, server.answers[KLINES] = server.answers[KLINES], ban
    with pytest.raises(VenueError) as caught:
        await venue.bars("BTC/USDT", "1m", wall_ms() - 3 * MINUTE, 2)
    assert caught.value.kind == ("banned" if status == 418 else "limited")
    assert caught.value.retry_at > wall_ms() + 300
    calls, dials = len(server.calls), len(server.dials)
    assert venue.gate.why == caught.value.kind
    for ask in (venue.refresh, venue.resync, venue.may_connect):
        with pytest.raises(VenueError):
            await ask()
    await venue.close()
    again = made(tmp_path)
    with pytest.raises(VenueError) as caught:
        await again.open()
    assert caught.value.kind == ("banned" if status == 418 else "limited")
    assert len(server.calls) == calls
    assert len(server.dials) == dials
    patient = made(tmp_path, patience=Patience(wait_s=10.0))
    await patient.open()
    assert min(c.at for c in server.calls[calls:]) >= banned_until
    assert (await patient.bars("BTC/USDT", "1m", wall_ms() - 3 * MINUTE, 2)).times.size == 2


async def test_a_storm_of_429_never_has_a_call_inside_a_pause(server, made, tmp_path):
    rng = np.random.default_rng(11)
    until, inside, storm = 0.0, 0, 12
    good = server.answers[KLINES]

    def answer(call):
        nonlocal until, inside, storm
        now = time.monotonic()
        inside += now < until
        if storm > 0:
            storm -= 1
            wait = float(rng.integers(1, 61)) / 300  # 1 to 60 s, scaled
            until = max(until, now + wait)
            return Reply("", 429, {"Retry-After": f"{wait:.4f}"})
        return good(call)

    venue = made(tmp_path)
    await venue.open()
    server.answers[KLINES] = answer

    kinds = set()

    async def ask():
        while True:
            try:
                return await venue.bars("BTC/USDT", "1m", wall_ms() - 3 * MINUTE, 2)
            except VenueError as error:
                kinds.add(error.kind)

    async with asyncio.timeout(15), asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask()) for _ in range(4)]
    assert all(t.result().times.size == 2 for t in tasks)
    assert storm == 0
    assert kinds <= {"limited", "unreachable"}
    # calls that were on the wire already when the first 429 of the storm was written
    assert inside <= 3


async def test_a_clock_that_stood_still_is_astray_until_it_is_measured(server, made):
    slept = 0
    venue = made(wall_ms=lambda: wall_ms() + slept)
    await venue.open()
    assert not venue.astray
    slept = 3_600_000  # the monotonic clock stands still while a machine sleeps
    server.answers["/api/v3/time"] = lambda _: {"serverTime": wall_ms() + slept}
    assert venue.astray
    await venue.resync()
    assert not venue.astray
    assert abs(venue.clock.now() - wall_ms() - slept) < 1_000
