"""The agent's side of the bus: it publishes where other processes are, and nowhere else."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from redis_server import RedisServer
from tornado.web import Application

from app.edge.outbound import OUTBOUND, Outbound
from app.edge.relay import SETTING, Relay
from opportunity.bus.redis import Names, connect
from opportunity.config import Settings


class Quiet:
    """A source that says nothing."""

    epoch, symbols, subscribed, enabled = "e1", ("BTC/USDT",), (), True

    def newest(self, channel: Any, key: str = "") -> None:
        return None

    def newest_of(self, channel: Any) -> list[Any]:
        return []

    def seqs(self) -> dict[Any, int]:
        return {"config": 0, "trade": 0, "alert": 0}

    def listen(self, callback: Any, wants: Any = None) -> Any:
        return lambda: None


def services(**settings: Any) -> Any:
    return SimpleNamespace(settings=Settings(**settings), bus=None)


@pytest.mark.parametrize("settings", [
    {}, {"redis_url": "redis://127.0.0.1:1/0"}, {"edge_secret": "secret"},
])  # fmt: skip
async def test_without_other_processes_nothing_is_published(settings: dict[str, str]) -> None:
    application, given = Application(), services(**settings)
    made = Outbound(application, given)
    assert made.publisher is None
    assert given.bus is None
    assert application.settings[OUTBOUND] is made
    await made.close()


async def test_the_facts_are_published_each_second(redis_server: RedisServer) -> None:
    application = Application()
    quiet: Any = Quiet()
    application.settings[SETTING] = Relay(quiet)
    given = services(redis_url=redis_server.url, edge_secret="secret")
    made = Outbound(application, given)
    assert given.bus is made.publisher is not None
    client = connect(redis_server.url)
    async with client.pubsub(ignore_subscribe_messages=True) as heard:
        await heard.subscribe(Names.of("secret").beats)
        async with asyncio.timeout(10):
            while (message := await heard.get_message(timeout=1)) is None:
                pass
        assert b'"epoch":"e1"' in message["data"]
        await made.close()
    await client.aclose()


async def test_a_publisher_that_ends_lets_the_rest_live(redis_server: RedisServer) -> None:
    class Broken(Quiet):
        def seqs(self) -> dict[Any, int]:
            raise RuntimeError("as nobody expected")

    application, broken = Application(), Broken()
    given: Any = broken
    application.settings[SETTING] = Relay(given)
    made = Outbound(application, services(redis_url=redis_server.url, edge_secret="secret"))
    running = made._running
    assert running is not None
    await asyncio.wait([running], timeout=10)
    assert isinstance(running.exception(), RuntimeError)
    await made.close()
