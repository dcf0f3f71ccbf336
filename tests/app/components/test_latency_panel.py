"""Durations by bins, of the last minute and since the start; and the queues."""

import systems

from app.components.latency_panel import latency_state, quantile_ms, queues, row, since
from opportunity.measured import Durations, Measured


def test_a_share_ends_in_a_bin() -> None:
    measured = Measured()
    for seconds in (0.0009, 0.0009, 0.004, 20.0):
        measured.took("scan", seconds)
    found = measured.durations()["scan", ""]
    assert quantile_ms(found, 0.5) == 1.0
    assert quantile_ms(found, 0.75) == 5.0
    assert quantile_ms(found, 1.0) is None  # longer than the longest bin
    assert quantile_ms(Durations((0,) * 17, 0.0), 0.5) is None


def test_the_last_minute_is_what_came_since() -> None:
    measured = Measured()
    measured.took("loop_lag", 0.3, "agent")
    before = measured.durations()
    measured.took("loop_lag", 0.004, "agent")
    now = measured.durations()
    key = ("loop_lag", "agent")
    assert since(now[key], before[key]).n == 1
    found = row(key, now[key], before[key])
    assert (found["n"], found["total"], found["worst"], found["ever_worst"]) == (1, 2, 5.0, 500.0)
    assert found["over"] is False
    assert row(key, now[key], None)["over"] is True  # 500 ms, 20 are allowed


def test_rows_come_in_their_order_and_a_detector_has_no_limit() -> None:
    measured = Measured()
    for name, label in (("detector", "smc"), ("scan", ""), ("loop_lag", "server")):
        measured.took(name, 0.001, label)
    rows = latency_state(systems.Server(), 3, measured.durations(), {})["rows"]
    assert [one["kind"] for one in rows] == ["loop_lag", "scan", "detector"]
    assert rows[-1]["limit"] is None


def test_queues_say_what_waits() -> None:
    server = systems.Server("queued", "done")
    assert {one["name"]: one["n"] for one in queues(server, 3)} == {
        "states": 4, "events": 1, "postings": 2, "notices": 3, "jobs": 1}
    server.bus = systems.Bus()
    assert queues(server, 3)[-1] == {"name": "bus", "n": 6, "most": 5_000}
