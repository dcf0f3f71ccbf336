import datetime
import pickle
import time

import numpy as np
import pandas as pd
import pytest

from opportunity.market.bars import COLUMNS, Bar, Bars
from opportunity.market.quality import inspect
from opportunity.market.resample import resample

HOUR = 3_600_000


def test_bars_to_frame_and_back(make):
    bars = make(50)
    again = Bars.from_frame(bars.to_frame(), symbol="BTC/USDT")
    np.testing.assert_array_equal(again.time, bars.time)
    np.testing.assert_array_equal(again.values, bars.values)
    assert again.timeframe == "1h"
    assert str(bars.to_frame().index.tz) == "UTC"


def test_bars_columns_are_the_values(make):
    bars = make(5)
    columns = [bars.open, bars.high, bars.low, bars.close, bars.volume]
    np.testing.assert_array_equal(np.stack(columns, 1), bars.values)
    np.testing.assert_array_equal(bars.close_time, bars.time + HOUR)


def test_close_time_needs_a_timeframe(make):
    with pytest.raises(ValueError, match="timeframe must be known"):
        _ = make(3).label(timeframe=None).close_time


def test_iterating_gives_bars_of_plain_numbers(make):
    bars = make(3)
    first = next(iter(bars))
    assert first == bars[0] == Bar(int(bars.time[0]), *bars.values[0].tolist())
    assert type(first.time) is int
    assert type(first.close) is float
    assert len(list(bars)) == len(bars) == 3


def test_index_and_slice(make):
    bars = make(10)
    assert bars[-1].time == bars.time[-1]
    assert bars[np.int64(2)] == bars[2]
    part = bars[2:5]
    assert (len(part), part.symbol, part.timeframe) == (3, "BTC/USDT", "1h")
    with pytest.raises(TypeError, match="slices or whole numbers, was str"):
        bars["close"]  # type: ignore[call-overload]  # the misuse under test
    with pytest.raises(IndexError):
        bars[10]


def test_between_is_half_open(make):
    bars = make(10)
    start, end = int(bars.time[2]), int(bars.time[5])
    assert bars.between(start, end).time.tolist() == bars.time[2:5].tolist()
    assert len(bars.between(start + 1, end)) == 2
    assert len(bars.between()) == 10
    assert len(bars.between(end, start)) == 0


@pytest.mark.parametrize(
    ("times", "values"),
    [
        (np.arange(3), np.ones((2, 5))),
        (np.arange(3), np.ones((3, 4))),
        (np.arange(4).reshape(2, 2), np.ones((4, 5))),
    ],
    ids=["lengths", "columns", "two dimensions"],
)
def test_bars_of_the_wrong_shape(times, values):
    with pytest.raises(ValueError, match="must be of shape"):
        Bars(times, values)


@pytest.mark.parametrize("times", [[1.5], [np.nan], ["2024-01-01"], [None], [True]])
def test_bars_with_times_that_are_not_whole_numbers(times):
    with pytest.raises(ValueError, match="time must be whole milliseconds"):
        Bars(np.array(times), np.ones((1, 5)))


def test_bars_from_numpy_datetimes():
    times = np.array(["2024-01-01T00:00", "2024-01-01T01:00"], "datetime64[ns]")
    assert Bars(times, np.ones((2, 5))).time.tolist() == [1_704_067_200_000, 1_704_070_800_000]
    with pytest.raises(ValueError, match="was NaT"):
        Bars(np.array(["NaT"], "datetime64[ms]"), np.ones((1, 5)))


def test_bars_of_an_unknown_timeframe():
    with pytest.raises(ValueError, match="Did you mean"):
        Bars(np.arange(1), np.ones((1, 5)), "15min")  # type: ignore[arg-type]  # under test


def test_from_arrays_of_unequal_length():
    with pytest.raises(ValueError, match="must be of equal length, were"):
        Bars.from_arrays([0, 1], [1, 1], [1, 1], [1, 1], [1, 1], [1])


