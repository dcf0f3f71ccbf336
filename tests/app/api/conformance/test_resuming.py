"""The law of the stream: a client that comes back misses no event and hears none twice, in order.

Clients are cut at random moments, servers are ended and begun again on the same database, and
events are appended by several threads, some of which tell of it late or not at all.
"""

import asyncio
import contextlib
import random
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from raw_websocket import TEXT, Raw, request_of, text_frame
from tornado.httpserver import HTTPServer
from tornado.web import Application

from app.api import event_line, install, routes
from opportunity.contracts.realtime import EVENT_CHANNELS
from opportunity.feeds.clock import wall_ms
from opportunity.storage.database import open_database
from opportunity.storage.events import Event, EventRepository

KINDS = ("fill", "order", "breaker", "alert", "weights", "limits", "audit", "hand")


class Server:
    """A server that can be ended and begun again; its log is in a database."""

    def __init__(self, url: str, make: Callable[[], Any]) -> None:
        self._url, self._make = url, make
        self.port = 0
        self.up = False

    async def start(self) -> None:
        self.engine = open_database(self._url)
        self.services = self._make()
        self.services.events = EventRepository(self.engine, wall_ms)
        application = Application(routes(self.services))
        self.realtime = install(application, self.services)
        self.http = HTTPServer(application)
        self.http.listen(self.port, "127.0.0.1", reuse_port=True)
        self.port = next(iter(self.http._sockets.values())).getsockname()[1]
        self.up = True

    async def stop(self) -> None:
        self.up = False
        self.http.stop()
        await self.realtime.close()
        await self.services.backtests.close()
        self.services.hub.close()
        await self.http.close_all_connections()
        self.engine.dispose()


class Client:
    """One that resumes, as the documentation says one should."""

    def __init__(self, server: Server, rng: random.Random) -> None:
        self.server, self.rng = server, rng
        self.epoch: str | None = None
        self.seen = dict.fromkeys(EVENT_CHANNELS, 0)
        self.heard: list[tuple[str, int, int]] = []
        self.n_connections = self.incomplete = 0

    async def run(self, ended: Callable[[], bool]) -> None:
        while not ended():
            if not self.server.up:
                await asyncio.sleep(0.002)
                continue
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, EOFError):
                await self._once(ended)

    async def _once(self, ended: Callable[[], bool]) -> None:
        line = Raw(*await asyncio.open_connection("127.0.0.1", self.server.port))
        try:
            await line.shake(request_of(self.server.port))
            if line.status != 101:
                return
            self.n_connections += 1
            await line.send(text_frame(action="resume", epoch=self.epoch, seqs=self.seen))
            left = self.rng.choice((0, 1, 3, 10, 40, 10_000))
            while not ended() and left:
                frame = await line.frame()
                if frame is None or frame.opcode == 8:
                    return
                if frame.opcode == TEXT:
                    left -= self._hear(frame.message)
        finally:
            line.writer.transport.abort()
            await line.end()

    def _hear(self, message: dict[str, Any]) -> bool:
        if message["type"] == "resumed":
            self.epoch = message["epoch"]
            self.incomplete += not message["complete"]
        channel = {"config_changed": "config"}.get(message["type"], message["type"])
        if channel not in EVENT_CHANNELS:
            return False
        self.seen[channel] = message["seq"]
        self.heard.append((channel, message["seq"], message["id"]))
        return True


class Writer:
    """Threads that append events and tell the hub of them: at once, late, or not."""

    def __init__(self, url: str, server: Server, seed: int, n: int) -> None:
        self.server, self._seed, self._n = server, seed, n
        self.engine = open_database(url)
        self.log = EventRepository(self.engine, wall_ms)
        self.threads = [
            threading.Thread(target=self._write, args=(number,)) for number in range(3)
        ]
        self.pause = threading.Event()

    def _write(self, number: int) -> None:
        rng, late = random.Random(self._seed * 10 + number), []
        for n in range(self._n):
            size = rng.choice((1, 1, 2, 5))
            events = [
                Event(f"{number}:{n}:{i}", n, rng.choice(KINDS), {"book": "", "after": {}})
                for i in range(size)
            ]
            late += self.log.append(events)
            while late and rng.random() < 0.6:
                self._tell(late.pop(rng.randrange(len(late))))
            if rng.random() < 0.1:
                late.clear()  # nobody ever tells of these
            self.pause.wait(rng.random() * 0.01)

    def _tell(self, event: Any) -> None:
        with contextlib.suppress(OverflowError, AttributeError):
            if self.server.up:
                self.server.services.hub.emit("event", event)

    def close(self) -> None:
        self.engine.dispose()


@pytest.fixture
async def server(world: Any, tmp_path: Path) -> AsyncIterator[Server]:
    make = type(world.services)
    made = Server(
        f"sqlite:///{tmp_path / 'law.sqlite'}", lambda: make(asyncio.get_running_loop())
    )
    await made.start()
    yield made
    await made.stop()


async def play(server: Server, seed: int, n: int, n_restarts: int) -> list[Client]:
    rng = random.Random(seed)
    clients = [Client(server, random.Random(seed * 100 + i)) for i in range(4)]
    writer = Writer(server._url, server, seed, n)
    for one in clients:  # a number before the first event, so that all of them are to be heard
        one.epoch = await asyncio.to_thread(writer.log.epoch)
    try:
        for thread in writer.threads:
            thread.start()
        heads: dict[Any, int] = {}

        def ended() -> bool:
            return bool(heads) and all(one.seen == heads for one in clients)

        async with asyncio.timeout(40), asyncio.TaskGroup() as group:
            running = [group.create_task(one.run(ended)) for one in clients]
            for _ in range(n_restarts):
                await asyncio.sleep(rng.random() * 0.25)
                await server.stop()
                await asyncio.sleep(rng.random() * 0.05)
                await server.start()
            for thread in writer.threads:
                await asyncio.to_thread(thread.join)
            heads.update(await asyncio.to_thread(writer.log.heads))
            while not ended():  # noqa: ASYNC110 - each client hears for itself
                await asyncio.sleep(0.01)
            for task in running:
                task.cancel()
        return clients
    finally:
        for thread in writer.threads:
            await asyncio.to_thread(thread.join)
        writer.close()


def judge(server: Server, clients: list[Client]) -> None:
    log = server.services.events
    for channel, head in log.heads().items():
        stored = [(channel, e.stream_seq, e.id) for e in log.after(channel, 0)]
        assert [seq for _, seq, _ in stored] == list(range(1, head + 1))
        for one in clients:
            assert [told for told in one.heard if told[0] == channel] == stored
    assert all(one.incomplete == 0 for one in clients)


@pytest.mark.parametrize("seed", range(3))
async def test_no_event_is_missed_or_heard_twice_over_cuts_and_restarts(
    server: Server, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_line, "POLL_S", 0.05)
    clients = await play(server, seed, n=50, n_restarts=3)
    judge(server, clients)
    assert sum(one.n_connections for one in clients) > 20


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 110))
async def test_the_same_for_longer(
    server: Server, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_line, "POLL_S", 0.05)
    clients = await play(server, seed, n=150, n_restarts=8)
    judge(server, clients)
    assert sum(one.n_connections for one in clients) > 50
