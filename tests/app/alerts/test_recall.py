import pytest
from alerting import BREAKER, DAY, HOUR, SIGNAL, TIME

from app.alerts.daily import Daily
from app.alerts.judge import Judge
from app.alerts.recall import remember, unheard
from app.alerts.rules import AlertRules
from opportunity.storage.events import Event, EventRepository
from opportunity.storage.outbox import Outbox
from opportunity.storage.outbox_rows import Note

NOW = TIME + 5 * DAY


@pytest.fixture
def clock():
    return [NOW]


@pytest.fixture
def log(engine, clock):
    return EventRepository(engine, lambda: clock[0])


@pytest.fixture
def box(engine, clock):
    return Outbox(engine, lambda: clock[0])


@pytest.fixture
def judge():
    return Judge(AlertRules, "simulated", "m")


def breakers(log, *names: str) -> None:
    log.append([Event(name, TIME, "breaker", BREAKER) for name in names])


def test_the_first_start_has_no_past(log, box, judge):
    breakers(log, "a", "b")
    assert unheard(box, log, judge, NOW) == ([], 2)
    assert box.read_up_to() == 2


def test_events_that_nobody_heard_are_told(log, box, judge, clock):
    breakers(log, "a")
    unheard(box, log, judge, NOW)
    clock[0] += 120_000
    breakers(log, "b", "c")
    log.append([Event("h", TIME, "hand", {"book": "paper"})])
    notes, newest = unheard(box, log, judge, clock[0])
    assert [note.key for note in notes] == ["event:b", "event:c"]
    assert newest == 4


def test_old_news_is_none(log, box, judge, clock):
    unheard(box, log, judge, NOW)
    breakers(log, "a")
    assert unheard(box, log, judge, NOW + DAY + 1)[0] == []


def test_one_that_was_stored_late_with_a_smaller_number_is_heard(log, box, judge):
    breakers(log, "late", "b")
    box.put((), 2)
    keys = [note.key for note in unheard(box, log, judge, NOW + 1_000)[0]]
    assert keys == ["event:late", "event:b"]  # the outbox keeps each once


def test_what_was_told_is_not_told_again(box, judge):
    daily = Daily(AlertRules, "simulated", "m")
    told = [
        Note(f"signal:BTC/USDT:BULLISH:{TIME}", "signal", "t", "b"),
        Note(f"summary:m:{TIME // DAY}", "summary", "t", "b"),
        Note("return:x", "return", "t", "b"),
    ]
    box.put([(note, ["ops"]) for note in told])
    remember(box, judge, daily, NOW)
    assert judge.signal("BTC/USDT", SIGNAL, NOW + DAY) is None
    assert not judge.hourly("return", "new", NOW + 1)
    assert daily.ended(TIME + DAY, NOW + 1) is None
    assert daily.ended(TIME + DAY, NOW + HOUR) == TIME // DAY + 1
