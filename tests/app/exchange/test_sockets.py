import orjson
import pytest
import websockets
from local_exchange import line, until

from app.exchange.server import LocalExchange
from app.exchange.sockets import framed
from opportunity.feeds.clock import Clock


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_framed_carries_its_length(size: int) -> None:
    payload = b"x" * size
    frame = framed(payload)
    assert frame[0] == 0x81
    assert frame.endswith(payload)
    assert len(frame) == size + (2 if size < 126 else 4 if size < 65_536 else 10)


async def test_order_is_acknowledged_with_its_number(exchange: LocalExchange) -> None:
    async with line(exchange) as opened:
        name = "btcusdt@kline_1m"
        assert await opened.subscribe(name, number=6) == {"result": None, "id": 6}
        listed = await opened.subscribe(method="LIST_SUBSCRIPTIONS", number=7)
        assert listed == {"result": [name], "id": 7}
        await opened.closing()
        done = await opened.subscribe(name, method="UNSUBSCRIBE", number=8)
        assert done == {"result": None, "id": 8}
        assert exchange.hub.subscribers == {}
        await opened.subscribe("ethusdt@kline_1m", number=9)
        assert (await opened.next(lambda m: "k" in m))["s"] == "ETHUSDT"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"{", 3),
        (b"[]", 3),
        (b'{"method":"SUBSCRIBE","params":5,"id":1}', 3),
        (b'{"method":"SUBSCRIBE","params":["btcusdt@nothing"],"id":1}', 2),
        (b'{"method":"SUBSCRIBE","params":["btcusdt@kline_3m"],"id":1}', 2),
        (b'{"method":"SUBSCRIBE","params":[5],"id":1}', 2),
        (b'{"method":"SELL","params":[],"id":1}', 2),
    ],
)
async def test_wrong_order_is_an_error_and_the_socket_lives(
    exchange: LocalExchange, sent: bytes, code: int
) -> None:
    async with line(exchange) as opened:
        await opened.socket.send(sent)
        assert (await opened.next())["error"]["code"] == code
        assert await opened.subscribe("btcusdt@kline_1m") == {"result": None, "id": 1}


async def test_unknown_symbol_is_acknowledged_and_silent(exchange: LocalExchange) -> None:
    async with line(exchange, "nonousdt@kline_1m", "btcusdt@kline_1m") as opened:
        assert {(await opened.next(lambda m: "k" in m))["s"] for _ in range(5)} == {"BTCUSDT"}


@pytest.mark.parametrize(
    "path",
    ["/ws/btcusdt@kline_1m", "/stream/ws/btcusdt@kline_1m/ethusdt@kline_1m",
     "/stream?streams=btcusdt@kline_1m/ethusdt@kline_1m"],
)  # fmt: skip
async def test_address_may_name_streams(exchange: LocalExchange, path: str) -> None:
    async with line(exchange, path=path) as opened:
        event = await opened.next()
        wrapped = path.startswith("/stream?")
        assert ("stream" in event) == wrapped
        if wrapped:
            assert event["stream"].split("@")[0].upper() == event["data"]["s"]
            event = event["data"]
        assert event["e"] == "kline"


async def test_many_readers_get_the_same_bytes(exchange: LocalExchange) -> None:
    name = "btcusdt@kline_1m"
    async with line(exchange, name) as one, line(exchange, name, path="/ws/3") as two:
        first = await one.closing()
        while (second := await two.closing())["k"]["t"] < first["k"]["t"]:
            pass
        while first["k"]["t"] < second["k"]["t"]:
            first = await one.closing()
        assert orjson.dumps(first) == orjson.dumps(second)


async def test_reader_that_does_not_read_is_cut_off(
    exchange: LocalExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.exchange.sockets.MOST_WAITING", -1)
    async with line(exchange) as opened:
        await opened.socket.send(b'{"method":"LIST_SUBSCRIPTIONS","id":1}')
        with pytest.raises(websockets.ConnectionClosedError):
            await opened.raw()
    await until(lambda: not exchange.hub.sockets)


async def test_closed_connection_is_forgotten(exchange: LocalExchange) -> None:
    async with line(exchange, "btcusdt@kline_1m", "btcusdt@trade"):
        assert len(exchange.hub.sockets) == 1
    await until(lambda: not exchange.hub.sockets)
    assert exchange.hub.subscribers == {}


def test_channel_depends_on_the_base() -> None:
    exchange = LocalExchange(1, clock=Clock(1_748_865_600_000, 1.0))
    assert exchange.hub.channel("btcusdt@kline_1w") is not None
    assert exchange.hub.channel("btcusdt@kline_1M") is None
    assert exchange.hub.channel("BTCUSDT@kline_1m") is None
    everything = exchange.hub.channel("!miniTicker@arr")
    assert everything is not None
    assert everything.row == -1
