"""Who reads from the bus: what hangs is noticed, and what is not ours or makes no sense is left."""

import pytest
from bussed import NAMES, bus, down, event
from redis_server import RedisServer

from opportunity.bus import redis, redis_reader
from opportunity.bus.redis import Names


async def test_a_hung_redis_is_noticed_and_found_again(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (redis, redis_reader):
        monkeypatch.setattr(module, "ANSWER_S", 0.4)
    async with bus(redis_server.url) as (publisher, reader, heard):
        await heard.until(lambda: heard.joined == 1)
        redis_server.hold()
        publisher.offer([event(1)])
        await heard.until(lambda: heard.lost == 1)
        assert not reader.up
        await down(publisher)
        redis_server.release()
        await heard.until(lambda: heard.joined == 2)
        publisher.offer([event(2)])
        await heard.until(lambda: event(2) in heard.parcels)


async def test_other_servers_on_the_same_redis_are_not_heard(redis_server: RedisServer) -> None:
    async with (
        bus(redis_server.url) as (ours, _, heard),
        bus(redis_server.url, Names.of("another secret")) as (theirs, _, others),
    ):
        await heard.until(lambda: heard.joined == 1)
        await others.until(lambda: others.joined == 1)
        theirs.offer([event(1)])
        await others.until(lambda: others.parcels)
        ours.offer([event(2)])
        await heard.until(lambda: heard.parcels)
        assert heard.parcels == [event(2)]


async def test_garbage_in_redis_is_counted_and_left(redis_server: RedisServer) -> None:
    async with bus(redis_server.url) as (publisher, reader, heard):
        await heard.until(lambda: heard.joined == 1)
        redis_server.tell("PUBLISH", NAMES.live, "garbage")
        redis_server.tell("HSET", NAMES.newest, "price|X", "garbage")
        publisher.offer([event(1)])
        await heard.until(lambda: heard.parcels)
        assert heard.parcels == [event(1)]
        assert await reader.newest() == []
        assert reader.broken == 2
