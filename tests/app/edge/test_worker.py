"""An edge before a real site: who may come in, what they see, and that it stays light."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from guarded import Guarded, guarded
from redis_server import RedisServer, free_port
from served import settings_of
from tornado.netutil import bind_sockets

from app.edge.forwarding import MARK
from app.edge.worker import Edge
from opportunity.scoring.presets import PRESETS

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECRET = "shared by all of them"
WEIGHTS = "/api/config/weights"


@dataclass
class Front:
    """A site, an edge before it, and a client."""

    behind: Guarded
    edge: Edge
    http: aiohttp.ClientSession
    url: str

    def stream(self, role: str, **more: Any) -> Any:
        return self.http.ws_connect("/ws/realtime", headers=self.behind.bearer(role), **more)


@asynccontextmanager
async def fronted(folder: Path, redis_url: str = "") -> AsyncIterator[Front]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    shared: dict[str, Any] = {"edge_secret": SECRET, "redis_url": redis_url}
    async with guarded(folder, origins=(url,), **shared) as behind:
        settings = settings_of(folder, workers=2, **shared)
        edge = Edge(settings, behind.url)
        edge.start(bind_sockets(port, "127.0.0.1", reuse_port=True))
        try:
            async with aiohttp.ClientSession(url) as http, asyncio.timeout(60):
                while not edge.source.ready:  # noqa: ASYNC110 - it asks by itself
                    await asyncio.sleep(0.01)
                yield Front(behind, edge, http, url)
        finally:
            await edge.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def front(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """One for the tests of this module that leave it as it was."""
    async with fronted(tmp_path_factory.mktemp("edge")) as made:
        yield made


async def closed(socket: Any, within_s: float) -> int | None:
    """Return the code with which a socket is closed."""
    async with asyncio.timeout(within_s):
        while (await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
    return socket.close_code  # type: ignore[no-any-return]  # of aiohttp


async def test_an_edge_is_light() -> None:
    program = (
        "import sys, app.edge.worker, app.edge.child, app.edge.supervisor\n"
        "heavy = {'panel', 'bokeh', 'numba', 'ccxt', 'sqlalchemy', 'pandas', 'numpy', 'scipy'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


async def test_strangers_get_the_words_of_the_agents_process(front: Front) -> None:
    for path in ("/api/agent/status", "/ws/realtime"):
        async with front.http.get(path) as answer:
            told = await answer.json(content_type=None)
            assert (answer.status, told["code"]) == (401, "login"), told
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert "Server" not in answer.headers
            assert answer.headers["X-Frame-Options"] == "DENY"
    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        await front.http.ws_connect("/ws/realtime", headers={"Authorization": "Bearer opp_x_y"})
    assert raised.value.status == 401


async def test_who_may_reads_writes_and_follows_the_stream(front: Front) -> None:
    async with front.stream("viewer") as socket:
        assert (await socket.receive_json())["type"] == "status"
        await socket.send_json({"action": "subscribe", "channels": ["config"], "symbols": []})
        confirmed = await socket.receive_json()
        assert confirmed["type"] == "subscription_confirmed"
        for role, status in (("viewer", 403), ("trader", 200)):
            async with front.http.put(
                WEIGHTS, json=PRESETS["aggressive"], headers=front.behind.bearer(role)
            ) as answer:
                assert answer.status == status, await answer.text()
        event = await socket.receive_json()
        assert (event["type"], event["what"], event["by"]) == (
            "config_changed", "weights", "key:traders",
        )  # fmt: skip
        assert event["seq"] == confirmed["seqs"]["config"] + 1
        assert event["epoch"] == confirmed["epoch"]
    async with front.stream("viewer") as late:  # what was missed is had here, too
        await late.receive_json()
        await late.send_json({"action": "subscribe", "channels": ["config"], "symbols": []})
        await late.receive_json()
        await late.send_json({"action": "resume", "epoch": event["epoch"],
                              "seqs": {"config": confirmed["seqs"]["config"]}})  # fmt: skip
        resumed = await late.receive_json()
        assert (resumed["type"], resumed["replayed"], resumed["complete"]) == ("resumed", 1, True)
        assert await late.receive_json() == event


async def test_a_ticket_is_good_once(front: Front) -> None:
    async with front.http.post("/api/auth/ticket", headers=front.behind.bearer("viewer")) as answer:
        ticket = (await answer.json())["ticket"]
    protocols = (f"opportunity.ticket.{ticket}",)
    async with front.http.ws_connect("/ws/realtime", protocols=protocols) as socket:
        assert (await socket.receive_json())["type"] == "status"
    with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
        await front.http.ws_connect("/ws/realtime", protocols=protocols)
    assert raised.value.status == 401


async def test_a_page_of_another_site_opens_no_stream(front: Front) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(front.url, cookie_jar=jar) as browser:
        at_edge = Guarded(front.behind.site, front.behind.services)
        data = {"username": "vera", "password": "a quiet harbour at dawn"}
        origin = {"Origin": front.url, "Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
        async with browser.post(
            "/login", data=data, headers=origin, allow_redirects=False
        ) as answer:
            assert answer.status == 303, await answer.text()
        assert at_edge.url != front.url
        async with browser.ws_connect("/ws/realtime", headers={"Origin": front.url}) as socket:
            assert (await socket.receive_json())["type"] == "status"
        for other in ("http://evil.example", front.behind.url, f"{front.url}.evil.example"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
                await browser.ws_connect("/ws/realtime", headers={"Origin": other})
            assert raised.value.status == 403
        async with browser.get("/", headers={"Accept": "text/html"}) as page:
            text = await page.text()
            assert (page.status, "<html" in text) == (200, True)


async def test_a_revoked_key_ends_its_connections_within_a_second(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    async with fronted(tmp_path, redis_server.url) as front:
        async with asyncio.timeout(10):
            while not front.edge.tap.bus_up:  # noqa: ASYNC110 - it listens by itself
                await asyncio.sleep(0.01)
        async with front.stream("viewer") as socket, front.stream("trader") as other:
            await socket.receive_json()
            people = front.behind.services.accounts.people
            known = people.keys()
            (key,) = [one for one in known if one.name == "viewers"]
            await people.revoke_key(key.id, by="test")
            assert await closed(socket, 1.0) == 4001
            with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
                await front.stream("viewer")  # nor is it believed from before
            assert raised.value.status == 401
            assert not other.closed


async def test_who_ended_while_nobody_could_tell_is_found_out(front: Front) -> None:
    async with front.stream("admin") as socket, front.stream("trader") as other:
        await socket.receive_json()
        people = front.behind.services.accounts.people
        known = people.keys()
        (key,) = [one for one in known if one.name == "admins"]
        listening = front.behind.services.accounts._book._listening
        kept, listening[:] = list(listening), []  # as if it had been down
        await people.revoke_key(key.id, by="test")
        listening[:] = kept
        front.edge._ended("")
        assert await closed(socket, 2.0) == 4001
        assert not other.closed


async def test_the_secret_of_the_processes_opens_what_nothing_else_does(front: Front) -> None:
    for path in ("/api/stream/changes", "/api/stream/caller"):
        for headers in (front.behind.bearer("trader"), front.behind.bearer("trader") | {MARK: "x"}):
            async with front.http.get(path, headers=headers) as answer:
                if path.endswith("caller"):  # through an edge it is a caller's own question
                    assert answer.status == 200
                else:
                    assert (answer.status, (await answer.json())["code"]) == (403, "edge_only")
    async with aiohttp.ClientSession(front.behind.url) as direct:
        async with direct.get("/api/stream/changes", headers={MARK: SECRET}) as answer:
            assert answer.status == 200
        for headers in ({MARK: "x"}, {MARK: SECRET, "X-Forwarded-For": "10.0.0.1"}, {}):
            async with direct.get("/api/stream/changes", headers=headers) as answer:
                assert answer.status == 401
        async with direct.get(WEIGHTS, headers={MARK: SECRET}) as answer:
            assert answer.status == 200
        async with direct.put(
            WEIGHTS, json=PRESETS["aggressive"], headers={MARK: SECRET}
        ) as answer:
            assert answer.status == 403  # an edge only reads


async def test_an_agent_that_is_away_lets_nobody_new_in_and_keeps_who_is(front: Front) -> None:
    async with front.stream("viewer") as socket:
        await socket.receive_json()
        front.edge.upstream.forget_all()
        kept, front.edge.upstream.url = front.edge.upstream.url, ""
        try:
            with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
                await front.stream("trader")
            assert raised.value.status == 503
            await socket.send_json({"action": "ping", "id": 1})
            assert (await socket.receive_json())["type"] == "pong"
        finally:
            front.edge.upstream.url = kept


async def test_events_out_of_reach_make_clients_come_back(front: Front) -> None:
    async with front.stream("viewer") as socket:
        await socket.receive_json()
        front.edge._send_away()
        assert await closed(socket, 2.0) == 1012


async def test_the_agents_process_knows_how_many_are_connected(front: Front) -> None:
    stats = front.behind.services.websocket_stats
    async with front.stream("viewer") as socket:
        await socket.receive_json()
        async with asyncio.timeout(10):
            while stats.get("elsewhere") != 1:  # noqa: ASYNC110 - it is told now and then
                await asyncio.sleep(0.02)


async def test_a_part_that_ends_ends_the_edge(front: Front) -> None:
    async def breaks() -> None:
        raise RuntimeError("as nobody expected")

    front.edge._run(breaks())
    async with asyncio.timeout(30):
        await front.edge.failed.wait()


async def test_close_sends_everybody_away(front: Front) -> None:  # the last of this module
    async with front.stream("viewer") as socket:
        await socket.receive_json()
        closing = asyncio.ensure_future(front.edge.close())
        assert (await socket.receive_json())["code"] == 1012
        assert await closed(socket, 2.0) == 1012
        await closing
