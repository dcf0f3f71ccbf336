"""Pauses: they grow to half a minute, and no two clients wait alike."""

from opportunity.remote.backoff import Backoff


def test_bounds_grow_from_one_and_a_half_to_thirty_seconds():
    backoff = Backoff(lambda low, high: high)
    found = [round(backoff.pause_s(), 1) for _ in range(11)]
    assert found == [1.5, 2.2, 3.4, 5.1, 7.6, 11.4, 17.1, 25.6, 30.0, 30.0, 30.0]


def test_pauses_lie_between_half_of_the_bound_and_the_bound():
    drawn = [Backoff().pause_s() for _ in range(200)]
    assert all(0.75 <= pause <= 1.5 for pause in drawn)
    assert len(set(drawn)) > 100


def test_a_line_that_held_begins_anew():
    backoff = Backoff(lambda low, high: high)
    for _ in range(5):
        backoff.pause_s()
    backoff.held()
    assert backoff.pause_s() == 1.5


def test_the_servers_wish_counts_once():
    backoff = Backoff(lambda low, high: high)
    assert backoff.pause_s(700) == 0.7
    assert backoff.pause_s(700) == 2.25
