"""Sources of records beside the feed: headlines from addresses and folders, Fear & Greed.

Each is asked on its own, again and again; one that is slow, dead or mad holds up none of the
others. A record is available from when it arrived here, whatever its publisher says, and after
each good poll a heartbeat tells that silence was silence.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import structlog

from opportunity.config_lists import NewsSource
from opportunity.feeds.polling import LONGEST_WAIT_S, PollError
from opportunity.feeds.source_kinds import (
    NEWS_EVERY_S,
    FearGreedPage,
    NewsFolder,
    NewsPage,
    Now,
    Source,
)
from opportunity.feeds.syndication import FeedError
from opportunity.market.observations import Heartbeat, Observation
from opportunity.measured import MEASURED

logger = structlog.get_logger(__name__)

MOST_WAITING: Final = 20_000
"""Records that wait to be drained; the oldest go first when nobody drains."""

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Health:
    """How a source is doing.

    Parameters
    ----------
    name : str
    of : str
        Kind of records, e.g. ``headline``.
    n_polls, n_records : int
        Good polls and new records since the start.
    n_failures : int
        Polls that failed since the last good one.
    good_at : int
        When the last good poll ended, ms UTC; 0 when there was none.
    error : str
        Why the last poll failed; empty when it did not.
    """

    name: str
    of: str
    n_polls: int = 0
    n_records: int = 0
    n_failures: int = 0
    good_at: int = 0
    error: str = ""


class Sources:
    """Polls its sources until it is closed, and keeps what they give until it is drained.

    Parameters
    ----------
    sources : sequence of Source
    now_ms : callable
        The time of the agent, ms UTC: it stamps what arrives.
    sleep : callable
        Coroutine function that waits seconds; passed in so that tests need not wait.
    """

    def __init__(
        self, sources: Sequence[Source], now_ms: Now, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._sources = tuple(sources)
        self._now = now_ms
        self._sleep = sleep
        self._waiting: list[Observation] = []
        self._newest = 0
        self._health = {id(s): Health(s.name, s.of) for s in self._sources}
        self._stop = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()

    @property
    def health(self) -> tuple[Health, ...]:
        """How each source is doing, in their order."""
        return tuple(self._health[id(s)] for s in self._sources)

    async def run(self) -> None:
        """Poll until `close`, or until cancelled; no task and no connection is left behind."""
        self._ended.clear()
        try:
            async with _session() as session, asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._follow(source, session), name=f"source: {source.name}")
                    for source in self._sources
                ]
                await self._stop.wait()
                for task in tasks:
                    task.cancel()
        finally:
            self._ended.set()

    async def once(self, timeout_s: float) -> None:
        """Ask every source one time, all together; who has not answered by then has failed.

        Parameters
        ----------
        timeout_s : float
            For the whole of it, repeated attempts included.
        """
        async with _session() as session, asyncio.TaskGroup() as group:
            for source in self._sources:
                group.create_task(
                    self._in_time(source, session, timeout_s), name=f"source: {source.name}"
                )

    async def close(self) -> None:
        """End `run` and wait until it has ended; may be called twice, and before `run`."""
        self._stop.set()
        await self._ended.wait()

    def drain(self, until: int) -> list[Observation]:
        """Return what became known before `until` (ms UTC) and was not drained yet, in order."""
        taken = [r for r in self._waiting if r.available_at < until]
        self._waiting = [r for r in self._waiting if r.available_at >= until]
        return taken

    async def _follow(self, source: Source, session: aiohttp.ClientSession) -> None:
        while True:
            wait = await self._ask(source, session)
            # Not all at once, and not in step with anybody else's reader.
            await self._sleep(wait * random.uniform(0.95, 1.05))

    async def _in_time(
        self, source: Source, session: aiohttp.ClientSession, timeout_s: float
    ) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._ask(source, session)
        except TimeoutError:
            self._failed(source, f"no answer within {timeout_s:g} s", 0.0)

    async def _ask(self, source: Source, session: aiohttp.ClientSession) -> float:
        """Poll a source, note what came of it, and return how long to leave it alone, s."""
        try:
            records = await source.poll(session, self._stamp)
        except (PollError, FeedError) as error:
            return self._failed(source, str(error), getattr(error, "wait_s", 0.0))
        except Exception as error:  # noqa: BLE001 - a source must never end the agent
            logger.error("source broke", source=source.name, error=type(error).__name__)
            return self._failed(source, f"unexpected {type(error).__name__}", 0.0)
        self._good(source, records)
        return source.every_s

    def _stamp(self) -> int:
        """Return the time, which for records never goes back."""
        self._newest = max(self._newest, self._now())
        return self._newest

    def _good(self, source: Source, records: Iterable[Observation]) -> None:
        new = list(records)
        now = self._stamp()
        self._waiting += [*new, Heartbeat(now, now, source.name, source.of)]
        if len(self._waiting) > MOST_WAITING:
            self._waiting = self._waiting[-MOST_WAITING // 2 :]
            logger.warning("records dropped that nobody drained", kept=len(self._waiting))
        before = self._health[id(source)]
        if before.n_failures:
            logger.info("source answers again", source=source.name)
        self._health[id(source)] = Health(
            source.name, source.of, before.n_polls + 1, before.n_records + len(new), 0, now, ""
        )

    def _failed(self, source: Source, reason: str, asked_s: float) -> float:
        """Note a failed poll; return how long to wait, doubling with each."""
        before = self._health[id(source)]
        MEASURED.count("provider_errors", label=source.name)
        n = before.n_failures + 1
        if n == 1 or reason != before.error:
            logger.warning("source failed", source=source.name, error=reason)
        self._health[id(source)] = Health(
            source.name, source.of, before.n_polls, before.n_records, n, before.good_at, reason
        )
        doubled = source.every_s * 2.0 ** min(n - 1, 10)
        return max(source.every_s, min(max(doubled, asked_s), LONGEST_WAIT_S))


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(limit=20, limit_per_host=4),
    )


def make_sources(
    news: Iterable[NewsSource], now_ms: Now, every_s: float = NEWS_EVERY_S,
    fear_greed: bool = False,
) -> Sources:  # fmt: skip
    """Return the sources that the settings name.

    Parameters
    ----------
    news : iterable of NewsSource
        `Settings.news_sources`.
    now_ms : callable
        As of `Sources`.
    every_s : float
        Between two polls of a source of headlines.
    fear_greed : bool
        Whether to ask for the Fear & Greed index, every hour.
    """
    found: list[Source] = [
        NewsPage(s, every_s) if urlsplit(s.address).scheme in ("http", "https")
        else NewsFolder(s, every_s)
        for s in news
    ]  # fmt: skip
    return Sources([*found, *([FearGreedPage()] if fear_greed else [])], now_ms)
