import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import stamina
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from opportunity.config_lists import NewsSource
from opportunity.feeds.polling import MOST_BYTES, Page, PollError
from opportunity.feeds.source_kinds import FearGreedPage, NewsFolder, NewsPage
from opportunity.feeds.sources import MOST_WAITING, Sources, make_sources
from opportunity.market.observations import Headline, Heartbeat

NOW = 1_704_110_400_000


@pytest.fixture(autouse=True)
def no_waits():
    with stamina.set_testing(True, attempts=1):
        yield


class Clock:
    """A time that a test sets, and sleeps that end when it says so."""

    def __init__(self) -> None:
        self.time = NOW
        self.waits: list[float] = []
        self._asleep: list[asyncio.Event] = []
        self._fell = asyncio.Condition()

    def now(self) -> int:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        alarm = asyncio.Event()
        self._asleep.append(alarm)
        async with self._fell:
            self._fell.notify_all()
        await alarm.wait()

    async def asleep(self, n: int) -> None:
        """Wait until `n` sources sleep."""
        async with asyncio.timeout(10), self._fell:
            await self._fell.wait_for(lambda: len(self._asleep) >= n)

    def wake(self, later_ms: int = 0) -> None:
        self.time += later_ms
        for alarm in self._asleep:
            alarm.set()
        self._asleep.clear()


class Site:
    def __init__(self) -> None:
        self.items: list[dict[str, object]] = []
        self.forever = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        match request.path:
            case "/slow":
                await self.forever.wait()
                return web.Response()
            case "/garbage":
                return web.Response(body=b"<html>no feed here")
            case "/huge":
                return web.Response(body=b" " * (MOST_BYTES + 1))
            case "/busy":
                return web.Response(status=429, headers={"Retry-After": "900"})
        tag = f'"{len(self.items)}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304)
        return web.Response(
            body=json.dumps(self.items), content_type="application/json", headers={"ETag": tag}
        )

    def source(self, path: str, name: str = "") -> NewsSource:
        return NewsSource(name or path.strip("/"), f"http://127.0.0.1:{self.server.port}{path}")


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    app = web.Application()
    app.router.add_get("/{path:.*}", made.answer)
    made.server = TestServer(app)
    await made.server.start_server()
    yield made
    made.forever.set()
    await made.server.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pollers() -> set[str]:
    """Names of the tasks that poll; the test's own server has tasks besides."""
    names = {task.get_name() for task in asyncio.all_tasks()}
    return {name for name in names if name.startswith(("source", "sources"))}


class Running:
    """Sources that run while a test looks at them; no task may be left afterwards."""

    def __init__(self, clock: Clock, *sources) -> None:
        self.sources = Sources(sources, clock.now, clock.sleep)

    async def __aenter__(self) -> Sources:
        self.group = asyncio.TaskGroup()
        await self.group.__aenter__()
        self.group.create_task(self.sources.run(), name="sources")
        return self.sources

    async def __aexit__(self, *error) -> None:
        await self.sources.close()
        await self.sources.close()
        await self.group.__aexit__(*error)
        assert pollers() == set()


def split(records):
    return [r for r in records if not isinstance(r, Heartbeat)], [
        r for r in records if isinstance(r, Heartbeat)
    ]


async def test_headlines_arrive_once_each_with_their_arrival_and_a_heartbeat(site, clock):
    site.items = [
        {"id": 2, "title": "Second", "timestamp": NOW - 1000},
        {"id": 1, "title": "First", "timestamp": NOW - 2000, "publisher": "Wire"},
    ]
    async with Running(clock, NewsPage(site.source("/news", "desk"))) as sources:
        await clock.asleep(1)
        news, beats = split(sources.drain(NOW + 1))
        assert news == [
            Headline(NOW - 2000, NOW, "desk", "First", "Wire"),
            Headline(NOW - 1000, NOW, "desk", "Second", "desk"),
        ]
        assert beats == [Heartbeat(NOW, NOW, "desk", "headline")]
        assert sources.drain(NOW + 1) == []
        clock.wake(60_000)
        await clock.asleep(1)
        assert sources.drain(NOW + 10**6) == [
            Heartbeat(NOW + 60_000, NOW + 60_000, "desk", "headline")
        ]
        site.items.append({"id": 3, "title": "Third"})
        clock.wake(60_000)
        await clock.asleep(1)
        news, beats = split(sources.drain(NOW + 10**6))
        assert [(h.title, h.event_time, h.available_at) for h in news] == [
            ("Third", NOW + 120_000, NOW + 120_000)
        ]
        (health,) = sources.health
        assert (health.n_polls, health.n_records, health.n_failures) == (3, 3, 0)
        assert (health.good_at, health.error) == (NOW + 120_000, "")


async def test_drain_gives_only_what_was_known_before(site, clock):
    site.items = [{"id": 1, "title": "First", "timestamp": NOW}]
    async with Running(clock, NewsPage(site.source("/news"))) as sources:
        await clock.asleep(1)
        assert sources.drain(NOW) == []
        assert len(sources.drain(NOW + 1)) == 2


