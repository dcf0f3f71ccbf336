import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opportunity.market.timeframe import (
    EARLIEST_MS,
    LATEST_MS,
    TIMEFRAMES,
    divides,
    infer,
    length_ms,
    on_grid,
    open_ms,
    opens_ms,
    require_milliseconds,
    timeframe,
    utc_text,
)

UNITS = {"m": "min", "h": "h", "d": "D", "w": "W"}
TIMES = st.integers(EARLIEST_MS, LATEST_MS - 1)


def test_lengths_ascend_and_are_the_eleven_of_the_product():
    assert TIMEFRAMES == ("1m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d", "1w")
    lengths = [length_ms(t) for t in TIMEFRAMES]
    assert lengths == [
        pd.Timedelta(int(t[:-1]), UNITS[t[-1]]) // pd.Timedelta(1, "ms") for t in TIMEFRAMES
    ]
    assert lengths == sorted(lengths)


@pytest.mark.parametrize("name", ["1H", "1M", "3m", "", "60", "1h "])
def test_timeframe_unknown(name):
    with pytest.raises(ValueError, match="timeframe must be a known name, was"):
        timeframe(name)


def test_timeframe_unknown_names_a_near_one():
    with pytest.raises(ValueError, match="Did you mean '15m'"):
        timeframe("15min")


@given(TIMES, st.sampled_from(TIMEFRAMES))
def test_open_holds_the_instant(time, name):
    start = open_ms(time, name)
    assert start <= time < start + length_ms(name)
    assert on_grid(np.array([start]), name).all()
    assert opens_ms(np.array([time]), name)[0] == start


@given(TIMES)
def test_weeks_open_on_monday_as_pandas_says(time):
    start = pd.Timestamp(open_ms(time, "1w"), unit="ms", tz="UTC")
    assert start.day_name() == "Monday"
    assert start == start.normalize()


@given(TIMES, st.sampled_from([t for t in TIMEFRAMES if t != "1w"]))
def test_grids_below_a_week_are_those_of_pandas(time, name):
    floor = pd.Timestamp(time, unit="ms").floor(pd.Timedelta(length_ms(name), unit="ms"))
    assert open_ms(time, name) == int(floor.timestamp() * 1000)


def test_divides_lists_what_a_timeframe_is_made_of():
    made_of = {t: [s for s in TIMEFRAMES if divides(s, t)] for t in ("6h", "4h", "1w")}
    assert made_of["6h"] == ["1m", "5m", "15m", "30m", "1h", "2h", "6h"]
    assert made_of["4h"] == ["1m", "5m", "15m", "30m", "1h", "2h", "4h"]
    assert made_of["1w"] == list(TIMEFRAMES)


@pytest.mark.parametrize("name", TIMEFRAMES)
def test_infer_names_the_timeframe_of_plain_times(name):
    times = open_ms(1_704_067_200_000, name) + length_ms(name) * np.arange(10)
    assert infer(times) == name
    assert infer(np.delete(times, [3, 4])) == name


@pytest.mark.parametrize(
    "hours",
    [[], [0], [0, 2, 5, 7, 9, 10], [0, 3], [3, 2, 1], [0, 1, 1, 2]],
    ids=["none", "one", "mostly holes", "3h", "descending", "duplicate"],
)
def test_infer_gives_none_where_it_is_not_plain(hours):
    assert infer(1_704_067_200_000 + 3_600_000 * np.array(hours, np.int64)) is None


def test_infer_gives_none_off_the_grid():
    assert infer(1_704_067_200_001 + 3_600_000 * np.arange(9)) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1_704_067_200, "which would be seconds"),
        (1_704_067_200_000_000, "which would be microseconds"),
        (1_704_067_200_000_000_000, "which would be nanoseconds"),
        (EARLIEST_MS - 1, "between 2009 and 2100"),
        (LATEST_MS, "between 2009 and 2100"),
        (0, "was 0 in row 1"),
        (-5, "was -5 in row 1"),
    ],
)
def test_require_milliseconds_names_the_unit_it_was_given(value, words):
    with pytest.raises(ValueError, match=words):
        require_milliseconds(np.array([EARLIEST_MS, value, LATEST_MS - 1]))


def test_require_milliseconds_passes_the_range_and_nothing():
    require_milliseconds(np.array([EARLIEST_MS, LATEST_MS - 1]))
    require_milliseconds(np.array([], np.int64))


def test_utc_text():
    assert utc_text(1_704_067_200_000) == "2024-01-01T00:00Z"
    assert utc_text(1_704_067_200_123) == "2024-01-01T00:00:00.123Z"
    assert utc_text(2**62) == f"{2**62} ms"
