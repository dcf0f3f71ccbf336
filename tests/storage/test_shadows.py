"""Challengers in the database: names, ends, chapters, and marks of both accounts."""

import numpy as np
import pytest
import sqlalchemy as sa

from opportunity.contracts import DETECTOR_NAMES
from opportunity.errors import ConflictError
from opportunity.storage import shadows as module
from opportunity.storage.books import PAPER, Posting, shadow_book
from opportunity.storage.events import Event, EventRepository
from opportunity.storage.failures import DatabaseError
from opportunity.storage.ledger import Ledger
from opportunity.storage.shadows import MOST_SHADOWS, Chapter, ShadowRepository

HOUR = 3_600_000
BOLD = dict.fromkeys(DETECTOR_NAMES, 1 / 9)


class Clock:
    """Wall time that goes on by a second whenever it is asked."""

    now = 1_000

    def __call__(self) -> int:
        self.now += 1_000
        return self.now


@pytest.fixture
def kept(engine: sa.Engine) -> ShadowRepository:
    return ShadowRepository(engine, "simulated-7", Clock())


@pytest.fixture
def ledger(engine: sa.Engine) -> Ledger:
    return Ledger(engine, "simulated-7", Clock())


def tell(engine: sa.Engine, name: str, *chapters: Chapter) -> None:
    events = [Event(c.key(name), c.time, "shadow", c.body(name)) for c in chapters]
    EventRepository(engine, Clock()).append(events)


def mark(ledger: Ledger, name: str, equities: list[float], first: int = 1, cash=10_000.0) -> None:
    """Post one mark an hour to a book, new or not."""
    book = ledger.open_book(name, cash, 0)
    postings = []
    for i, equity in enumerate(equities):
        account = book.account.copy()
        account["equity"], account["cash"], account["peak"] = equity, equity, max(equity, cash)
        account["n_trades"] = i
        postings.append(Posting(
            name, book.epoch, book.version + 1 + i, (first + i) * HOUR, (), account, book.tally,
            marked=True,
        ))  # fmt: skip
    ledger.commit(postings)


def test_challengers_run_and_end(kept) -> None:
    assert kept.read() == ()
    added = kept.add("bold", BOLD, "an idea")
    assert (added.name, added.weights, added.note, added.stopped_at) == (
        "bold", BOLD, "an idea", None,
    )  # fmt: skip
    kept.add("calm", BOLD)
    assert [one.name for one in kept.read()] == ["bold", "calm"]
    stopped = kept.stop("bold")
    assert stopped.stopped_at > stopped.created_at
    assert kept.stop("bold") == stopped
    kept.add("third", BOLD)
    kept.stop("third")
    assert [one.name for one in kept.read()] == ["calm", "third", "bold"]
    assert kept.find("bold") == stopped


def test_a_name_is_used_once(kept) -> None:
    kept.add("bold", BOLD)
    for _ in range(2):
        with pytest.raises(ConflictError, match="was used before: 'bold'"):
            kept.add("bold", BOLD)
        kept.stop("bold")
    kept.add("Bold", BOLD)


def test_unknown_names_are_told_with_the_nearest(kept) -> None:
    kept.add("bold", BOLD)
    for ask in (kept.find, kept.stop):
        with pytest.raises(KeyError, match="Did you mean 'bold'"):
            ask("bald")


def test_only_so_many_run(kept) -> None:
    for i in range(MOST_SHADOWS):
        kept.add(f"n{i}", BOLD)
    with pytest.raises(ConflictError, match="at most 16, was 17"):
        kept.add("one more", BOLD)
    kept.stop("n3")
    kept.add("one more", BOLD)
    assert sum(one.stopped_at is None for one in kept.read()) == MOST_SHADOWS


