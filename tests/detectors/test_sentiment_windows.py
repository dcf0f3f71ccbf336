from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from opportunity.detectors.sentiment_windows import (
    CHANGE,
    DEVIATION,
    GROWTH,
    RANK,
    absorb,
    change,
    deviation,
    growth,
    insert,
    rank,
)
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS

WEEK, SLACK = 7 * DAY_MS, 3 * DAY_MS


def history(n: int, step: int = HOUR_MS) -> np.ndarray:
    return step * np.arange(1, n + 1, dtype=np.int64)


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.tuples(st.integers(0, 400), st.floats(-1, 1)), min_size=1, max_size=60))
def test_history_is_sorted_and_keeps_the_last_record_of_each_hour(records):
    events, valid = np.zeros(64, np.int64), np.zeros(64, np.int64)
    values = np.zeros(64)
    n = 0
    expected: dict[int, tuple[int, float]] = {}
    for minute, value in records:
        event = minute * MINUTE_MS
        n = insert(events, valid, values, n, event, event + 1, value)
        held = expected.get(event // HOUR_MS, (-1, 0.0))
        if event >= held[0]:
            expected[event // HOUR_MS] = event, value
    kept = [expected[hour] for hour in sorted(expected)]
    assert [*zip(events[:n].tolist(), values[:n].tolist(), strict=True)] == kept
    np.testing.assert_array_equal(valid[:n], events[:n] + 1)


@pytest.mark.parametrize("n", [90, 200, 270, 400])
def test_rank_is_the_mid_rank_percentile_of_scipy(n):
    rng = np.random.default_rng(n)
    events = history(n, 8 * HOUR_MS)
    values = np.where(rng.random(n) < 0.4, 1e-4, rng.normal(1e-4, 1e-4, n))
    values[-1] = values[rng.integers(n)]
    window = values[-270:]
    percentile = stats.percentileofscore(window, values[-1], kind="mean") / 100
    assert rank(events, values, n) == pytest.approx(2 * percentile - 1, abs=1e-12)
    assert rank(events, -values, n) == -rank(events, values, n)


def test_rank_of_equal_values_is_the_middle_and_few_values_have_none():
    events = history(100, 8 * HOUR_MS)
    assert rank(events, np.full(100, 1e-4), 100) == 0.0
    assert np.isnan(rank(events, np.full(100, 1e-4), 89))
    assert rank(events, np.full(100, 1e-4), 90) == 0.0


def test_rank_looks_at_ninety_days_however_often_funding_settles():
    events = history(3_000, 4 * HOUR_MS)  # 540 settlements in 90 days
    values = np.arange(3_000.0)
    values[:-540] = 1e9
    assert rank(events, values, 3_000) == pytest.approx(539 / 540)


@pytest.mark.parametrize("n", [300, 720, 1_000])
def test_deviation_is_the_z_score_of_scipy(n):
    values = np.random.default_rng(n).normal(3, 0.2, n)
    expected = stats.zscore(values[-720:])[-1]
    assert deviation(history(n), values, n) == pytest.approx(expected, abs=1e-9)
    assert deviation(history(n), -values, n) == -deviation(history(n), values, n)


def test_deviation_needs_thirty_values_over_ten_days_and_motion():
    values = np.random.default_rng(1).normal(size=400)
    assert np.isnan(deviation(history(400), values, 240))
    assert np.isfinite(deviation(history(400), values, 241))
    daily = history(400, DAY_MS)
    assert np.isnan(deviation(daily, values, 29))
    assert np.isfinite(deviation(daily, values, 30))
    assert deviation(history(400), np.full(400, 0.1), 400) == 0.0


def test_growth_is_the_deviation_of_the_daily_change():
    logs = np.cumsum(np.random.default_rng(2).normal(0, 0.01, 900))
    changes = pd.Series(logs).diff(24)[-720:]
    expected = (changes.iloc[-1] - changes.mean()) / changes.std(ddof=0)
    found = growth(history(900), logs, 900, np.empty(900))
    fell = changes.iloc[-1] <= 0
    assert found == pytest.approx(min(expected, 0) if fell else expected, abs=1e-9)


def test_growth_of_what_fell_less_than_usual_is_no_growth():
    logs = -0.01 * np.arange(900.0) + 0.05 * np.random.default_rng(3).normal(size=900)
    logs[-1] = logs[-25] - 0.001
    assert growth(history(900), logs, 900, np.empty(900)) <= 0
    logs[-1] = logs[-25] + 0.5
    assert growth(history(900), logs, 900, np.empty(900)) > 2


def test_growth_needs_a_value_of_the_day_before():
    events = history(900)
    events[-1] += 40 * HOUR_MS  # the one a day before would be 16 hours off
    logs = np.cumsum(np.random.default_rng(4).normal(0, 0.01, 900))
    assert np.isnan(growth(events, logs, 900, np.empty(900)))


@pytest.mark.parametrize(
    ("days", "expected"), [(range(8), 7.0), ((0, 7), 7.0), ((0, 10), 10.0), ((0, 11), np.nan),
                           (range(7), np.nan), ((5,), np.nan), ((0, 2, 8), 8.0)],
)  # fmt: skip
def test_change_looks_seven_days_back_and_at_most_three_further(days, expected):
    events = np.array(days, np.int64) * DAY_MS
    values = np.array(days, np.float64)
    found = change(events, values, events.size, WEEK, SLACK)
    np.testing.assert_equal(found, expected)


@pytest.mark.parametrize("what", [CHANGE, RANK, DEVIATION, GROWTH])
def test_absorbing_many_equals_absorbing_one_by_one(what):
    rng = np.random.default_rng(what)
    n = 700
    events = history(n, 2 * HOUR_MS)
    late = rng.random(n) < 0.05
    events[late] -= 30 * HOUR_MS  # known late: takes its place in the past
    values = rng.normal(size=n)

    def taken(pieces):
        at = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n), np.zeros(n)
        out, count = np.empty((n, 3)), 0
        for a, b in pairwise(pieces):
            count = absorb(what, *at, count, events[a:b], events[a:b], values[a:b], out[a:b])
        return out

    whole = taken([0, n])
    np.testing.assert_array_equal(taken([0, 1, 5, 300, 301, n]), whole)
    assert (np.diff(whole[:, 2]) >= 0).all()  # what comes late never becomes the newest
    assert np.isfinite(whole[-1, 0])
    assert np.isfinite(whole[-1, 1]) == (what == CHANGE)
