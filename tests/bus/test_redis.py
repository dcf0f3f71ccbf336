"""The bus over a real Redis: what is published is heard, through stops and emptying."""

import asyncio

import pytest
from bussed import NAMES, bus, down, event, state
from redis_server import PASSWORD, RedisServer

from opportunity.bus import redis as module
from opportunity.bus.redis import Names, Publisher, connect


async def test_what_is_published_is_heard_in_order(redis_server: RedisServer) -> None:
    async with bus(redis_server.url) as (publisher, reader, heard):
        await heard.until(lambda: heard.joined == 1)
        sent = [event(n) for n in range(1, 40)]
        publisher.offer([*sent, state(1), state(2)])  # of a state the newest
        await heard.until(lambda: len(heard.parcels) == 40)
        assert heard.parcels == [*sent, state(2)]
        assert set(heard.beats) == {b"beat"}
        assert await reader.newest() == [state(2)]
        assert await reader.events("config") == sent
        assert await reader.events("trade") == []
        assert (publisher.up, reader.up, publisher.n_waiting) == (True, True, 0)
        assert publisher.n_published == 40
        assert 0 < publisher.lag_s < 1


async def test_a_stopped_redis_is_found_again(redis_server: RedisServer) -> None:
    async with bus(redis_server.url) as (publisher, reader, heard):
        await heard.until(lambda: heard.joined == 1)
        redis_server.stop()
        publisher.offer([event(1), state(1)])
        await heard.until(lambda: heard.lost == 1)
        assert not reader.up
        await down(publisher)
        assert await reader.newest() == await reader.events("config") == []
        redis_server.start()
        await heard.until(lambda: heard.joined == 2)
        publisher.offer([event(2)])
        await heard.until(lambda: event(2) in heard.parcels)
        assert await reader.events("config") == [event(1), event(2)]  # what waited came, too
        assert await reader.newest() == [state(1)]


async def test_an_emptied_redis_carries_on(redis_server: RedisServer) -> None:
    async with bus(redis_server.url) as (publisher, reader, heard):
        await heard.until(lambda: heard.joined == 1)
        publisher.offer([event(1), state(1)])
        await heard.until(lambda: len(heard.parcels) == 2)
        redis_server.empty()
        assert await reader.newest() == []
        publisher.offer([event(2), state(2)])
        await heard.until(lambda: len(heard.parcels) == 4)
        assert await reader.events("config") == [event(2)]
        assert (heard.joined, heard.lost) == (1, 0)


async def test_what_waits_for_redis_is_bounded() -> None:
    publisher = Publisher(connect("redis://127.0.0.1:1/0"), NAMES, lambda: b"")
    publisher.offer([event(n) for n in range(module.MOST_EVENTS + 500)])
    publisher.offer([state(n, f"S{n}/USDT") for n in range(module.MOST_STATES + 500)])
    publisher.offer([state(n, "S1/USDT") for n in range(100)])
    assert publisher.n_waiting == module.MOST_EVENTS + module.MOST_STATES


async def test_the_password_is_in_no_error_and_no_log(
    redis_server: RedisServer, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = redis_server.url.replace(PASSWORD, "wrong-canary")
    async with bus(wrong) as (publisher, reader, _):
        async with asyncio.timeout(10):
            while not publisher.failures:  # noqa: ASYNC110 - nor of this
                await asyncio.sleep(0.02)
        assert await reader.newest() == []
    said = "".join(capsys.readouterr())
    assert "bus not reached" in said
    assert "canary" not in said


@pytest.mark.parametrize("url", ["", "http://u:canary@h/", "redis://u:canary@h:port/0"])
def test_connect_refuses_what_is_no_address_without_showing_it(url: str) -> None:
    with pytest.raises(ValueError, match="redis_url must be redis://") as raised:
        connect(url)
    assert "canary" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_names_do_not_tell_the_secret() -> None:
    names = Names.of("swordfish")
    assert "swordfish" not in "".join((names.live, names.beats, names.newest, names.events("x")))
    assert len({names.live, names.beats, names.newest, names.events("x")}) == 4
    assert names == Names.of("swordfish") != Names.of("other")


async def test_a_full_redis_still_carries(redis_server: RedisServer) -> None:
    async with bus(redis_server.url) as (publisher, _, heard):
        await heard.until(lambda: heard.joined == 1)
        assert redis_server.tell("CONFIG", "SET", "maxmemory", "1").startswith(b"+OK")
        publisher.offer([event(1), state(1)])
        await heard.until(lambda: {event(1), state(1)} <= set(heard.parcels))
        await down(publisher)
        assert redis_server.tell("CONFIG", "SET", "maxmemory", "0").startswith(b"+OK")
        async with asyncio.timeout(10):
            while publisher.n_waiting:  # noqa: ASYNC110 - nor of this
                await asyncio.sleep(0.02)
        assert publisher.up


@pytest.mark.parametrize("delay_s", [0, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004])
async def test_a_publisher_ends_whenever_it_is_told(
    redis_server: RedisServer, delay_s: float
) -> None:
    publisher = Publisher(connect(redis_server.url), NAMES, lambda: b"beat")
    running = asyncio.ensure_future(publisher.run())
    await asyncio.sleep(delay_s)  # into the middle of what the client does
    running.cancel()
    done, _ = await asyncio.wait([running], timeout=5)
    assert done
