"""The kinds of sources: pages and folders of headlines, and the Fear & Greed index."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final, Protocol

import aiohttp
import orjson

from opportunity.config_lists import NewsSource
from opportunity.feeds.drop_folder import DropFolder
from opportunity.feeds.fear_greed import parse_fear_greed
from opportunity.feeds.polling import Page
from opportunity.feeds.syndication import Entry, FeedError, parse_entries
from opportunity.market.observations import Headline, Observation
from opportunity.market.timeframe import DAY_MS

NEWS_EVERY_S: Final = 120.0
FEAR_GREED_EVERY_S: Final = 3_600.0
FEAR_GREED_ADDRESS: Final = "https://api.alternative.me/fng/?limit=2"

STALE_MS: Final = DAY_MS
"""A headline that is older than this when it arrives is no news."""

MOST_KNOWN: Final = 5_000
"""Entries of a source that are remembered, so that none is told twice."""

Now = Callable[[], int]


class Source(Protocol):
    """Something that can be asked for records."""

    name: str
    of: str
    every_s: float

    async def poll(self, session: aiohttp.ClientSession, now_ms: Now) -> list[Observation]:
        """Return what is new; raise PollError or FeedError when there was no good answer."""
        ...


class NewsPage:
    """Headlines from an http address: RSS, Atom, or JSON."""

    of = "headline"

    def __init__(
        self, source: NewsSource, every_s: float = NEWS_EVERY_S, page: Page | None = None
    ) -> None:
        self.name, self.every_s = source.name, every_s
        self._page = page or Page(source.address)
        self._known = _Known()

    async def poll(self, session: aiohttp.ClientSession, now_ms: Now) -> list[Observation]:
        """Ask for the page; nothing is new while it has not changed."""
        answer = await self._page.get(session)
        if answer is None:
            return []
        try:
            entries = await asyncio.to_thread(parse_entries, answer.body, answer.charset)
        except FeedError:
            self._page.forget()
            raise
        return self._known.fresh(entries, self.name, now_ms())


class NewsFolder:
    """Headlines from a folder into which files are dropped."""

    of = "headline"

    def __init__(self, source: NewsSource, every_s: float = NEWS_EVERY_S) -> None:
        self.name, self.every_s = source.name, every_s
        self._folder = DropFolder(source.address)
        self._known = _Known(begun=True)

    async def poll(self, session: aiohttp.ClientSession, now_ms: Now) -> list[Observation]:
        """Read new and changed files."""
        entries = await asyncio.to_thread(self._folder.entries)
        return self._known.fresh(entries, self.name, now_ms())


class FearGreedPage:
    """The Fear & Greed index of alternative.me."""

    name, of = "alternative.me", "fear_greed"

    def __init__(
        self, every_s: float = FEAR_GREED_EVERY_S, page: Page | None = None
    ) -> None:
        self.every_s = every_s
        self._page = page or Page(FEAR_GREED_ADDRESS)
        self._last: tuple[int, int] | None = None

    async def poll(self, session: aiohttp.ClientSession, now_ms: Now) -> list[Observation]:
        """Ask for the index; a value that was told already is not told again."""
        answer = await self._page.get(session)
        if answer is None:
            return []
        try:
            found = parse_fear_greed(orjson.loads(answer.body), now_ms())
        except ValueError as error:  # JSON's own error is one
            self._page.forget()
            kind = type(error).__name__
            raise FeedError(f"answer must be a Fear & Greed value ({kind})") from None
        if (found.event_time, found.value) == self._last:
            return []
        self._last = found.event_time, found.value
        return [found]


class _Known:
    """The entries that a source has told already.

    What an address tells at the very first poll may be of any age: undated entries are then
    taken as known before.
    """

    def __init__(self, begun: bool = False) -> None:
        self._told: OrderedDict[str, None] = OrderedDict()
        self._begun = begun

    def fresh(self, entries: Iterable[Entry], source: str, now: int) -> list[Observation]:
        """Return the headlines among `entries` that are new and not stale, oldest first."""
        found = []
        for entry in entries:
            if entry.key in self._told:
                self._told.move_to_end(entry.key)
                continue
            self._told[entry.key] = None
            dated = entry.published is not None
            if (dated or self._begun) and now - (entry.published or now) <= STALE_MS:
                found.append(_headline(entry, source, now))
        while len(self._told) > MOST_KNOWN:
            self._told.popitem(last=False)
        self._begun = True
        return list(sorted(found, key=lambda h: h.event_time))


def _headline(entry: Entry, source: str, now: int) -> Headline:
    """Return the record; a date in the future is a mistake, and the arrival the best guess."""
    event = now if entry.published is None else min(entry.published, now)
    return Headline(event, now, source, entry.title, entry.publisher or source, entry.symbols)
