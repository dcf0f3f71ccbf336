"""Talk to a local exchange as its clients do: bare HTTP, bare WebSocket, and unmodified ccxt."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import orjson
import websockets

from app.exchange.server import LocalExchange

PATIENCE_S = 8.0


async def get(exchange: LocalExchange, path: str, **query: object) -> tuple[int, Any, bytes]:
    """Return status, headers and body of a GET."""
    params = {name: str(value) for name, value in query.items()}
    async with (
        aiohttp.ClientSession() as session,
        session.get(exchange.url + path, params=params) as answer,
    ):
        return answer.status, answer.headers, await answer.read()


async def rows(exchange: LocalExchange, symbol: str = "BTCUSDT", **query: object) -> Any:
    """Return the klines of a symbol."""
    status, _, body = await get(
        exchange, "/api/v3/klines", **{"symbol": symbol, "interval": "1m", **query}
    )
    assert status == 200, body
    return orjson.loads(body)


def numbers(row: list[Any]) -> tuple[float, ...]:
    """Return open, high, low, close, volume of a REST row."""
    return tuple(float(x) for x in row[1:6])


def kline(event: dict[str, Any]) -> tuple[float, ...]:
    """Return open, high, low, close, volume of a kline event."""
    return tuple(float(event["k"][name]) for name in "ohlcv")


class Line:
    """One WebSocket."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket

    async def subscribe(self, *names: str, method: str = "SUBSCRIBE", number: int = 1) -> Any:
        """Send an order and return its acknowledgement."""
        await self.socket.send(orjson.dumps({"method": method, "params": names, "id": number}))
        return await self.next(lambda m: isinstance(m, dict) and m.get("id") == number)

    async def raw(self) -> str:
        """Return the next message."""
        async with asyncio.timeout(PATIENCE_S):
            return str(await self.socket.recv())

    async def ending(self) -> None:
        """Read until the connection ends, which raises."""
        while True:
            await self.raw()

    async def next(self, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """Return the next message that fits, read as JSON."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message = orjson.loads(await self.socket.recv())
                if wanted(message):
                    return message

    async def closing(self, symbol: str = "BTCUSDT") -> dict[str, Any]:
        """Return the next frame that closes a bar of a symbol."""
        found: dict[str, Any] = await self.next(
            lambda m: "k" in m and m["s"] == symbol and m["k"]["x"]
        )
        return found


@contextlib.asynccontextmanager
async def line(exchange: LocalExchange, *names: str, path: str = "/ws") -> AsyncIterator[Line]:
    """Open a WebSocket and subscribe."""
    connecting = websockets.connect(  # unbounded: a full queue would hold up the closing, too
        exchange.socket_url + path, ping_interval=None, max_queue=None, max_size=None
    )
    async with connecting as socket:
        opened = Line(socket)
        if names:
            assert await opened.subscribe(*names) == {"result": None, "id": 1}
        yield opened


async def until(true: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110 - the exchange has no event for what a test looks for
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def binance(exchange: LocalExchange, kind: str = "spot", **own: Any) -> AsyncIterator[Any]:
    """Open ccxt's own client, its addresses pointed at the exchange."""
    import ccxt.pro

    rest, ws = exchange.url, exchange.socket_url
    client = ccxt.pro.binance({
        "enableRateLimit": False, "timeout": 3_000,
        "urls": {"api": {
            "public": f"{rest}/api/v3", "private": f"{rest}/api/v3", "v1": f"{rest}/api/v1",
            "sapi": f"{rest}/sapi/v1", "fapiPublic": f"{rest}/fapi/v1",
            "dapiPublic": f"{rest}/dapi/v1", "eapiPublic": f"{rest}/eapi/v1",
            "ws": {"spot": f"{ws}/stream/ws", "margin": f"{ws}/stream/ws",
                   "linear": f"{ws}/ws", "inverse": f"{ws}/ws"},
        }},
        "options": {
            "defaultType": "spot" if kind == "spot" else "swap", "fetchMarkets": {"types": [kind]},
            "fetchCurrencies": False, "fetchMargins": False, "ws": {"keepAlive": 500},
        },
        **own,
    })  # fmt: skip
    try:
        yield client
    finally:
        await client.close()
