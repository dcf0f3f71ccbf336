"""Several processes as they really run, through all that may happen to them: no event is lost.

Each test starts a Redis, an agent's process and two edges, has clients on all of them, and
changes something again and again; each change is an event, which every client must get once and
in order.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from fleet import Fleet, Listener, fleet, listeners, nginx
from redis_server import RedisServer, free_port

from opportunity.scoring.presets import PRESETS

pytestmark = pytest.mark.alone

N_CLIENTS = 6
OUT_S = 5.0
"""Seconds for which Redis is away: longer than all waits for it. What 30 s cost more is time."""


class Writer:
    """Changes the weights again and again; what was answered with 200 is an event."""

    def __init__(self, http: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> None:
        self._http, self._url, self._headers = http, url, headers
        self.written = self.refused = self.n = 0

    async def write(self) -> int:
        """Change once; return the status, 0 where there was none."""
        self.n += 1
        body = dict(PRESETS["balanced"]) | {"smc": 0.05 + 0.001 * (self.n % 100)}
        try:
            async with self._http.put(
                f"{self._url}/api/config/weights?normalize=true", json=body, headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=15),
            ) as answer:
                status = answer.status
                self.said = await answer.text()
        except (aiohttp.ClientError, OSError, TimeoutError):
            status = 0
        self.written += status == 200
        self.refused += status != 200
        return status

    async def write_for(self, seconds: float, pause_s: float = 0.1) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            await self.write()
            await asyncio.sleep(pause_s)


@asynccontextmanager
async def watched(made: Fleet, n: int = N_CLIENTS) -> AsyncIterator[tuple[Writer, list[Listener]]]:
    """A writer and clients of a running fleet."""
    await asyncio.to_thread(made.wait)
    async with (
        aiohttp.ClientSession() as http,
        listeners(made.url, made.headers, n) as clients,
    ):
        yield Writer(http, made.url, made.headers), clients


async def settle(writer: Writer, clients: list[Listener], timeout_s: float = 20) -> None:
    """Check that every client has every event, once and in order."""
    for one in clients:
        wanted = one.start["config"] + writer.written
        await one.until(lambda one=one, wanted=wanted: one.newest("config") >= wanted, timeout_s)
        one.check()


async def test_redis_stopped_hung_and_emptied_costs_no_event(redis_server: RedisServer) -> None:
    with fleet(redis_server.url) as made:
        async with watched(made) as (writer, clients):
            await writer.write_for(1)
            redis_server.stop()
            await writer.write_for(OUT_S)
            redis_server.start()
            await writer.write_for(2)
            redis_server.hold()
            await writer.write_for(OUT_S)
            redis_server.release()
            await writer.write_for(2)
            for _ in range(5):
                redis_server.empty()
                await writer.write_for(0.3)
            await settle(writer, clients)
            assert writer.refused == 0 < writer.written  # REST never noticed
            assert [one.connections for one in clients] == [1] * N_CLIENTS  # nor did they
            assert all(one.signals for one in clients)
        await _the_supervisor_dies(made)


async def _the_supervisor_dies(made: Fleet) -> None:
    """Nobody is left behind who would hold the port or decide."""
    children = [pid for pids in made.children().values() for pid in pids]
    assert len(children) == 3
    made.end(signal.SIGKILL)
    async with asyncio.timeout(15):
        while any(_lives(pid) for pid in children):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
async def test_edges_and_the_agent_are_killed_behind_nginx(redis_server: RedisServer) -> None:
    port = free_port()
    with nginx(port) as front, fleet(
        redis_server.url, port=port, OPPORTUNITY_TRUSTED_PROXIES="127.0.0.1",
        OPPORTUNITY_ORIGINS=f"http://127.0.0.1:{front}",
    ) as made:
        await asyncio.to_thread(made.wait)
        url = f"http://127.0.0.1:{front}"
        async with (
            aiohttp.ClientSession() as http,
            listeners(url, made.headers, N_CLIENTS) as clients,
        ):
            writer = Writer(http, url, made.headers)
            await writer.write_for(1)
            await settle(writer, clients)
            edge = await _an_edge_dies(made, writer, clients)
            assert edge not in made.children()["edge"]
            await _the_agent_dies(made, writer, clients)
            await _it_stops(made, http, url, clients)


async def _an_edge_dies(made: Fleet, writer: Writer, clients: list[Listener]) -> int:
    """Its clients come back to another edge, or to the one that takes its place."""
    edge = made.children()["edge"][0]
    os.kill(edge, signal.SIGKILL)
    await writer.write_for(3)
    await settle(writer, clients)
    assert sum(one.connections for one in clients) > N_CLIENTS
    async with asyncio.timeout(20):
        while len(made.children()["edge"]) < 2:  # noqa: ASYNC110 - processes tell nobody
            await asyncio.sleep(0.1)
    return edge


async def _the_agent_dies(made: Fleet, writer: Writer, clients: list[Listener]) -> None:
    """Clients stay; REST says 503 until another agent is there; the stream goes on."""
    connections = [one.connections for one in clients]
    (agent,) = made.children()["agent"]
    signals = [one.signals for one in clients]
    os.kill(agent, signal.SIGKILL)
    assert await writer.write() == 503
    assert "agent_away" in writer.said
    async with asyncio.timeout(60):
        while await writer.write() != 200:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.2)
    await writer.write_for(1)
    await settle(writer, clients)
    assert [one.connections for one in clients] == connections
    for one, before in zip(clients, signals, strict=True):  # numbers of states rise, too
        await one.until(lambda one=one, before=before: one.signals > before, 20)


async def _it_stops(
    made: Fleet, http: aiohttp.ClientSession, url: str, clients: list[Listener]
) -> None:
    """What is under way is answered, clients are told to come back, all within 10 s."""
    async with asyncio.timeout(30):
        while await _status(http, f"{url}/health/ready") != 200:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)
    slow = asyncio.ensure_future(_ask_slowly(http, url, made.headers))
    await asyncio.sleep(0.2)  # it is under way; that no event tells
    assert await asyncio.to_thread(made.end) == 0
    assert await slow == 200
    assert [one.codes[-1] for one in clients] == [1012] * N_CLIENTS
    assert "Traceback" not in made.said()
    assert "process killed" not in made.said()


async def _status(http: aiohttp.ClientSession, url: str) -> int:
    async with http.get(url) as answer:
        return answer.status


async def _ask_slowly(http: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> int:
    body = {"symbols": ["BTCUSDT", "ETHUSDT"], "timeframes": ["5m", "15m", "1h", "4h", "1d"]}
    async with http.post(f"{url}/api/scanner/run", json=body, headers=headers) as answer:
        await answer.read()
        return answer.status


@pytest.mark.slow
async def test_edges_of_a_further_host_serve_the_same_stream(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    port, secret = free_port(), "the same everywhere"
    with fleet(
        redis_server.url, OPPORTUNITY_EDGE_SECRET=secret,
        OPPORTUNITY_ORIGINS=f"http://127.0.0.1:{port}",
    ) as made:
        further = Fleet(
            tmp_path, redis_server.url, 1, {"OPPORTUNITY_EDGE_SECRET": secret}, port, made.token,
            made.url,
        )  # fmt: skip
        await asyncio.to_thread(made.wait)
        further.start()
        try:
            async with (
                aiohttp.ClientSession() as http,
                listeners(further.url, made.headers, 2) as far,
                listeners(made.url, made.headers, 2) as near,
            ):
                writer = Writer(http, further.url, made.headers)
                await writer.write_for(1)
                assert writer.refused == 0 < writer.written, writer.said
                await settle(writer, far + near)
                redis_server.stop()
                await writer.write_for(2)
                await settle(writer, far + near)
                assert [one.connections for one in far + near] == [1] * 4
                url = f"{further.url}/api/agent/status"
                async with http.get(url, headers={"X-Opportunity-Edge": "guess"}) as answer:
                    assert answer.status == 401
            assert await asyncio.to_thread(further.end) == 0
        finally:
            further.close()
        assert secret not in made.said() + further.said()
