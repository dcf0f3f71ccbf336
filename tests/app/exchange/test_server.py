import asyncio
import resource
import socket

import numpy as np
import pytest
from local_exchange import binance, get, kline, line, numbers, rows, until

from app.exchange.market import SimulatedSource
from app.exchange.server import LocalExchange
from opportunity.feeds.simulation.market import SimulatedMarket


async def test_ccxt_reads_every_endpoint(
    exchange: LocalExchange, market: SimulatedMarket
) -> None:
    async with binance(exchange) as client:
        markets = await client.load_markets()
        assert list(markets) == ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
        assert markets["BTC/USDT"]["active"] is True
        assert markets["BTC/USDT"]["precision"]["price"] == 0.01
        stamp = {"source": "simulated", "speed": 1200.0}
        assert all(m["info"]["opportunity"] == stamp for m in markets.values())
        assert abs(await client.fetch_time() - exchange.now()) < 600_000
        bars = await client.fetch_ohlcv("ETH/USDT", "5m", limit=1_000)
        times = np.array([b[0] for b in bars[:-1]])
        drawn = market.bars(np.array([1]), "5m", times)[0]
        assert (np.array([b[1:] for b in bars[:-1]]) == drawn).all()
        assert len(bars) == 1_000
        tickers = await client.fetch_tickers(["BTC/USDT", "SOL/USDT"])
        assert set(tickers) == {"BTC/USDT", "SOL/USDT"}
        assert 0 < tickers["SOL/USDT"]["low"] <= tickers["SOL/USDT"]["last"]
        assert tickers["SOL/USDT"]["bid"] < tickers["SOL/USDT"]["ask"]
        book = await client.fetch_order_book("BTC/USDT", 5)
        assert len(book["bids"]) == len(book["asks"]) == 5
        assert book["bids"][0][0] < book["asks"][0][0]
        trades = await client.fetch_trades("BTC/USDT", limit=50)
        assert len(trades) == 50
        assert [t["timestamp"] for t in trades] == sorted(t["timestamp"] for t in trades)
        assert len({t["id"] for t in trades}) == 50


async def test_ccxt_reads_funding(exchange: LocalExchange) -> None:
    async with binance(exchange, "linear") as client:
        await client.load_markets()
        rates = await client.fetch_funding_rates()
        history = await client.fetch_funding_rate_history("ETH/USDT:USDT", limit=4)
    source = SimulatedSource(3, 7)
    known = source.funding(1, history[0]["timestamp"], exchange.now())
    assert len(history) == 4
    assert [(h["timestamp"], h["fundingRate"]) for h in history] == [
        (f.event_time, f.rate) for f in known[:4]
    ]
    assert rates["ETH/USDT:USDT"]["fundingRate"] == known[-1].rate


async def test_ccxt_watches_bars_prints_books_and_tickers(calm: LocalExchange) -> None:
    async with binance(calm) as client, asyncio.timeout(15):
        await client.load_markets()
        bars = await client.watch_ohlcv("BTC/USDT", "1m")
        assert bars[-1][0] % 60_000 == 0
        longer = await client.watch_ohlcv("BTC/USDT", "1h")
        assert longer[-1][0] % 3_600_000 == 0
        trades = await client.watch_trades("BTC/USDT")
        assert trades[-1]["price"] > 0
        agg = await client.watch_trades("ETH/USDT", params={"name": "aggTrade"})
        assert agg[-1]["amount"] > 0
        nonces = []
        for _ in range(5):
            book = await client.watch_order_book("BTC/USDT")
            nonces.append(book["nonce"])
            assert book["bids"][0][0] < book["asks"][0][0]
        assert nonces == sorted(nonces)
        assert set(await client.watch_tickers(["SOL/USDT"])) == {"SOL/USDT"}
        assert len(await client.watch_tickers()) == 3


async def test_ccxt_pages_history_without_a_double(exchange: LocalExchange) -> None:
    async with binance(exchange) as client:
        since = exchange.now() // 60_000 * 60_000 - 2_500 * 60_000
        found, at = [], since
        while len(page := await client.fetch_ohlcv("BTC/USDT", "1m", since=at, limit=1_000)) > 1:
            found += page
            at = page[-1][0] + 60_000
    times = [r[0] for r in found]
    assert len(times) >= 2_500
    assert times == list(range(since, times[-1] + 1, 60_000))


async def test_closing_frame_and_rest_and_market_are_one(
    exchange: LocalExchange, market: SimulatedMarket
) -> None:
    async with line(exchange, "btcusdt@kline_1m", "solusdt@kline_5m") as opened:
        minute, longer = await opened.closing(), await opened.closing("SOLUSDT")
    for event, symbol, row in ((minute, "BTCUSDT", 0), (longer, "SOLUSDT", 2)):
        name, at = event["k"]["i"], event["k"]["t"]
        row_of = market.bars(np.array([row]), name, np.array([at]))[0, 0]
        assert kline(event) == tuple(row_of)
        told = await rows(exchange, symbol, interval=name, startTime=at, limit=1)
        assert numbers(told[0]) == tuple(row_of)


async def test_two_exchanges_of_one_seed_are_one_market() -> None:
    one, two, other = (LocalExchange(["ETH/USDT"], seed=s) for s in (5, 5, 6))
    now = one.now()
    first, again, third = (
        e.core.view.klines(0, "1m", now, None, None, 50) for e in (one, two, other)
    )
    assert first == again != third


async def test_market_may_be_a_number_names_a_market_or_a_source() -> None:
    market = SimulatedMarket(("SOL/USDT",), 4)
    for wanted in (("SOL/USDT",), iter(["SOL/USDT"]), market, SimulatedSource(market)):
        assert LocalExchange(wanted).market.symbols == ("SOL/USDT",)
    assert LocalExchange(2).market.symbols == ("BTC/USDT", "ETH/USDT")


async def test_taken_port_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            await LocalExchange(1, port=taken.getsockname()[1]).start()


async def test_stop_ends_connections_and_may_be_called_twice() -> None:
    exchange = LocalExchange(1, speed=600.0)
    await exchange.start()
    async with line(exchange, "btcusdt@kline_1m") as opened:
        await exchange.stop()
        await exchange.stop()
        await until(lambda: opened.socket.state.name == "CLOSED")
    assert exchange.hub.sockets == set()


async def test_listens_on_loopback_only(exchange: LocalExchange) -> None:
    assert exchange.url.startswith("http://127.0.0.1:")
    status, headers, body = await get(exchange, "/api/v3/ping")
    assert (status, body) == (200, b"{}")
    assert "Server" not in headers


@pytest.mark.slow
async def test_two_hundred_symbols_at_sixty_times_cost_little() -> None:
    async with LocalExchange(200, speed=60.0) as exchange:
        names = [f"{name.lower()}@kline_1m" for name in exchange.core.ids]
        async with line(exchange, *names) as opened:
            await opened.closing()
            before, wall = resource.getrusage(resource.RUSAGE_SELF), exchange.clock.real()
            first = await opened.closing()
            seen = {first["s"]}
            while len(seen) < 200:
                seen.add((await opened.next(lambda m: "k" in m and m["k"]["x"]))["s"])
            await opened.closing()
            after, wall = resource.getrusage(resource.RUSAGE_SELF), exchange.clock.real() - wall
    # the client's reading is in it, too; alone the exchange takes about 0.03
    assert after.ru_utime - before.ru_utime < 0.5 * wall