def test_from_arrays():
    bars = Bars.from_arrays([0, 1], [1, 2], [3, 4], [0.5, 1], [2, 3], [9, 8], symbol="A/B")
    assert bars[1] == Bar(1, 2, 4, 1, 3, 8)
    assert bars.symbol == "A/B"


def test_repr_is_one_line_and_says_what_it_is(make):
    assert repr(make(3)) == (
        "<Bars BTC/USDT 1h test: 3 bars, 2024-01-01T00:00Z to 2024-01-01T02:00Z>"
    )
    assert repr(make(3)[:0]) == "<Bars BTC/USDT 1h test: no bars>"
    assert repr(Bars(np.empty(0, np.int64), np.empty((0, 5)))) == "<Bars no bars>"


def test_html_shows_facts_and_a_line_and_escapes_labels(make):
    text = make(30).label(symbol="<script>alert(1)</script>")._repr_html_()
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert text.count("<svg") == 1
    assert "Volume" in text
    assert "no bars" in make(3)[:0]._repr_html_()


def test_bars_pickle(make):
    bars = make(5)
    again = pickle.loads(pickle.dumps(bars))
    np.testing.assert_array_equal(again.values, bars.values)
    assert repr(again) == repr(bars)


def test_from_frame_keeps_the_labels_that_were_given(make):
    bars = Bars.from_frame(make(5).to_frame(), timeframe=None, source="x")
    assert bars.timeframe is None
    assert bars.source == "x"


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London", "Asia/Kathmandu"])
def test_from_frame_converts_zones(make, zone):
    bars = make(24 * 200, start=1_709_251_200_000)  # over the change to summer time
    moved = Bars.from_frame(bars.to_frame().tz_convert(zone))
    np.testing.assert_array_equal(moved.time, bars.time)


def local_zone_texts():
    texts = []
    for day in ("2024-03-10", "2024-11-03", "2024-03-31", "2024-10-27"):  # nights of both rules
        frame = pd.DataFrame(dict.fromkeys(COLUMNS, 1.0), range(96))
        frame["time"] = pd.date_range(day, periods=96, freq="30min").astype(str)
        bars = Bars.from_frame(frame)
        texts += [repr(bars), str(inspect(bars)), str(bars.to_frame())]
        texts += [str(resample(bars, t).time.tolist()) for t in ("1h", "4h", "1d")]
    return texts


def test_the_local_time_zone_changes_nothing(monkeypatch):
    plain = local_zone_texts()
    try:
        for zone in ("America/New_York", "Europe/London"):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            assert time.tzname[0] in ("EST", "GMT")
            assert local_zone_texts() == plain
    finally:
        monkeypatch.undo()
        time.tzset()
    start = datetime.datetime(2024, 3, 10, tzinfo=datetime.UTC).timestamp() * 1000
    assert plain[5] == f"[{start:.0f}, {start + 24 * HOUR:.0f}]"


def test_frame_of_pandas_dates(make):
    frame = make(3, "1d").to_frame().reset_index()
    frame["time"] = [t.date() for t in frame["time"]]
    assert Bars.from_frame(frame).time.tolist() == make(3, "1d").time.tolist()
    assert isinstance(frame["time"][0], datetime.date)
    assert pd.api.types.is_object_dtype(frame["time"])


def test_tables_for_other_libraries(make):
    bars = make(5)
    theirs = bars.to_backtesting()
    assert list(theirs) == ["Open", "High", "Low", "Close", "Volume"]
    assert theirs.index.tz is None
    assert (theirs.to_numpy() == bars.values).all()
    regular = bars.to_vectorbt()
    assert regular.index.freq == pd.Timedelta("1h")
    with pytest.raises(ValueError, match="02:00Z is missing"):
        Bars(bars.time[[0, 1, 3]], bars.values[[0, 1, 3]], "1h").to_vectorbt()
    with pytest.raises(ValueError, match="timeframe must be known"):
        bars.label(timeframe=None).to_vectorbt()