async def test_one_bad_source_holds_up_none_of_the_others(site, clock):
    site.items = [{"id": 1, "title": "First", "timestamp": NOW}]
    bad = [NewsPage(site.source(path)) for path in ("/garbage", "/huge", "/busy")]
    dead = NewsSource("dead", f"http://127.0.0.1:{unused_port()}/?token=secret")
    slow = NewsPage(site.source("/slow"), page=Page(site.source("/slow").address, timeout_s=0.05))
    async with Running(
        clock, *bad, NewsPage(dead), slow, NewsPage(site.source("/news"))
    ) as sources:
        await clock.asleep(6)
        news, beats = split(sources.drain(NOW + 1))
        assert [h.title for h in news] == ["First"]
        assert [b.source for b in beats] == ["news"]
        errors = {h.name: h.error for h in sources.health}
        assert errors["news"] == ""
        assert "body must be XML or JSON" in errors["garbage"]
        assert "bytes" in errors["huge"]
        assert errors["busy"] == "status 429"
        assert "connection failed" in errors["dead"]
        assert errors["slow"] == "no answer within 0.05 s"
        assert "secret" not in repr(sources.health)
        assert max(clock.waits) == pytest.approx(900, rel=0.05)  # as it was asked to


class Broken:
    """A source that fails in a way that nobody foresaw, then works."""

    name, of, every_s = "broken", "headline", 100.0

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    async def poll(self, session, now_ms):
        if self.errors:
            raise self.errors.pop(0)
        return []


async def test_failures_are_survived_and_waited_out_longer_each_time(clock):
    broken = Broken(KeyError("secret"), PollError("no"), PollError("no"), *[PollError("no")] * 9)
    async with Running(clock, broken) as sources:
        for n in range(1, 13):
            await clock.asleep(1)
            assert sources.health[0].n_failures == n
            assert sources.drain(2**62) == []
            clock.wake()
        await clock.asleep(1)
        assert sources.health[0].n_failures == 0
        assert len(sources.drain(2**62)) == 1
    expected = [min(100.0 * 2.0**k, 3600.0) for k in range(12)] + [100.0]
    assert clock.waits == pytest.approx(expected, rel=0.051)


async def test_arrival_never_goes_back_when_the_clock_does(clock):
    async with Running(clock, Broken()) as sources:
        await clock.asleep(1)
        clock.wake(-5_000)
        await clock.asleep(1)
        assert [r.available_at for r in sources.drain(2**62)] == [NOW, NOW]


async def test_cancelling_ends_everything(site, clock):
    sources = Sources([NewsPage(site.source("/slow")), Broken()], clock.now, clock.sleep)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(sources.run(), name="sources")
        await clock.asleep(1)
        assert len(pollers()) == 3
        task.cancel()
    assert task.cancelled()
    await sources.close()
    assert pollers() == set()


async def test_close_before_run_and_no_sources_at_all(clock):
    sources = Sources([], clock.now)
    await sources.close()
    await sources.run()
    assert sources.drain(2**62) == []
    assert sources.health == ()


async def test_memory_is_bounded(clock):
    class Flood(Broken):
        async def poll(self, session, now_ms):
            return [Heartbeat(NOW, NOW, "x", "y")] * MOST_WAITING

    async with Running(clock, Flood()) as sources:
        await clock.asleep(1)
        assert len(sources.drain(2**62)) == MOST_WAITING // 2


def test_sources_are_made_from_settings(tmp_path, clock):
    made = make_sources(
        (NewsSource("a", "https://a.example/rss"), NewsSource("b", str(tmp_path))), clock.now,
        every_s=50.0, fear_greed=True,
    )  # fmt: skip
    assert [(type(s), s.name, s.every_s) for s in made._sources] == [
        (NewsPage, "a", 50.0), (NewsFolder, "b", 50.0), (FearGreedPage, "alternative.me", 3600.0),
    ]  # fmt: skip
    assert len(make_sources((), clock.now).health) == 0


async def test_once_asks_each_a_single_time_and_ends(site, clock):
    site.items = [{"id": 1, "title": "First", "timestamp": NOW - 2000}]
    sources = Sources(
        [NewsPage(site.source("/news", "desk")), NewsPage(site.source("/garbage"))], clock.now
    )
    await sources.once(10.0)
    news, beats = split(sources.drain(NOW + 1))
    assert [r.title for r in news] == ["First"]
    assert [b.source for b in beats] == ["desk"]
    assert [(h.n_polls, h.n_failures) for h in sources.health] == [(1, 0), (0, 1)]
    assert pollers() == set()


async def test_once_waits_no_longer_than_it_may(site, clock):
    site.items = [{"id": 1, "title": "First", "timestamp": NOW - 2000}]
    sources = Sources(
        [NewsPage(site.source("/slow")), NewsPage(site.source("/news"))], clock.now
    )
    await sources.once(0.5)
    slow, news = sources.health
    assert (slow.error, slow.n_polls) == ("no answer within 0.5 s", 0)
    assert (news.error, news.n_records) == ("", 1)
    assert pollers() == set()
