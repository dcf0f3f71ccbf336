"""The site on one Tornado server, over the real services."""

import asyncio
import re
import socket

import aiohttp
import pytest
import websockets

from app.feed import make_feed
from app.pages import PAGES
from app.services import Services
from app.site import Site
from opportunity.config import Settings
from opportunity.feeds.clock import wall_ms
from opportunity.storage.database import open_database
from opportunity.storage.repositories import Memory

START = 1_767_614_400_000


@pytest.fixture
async def services(tmp_path):
    settings = Settings(
        home=tmp_path, symbols=("BTC/USDT", "ETH/USDT"), timeframes=("5m", "1h"), speed=0.1, port=0
    )
    memory = Memory(open_database(settings.database), wall_ms)
    feed = make_feed(settings, None, START)
    made = Services(settings, feed, memory, asyncio.get_running_loop())
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def site(services):
    made = Site(services.settings, services, "secret")
    yield made
    await made.close()


@pytest.fixture
async def http(site):
    async with aiohttp.ClientSession(f"http://127.0.0.1:{site.port}") as session:
        yield session


async def test_every_page_is_served_with_its_title(http) -> None:
    for page in PAGES:
        async with http.get(page.PATH) as answer:
            text = await answer.text()
            assert answer.status == 200
            assert f"<title>{page.TITLE}" in text or page.TITLE in text


async def test_a_socket_that_is_bound_already_is_served_and_no_other(services) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        port = listening.getsockname()[1]
        settings = services.settings.model_copy(update={"port": port})
        made = Site(settings, services, "secret", listening)
        assert made.port == port
        assert list(made._server._http._sockets.values()) == [listening]
        async with (
            aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
            http.get("/health/live") as answer,
        ):
            assert answer.status == 200
        await made.close()
    other = Site(services.settings, services, "secret")  # binds one of its own again
    assert other.port != port
    await other.close()


async def test_page_names_nothing_outside(http) -> None:
    async with http.get("/") as answer:
        text = await answer.text()
    outside = {u for u in re.findall(r"(?:src|href)=\"(https?://[^\"]+)", text)}
    assert all(u.startswith("http://127.0.0.1") for u in outside)


async def test_api_answers_beside_the_pages(http, services) -> None:
    async with http.get("/health") as answer:
        assert answer.status == 200
        assert (await answer.json())["version"] == services.version
    async with http.get("/api/agent/status") as answer:
        assert (await answer.json())["source"] == "simulated"


@pytest.mark.parametrize("path", ["/api/nothing", "/nothing", "/health/nothing"])
async def test_what_is_not_there_is_a_problem(http, path) -> None:
    async with http.get(path) as answer:
        assert answer.status == 404
        assert answer.content_type == "application/problem+json"


async def test_closing_tells_the_stream_and_takes_no_more_calls(services) -> None:
    site = Site(services.settings, services, "secret")
    port = site.port
    async with websockets.connect(f"ws://127.0.0.1:{port}/ws/realtime", proxy=None) as stream:
        await stream.recv()
        await site.close()
        async with asyncio.timeout(30):
            await stream.wait_closed()
        assert stream.close_code in (1001, 1012)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


ORIGINS = [
    ("http://127.0.0.1:{port}", 101),
    ("http://localhost:{port}", 403),
    ("http://[::1]:{port}", 403),
    ("http://127.0.0.1:1", 403),
    ("http://evil.example:{port}", 403),
]


@pytest.mark.parametrize(("origin", "status"), ORIGINS)
async def test_only_our_own_pages_may_open_a_session(site, http, origin, status) -> None:
    async with http.get("/") as answer:
        token = re.search(r'"token":\s*"([^"]+)"', await answer.text())[1]
    given = origin.format(port=site.port)
    try:
        async with websockets.connect(
            f"ws://127.0.0.1:{site.port}/ws", origin=given, subprotocols=["bokeh", token],
            proxy=None,
        ):
            got = 101
    except websockets.InvalidStatus as refused:
        got = refused.response.status_code
    assert got == status


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Tornado's socket
async def test_port_that_is_taken_is_an_error(site, services) -> None:
    taken = services.settings.model_copy(update={"port": site.port})
    with pytest.raises(OSError, match="in use"):
        Site(taken, services, "secret")
