import asyncio

import orjson
import pytest
import websockets
from local_exchange import binance, kline, line, numbers, rows, until

from app.exchange.call_faults import Delist, Maintenance
from app.exchange.server import LocalExchange
from app.exchange.socket_faults import (
    BadFrame,
    DayCut,
    DepthGap,
    Drop,
    Duplicate,
    ErrorAck,
    HalfOpen,
    HandshakeRefuse,
    Reorder,
    Stall,
    Swap,
)

BTC, ETH = "btcusdt@kline_1m", "ethusdt@kline_1m"


async def quiet(opened, seconds: float = 0.4) -> bool:
    """Tell whether nothing comes for a while that is many frames long."""
    try:
        async with asyncio.timeout(seconds):
            await opened.socket.recv()
    except TimeoutError:
        return True
    return False


async def drain(client) -> None:
    """Watch until that fails, as it does when the receiving loop is dead."""
    while True:
        await asyncio.wait_for(client.watch_ohlcv("BTC/USDT", "1m"), 0.5)


async def test_stalled_socket_is_silent_but_answers_pings(exchange: LocalExchange) -> None:
    async with line(exchange, BTC) as opened:
        await opened.closing()
        exchange.faults.add(Stall(for_s=1.0))
        await until(lambda: exchange.faults.injected["stall"] == 1)
        while not await quiet(opened):
            pass
        async with asyncio.timeout(1):
            await (await opened.socket.ping())
        async with line(exchange, BTC) as fresh:
            await fresh.closing()
        await opened.closing()  # it goes on when the fault is over


async def test_stall_of_one_symbol_leaves_the_others(exchange: LocalExchange) -> None:
    async with line(exchange, BTC, ETH) as opened:
        exchange.faults.add(Stall(symbols=("BTC/USDT",)))
        await until(lambda: exchange.faults.injected["stall"] == 1)
        await opened.subscribe(ETH, number=2)
        assert {(await opened.next(lambda m: "k" in m))["s"] for _ in range(6)} == {"ETHUSDT"}


async def test_half_open_socket_answers_nothing_and_stays_open(exchange: LocalExchange) -> None:
    async with line(exchange, BTC) as opened:
        await opened.closing()
        exchange.faults.add(HalfOpen())
        await until(lambda: exchange.faults.injected["half_open"] == 1)
        while not await quiet(opened):
            pass
        waiter = await opened.socket.ping()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(waiter, 0.3)
        assert opened.socket.state.name == "OPEN"
        next(iter(exchange.hub.sockets)).cut()  # or the test would wait for the closing handshake


async def test_dropped_socket_has_no_closing_frame(exchange: LocalExchange) -> None:
    async with line(exchange, BTC) as opened:
        exchange.faults.add(Drop())
        with pytest.raises(websockets.ConnectionClosedError) as caught:
            await opened.ending()
        assert caught.value.rcvd is None
        async with line(exchange, BTC) as again:
            await again.closing()
    assert exchange.faults.injected == {"drop": 1}


async def test_drop_comes_back_each_period(exchange: LocalExchange) -> None:
    exchange.faults.add(Drop(period_s=0.2, times=3))
    for _ in range(3):
        async with line(exchange) as opened:
            with pytest.raises(websockets.ConnectionClosedError):
                await opened.raw()
    async with line(exchange, BTC) as opened:
        await opened.closing()


async def test_day_cut_closes_each_socket_at_its_age(exchange: LocalExchange) -> None:
    exchange.faults.add(DayCut(age_s=0.3))
    for _ in range(2):
        began = exchange.clock.real()
        async with line(exchange, BTC) as opened:
            with pytest.raises(websockets.ConnectionClosedOK) as caught:
                await opened.ending()
        assert exchange.clock.real() - began >= 0.28
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1000
    assert exchange.faults.injected == {"day_cut": 2}


async def test_maintenance_closes_sockets_and_refuses_handshakes(exchange: LocalExchange) -> None:
    async with line(exchange, BTC) as opened:
        number = exchange.faults.add(Maintenance())
        with pytest.raises(websockets.ConnectionClosed):
            await opened.ending()
    with pytest.raises(websockets.InvalidStatus) as caught:
        async with line(exchange):
            pass
    assert caught.value.response.status_code == 503
    exchange.faults.remove(number)
    async with line(exchange, BTC) as again:
        await again.closing()


