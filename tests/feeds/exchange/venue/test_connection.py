import asyncio

import pytest

from opportunity.feeds.exchange.venue.bans import Bans
from opportunity.feeds.exchange.venue.connection import Connection
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.gate import Gate, Timing
from opportunity.feeds.exchange.venue.gated import Plan
from tests.feeds.exchange.scripted import Scripted, wall_ms


@pytest.fixture
async def server():
    async with Scripted() as server:
        yield server


def connect(server, rate=False):
    gate = Gate("binance", Bans(None), Timing(wall_ms))
    return Connection(Plan("binance", server.url, rate, 5.0, wall_ms), gate)


async def test_all_objects_share_session_bucket_and_gate(server):
    line = connect(server)
    with pytest.raises(VenueError, match="must be open"):
        _ = line.client
    await line.open()
    more = [line.more(), line.more("perpetual")]
    for client in more:
        assert client.session is line.client.session
        assert client.throttler is line.client.throttler
        assert client.gate is line.client.gate
        await client.close()
    assert await line.client.fetch_time() > 0
    await line.close()
    await line.close()
    assert not line.is_open


async def test_calls_of_all_objects_are_spaced_together(server):
    line = connect(server, rate=True)
    await line.open()
    other = line.more()
    async with asyncio.TaskGroup() as group:
        for client in (line.client, other):
            for _ in range(4):
                group.create_task(client.fetch_time())
    at = sorted(c.at for c in server.calls)
    apart = 0.2 * line.client.rateLimit / 1000  # what a question for the time costs
    assert at[-1] - at[0] > 5 * apart
    await other.close()
    await line.close()
