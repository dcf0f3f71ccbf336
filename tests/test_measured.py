"""Counts and durations, held against plain sums."""

import math
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.measured import BOUNDS_S, MEASURED, MOST, Measured


@given(st.lists(st.floats(0, 100), max_size=50))
def test_bins_hold_what_was_measured(values: list[float]) -> None:
    measured = Measured()
    for value in values:
        measured.took("scan", value)
    if not values:
        assert measured.durations() == {}
        return
    found = measured.durations()["scan", ""]
    assert found.n == len(values)
    assert math.isclose(found.total_s, math.fsum(values), rel_tol=1e-9, abs_tol=1e-12)
    for i, bound in enumerate(BOUNDS_S):  # as Prometheus has it: bins count up to their bound
        assert sum(found.counts[: i + 1]) == sum(value <= bound for value in values)


def test_labels_are_apart_and_bounded() -> None:
    measured = Measured()
    for i in range(MOST + 20):
        measured.took("detector", 0.001, str(i))
        measured.count("cache", label=str(i))
    assert len(measured.durations()) == MOST + 1
    assert measured.durations()["detector", "other"].n == 20
    assert measured.counts()["cache", "other"] == 20
    measured.took("detector", 0.001, "0")
    assert measured.durations()["detector", "0"].n == 2


def test_counts_add_up_from_all_threads() -> None:
    measured = Measured()

    def work() -> None:
        for _ in range(2_000):
            measured.count("bars", 2)
            measured.took("commit", 0.001)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert measured.counts() == {("bars", ""): 16_000}
    assert measured.durations()["commit", ""].n == 8_000


def test_age_is_that_of_the_last_time() -> None:
    clock = [5.0]
    measured = Measured(lambda: clock[0])
    assert measured.age_s("bars") is None
    measured.count("bars", label="x")
    clock[0] = 7.5
    assert measured.age_s("bars") == 2.5
    measured.count("bars")
    assert measured.age_s("bars") == 0.0


def test_a_block_is_measured_also_when_it_fails() -> None:
    measured = Measured()
    with pytest.raises(ZeroDivisionError), measured.timed("commit"):
        raise ZeroDivisionError
    assert measured.durations()["commit", ""].n == 1


def test_listeners_hear_until_they_leave() -> None:
    measured, heard = Measured(), []
    leave = measured.listen(lambda *given: heard.append(given))
    measured.took("scan", 0.25)
    measured.took("detector", 0.5, "smc")
    leave()
    measured.took("scan", 1.0)
    assert heard == [("scan", "", 0.25), ("detector", "smc", 0.5)]


def test_a_process_has_one() -> None:
    assert isinstance(MEASURED, Measured)