async def test_handshake_is_refused_with_a_time(exchange: LocalExchange) -> None:
    exchange.faults.add(HandshakeRefuse(status=429, retry_after_s=2, times=1))
    with pytest.raises(websockets.InvalidStatus) as caught:
        async with line(exchange):
            pass
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "2"
    async with line(exchange, BTC) as opened:
        await opened.closing()


async def test_error_ack_subscribes_to_nothing(exchange: LocalExchange) -> None:
    exchange.faults.add(ErrorAck(times=1))
    async with line(exchange) as opened:
        assert (await opened.subscribe(BTC))["error"]["code"] == 2
        assert exchange.hub.subscribers == {}
        assert await opened.subscribe(BTC, number=2) == {"result": None, "id": 2}


async def test_duplicate_frames_are_equal(exchange: LocalExchange) -> None:
    exchange.faults.add(Duplicate(copies=2, closing=True))
    async with line(exchange, BTC) as opened:
        frames = [await opened.closing() for _ in range(6)]
    assert frames[0] == frames[1] == frames[2] != frames[3]
    assert frames[3] == frames[4] == frames[5]


async def test_reordered_frames_all_come(exchange: LocalExchange) -> None:
    exchange.faults.add(Reorder(closing=True, probability=0.5, delay_s=0.25, seed=3))
    async with line(exchange, BTC) as opened:
        times = [(await opened.closing())["k"]["t"] for _ in range(20)]
    assert times != sorted(times)
    assert set(range(min(times), max(times) - 12 * 60_000, 60_000)) <= set(times)
    assert len(set(times)) == 20


@pytest.mark.parametrize(("what", "first"), [("list", "[]"), ("cut", None), ("no_k", None)])
async def test_bad_frame_comes_before_the_good_one(
    exchange: LocalExchange, what: str, first: str | None
) -> None:
    exchange.faults.add(BadFrame(what=what, closing=True, times=1))
    async with line(exchange, BTC) as opened:
        while True:
            bad = await opened.raw()
            if what == "no_k" and '"e":"kline"' in bad and "k" not in orjson.loads(bad):
                break
            if what == "list" and bad == first:
                break
            if what == "cut" and not bad.endswith("}"):
                with pytest.raises(orjson.JSONDecodeError):
                    orjson.loads(bad)
                break
        await opened.closing()
    assert exchange.faults.injected == {"bad_frame": 1}


async def test_bad_frame_kills_the_loop_of_ccxt(exchange: LocalExchange) -> None:
    async with binance(exchange) as client:
        client.options["ws"] = {"keepAlive": 300_000}
        await client.load_markets()
        await client.watch_ohlcv("BTC/USDT", "1m")
        exchange.faults.add(BadFrame(what="list", times=1))
        await until(lambda: exchange.faults.injected["bad_frame"] == 1)
        with pytest.raises((TimeoutError, AttributeError, TypeError)):
            await drain(client)


async def test_depth_gap_leaves_a_hole_in_the_sequence(calm: LocalExchange) -> None:
    async with line(calm, "btcusdt@depth@100ms") as opened:
        one, two = await opened.next(), await opened.next()
        assert two["U"] == one["u"] + 1
        calm.faults.add(DepthGap(times=1))
        while True:
            one, two = two, await opened.next()
            if two["U"] != one["u"] + 1:
                break
    assert calm.faults.injected == {"depth_gap": 1}


async def test_swapped_streams_carry_each_others_bars(exchange: LocalExchange) -> None:
    exchange.faults.add(Swap(symbols=("BTCUSDT", "ETHUSDT")))
    async with line(exchange, BTC) as opened:
        event = await opened.closing()
    at = event["k"]["t"]
    own = await rows(exchange, "BTCUSDT", startTime=at, limit=1)
    other = await rows(exchange, "ETHUSDT", startTime=at, limit=1)
    assert kline(event) == numbers(other[0]) != numbers(own[0])
    assert exchange.faults.injected["swap"] >= 1


async def test_delisted_symbol_falls_silent(exchange: LocalExchange) -> None:
    async with line(exchange, BTC, ETH) as opened:
        await opened.closing()
        exchange.faults.add(Delist(symbols=("BTC/USDT",)))
        await until(lambda: exchange.faults.injected["delist"] == 1)
        await opened.subscribe(ETH, number=2)
        assert {(await opened.next(lambda m: "k" in m))["s"] for _ in range(6)} == {"ETHUSDT"}
