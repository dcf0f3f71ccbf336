import asyncio
import threading

import pytest
from structlog.testing import capture_logs

from opportunity.errors import OpportunityError
from opportunity.feeds.clock import Clock
from opportunity.live import notes as module
from opportunity.live.notes import NoteKeeper, tell
from opportunity.market.notes import BarNote
from opportunity.market.timeframe import DAY_MS

NOW = 1_700_000_000_000


def note(i: int, kind: str = "corrected", change_bp: float = 0.0) -> BarNote:
    return BarNote(kind, "BTC/USDT", "1m", NOW + i, NOW + i, change_bp=change_bp)


class Feed:
    def __init__(self) -> None:
        self.clock, self.waiting = Clock(NOW), []

    def notes(self):
        found, self.waiting = self.waiting, []
        return found


class Store:
    def __init__(self) -> None:
        self.kept: list[BarNote] = []
        self.forgotten: list[tuple[int, int]] = []
        self.broken = False
        self.pause: threading.Event | None = None
        self.threads: set[threading.Thread] = set()

    def append(self, notes) -> int:
        self.threads.add(threading.current_thread())
        if self.pause is not None:
            self.pause.wait(5)
        if self.broken:
            raise OpportunityError("notes must be kept, were not")
        self.kept += notes
        return len(notes)

    def forget(self, before: int, most: int) -> int:
        self.forgotten.append((before, most))
        return 0


@pytest.fixture
def feed() -> Feed:
    return Feed()


@pytest.fixture
def store() -> Store:
    return Store()


async def test_notes_are_kept_once_in_order_and_off_the_loop(feed, store) -> None:
    keeper = NoteKeeper(feed, store)
    for i in range(3):
        feed.waiting = [note(2 * i), note(2 * i + 1)]
        await keeper.keep()
    await keeper.keep()
    assert store.kept == [note(i) for i in range(6)]
    assert threading.main_thread() not in store.threads


async def test_failing_database_costs_nothing_but_time(feed, store) -> None:
    keeper = NoteKeeper(feed, store)
    store.broken = True
    feed.waiting = [note(0)]
    with capture_logs() as logs:
        await keeper.keep()
        feed.waiting = [note(1)]
        await keeper.keep()
    assert [entry["event"] for entry in logs] == ["notes not kept"] * 2
    store.broken = False
    await keeper.keep()
    assert store.kept == [note(0), note(1)]


async def test_notes_that_wait_for_a_database_are_bounded(feed, store, monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST_UNKEPT", 3)
    keeper = NoteKeeper(feed, store)
    feed.waiting = [note(i) for i in range(10)]
    await keeper.keep()
    assert store.kept == [note(i) for i in (7, 8, 9)]


async def test_without_a_store_notes_are_only_drained(feed) -> None:
    feed.waiting = [note(0)]
    await NoteKeeper(feed).keep()
    assert feed.waiting == []


async def test_keep_that_is_cancelled_writes_once(feed, store, monkeypatch) -> None:
    monkeypatch.setattr(module, "KEEP_EVERY_S", 0.0)
    keeper = NoteKeeper(feed, store)
    store.pause, feed.waiting = threading.Event(), [note(0)]
    running = asyncio.ensure_future(keeper.run())
    async with asyncio.timeout(30):
        while not store.threads:  # noqa: ASYNC110 - a thread tells nobody of its start
            await asyncio.sleep(0.001)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    feed.waiting = [note(1)]
    last = asyncio.ensure_future(keeper.keep())
    await asyncio.sleep(0)
    store.pause.set()
    await last
    assert store.kept == [note(0), note(1)]


async def test_old_notes_are_let_go_once_a_day(feed, store) -> None:
    keeper = NoteKeeper(feed, store)
    for i in range(3):
        feed.waiting = [note(i)]
        await keeper.keep()
    assert len(store.forgotten) == 1
    before, most = store.forgotten[0]
    assert (NOW - before) // DAY_MS in (399, 400)
    assert most == 1_000_000


async def test_many_notes_are_let_go_sooner(feed, store, monkeypatch) -> None:
    monkeypatch.setattr(module, "FORGET_EVERY", 5)
    keeper = NoteKeeper(feed, store)
    for i in range(12):
        feed.waiting = [note(i)]
        await keeper.keep()
    assert len(store.forgotten) == 3


def test_corrections_that_matter_are_told_in_one_line() -> None:
    with capture_logs() as logs:
        tell([note(i, change_bp=float(i)) for i in range(10)])
        tell([note(0, change_bp=5.0), note(1, kind="refused", change_bp=80.0)])
    assert [(e["event"], e["bars"], e["change_bp"], e["log_level"]) for e in logs] == [
        ("bars corrected", 4, 9.0, "warning")
    ]
