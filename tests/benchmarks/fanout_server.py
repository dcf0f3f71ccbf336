"""A server that says the same to everybody, as fast as it can: ours, FastAPI, or `websockets`.

Each round sends a burst of messages to all clients, as when so many symbols close a bar at the
same time, and the next round begins when the loop has turned.

Ours is the product's own handler, gate, broadcast and outlet over a source that has nothing but
this message; the others are what their documentation shows, on uvloop and without compression.
The name of the kind, a port and the length of the burst are the arguments; a line on stdin starts
it, another one ends it.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

TEXT: Final = json.dumps({
    "type": "price", "epoch": "e1", "seq": 1, "symbol": "BTC/USDT", "id": "BTCUSDT",
    "price": 64123.5, "open": 64100.0, "high": 64200.0, "low": 64000.0, "close": 64123.5,
    "volume": 123.456, "change_24h": 0.0123, "volume_24h": 1234567890.0, "ts": 1767225600000,
    "source": "simulated", "more": "." * 40,
})  # fmt: skip


async def drive(send: Callable[[], Awaitable[None] | None]) -> None:
    """Send rounds from the first line of stdin to the second; print what they cost."""
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, sys.stdin.readline)
    over = loop.run_in_executor(None, sys.stdin.readline)
    n, cpu, began = 0, time.process_time(), time.perf_counter()
    while not over.done():
        waited = send()
        if waited is not None:
            await waited
        n += 1
        await asyncio.sleep(0)
    told = {
        "rounds": n, "cpu_s": time.process_time() - cpu, "seconds": time.perf_counter() - began,
    }
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


async def ours(port: int, burst: int) -> None:
    """Serve by our own stream."""
    from tornado.httpserver import HTTPServer
    from tornado.web import Application

    from app.api.broadcast import SETTING, Realtime
    from app.api.limits import Limits
    from app.api.messages import Message
    from app.api.realtime import RealtimeHandler
    from app.auth.gate import Gate
    from opportunity.config import Settings

    class One:
        """A source of one message."""

        epoch, subscribed, enabled = "e1", (), True
        symbols = tuple(f"S{i}/USDT" for i in range(burst))
        give: Callable[[Sequence[Message]], None]

        def newest(self, channel: str, key: str = "") -> None:
            return None

        def newest_of(self, channel: str) -> list[Message]:
            return []

        def seqs(self) -> dict[str, int]:
            return {"config": 0, "trade": 0, "alert": 0}

        async def missed(self, channel: str, after: int) -> list[Message]:
            return []

        def listen(self, callback: Any, wants: Any = None) -> Callable[[], None]:
            self.give = callback
            return lambda: None

        async def close(self) -> None:
            return None

    source: Any = One()
    limits = Limits(max_connections=10_000, accepts_per_s=1e6, accepts_burst=100_000)
    realtime = Realtime(source, limits)
    given = {"services": None, "gate": Gate(Settings(port=port))}
    server = HTTPServer(
        Application([("/ws/realtime", RealtimeHandler, given)], **{SETTING: realtime})
    )
    server.listen(port, "127.0.0.1", backlog=4_096)
    data, seq = TEXT.encode(), 1

    def send() -> None:
        nonlocal seq
        seq += 1
        source.give([Message("price", symbol, seq, "e1", data) for symbol in One.symbols])

    await drive(send)


async def fastapi(port: int, burst: int) -> None:
    """Serve by FastAPI on uvicorn."""
    import uvicorn
    from fastapi import FastAPI, WebSocket, WebSocketDisconnect

    app, clients = FastAPI(), set[WebSocket]()

    @app.websocket("/ws/realtime")
    async def realtime(socket: WebSocket) -> None:
        await socket.accept()
        clients.add(socket)
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                await socket.receive_text()
        clients.discard(socket)

    async def send() -> None:
        for socket in tuple(clients):
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                for _ in range(burst):
                    await socket.send_text(TEXT)

    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="error", ws_per_message_deflate=False,
        backlog=4_096, ws_ping_interval=None,
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server.serve())
    await drive(send)
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def websockets(port: int, burst: int) -> None:
    """Serve by the `websockets` library."""
    from websockets.asyncio.server import ServerConnection, broadcast, serve

    clients = set[ServerConnection]()

    async def handler(socket: ServerConnection) -> None:
        clients.add(socket)
        try:
            await socket.wait_closed()
        finally:
            clients.discard(socket)

    async with serve(
        handler, "127.0.0.1", port, compression=None, ping_interval=None, backlog=4_096
    ):  # fmt: skip
        def send() -> None:
            for _ in range(burst):
                broadcast(clients, TEXT)

        await drive(send)


def main() -> int:
    """Serve until the second line of stdin."""
    kind, port, burst = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if kind == "ours":
        asyncio.run(ours(port, burst))
    else:
        import uvloop

        uvloop.run({"FastAPI": fastapi, "websockets": websockets}[kind](port, burst))
    return 0


if __name__ == "__main__":
    sys.exit(main())
