"""The same law with the server's own services: weights, switch and limits are turned by REST."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
from raw_websocket import Raw, request_of
from served import build, settings_of
from tornado.httpserver import HTTPServer
from tornado.web import Application

from app.api import install, routes
from app.observing.observing import Observing
from opportunity.scoring.presets import PRESETS
from opportunity.storage.events import Event


@contextlib.asynccontextmanager
async def life(folder: Path) -> AsyncIterator[tuple[Any, int]]:
    """Services from a database to their end; the agent is not started."""
    services = build(settings_of(folder))
    application = Application(routes(services))
    realtime = install(application, services)
    http = HTTPServer(application)
    http.listen(0, "127.0.0.1")
    port = next(iter(http._sockets.values())).getsockname()[1]
    try:
        yield services, port
    finally:
        http.stop()
        await realtime.close()
        await Observing.of(application).close()
        await http.close_all_connections()
        await services.stop()


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[Raw]:
    line = Raw(*await asyncio.open_connection("127.0.0.1", port))
    await line.shake(request_of(port))
    assert (await line.message())["type"] == "status"
    yield line
    await line.end()


async def turn(port: int, path: str, body: Any = None) -> None:
    url = f"http://127.0.0.1:{port}{path}"
    async with aiohttp.ClientSession() as http, http.put(url, json=body) as answer:
        assert answer.status == 200, await answer.text()


async def test_changes_are_heard_once_and_in_order_over_three_lives(tmp_path: Path) -> None:
    heard: list[tuple[int, str]] = []
    epoch, runs = None, set()

    async def hear(line: Raw, n: int) -> None:
        for _ in range(n):
            message = await line.message()
            heard.append((message["seq"], message["what"]))

    async with life(tmp_path) as (services, port), connected(port) as line:
        said = await line.ask(action="resume", seq=0)
        epoch = said["epoch"]
        await turn(port, "/api/config/weights", PRESETS["aggressive"])
        await hear(line, 1)
        await turn(port, "/api/agent/toggle?enabled=false")
        await turn(port, "/api/agent/toggle?enabled=false")  # nothing has changed
        await turn(port, "/api/risk/limits", {"max_positions": 3})
        runs.add(services.epoch)
    async with life(tmp_path) as (services, port):  # nobody listens
        await turn(port, "/api/agent/toggle?enabled=true")
        assert services.events.heads()["config"] == 4
        runs.add(services.epoch)
    async with life(tmp_path) as (services, port), connected(port) as line:
        said = await line.ask(action="resume", epoch=epoch, last_seq=heard[-1][0])
        assert (said["replayed"], said["complete"], said["epoch"]) == (3, True, epoch)
        await hear(line, 3)
        services.weights.update(PRESETS["balanced"])  # by Python code
        await hear(line, 1)
        runs.add(services.epoch)
    assert heard == [(1, "weights"), (2, "agent"), (3, "limits"), (4, "agent"), (5, "weights")]
    assert len(runs) == 3


async def test_who_has_missed_much_is_not_slow_for_that(tmp_path: Path) -> None:
    """More than may wait for a slow client, by one who reads; new ones happen meanwhile."""
    body = {"symbol": "BTC/USDT", "book": "paper", "why": "x" * 1_500}
    async with life(tmp_path) as (services, _):
        for start in range(0, 1_000, 500):
            services.events.append(
                [Event(f"fill {n}", n, "fill", body) for n in range(start, start + 500)]
            )
    async with life(tmp_path) as (services, port), connected(port) as line:
        said = await line.ask(action="resume", seqs={"trade": 0})
        heard = [(await line.message())["seq"] for _ in range(10)]
        more = services.events.append([Event(f"late {n}", n, "fill", body) for n in range(20)])
        for one in more:
            services.hub.emit("event", one)
        heard += [(await line.message())["seq"] for _ in range(1_010)]
        assert (said["complete"], said["replayed"]) == (True, 1_000)
        assert heard == list(range(1, 1_021))
