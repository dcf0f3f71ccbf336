import numba
import numpy as np
import pytest
from builders import random_bars

from opportunity.detectors.smc_clock import (
    ASIA,
    CLOCK,
    DAY,
    DAYS,
    HOUR,
    WEEKS,
    clock_step,
    session_factor,
)

MONDAY = 1_700_438_400_000  # 20 November 2023, 00:00 UTC
QUARTER = HOUR // 4


@numba.njit
def _steps(clocks, times, highs, lows):
    ended = np.zeros(times.size, np.int64)
    for n in range(times.size):
        ended[n] = clock_step(clocks[0], n, times[n], highs[n], lows[n])
    return ended


def run(times, highs=None, lows=None):
    """Carry a clock over bars; return it and the windows that ended before each bar."""
    times = np.asarray(times, np.int64)
    clocks = np.zeros(1, CLOCK)
    highs = np.full(times.size, 2.0) if highs is None else np.asarray(highs, float)
    lows = np.full(times.size, 1.0) if lows is None else np.asarray(lows, float)
    return clocks[0], _steps(clocks, times, highs, lows)


@pytest.mark.parametrize(
    ("hour", "minute", "factor"),
    [
        (0, 0, 0.7), (1, 45, 0.7), (2, 0, 0.5), (3, 45, 0.5), (6, 45, 0.5), (7, 0, 0.6),
        (9, 45, 0.6), (10, 0, 0.5), (11, 45, 0.5), (12, 0, 1.0), (14, 45, 1.0), (15, 0, 0.8),
        (16, 45, 0.8), (17, 0, 0.5), (23, 45, 0.5),
    ],
)  # fmt: skip
def test_quarter_hours_belong_to_the_window_that_holds_their_opening(hour, minute, factor):
    factor_of = getattr(session_factor, "py_func", session_factor)
    t = MONDAY + hour * HOUR + minute * 60_000
    assert factor_of(t, QUARTER) == factor
    assert factor_of(t, HOUR) == factor
    assert factor_of(t, 2 * HOUR) == factor_of(t, DAY) == factor_of(t, 0) == 1.0


def test_length_of_a_bar_is_the_smallest_step_so_far():
    gap = [0, 8 * HOUR, 9 * HOUR, 20 * HOUR, 21 * HOUR]
    assert run(np.add(MONDAY, gap[:1]))[0]["length"] == 0
    assert run(np.add(MONDAY, gap[:2]))[0]["length"] == 8 * HOUR
    assert run(np.add(MONDAY, gap))[0]["length"] == HOUR


def test_asian_session_ends_at_four_and_days_at_midnight_on_quarter_hours():
    times = MONDAY + QUARTER * np.arange(3 * 96)
    clock, ended = run(times)
    assert np.flatnonzero(ended & (1 << ASIA)).tolist() == [16, 96 + 16, 192 + 16]
    assert np.flatnonzero(ended & (1 << DAYS)).tolist() == [96, 192]
    assert not (ended & (1 << WEEKS)).any()
    assert clock["length"] == QUARTER


def test_weeks_end_on_monday():
    times = MONDAY - 3 * DAY + 4 * HOUR * np.arange(20 * 6)
    _, ended = run(times)
    bars = np.flatnonzero(ended & (1 << WEEKS))
    assert (times[bars] - MONDAY).tolist() == [7 * DAY, 14 * DAY]  # the first was not whole


@pytest.mark.parametrize(
    ("length", "kinds"),
    [
        (HOUR, {ASIA, DAYS, WEEKS}), (4 * HOUR, {DAYS, WEEKS}), (12 * HOUR, {WEEKS}),
        (7 * DAY, set()),
    ],
)  # fmt: skip
def test_long_bars_have_no_short_windows(length, kinds):
    _, ended = run(MONDAY + length * np.arange(200))
    assert {k for k in (ASIA, DAYS, WEEKS) if (ended & (1 << k)).any()} == kinds


def test_levels_are_the_extremes_of_the_window_and_know_their_bars():
    times = MONDAY + HOUR * np.arange(25)
    bars = random_bars(25, seed=4)
    clock, ended = run(times, bars.high, bars.low)
    day, asia = clock["windows"][DAYS], clock["windows"][ASIA]
    assert ended[24] == 1 << DAYS
    np.testing.assert_array_equal(day["level"], [bars.high[:24].max(), bars.low[:24].min()])
    assert day["level_time"].tolist() == [
        times[bars.high[:24].argmax()], times[bars.low[:24].argmin()],
    ]
    np.testing.assert_array_equal(asia["level"], [bars.high[:4].max(), bars.low[:4].min()])
    np.testing.assert_array_equal(day["price"], [bars.high[24], bars.low[24]])


def test_window_that_began_before_the_first_bar_is_no_level():
    times = MONDAY + 6 * HOUR + HOUR * np.arange(60)
    _, ended = run(times)
    assert np.flatnonzero(ended & (1 << DAYS)).tolist() == [42]  # the second midnight
    assert np.flatnonzero(ended & (1 << ASIA)).tolist() == [22, 46]


def test_windows_end_across_a_gap():
    times = np.concatenate([MONDAY + HOUR * np.arange(20), MONDAY + 9 * DAY + HOUR * np.arange(3)])
    _, ended = run(times)
    assert ended[20] == (1 << DAYS) | (1 << WEEKS)
