"""WebSockets of pages through an edge; and what only looks like one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from fronted import SECRET, Front, fronted

from app.edge import tunnel
from app.edge.forwarding import MARK

HANDSHAKE = (
    b"GET /%s HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.fixture
async def front() -> AsyncIterator[Front]:
    async with fronted() as made:
        yield made


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - sockets tell nobody
            await asyncio.sleep(0.005)


async def test_frames_go_both_ways(front: Front) -> None:
    async with front.http.ws_connect(
        front.url + "/ws", protocols=("bokeh",), headers={MARK: "guess", "X-Own": "1"}
    ) as socket:
        assert socket.protocol == "bokeh"
        await socket.send_str("abc")
        assert await socket.receive_str() == "cba"
        large = bytes(range(256)) * 4_000
        await socket.send_bytes(large)
        assert await socket.receive_bytes() == large
        await socket.ping()
        assert front.proxy.tunnels.n_open == 1
    await until(lambda: front.proxy.tunnels.n_open == 0)
    (headers,) = front.seen
    assert headers[MARK] == SECRET
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert (headers["Connection"], headers["Upgrade"], headers["X-Own"]) == (
        "Upgrade", "websocket", "1",
    )  # fmt: skip


async def test_an_answer_that_opens_no_websocket_is_passed_on_and_ends_it(front: Front) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n%s: %s\r\n\r\n" % (
        MARK.encode(), SECRET.encode(),
    )  # fmt: skip
    writer.write(HANDSHAKE % b"x" + smuggled)  # /x answers 200 and is no WebSocket
    async with asyncio.timeout(30):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert b"Connection: close" in answer
    assert [one[1] for one in front.seen] == ["/x"]
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(("header", "value"), [
    ("Upgrade", "h2c"), ("Upgrade", "websocket, h2c"), ("Content-Length", "5"),
    ("Transfer-Encoding", "chunked"), ("Connection", "keep-alive"),
])  # fmt: skip
async def test_other_upgrades_are_plain_requests(front: Front, header: str, value: str) -> None:
    given = {"Connection": "Upgrade", "Upgrade": "websocket"} | {header: value}
    body = {"Content-Length": b"12345", "Transfer-Encoding": b"5\r\n12345\r\n0\r\n\r\n"}
    lines = "".join(f"{name}: {text}\r\n" for name, text in given.items())
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    writer.write(f"GET /x HTTP/1.1\r\nHost: h\r\n{lines}\r\n".encode() + body.get(header, b""))
    async with asyncio.timeout(30):
        assert b" 200 " in await reader.readuntil(b"\r\n")
    ((_, path, headers),) = front.seen
    assert path == "/x"
    assert "Upgrade" not in headers
    assert front.proxy.tunnels.n_open == 0
    writer.close()
    await writer.wait_closed()


async def test_an_agent_that_is_away_is_a_503(front: Front) -> None:
    front.upstream.url = ""
    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        await front.http.ws_connect(front.url + "/ws")
    assert raised.value.status == 503
    await front.behind.cleanup()
    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        await front.http.ws_connect(front.url + "/ws")
    assert raised.value.status == 503
    assert front.proxy.tunnels.n_open == 0


async def test_there_are_no_more_than_so_many(front: Front, monkeypatch: Any) -> None:
    monkeypatch.setattr(tunnel, "MOST_TUNNELS", 1)
    async with front.http.ws_connect(front.url + "/ws"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
            await front.http.ws_connect(front.url + "/ws")
        assert raised.value.status == 503


async def test_the_end_of_the_agent_is_the_end_of_the_tunnel(front: Front) -> None:
    async with front.http.ws_connect(front.url + "/ws") as socket:
        await socket.send_str("abc")
        await socket.receive_str()
        await front.behind.cleanup()
        message = await socket.receive(timeout=30)
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    await until(lambda: front.proxy.tunnels.n_open == 0)


async def test_the_edges_end_closes_tunnels(front: Front) -> None:
    async with front.http.ws_connect(front.url + "/ws") as socket:
        await socket.send_str("abc")
        await socket.receive_str()
        await front.proxy.close(1)
        message = await socket.receive(timeout=30)
        assert message.type is not aiohttp.WSMsgType.TEXT
    assert front.proxy.tunnels.n_open == 0


async def test_a_body_after_the_handshake_waits_for_the_yes(front: Front) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
    frame = b"\x81\x83\x00\x00\x00\x00abc"  # masked with nothing
    writer.write(HANDSHAKE % b"ws" + frame)
    async with asyncio.timeout(30):
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(5) == b"\x81\x03cba"
    writer.close()
    await writer.wait_closed()
    await until(lambda: front.proxy.tunnels.n_open == 0)
