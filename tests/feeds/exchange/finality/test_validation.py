import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_venue import GRACE, HOLD, MINUTE, START

from opportunity.feeds.exchange.finality.timing import Timing
from opportunity.feeds.exchange.finality.validation import is_bar, sound, time_fault, value_fault
from opportunity.market.timeframe import DAY_MS

TIMING = Timing("1m", GRACE, HOLD)
NAN, INF = float("nan"), float("inf")


def test_a_bar_passes():
    assert is_bar((1.0, 2.0, 0.5, 1.5, 3.0))
    assert is_bar((1.0, 1.0, 1.0, 1.0, 0.0))  # flat and without volume is a fact
    assert is_bar((1e-8, 1e-8, 1e-8, 1e-8, 1e12))


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ((NAN, 2.0, 0.5, 1.5, 3.0), "finite"),
        ((1.0, INF, 0.5, 1.5, 3.0), "finite"),
        ((1.0, 2.0, 0.5, 1.5, INF), "finite"),
        ((1.0, 2.0, 0.0, 1.5, 3.0), "> 0"),
        ((-1.0, 2.0, -1.0, 1.5, 3.0), "> 0"),
        ((1.0, 0.5, 2.0, 1.0, 3.0), "within low..high"),
        ((2.5, 2.0, 0.5, 1.5, 3.0), "within low..high"),
        ((1.0, 2.0, 0.5, 0.4, 3.0), "within low..high"),
        ((1.0, 2.0, 0.5, 1.5, -1.0), "volume must be >= 0"),
    ],
)
def test_what_is_no_bar_is_named(values, rule):
    assert not is_bar(values)
    assert rule in value_fault(values)


@pytest.mark.parametrize(
    ("time", "rule"),
    [
        (START // 1_000, "since 2009"),  # seconds
        (START * 1_000, "future"),  # microseconds
        (START * 1_000_000, "future"),
        (START + 2 * MINUTE, "future"),
        (START + 1, "opening time"),
        (START - 14_000, "opening time"),
        (0, "since 2009"),
        (-START, "since 2009"),
    ],
)
def test_times_that_are_none_are_named(time, rule):
    assert rule in time_fault(time, START, TIMING)


def test_a_time_on_the_grid_passes():
    assert time_fault(START, START, TIMING) == ""
    assert time_fault(START + MINUTE, START, TIMING) == ""  # a clock may lag


@pytest.mark.parametrize("shift", [120_494_789, 1])
def test_recorded_hours_that_were_shifted_are_off_the_grid(shift):
    timing = Timing("1h", GRACE, HOLD)
    hour = START // 3_600_000 * 3_600_000
    assert "opening time of 1h" in time_fault(hour - DAY_MS * 3 + shift, hour, timing)


numbers = st.one_of(
    st.floats(), st.sampled_from([0.0, -0.0, 1.0, 2.0, 3.0, -1.0, NAN, INF, -INF, 1e-320])
)
times = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-3, 3).map(lambda n: START + n * MINUTE),
    st.sampled_from([START // 1_000, START * 1_000, START + 30_000]),
)


@given(st.lists(st.tuples(times, st.tuples(*[numbers] * 5)), max_size=8))
def test_rows_are_judged_as_one_by_one(rows):
    told = np.array([t for t, _ in rows], np.int64)
    values = np.array([v for _, v in rows], float).reshape(-1, 5)
    alone = [not time_fault(t, START, TIMING) and not value_fault(v) for t, v in rows]
    assert sound(told, values, START, TIMING).tolist() == alone


@given(st.tuples(*[numbers] * 5))
def test_fault_is_named_exactly_where_there_is_one(values):
    assert bool(value_fault(values)) == (not is_bar(values))
