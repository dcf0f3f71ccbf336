"""Challengers held against their champion, from the marks that both have in the database."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray
from opportunity.scoring.comparison import Comparing, Comparison
from opportunity.storage.shadows import Chapter, Marks, Shadow, ShadowRepository, Standing

if TYPE_CHECKING:
    from opportunity.backtest.guards import Guard

POINTS: Final = 500
"""Of a curve that is shown, at most."""

MOST_HELD: Final = 64
"""Comparisons that are gone on with instead of begun anew."""


@dataclass(frozen=True, slots=True, eq=False)
class ShadowState:
    """A challenger, its account and how it compares; standing and chapter None before it trades."""

    shadow: Shadow
    standing: Standing | None
    chapter: Chapter | None
    comparison: Comparison


@dataclass(frozen=True, slots=True, eq=False)
class ShadowStory:
    """The same with all chapters, and both curves as multiples of what they began with."""

    state: ShadowState
    chapters: tuple[Chapter, ...]
    time: TimeArray
    champion: FloatArray
    challenger: FloatArray


def shadow_guard(comparison: Comparison) -> "Guard":
    """Return what the comparison says as a guard beside those of a backtest."""
    from opportunity.backtest.guards import Guard

    passed = comparison.verdict == "better"
    said = f"Beside the champion the challenger is {comparison.text}."
    return Guard(
        "shadow", comparison.interval.high, 0.0, passed, said,
        "" if passed else "What could help: more days on paper.",
    )  # fmt: skip


class Comparisons:
    """Compares from stored marks; every mark is read once. For threads: it waits for the database.

    Parameters
    ----------
    kept : ShadowRepository
    """

    def __init__(self, kept: ShadowRepository) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._compared: dict[str, tuple[Chapter, Comparing]] = {}

    def state(self, shadow: Shadow) -> ShadowState:
        """Return how a challenger stands.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        return self._state(shadow, self._kept.chapters(shadow.name))

    def story(self, shadow: Shadow) -> ShadowStory:
        """Return the same with both curves of the newest chapter.

        Raises
        ------
        DatabaseError
            If the database cannot be read.
        """
        chapters = self._kept.chapters(shadow.name)
        state = self._state(shadow, chapters)
        pages = list(self._pages(shadow.name, chapters[-1], 0)) if chapters else []
        if not pages:
            none = np.empty(0)
            return ShadowStory(state, chapters, np.empty(0, np.int64), none, none)
        time = np.concatenate([page.time for page in pages])
        champion = np.concatenate([page.champion for page in pages])
        challenger = np.concatenate([page.challenger for page in pages])
        shown = np.unique(np.linspace(0, time.size - 1, min(POINTS, time.size)).astype(np.int64))
        return ShadowStory(
            state, chapters, time[shown],
            champion[shown] / champion[0], challenger[shown] / challenger[0],
        )

    def _state(self, shadow: Shadow, chapters: tuple[Chapter, ...]) -> ShadowState:
        standing = self._kept.standing(shadow.name)
        if not chapters:
            return ShadowState(shadow, standing, None, Comparing(shadow.name).comparison())
        with self._lock:
            found = self._go_on(shadow.name, chapters[-1])
        return ShadowState(shadow, standing, chapters[-1], found)

    def _go_on(self, name: str, chapter: Chapter) -> Comparison:
        """Go on with the comparison of a chapter where it was left; a new one begins anew."""
        known = self._compared.pop(name, None)
        comparing = Comparing(name) if known is None or known[0] != chapter else known[1]
        for page in self._pages(name, chapter, comparing.until):
            for time, champion, challenger in zip(
                page.time.tolist(), page.champion.tolist(), page.challenger.tolist(), strict=True
            ):
                comparing.add(time, champion, challenger)
        self._compared[name] = (chapter, comparing)
        while len(self._compared) > MOST_HELD:
            del self._compared[next(iter(self._compared))]
        return comparing.comparison()

    def _pages(self, name: str, chapter: Chapter, after: int) -> Iterator[Marks]:
        while (page := self._kept.marks(name, chapter, after)).time.size:
            yield page
            after = int(page.time[-1])
