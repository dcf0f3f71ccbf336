"""Stored marks compared: gone on with, begun anew by a chapter, and as a guard."""

import numpy as np
import pytest
from shadowed import DAY, MARKET, MIDNIGHT, contest, mark, tell, wall

from app import comparisons as module
from app.comparisons import Comparisons, shadow_guard
from opportunity.scoring.comparison import Comparing
from opportunity.storage import shadows as storage
from opportunity.storage.books import PAPER, shadow_book
from opportunity.storage.database import open_database
from opportunity.storage.shadows import Chapter, Shadow, ShadowRepository

BOLD = Shadow("bold", {}, "", 1, None)


@pytest.fixture
def engine(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture
def kept(engine):
    return ShadowRepository(engine, MARKET, wall)


def test_before_it_trades_nothing_is_known(kept) -> None:
    found = Comparisons(kept).state(BOLD)
    assert (found.standing, found.chapter, found.comparison.interval.n) == (None, None, 0)
    story = Comparisons(kept).story(BOLD)
    assert story.time.size == story.champion.size == len(story.chapters) == 0


@pytest.mark.parametrize(("ahead", "verdict"), [
    (0.01, "better"), (-0.01, "worse"), (0.0001, "not distinguishable yet"),
])  # fmt: skip
def test_verdict_comes_of_stored_marks(engine, kept, ahead, verdict) -> None:
    contest(engine, "bold", 40, ahead)
    found = Comparisons(kept).state(BOLD)
    assert found.comparison.verdict == verdict
    assert found.comparison.interval.n == 40
    assert found.chapter.why == "it began"
    assert found.standing.n_trades == 40 * 4 + 1
    guard = shadow_guard(found.comparison)
    assert (guard.name, guard.passed) == ("shadow", verdict == "better")
    assert verdict in guard.text
    assert bool(guard.help) != guard.passed


def test_going_on_is_beginning_anew(engine, kept, monkeypatch) -> None:
    going = Comparisons(kept)
    contest(engine, "bold", 5, 0.003)
    before = going.state(BOLD).comparison
    later = MIDNIGHT + 5 * DAY + np.arange(1, 9) * DAY // 2
    mark(engine, PAPER, later, 10_000.0 + np.arange(8) ** 2)
    mark(engine, shadow_book("bold"), later, 10_100.0 + np.arange(8))
    read = []
    marks = storage.ShadowRepository.marks

    def counted(self, name, chapter, after=0):
        page = marks(self, name, chapter, after)
        read.append(page.time.size)
        return page

    monkeypatch.setattr(storage.ShadowRepository, "marks", counted)
    after, anew = going.state(BOLD).comparison, Comparisons(kept).state(BOLD).comparison
    assert read == [8, 0, 29, 0]
    assert (before.interval.n, after.interval.n) == (5, 9)
    assert after.interval == anew.interval
    assert np.array_equal(after.bounds, anew.bounds)
    assert np.array_equal(after.days, anew.days)


def test_a_chapter_begins_anew(engine, kept) -> None:
    going = Comparisons(kept)
    contest(engine, "bold", 40, 0.01)
    assert going.state(BOLD).comparison.verdict == "better"
    tell(engine, "bold", Chapter(MIDNIGHT + 30 * DAY, 0, 0, "champion has other weights", ()))
    found = going.state(BOLD)
    assert found.comparison.interval.n == 10
    assert found.comparison.since == MIDNIGHT + 30 * DAY
    assert found.chapter.why == "champion has other weights"
    story = going.story(BOLD)
    assert [one.why for one in story.chapters] == ["it began", "champion has other weights"]
    assert story.time[0] == MIDNIGHT + 30 * DAY
    assert story.champion[0] == story.challenger[0] == 1.0


def test_curve_is_thinned_and_keeps_its_ends(engine, kept, monkeypatch) -> None:
    monkeypatch.setattr(module, "POINTS", 10)
    monkeypatch.setattr(storage, "MOST_MARKS", 7)
    contest(engine, "bold", 20, 0.01)
    story = Comparisons(kept).story(BOLD)
    assert story.time.size == 10
    assert (story.time[0], story.time[-1]) == (MIDNIGHT, MIDNIGHT + 20 * DAY)
    assert story.challenger[-1] == pytest.approx(1 + story.state.comparison.challenger)
    assert story.champion[-1] == pytest.approx(1 + story.state.comparison.champion)


def test_only_so_many_are_held(engine, kept, monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST_HELD", 2)
    going = Comparisons(kept)
    contest(engine, "n0", 1, 0.0)
    for i in range(1, 4):
        mark(engine, shadow_book(f"n{i}"), MIDNIGHT + np.arange(3) * DAY, np.full(3, 10_000.0))
        tell(engine, f"n{i}", Chapter(MIDNIGHT, 0, 0, "it began", ()))
    for i in range(4):
        going.state(Shadow(f"n{i}", {}, "", 1, None))
    assert list(going._compared) == ["n2", "n3"]


def test_undecided_is_no_proof() -> None:
    guard = shadow_guard(Comparing("bold").comparison())
    assert not guard.passed
    assert guard.text == "Beside the champion the challenger is not distinguishable yet (0 days)."
