"""Behind a proxy, as the environment tells; nothing here leaves the machine."""

import asyncio

import pytest

from opportunity.feeds.exchange.venue.bans import Bans
from opportunity.feeds.exchange.venue.client import attach, build, load
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.gate import Gate, Timing
from opportunity.feeds.exchange.venue.gated import Plan
from opportunity.feeds.exchange.venue.proxies import proxy_for
from opportunity.feeds.exchange.venue.transport import open_session
from tests.feeds.exchange.scripted import wall_ms

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
PROXY = "http://user:secret@proxy.test:3128"


@pytest.fixture
def environment(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch.setenv


@pytest.mark.parametrize(
    ("told", "url", "proxy"),
    [
        ({}, "https://a.test/x", None),
        ({"HTTPS_PROXY": PROXY}, "https://a.test/x", PROXY),
        ({"HTTPS_PROXY": PROXY}, "wss://a.test/x", PROXY),
        ({"HTTPS_PROXY": PROXY}, "http://a.test/x", None),
        ({"ALL_PROXY": PROXY}, "ws://a.test/x", PROXY),
        ({"https_proxy": "proxy.test:3128"}, "https://a.test/x", "http://proxy.test:3128"),
        ({"HTTPS_PROXY": "socks5://proxy.test:1"}, "https://a.test/x", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "a.test"}, "https://a.test/x", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "a.test"}, "https://b.test/x", PROXY),
        ({"HTTPS_PROXY": PROXY}, "", None),
    ],
)
def test_the_environment_names_the_proxy(environment, told, url, proxy):
    for name, value in told.items():
        environment(name, value)
    assert proxy_for(url) == proxy


@pytest.fixture
async def gated():
    """Builds a client; its session is closed at the end."""
    gate = Gate("binance", Bans(None), Timing(wall_ms))
    sessions, clients = [], []

    def make(url=""):
        client = build(load("binance"), Plan("binance", url, False, 2.0, wall_ms), gate)
        sessions.append(open_session(gate, url.removeprefix("http://")))
        attach(client, sessions[-1], True)
        client.open()
        if not url:
            client.urls["api"]["public"] = "http://exchange.test/api/v3"
        clients.append(client)
        return client

    yield make
    for one in (*clients, *sessions):
        await one.close()


@pytest.mark.parametrize(("status", "kind"), [(200, None), (407, "unreachable")])
async def test_requests_go_through_it(environment, gated, status, kind):
    heads = []

    async def answer(reader, writer):
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        body = b'{"serverTime": 1700000000000}'
        head = f"HTTP/1.1 {status} As Asked\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        environment("HTTP_PROXY", f"http://user:secret@127.0.0.1:{port}")
        client = gated()
        if kind is None:
            assert await client.fetch_time() == 1_700_000_000_000
        else:
            with pytest.raises(VenueError) as caught:
                await client.fetch_time()
            assert caught.value.kind == kind
            assert "secret" not in str(caught.value)
    assert heads[0].startswith("GET http://exchange.test/api/v3/time ")
    assert "Proxy-Authorization: Basic" in heads[0]


async def test_streams_go_through_it_and_a_local_exchange_never_does(environment, gated):
    environment("HTTPS_PROXY", PROXY)
    environment("HTTP_PROXY", PROXY)
    assert gated().client("wss://exchange.test/ws").proxy == PROXY
    local = gated("http://127.0.0.1:9")
    assert local.client("ws://127.0.0.1:9/stream/ws").proxy is None
    assert local.check_proxy_settings("http://127.0.0.1:9/api/v3/time") == [None, None, None]
