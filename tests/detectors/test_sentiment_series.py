import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportunity.detectors.sentiment_series import Batch, Latest, Series, freshness, look_up
from opportunity.detectors.sentiment_windows import CHANGE, RANK
from opportunity.market.asof import AsOf
from opportunity.market.timeframe import DAY_MS, HOUR_MS

MEMORY = 92 * DAY_MS


def times(*hours: float) -> np.ndarray:
    return (np.array(hours) * HOUR_MS).astype(np.int64)


def batch(hours, values, key=0, source="x", late=0.0) -> Batch:
    at = times(*hours)
    return Batch(key, source, at + int(late * HOUR_MS), at, np.array(values, np.float64))


def asked(series: Series, hours, key=0, n_values=1) -> np.ndarray:
    closed = times(*hours)
    out = np.empty((closed.size, n_values + 1))
    series.write(np.full(closed.size, key), closed, MEMORY, out)
    return out


@settings(deadline=None)  # the first call compiles
@given(
    st.lists(st.integers(0, 50), max_size=30), st.lists(st.integers(-1, 55), max_size=20)
)
def test_look_up_equals_the_as_of_join(known, asked):
    series = AsOf(1)
    for i, t in enumerate(sorted(known)):
        series.append(t, [float(i)])
    at = np.array(asked, np.int64)
    rows, found = np.empty((at.size, 1)), np.empty(at.size, np.int64)
    look_up(series.known, series.values, at, rows, found)
    values, times = series.at(at)
    np.testing.assert_array_equal(rows, values)
    np.testing.assert_array_equal(found, times)


def test_latest_answers_any_mix_of_keys_and_times():
    rng = np.random.default_rng(1)
    latest, plain = Latest(4, 2), [AsOf(2) for _ in range(4)]
    for key in (0, 1, 3):
        known = np.sort(rng.integers(10, 100, 20))
        rows = rng.normal(size=(20, 2))
        latest.append(key, known, rows)
        plain[key].append(known, rows)
    for keys in (rng.integers(0, 4, 200), np.repeat(np.arange(4), 50), np.full(50, 3)):
        closed = rng.integers(0, 120, keys.size)
        rows, known = latest.at(keys, closed)
        for i, (key, t) in enumerate(zip(keys.tolist(), closed.tolist(), strict=True)):
            values, when = plain[key].at(t)
            np.testing.assert_array_equal(rows[i], values)
            assert known[i] == when
    latest.forget(60)
    closed = np.arange(60, 110)
    np.testing.assert_array_equal(
        latest.at(np.full(50, 1), closed)[0], plain[1].at(closed)[0]
    )


@pytest.mark.parametrize(
    ("age", "expected"), [(-5, 1), (0, 1), (8, 0.5), (16, 0.25), (32, 0.0625), (32.01, 0)]
)
def test_freshness_halves_and_ends_after_four_half_lives(age, expected):
    assert freshness(float(age), 8.0) == expected


def test_value_fades_ends_and_is_forgotten():
    series = Series(CHANGE, 1, 24 * HOUR_MS, DAY_MS)
    series.take([batch([0], [40], late=24)])
    found = asked(series, [23, 24, 48, 24 + 96, 24 + 97, 24 + 92 * 24, 24 + 92 * 24 + 1])
    np.testing.assert_array_equal(found[:, 0], [np.nan, 40, 40, 40, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(found[:, 1], [np.nan, 1, 0.5, 1 / 16, 0, 0, np.nan])


def test_value_ages_from_the_end_of_its_day_or_from_when_it_was_known_if_that_is_earlier():
    early, late = (Series(CHANGE, 1, 24 * HOUR_MS, DAY_MS) for _ in range(2))
    early.take([batch([0], [40], late=1)])
    late.take([batch([0], [40], late=72)])
    assert asked(early, [25])[0, 1] == 0.5
    assert asked(late, [72])[0, 1] == 0.25  # it was two days old when it came


def test_late_record_never_replaces_a_newer_one():
    series = Series(CHANGE, 1, 24 * HOUR_MS, DAY_MS)
    series.take([batch([7 * 24], [60], late=24)])
    assert np.isnan(asked(series, [8 * 24], n_values=2)[0, 1])
    series.take([Batch(0, "x", times(8 * 24 + 1), times(0), np.array([50.0]))])
    found = asked(series, [8 * 24, 8 * 24 + 1], n_values=2)
    np.testing.assert_array_equal(found[:, 0], [60, 60])
    np.testing.assert_array_equal(found[:, 1], [np.nan, 10])  # but it is what was a week before


def test_repetitions_and_older_records_of_an_hour_are_not_new():
    series = Series(CHANGE, 1, 24 * HOUR_MS)
    assert series.new(batch([1, 2], [5, 6])).all()
    series.take([batch([1, 2.5], [5, 6])])
    new = series.new(batch([1, 1, 2.2, 2.5, 2.5, 2.7, 0.5, 9], [5, 7, 1, 6, 8, 1, 1, 1]))
    assert new.tolist() == [False, True, False, False, True, True, True, True]
    assert series.new(batch([1, 2], [5, 6], source="y")).all()
    assert series.new(batch([1, 2], [5, 6], key=1)).all()


def test_each_source_is_measured_against_its_own_past():
    series = Series(RANK, 2, 8 * HOUR_MS)
    hours = 8.0 * np.arange(100)
    rates = np.random.default_rng(1).normal(size=100)
    alone = Series(RANK, 2, 8 * HOUR_MS)
    alone.take([batch(hours, rates)])
    series.take([batch(hours, rates), batch(hours + 4, 1000 + rates, source="y")])
    series.take([batch(hours, 9 + rates, key=1)])
    np.testing.assert_array_equal(asked(series, hours + 1), asked(alone, hours + 1))
    np.testing.assert_array_equal(  # four hours later the other source is the newest
        asked(series, hours[90:] + 4)[:, 0], asked(alone, hours[90:])[:, 0]
    )
    np.testing.assert_array_equal(asked(series, hours, key=1), asked(alone, hours))


@pytest.mark.parametrize("order", [1, -1])
def test_equally_new_sources_are_told_apart_by_name_not_by_order(order):
    series = Series(CHANGE, 1, 8 * HOUR_MS)
    pair = [batch([1], [10], source="a"), batch([1], [20], source="b")]
    series.take(pair[::order])
    assert asked(series, [1])[0, 0] == 10
    series.take([batch([3], [30], source="b")])
    assert asked(series, [2, 3])[:, 0].tolist() == [10, 30]


def test_source_without_enough_past_does_not_hide_one_that_has():
    series = Series(RANK, 1, 8 * HOUR_MS)
    hours = 8.0 * np.arange(100)
    series.take([batch(hours, np.arange(100.0))])
    series.take([batch([795], [1.0], source="new")])
    assert asked(series, [796])[0, 0] == 0.99


def test_forgetting_changes_no_later_answer():
    rng = np.random.default_rng(5)
    hours = 8.0 * np.arange(900)
    rates = rng.normal(size=900)
    kept, short = (Series(RANK, 1, 8 * HOUR_MS) for _ in range(2))
    for a in range(0, 900, 30):
        for series in (kept, short):
            series.take([batch(hours[a : a + 30], rates[a : a + 30])])
        short.forget(int(hours[a + 29] * HOUR_MS), MEMORY)
        later = hours[a + 29] + np.arange(0, 40, 0.5)
        np.testing.assert_array_equal(asked(short, later), asked(kept, later))
    assert short._histories[0]["x"].n < 320
    assert len(short._latest._series[0]) <= 30
