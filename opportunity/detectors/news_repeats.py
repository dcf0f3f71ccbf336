"""The same news told twice: by the same words, or by nearly the same, within a day.

The first headline keeps the time. A repeat from another publisher corroborates it; it never
counts as news of its own. Whether a headline is a repeat depends on the day before it alone, and
only repeats within a day of the first corroborate, so nothing older than that matters.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from math import ceil, log2
from typing import Final

from opportunity.detectors.news_links import Links
from opportunity.detectors.news_tone import clean
from opportunity.market.timeframe import DAY_MS

WINDOW_MS: Final = DAY_MS
ALIKE: Final = 0.6
"""Jaccard similarity of two sets of words from which they tell the same."""

MOST_CORROBORATION: Final = 1.75

_WORD: Final = re.compile(r"[a-z0-9$%]+(?:'[a-z]+)?")


@dataclass(slots=True)
class Story:
    """A headline that came first, and who has repeated it since.

    Parameters
    ----------
    known : int
        When it became known, ms UTC.
    serial : int
        `known * 64` and a count of those known at the same instant: the same in every run.
    tone, impact, trust : float
        As of the first headline.
    tellers : list of (int, str)
        Publishers and when each first told it; the first entry is the first headline's.
    """

    known: int
    serial: int
    event_time: int
    title: str
    publisher: str
    links: Links
    tone: float
    impact: float
    trust: float
    tellers: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Told:
    known: int
    words: frozenset[str]
    story: Story


def corroboration(n_publishers: int) -> float:
    """Return the weight of news that several publishers tell, in [1, 1.75]."""
    return min(MOST_CORROBORATION, 1.0 + 0.25 * log2(n_publishers))


def word_set(title: str, publisher: str = "") -> frozenset[str]:
    """Return the words of a cleaned title that carry something: from three letters on, numbers."""
    words = _WORD.findall(clean(title, publisher))
    return frozenset(w for w in words if len(w) > 2 or not w.isalpha())


def alike(a: frozenset[str], b: frozenset[str]) -> bool:
    """Whether two sets of words overlap enough; sets without words are like nothing."""
    common = len(a & b)
    return common > 0 and common >= ALIKE * (len(a) + len(b) - common)


class Repeats:
    """The headlines of the last day, found again by their rarer words."""

    def __init__(self) -> None:
        self._by_word: defaultdict[str, list[_Told]] = defaultdict(list)

    def add(self, story: Story) -> Story:
        """Take a headline in the order of time; return the story that it tells.

        Returns
        -------
        Story
            `story` itself when it is news, else the one that it repeats.

        Notes
        -----
        Headlines about different coins, or of opposite tone, are not repeats however alike their
        words: "SEC approves ..." and "SEC rejects ..." differ in one word.
        """
        words = word_set(story.title, story.publisher)
        keys = _keys(words)
        first = story
        for key in keys:
            for told in reversed(self._by_word[key]):
                if story.known - told.known > WINDOW_MS:
                    break
                if _older(told.story, first) and _same(story, told.story) and alike(
                    words, told.words
                ):  # fmt: skip
                    first = told.story
        for key in keys:
            self._by_word[key].append(_Told(story.known, words, first))
        return first

    def forget(self, before: int) -> None:
        """Drop what no headline from `before` on can repeat."""
        for key, told in list(self._by_word.items()):
            kept = [t for t in told if before - t.known <= WINDOW_MS]
            if kept:
                self._by_word[key] = kept
            else:
                del self._by_word[key]


def _keys(words: frozenset[str]) -> list[str]:
    """Return words of which two sets that are alike share at least one (prefix filtering)."""
    ordered = sorted(words, key=lambda w: (-len(w), w))  # long words are rare ones
    return ordered[: len(words) - ceil(ALIKE * len(words)) + 1]


def _older(a: Story, b: Story) -> bool:
    return (a.known, a.serial) < (b.known, b.serial)


def _same(a: Story, b: Story) -> bool:
    return a.links.meets(b.links) and a.tone * b.tone >= 0.0
