from itertools import pairwise

from alerting import DAY, HOUR, TIME, TRADE, account

from app.alerts.daily import Daily
from app.alerts.rules import AlertRules
from app.alerts.words import DayFacts
from opportunity.feeds.status import FeedStatus

NOW = TIME + 5 * DAY


def daily(**rules) -> Daily:
    made = AlertRules(**rules)
    return Daily(lambda: made, "simulated", "simulated-7")


def test_a_day_is_told_when_it_ends():
    one = daily(summary_hour=6)
    assert one.ended(0, NOW) is None
    assert one.ended(TIME + 5 * HOUR, NOW) is None
    day = one.ended(TIME + 6 * HOUR, NOW + HOUR)
    assert day == TIME // DAY
    assert one.span(day) == (TIME - 18 * HOUR, TIME + 6 * HOUR)
    assert one.ended(TIME + 7 * HOUR, NOW + 2 * HOUR) is None


def test_days_that_fly_by_are_told_once_an_hour():
    one, told = daily(), []
    for minute in range(0, 24 * 60, 1):  # a wall day of a market at 60 times
        day = one.ended(TIME + minute * HOUR, NOW + minute * 60_000)
        told += [] if day is None else [(minute, day)]
    assert 20 <= len(told) <= 24
    assert all(b[0] - a[0] >= 60 for a, b in pairwise(told))


def test_a_day_that_ended_while_nobody_was_here_is_told():
    one = daily()
    one.remember([f"summary:other:{TIME // DAY}@ops", f"summary:simulated-7:{TIME // DAY}@ops"],
                 NOW - 2 * HOUR, None)  # fmt: skip
    assert one.ended(TIME + DAY, NOW) == TIME // DAY + 1


def test_a_restart_within_the_hour_waits():
    one = daily()
    one.remember([f"summary:simulated-7:{TIME // DAY}@ops"], NOW - HOUR // 2, None)
    assert one.ended(TIME + DAY, NOW) is None
    assert one.ended(TIME + DAY, NOW + HOUR // 2) == TIME // DAY + 1


def test_off_is_off_and_another_past_begins_anew():
    one = daily(daily_summary=False)
    assert [one.ended(TIME + i * DAY, NOW + i * DAY) for i in range(3)] == [None] * 3
    two = daily()
    two.ended(TIME + 9 * DAY, NOW)
    assert two.ended(TIME, NOW + DAY) is None
    assert two.ended(TIME + DAY, NOW + DAY) is not None


def test_the_note_of_a_day():
    one = daily()
    status = FeedStatus("live", "all well", NOW)
    note = one.summary(TIME // DAY, account(), DayFacts(10_000.0, 10_020.0, [TRADE]), status)
    assert note.key == f"summary:simulated-7:{TIME // DAY}"
    assert note.title == "[simulated] Daily summary: +20.00"
    assert note.body.startswith("day to 2026-01-01 00:00 UTC\nequity 10,000.00")
    assert note.body.endswith("data: live, all well")


def test_signs_of_life_come_every_so_often():
    assert daily().alive(NOW, None, None) is None
    one = daily(heartbeat_hours=2)
    assert "equity 10,000.00" in one.alive(NOW, account(), None).body
    assert one.alive(NOW + 2 * HOUR - 1, None, None) is None
    assert one.alive(NOW + 2 * HOUR, None, None).kind == "heartbeat"
    two = daily(heartbeat_hours=2)
    two.remember([], None, NOW - HOUR)
    assert two.alive(NOW, None, None) is None
    assert two.alive(NOW + HOUR, None, None)
