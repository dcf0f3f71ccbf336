import itertools

from hypothesis import given
from hypothesis import strategies as st

from app.api.throttle import Throttle


def test_same_direction_waits_and_a_turn_does_not():
    sides = {"A": "UP", "B": "UP"}
    throttle = Throttle(1.0, sides.__getitem__)
    assert throttle.due_at is None
    assert throttle.passes("A", 10.0)
    assert not throttle.passes("A", 10.5)
    assert throttle.due_at == 11.0
    assert throttle.passes("B", 10.6)
    sides["A"] = "DOWN"
    assert throttle.passes("A", 10.7)
    assert throttle.due_at is None


def test_what_was_held_is_due_once_its_time_has_come():
    throttle = Throttle(1.0, lambda symbol: "UP")
    for symbol, at in (("A", 10.0), ("B", 10.5), ("A", 10.6), ("B", 10.7)):
        throttle.passes(symbol, at)
    assert throttle.due(10.9) == []
    assert throttle.due(11.0) == ["A"]
    assert throttle.due_at == 11.5
    assert not throttle.passes("A", 11.2)
    throttle.clear()
    assert throttle.due_at is None
    assert throttle.due(20.0) == []


@given(st.lists(st.floats(0, 0.6), max_size=40))
def test_never_more_than_one_in_an_interval_and_the_last_is_not_lost(waits):
    throttle, now, sent = Throttle(1.0, lambda symbol: "UP"), 0.0, []
    newest = None
    for n, wait in enumerate(waits):
        now += wait
        for _ in throttle.due(now):
            sent.append((now, newest))
        newest = n
        if throttle.passes("A", now):
            sent.append((now, n))
    if throttle.due_at is not None:
        throttle.due(now + 1.0)
        sent.append((now + 1.0, newest))
    assert all(b - a >= 0.99 for (a, _), (b, _) in itertools.pairwise(sent))
    assert not waits or sent[-1][1] == len(waits) - 1