def test_the_newest_that_ended_are_listed(kept, monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST_STOPPED", 2)
    for i in range(4):
        kept.add(f"n{i}", BOLD)
        kept.stop(f"n{i}")
    assert [one.name for one in kept.read()] == ["n3", "n2"]


def test_chapters_are_those_of_the_present_book(engine, kept, ledger) -> None:
    assert kept.chapters("bold") == ()
    ledger.open_book(shadow_book("bold"), 10_000.0, 0)
    first = Chapter(HOUR, 0, 3, "it began", (0.5, 0.5))
    second = Chapter(9 * HOUR, 0, 3, "champion has other weights", (0.4, 0.6))
    tell(engine, "bold", first, second, Chapter(HOUR, 1, 3, "another epoch", ()))
    tell(engine, "Bold", Chapter(2 * HOUR, 0, 3, "another name", ()))
    assert kept.chapters("bold") == (first, second)
    tell(engine, "bold", first)  # told again: there once
    assert len(kept.chapters("bold")) == 2


def test_the_newest_chapters_are_kept_in_order(engine, kept, ledger, monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST_CHAPTERS", 3)
    ledger.open_book(shadow_book("bold"), 10_000.0, 0)
    tell(engine, "bold", *(Chapter(i * HOUR, 0, 0, "x", ()) for i in range(6)))
    assert [c.time for c in kept.chapters("bold")] == [3 * HOUR, 4 * HOUR, 5 * HOUR]


def test_standing_is_that_of_the_own_market(engine, kept, ledger) -> None:
    assert kept.standing() is None
    assert kept.standing("bold") is None
    mark(ledger, shadow_book("bold"), [10_000.0, 10_500.0, 10_250.0], cash=10_400.0)
    found = kept.standing("bold")
    assert (found.epoch, found.begun, found.time, found.cash) == (0, 0, 3 * HOUR, 10_400.0)
    assert (found.equity, found.n_trades) == (10_250.0, 2)
    assert found.drawdown == pytest.approx(1 - 10_250 / 10_400)
    assert ShadowRepository(engine, "binance", Clock()).standing("bold") is None
    assert kept.standing() is None


def test_marks_are_those_that_both_have(kept, ledger) -> None:
    mark(ledger, PAPER, [10_000.0 + i for i in range(10)])
    mark(ledger, shadow_book("bold"), [9_000.0 + i for i in range(5)], first=4)
    whole = Chapter(0, 0, 0, "", ())
    found = kept.marks("bold", whole)
    assert found.time.tolist() == [h * HOUR for h in range(4, 9)]
    assert found.champion.tolist() == [10_003.0 + i for i in range(5)]
    assert found.challenger.tolist() == [9_000.0 + i for i in range(5)]
    assert kept.marks("bold", Chapter(6 * HOUR, 0, 0, "", ())).time[0] == 6 * HOUR
    assert kept.marks("bold", whole, after=6 * HOUR).time[0] == 7 * HOUR
    assert kept.marks("bold", Chapter(0, 1, 0, "", ())).time.size == 0
    assert kept.marks("bold", Chapter(0, 0, 1, "", ())).champion.size == 0
    assert kept.marks("calm", whole).time.size == 0


def test_marks_come_in_pages(kept, ledger, monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST_MARKS", 3)
    for book in (PAPER, shadow_book("bold")):
        mark(ledger, book, [10_000.0 + i for i in range(8)])
    chapter, times, after = Chapter(0, 0, 0, "", ()), [], 0
    while (page := kept.marks("bold", chapter, after)).time.size:
        assert page.time.size <= 3
        times += page.time.tolist()
        after = times[-1]
    assert np.array_equal(times, np.arange(1, 9) * HOUR)


def test_a_database_that_fails_says_so(tmp_path) -> None:
    broken = ShadowRepository(sa.create_engine(f"sqlite:///{tmp_path}"), "x", Clock())
    for ask in (
        broken.read, lambda: broken.find("bold"), lambda: broken.add("bold", BOLD),
        lambda: broken.stop("bold"), lambda: broken.chapters("bold"), broken.standing,
        lambda: broken.marks("bold", Chapter(0, 0, 0, "", ())),
    ):  # fmt: skip
        with pytest.raises(DatabaseError):
            ask()
