import numpy as np
import pandas as pd
import pytest

from opportunity.market.bars import Bars
from opportunity.market.frames import COLUMNS, columns_of, times_of

MS = 1_704_067_200_000
HOURS = [MS, MS + 3_600_000, MS + 7_200_000]


def table(**columns):
    frame = pd.DataFrame({c: [1.0, 2.0, 3.0] for c in COLUMNS} | {"time": HOURS})
    return frame.assign(**columns)


@pytest.mark.parametrize("name", ["time", "Timestamp", "DATE", " datetime "])
def test_times_by_any_usual_name(name):
    assert times_of(table().rename(columns={"time": name})).tolist() == HOURS


@pytest.mark.parametrize(
    "times",
    [
        pd.to_datetime(HOURS, unit="ms"),
        pd.to_datetime(HOURS, unit="ms", utc=True).tz_convert("Asia/Tokyo"),
        ["2024-01-01", "2024-01-01T01:00", "2024-01-01 02:00:00+00:00"],
        ["2024-01-01T03:00+03:00", "2024-01-01T04:00+03:00", "2024-01-01T02:00Z"],
        [str(h) for h in HOURS],
        np.array(HOURS, np.float64),
        np.array(HOURS, np.uint64),
        pd.array(HOURS, dtype="Int64"),
    ],
    ids=["naive", "aware", "iso", "offsets", "digits", "floats", "unsigned", "nullable"],
)
def test_times_in_any_usual_type(times):
    assert times_of(table(time=times)).tolist() == HOURS
    assert times_of(table().drop(columns="time").set_axis(pd.Index(times))).tolist() == HOURS


@pytest.mark.parametrize(("unit", "factor"), [("s", 1e-3), ("ms", 1), ("us", 1e3), ("ns", 1e6)])
def test_times_in_any_unit_that_is_named(unit, factor):
    assert times_of(table(time=[int(h * factor) for h in HOURS]), unit).tolist() == HOURS


@pytest.mark.parametrize(
    ("factor", "unit"), [(1e-3, "seconds"), (1e3, "microseconds"), (1e6, "nanoseconds")]
)
def test_times_of_another_unit_than_named(factor, unit):
    with pytest.raises(ValueError, match=f"between 2009 and 2100.*which would be {unit}"):
        times_of(table(time=[int(h * factor) for h in HOURS]))


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ([MS, None, MS], "empty in row 1"),
        ([MS, float("nan"), MS], "empty in row 1"),
        ([pd.NaT, pd.Timestamp(0), pd.Timestamp(0)], "empty in row 0"),
        ([MS + 0.5] * 3, "whole ms"),
        ([True, False, True], "true or false"),
        (["yesterday"] * 3, "ISO 8601 or integers, was 'yesterday'"),
        (["01/02/2024"] * 3, "ISO 8601"),
        ([{}, {}, {}], "ISO 8601"),
        ([2**63, 1, 1], "64 bits"),
        ([1e300] * 3, "64 bits"),
        ([float("inf")] * 3, "whole ms, was inf"),
        (pd.to_datetime(HOURS), "another unit"),  # milliseconds read as nanoseconds
        (pd.to_datetime(np.array(HOURS) * 1000, unit="ns"), "another unit"),
        (pd.to_datetime(["2262-01-01"] * 3), "another unit"),
    ],
)  # fmt: skip
def test_times_that_are_none(times, words):
    with pytest.raises(ValueError, match=words):
        times_of(table(time=times))


def test_fractions_of_a_millisecond_are_refused():
    with pytest.raises(ValueError, match="whole milliseconds, was 1704067200000500 us"):
        times_of(table(time=[MS * 1000 + 500] * 3), "us")


def test_unknown_unit():
    with pytest.raises(ValueError, match="unit must be a known name, was 'msec'"):
        times_of(table(), "msec")  # type: ignore[arg-type]  # the misuse under test


def test_daily_bars_from_before_crypto_are_welcome_as_dates():
    assert times_of(table(time=["2004-08-19", "2004-08-20", "2004-08-23"]))[0] == 1092873600000


def test_a_frame_without_time():
    with pytest.raises(ValueError, match="time must be a DatetimeIndex or one of the columns"):
        times_of(table().drop(columns="time"))
    with pytest.raises(ValueError, match="one level"):
        times_of(table().drop(columns="time").set_index(["open", "high"]))


def test_columns_in_any_letter_case_and_order():
    frame = table().rename(columns=str.title)[["Volume", "Close", "Low", "High", "Open", "Time"]]
    np.testing.assert_array_equal(columns_of(frame), columns_of(table()))


def test_columns_missing():
    with pytest.raises(ValueError, match=r"was without high, volume \(there: open, low"):
        columns_of(table()[["open", "low", "close"]])


def test_columns_twice():
    frame = table()
    frame["Open"] = 1.0
    with pytest.raises(ValueError, match="was 'open' twice"):
        columns_of(frame)


def test_columns_that_nobody_asked_for_may_be_anything():
    assert columns_of(table(note="=1+1", symbol="BTC", trades=[1, 2, None])).shape == (3, 5)


@pytest.mark.parametrize("column", [["1.5", "2", "3e0"], [1, 2, 3], pd.array([1, 2, 3], "Int64")])
def test_columns_of_numbers_in_any_type(column):
    assert columns_of(table(close=column))[2, 3] == 3


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (["1", "n/a", "2"], "close must be a number, was 'n/a' in row 1"),
        (["<html>", "1", "2"], "close must be a number, was '<html>' in row 0"),
        ([1, [2], 3], "close must be a number"),
        ([True, False, True], "close must be a number, was True|close must be a number, was np.T"),
        (pd.to_datetime(HOURS, unit="ms"), "close must be a number, was Timestamp"),
    ],
)
def test_columns_that_are_not_numbers(column, words):
    with pytest.raises((ValueError, TypeError), match=words):
        columns_of(table(close=column))


@pytest.mark.parametrize(
    "column", [[1, None, 3], ["1", None, "3"], pd.array([1, None, 3], "Int64")]
)
def test_empty_cells_become_nan(column):
    assert np.isnan(columns_of(table(close=column))[1, 3])


def test_an_empty_frame_gives_no_bars():
    bars = Bars.from_frame(table().iloc[:0])
    assert len(bars) == 0
    assert bars.timeframe is None
