import aiohttp
import pytest

from opportunity.feeds.exchange.venue.bans import Bans
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.gate import Gate, Timing
from opportunity.feeds.exchange.venue.transport import BODY_BYTES, body_limit, open_session
from tests.feeds.exchange.scripted import Reply, Scripted, wall_ms


@pytest.fixture
async def server():
    async with Scripted({"/x": {"a": 1}}) as server:
        yield server


@pytest.fixture
async def gate():
    return Gate("binance", Bans(None), Timing(wall_ms))


@pytest.fixture
async def session(server, gate):
    async with open_session(gate, f"127.0.0.1:{server.port}") as session:
        yield session


async def test_answers_come_through(server, session):
    async with session.get(f"{server.url}/x") as response:
        assert await response.json() == {"a": 1}
        assert await response.text() == '{"a": 1}'


@pytest.mark.parametrize("told", [True, False], ids=["length told", "chunked"])
async def test_a_body_beyond_the_limit_is_not_kept(server, session, told):
    server.answers["/x"] = Reply(b"x" * (BODY_BYTES + 1))
    with pytest.raises(aiohttp.ClientPayloadError, match="body must be <="):
        async with session.get(f"{server.url}/x") as response:
            await response.text()
    token = body_limit.set(BODY_BYTES * 2)
    async with session.get(f"{server.url}/x") as response:
        assert len(await response.read()) == BODY_BYTES + 1
    body_limit.reset(token)


async def test_another_host_is_never_asked(server, session):
    for url in ("http://127.0.0.2:1/x", f"http://127.0.0.1:{server.port + 1}/x"):
        with pytest.raises(VenueError, match="must go to"):
            await session.get(url)
        with pytest.raises(VenueError, match="must go to"):
            await session.ws_connect(url)
    server.answers["/x"] = Reply("", 302, {"Location": "http://127.0.0.2:1/x"})
    with pytest.raises(VenueError, match="must go to"):
        await session.get(f"{server.url}/x")


@pytest.mark.parametrize(
    ("status", "headers", "why"),
    [(429, {}, "limited"), (418, {}, "banned"), (503, {"Retry-After": "9"}, "limited"),
     (403, {"Retry-After": "9"}, "limited"), (503, {}, ""), (200, {"Retry-After": "9"}, "")],
)  # fmt: skip
async def test_the_gate_hears_of_every_answer_that_asks_for_a_pause(
    server, session, gate, status, headers, why
):
    server.answers["/x"] = Reply("{}", status, headers)
    async with session.get(f"{server.url}/x"):
        assert gate.why == why
    if why:
        with pytest.raises(VenueError):
            await session.get(f"{server.url}/x")
        with pytest.raises(VenueError):
            await session.ws_connect(f"{server.url}/stream/x")
        assert len(server.calls) == 1
        assert not server.dials
