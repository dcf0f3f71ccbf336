"""From headlines to what the news detector reads with each bar.

Each story has a strength `p = tone * impact * trust * corroboration * link`, halving every 6 h
(24 h when its impact is 1) from when it became known, and gone after four half-lives. A row
holds the sum of p, the sum of |p|, and the newest stories as pins.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.detectors.news_book import (
    EVERY,
    HALF_LIFE_MS,
    LIVES,
    LONG_HALF_LIFE_MS,
    Book,
    empty_rows,
)
from opportunity.detectors.news_links import Links, base_code, find_links, given_links
from opportunity.detectors.news_repeats import WINDOW_MS, Repeats, Story, corroboration
from opportunity.detectors.news_tone import checked_tone, read_title
from opportunity.detectors.news_trust import trust
from opportunity.market.asof import AsOf
from opportunity.market.bars import FloatArray
from opportunity.market.observations import Headline, Heartbeat, Observation, Record
from opportunity.market.timeframe import MINUTE_MS, TimeArray

Tone = Callable[[str], float]

SILENCE_MS: Final = 30 * MINUTE_MS
"""A feed without a sign of life for this long is dead."""

MEMORY_MS: Final = LIVES * LONG_HALF_LIFE_MS + WINDOW_MS
"""A story lives for 96 h, and whether it was news is decided by the 24 h before it."""

MARKET_LINK: Final = 0.4
"""Link of market-wide news to every symbol; a coin that is named has 1."""

@dataclass(frozen=True, slots=True)
class NewsItem:
    """A headline as it counts for one symbol, for pages and the API.

    Parameters
    ----------
    title, publisher : str
    tone : float
        In [-1, 1].
    impact : float
        1.0, 0.6 or 0.3.
    link : float
        1 where it names the coin, 0.4 where it is about the whole market.
    trust : float
        Weight of the publisher, [0, 1].
    n_publishers : int
        Who had told it by the end of the span that was asked for.
    known_at, event_time : int
        When it became known, and when its publisher says it was written; ms UTC.
    """

    title: str
    publisher: str
    tone: float
    impact: float
    link: float
    trust: float
    n_publishers: int
    known_at: int
    event_time: int


class NewsInputs:
    """Headlines of a universe, readable as of any close; see `opportunity.detectors.inputs`.

    Parameters
    ----------
    symbols : tuple of str
        The universe.
    tone : callable
        From a title to its tone in [-1, 1].
    publishers : mapping of str to float, optional
        Weights that win over the built-in table, by publisher.
    """

    def __init__(
        self,
        symbols: tuple[str, ...],
        tone: Tone | None = None,
        publishers: Mapping[str, float] | None = None,
    ) -> None:
        self._codes = [base_code(s) for s in symbols]
        self._tone = tone
        self._publishers = dict(publishers or {})
        self._repeats = Repeats()
        self._stories: list[Story] = []
        self._taken: dict[Headline | Heartbeat, None] = {}
        self._newest = 0
        self._same_time = 0
        self._books = Book(HALF_LIFE_MS), Book(LONG_HALF_LIFE_MS)
        self._signs = {Headline: AsOf(1), Heartbeat: AsOf(1)}

    @property
    def connected(self) -> bool:
        """Whether a headline or a heartbeat of a source of headlines has come."""
        return any(len(signs) for signs in self._signs.values())

    def take(self, records: Sequence[Record]) -> None:
        """Add headlines and heartbeats in the order of `available_at`; others are passed over.

        Records that were taken before are passed over too.

        Raises
        ------
        ValueError
            If a record became known before one of its kind that was taken earlier.
        """
        found = dict.fromkeys(
            r for r in records
            if isinstance(r, Headline) or (isinstance(r, Heartbeat) and r.of == "headline")
        )  # fmt: skip
        fresh = [r for r in found if r not in self._taken]
        for kind, signs in self._signs.items():
            _append(signs, [r.available_at for r in fresh if isinstance(r, kind)])
        self._taken.update(dict.fromkeys(fresh))
        news = [r for r in fresh if isinstance(r, Headline)]
        # The order of what came at the same instant must not depend on who sorted it.
        for record in sorted(news, key=lambda r: (r.available_at, r.event_time, r.title)):
            self._add(record)

    def rows(self, symbols: NDArray[np.int64], opened: TimeArray, closed: TimeArray) -> FloatArray:
        """Return what was known at the close of each bar: `news_book.COLUMNS`; see `Inputs.rows`.

        A function of the headlines and heartbeats of the `MEMORY_MS` before a close alone; NaN
        while no source is alive.
        """
        newest = np.maximum(*(signs.at(closed)[1] for signs in self._signs.values()))
        alive = (newest >= 0) & (closed - newest < SILENCE_MS)
        out = empty_rows(alive)
        if alive.any():
            for book in self._books:
                book.write(out, alive, symbols, opened, closed)
        return out

    def items(self, symbol: str, since: int, until: int) -> list[NewsItem]:
        """Return the headlines about a symbol that became known in [since, until), oldest first.

        Those without a tone are among them. Any symbol may be asked for, also one outside the
        universe; what was forgotten is gone.
        """
        code = base_code(symbol)
        found = []
        for story in self._stories[bisect_left(self._stories, since, key=lambda s: s.known) :]:
            if story.known >= until:
                break
            link = _link(story.links, code)
            if link:
                found.append(_item(story, link, until))
        return found

    def drain(self) -> Sequence[Observation]:
        """Return records made of others; there are none."""
        return ()

    def forget(self, before: int) -> None:
        """Let go of what no close from `before` on can need."""
        oldest = before - MEMORY_MS
        self._stories = [s for s in self._stories if s.known > oldest]
        self._taken = {r: None for r in self._taken if r.available_at > oldest}
        self._repeats.forget(self._newest)
        for signs in self._signs.values():
            signs.forget(before)
        for book in self._books:
            book.forget(oldest)

    def _add(self, record: Headline) -> None:
        known = record.available_at
        self._same_time = self._same_time + 1 if known == self._newest else 0
        self._newest = known
        reading = read_title(record.title)
        story = Story(
            known=known,
            serial=known * 64 + min(self._same_time, 63),
            event_time=record.event_time,
            title=record.title,
            publisher=record.publisher or record.source,
            links=given_links(record.symbols) if record.symbols else find_links(record.title),
            tone=reading.tone if self._tone is None else checked_tone(self._tone(record.title)),
            impact=reading.impact,
            trust=trust(record.publisher or record.source, self._publishers),
        )
        first = self._repeats.add(story)
        if first is story:
            story.tellers.append((known, story.publisher))
            self._stories.append(story)
            self._enter(story, known, 1.0)
        elif known - first.known <= WINDOW_MS and story.publisher not in {
            name for _, name in first.tellers
        }:
            first.tellers.append((known, story.publisher))
            n = len(first.tellers)
            self._enter(first, known, corroboration(n) - corroboration(n - 1))

    def _enter(self, story: Story, known: int, share: float) -> None:
        """Write a story, or what a repeat adds, into its book, for each symbol it is about."""
        if not story.tone:
            return
        book = self._books[story.impact >= 1.0]
        whole = corroboration(len(story.tellers))
        for row, link in self._rows_of(story.links):
            bare = story.tone * story.impact * story.trust * link
            book.add(
                known, row, story.known, bare * share, share < 1.0, story.serial, story.tone,
                story.impact, min(1.0, abs(bare * whole)),
            )  # fmt: skip

    def _rows_of(self, links: Links) -> list[tuple[int, float]]:
        if links.market:
            return [(EVERY, MARKET_LINK)]
        return [(i, 1.0) for i, code in enumerate(self._codes) if links.names(code)]


def _append(signs: AsOf, times: list[int]) -> None:
    if times:
        signs.append(times, np.zeros(len(times)))


def _link(links: Links, code: str) -> float:
    if links.names(code):
        return 1.0
    return MARKET_LINK if links.market else 0.0


def _item(story: Story, link: float, until: int) -> NewsItem:
    return NewsItem(
        title=story.title,
        publisher=story.publisher,
        tone=story.tone,
        impact=story.impact,
        link=link,
        trust=story.trust,
        n_publishers=sum(at < until for at, _ in story.tellers),
        known_at=story.known,
        event_time=story.event_time,
    )
