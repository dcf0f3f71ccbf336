import gzip
import json
import random
from pathlib import Path

import numpy as np
import orjson
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opportunity.errors import BarError
from opportunity.market.bars import Bars
from opportunity.market.quality import inspect
from opportunity.market.readers import READERS, read_bars

WRITERS = {
    ".parquet": lambda frame, path: frame.to_parquet(path),
    ".feather": lambda frame, path: frame.to_feather(path),
    ".csv": lambda frame, path: frame.to_csv(path, index=False),
    ".csv.gz": lambda frame, path: frame.to_csv(path, index=False),
    ".json": lambda frame, path: path.write_bytes(orjson.dumps(frame.to_dict("records"))),
}


def plain(bars):
    """A frame with integer milliseconds, which every format can hold."""
    return bars.to_frame().reset_index(drop=True).assign(timestamp=bars.time)


def same(left, right):
    np.testing.assert_array_equal(left.time, right.time)
    np.testing.assert_array_equal(left.values, right.values)


def test_the_docs_name_every_format():
    text = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
    assert all(f"`{ending}`" in text for ending in READERS)


@pytest.fixture(params=WRITERS)
def ending(request):
    return request.param


def write(frame, folder, ending):
    path = folder / f"bars{ending}"
    WRITERS[ending](frame, path)
    return path


def test_every_format_has_a_writer_here():
    assert set(WRITERS) == set(READERS)


def test_read_bars_of_every_format(make, tmp_path, ending):
    bars = make(30)
    read = read_bars(write(plain(bars), tmp_path, ending), symbol="BTC/USDT", source="file")
    same(read, bars)
    assert (read.timeframe, read.symbol, read.source) == ("1h", "BTC/USDT", "file")
    same(read_bars(str(tmp_path / f"bars{ending}")), bars)


@pytest.mark.parametrize(
    ("form", "name"),
    [(".csv", "time"), (".csv", "Date")]
    + [(".parquet", n) for n in ("time", "Date", "opened", None)],
)
def test_read_bars_with_a_datetime_index(make, tmp_path, form, name):
    bars = make(30)
    path = tmp_path / f"bars{form}"
    frame = bars.to_frame().rename_axis(name)
    frame.to_parquet(path) if form == ".parquet" else frame.to_csv(path)
    same(read_bars(path), bars)


@pytest.mark.parametrize("orient", ["records", "split", "columns", "index", "table", "values"])
def test_read_json_as_pandas_writes_it(make, tmp_path, orient):
    bars = make(12)
    frame = plain(bars)[["timestamp", "open", "high", "low", "close", "volume"]]
    path = tmp_path / "bars.json"
    frame.to_json(path, orient=orient, double_precision=15)
    read = read_bars(path)
    np.testing.assert_array_equal(read.time, bars.time)
    np.testing.assert_allclose(read.values, bars.values, rtol=1e-12)


@pytest.mark.parametrize(
    ("orient", "form"),
    [("split", "iso"), ("columns", "iso"), ("index", "iso"), ("table", "iso"),
     ("split", "ms"), ("columns", "ms"), ("index", "ms")],
)  # fmt: skip
def test_read_json_of_a_frame_with_a_datetime_index(make, tmp_path, orient, form):
    bars = make(12)
    path = tmp_path / "bars.json"
    frame = bars.to_frame() if form == "iso" else bars.to_frame().set_axis(bars.time)
    frame.to_json(path, orient=orient, double_precision=15, date_format="iso")
    np.testing.assert_array_equal(read_bars(path).time, bars.time)


def test_a_symbol_in_any_spelling_and_none_that_is_not_one(make, tmp_path):
    path = write(plain(make(5)), tmp_path, ".csv")
    for text in ("BTC/USDT", "btcusdt", "BTC-USDT"):
        assert read_bars(path, symbol=text).symbol == "BTC/USDT"
    assert read_bars(path).symbol == ""
    with pytest.raises(ValueError, match=r"symbol must be BASE/QUOTE.*was 'HELLO'"):
        read_bars(path, symbol="HELLO")


def test_read_json_as_ccxt_gives_it(make, tmp_path):
    bars = make(12)
    path = tmp_path / "bars.json"
    rows = [[t, *v] for t, v in zip(bars.time.tolist(), bars.values.tolist(), strict=True)]
    path.write_text(json.dumps(rows))
    same(read_bars(path), bars)
    # Binance's own klines: numbers as text and six more places.
    path.write_text(json.dumps([[t, *map(repr, v), 0, "1", 2, "3", "4", "0"] for t, *v in rows]))
    same(read_bars(path), bars)


def test_read_csv_without_a_header_by_place(make, tmp_path):
    bars = make(12)
    path = tmp_path / "dump.csv"
    frame = plain(bars)[["timestamp", "open", "high", "low", "close", "volume"]]
    frame.assign(end=0, quote=1.5).to_csv(path, index=False, header=False)
    same(read_bars(path), bars)
    frame.assign(timestamp=frame["timestamp"] * 1000).to_csv(path, index=False, header=False)
    with pytest.raises(BarError, match="which would be microseconds"):
        read_bars(path)
    same(read_bars(path, unit="us"), bars)


@pytest.mark.parametrize(("factor", "unit"), [(1e-3, "s"), (1e3, "us"), (1e6, "ns")])
def test_wrong_units_in_every_format(make, tmp_path, ending, factor, unit):
    bars = make(5)
    frame = plain(bars)
    frame["timestamp"] = [int(t * factor) for t in bars.time.tolist()]
    path = write(frame, tmp_path, ending)
    with pytest.raises(BarError, match=r"bars\..*: time must be milliseconds between 2009"):
        read_bars(path)
    same(read_bars(path, unit=unit), bars)


def test_missing_columns_in_every_format(make, tmp_path, ending):
    path = write(plain(make(5)).drop(columns=["high", "volume"]), tmp_path, ending)
    with pytest.raises(BarError, match=r"bars\..*: columns must be .* without high, volume"):
        read_bars(path)


def test_missing_time_in_every_format(make, tmp_path, ending):
    path = write(plain(make(5)).drop(columns="timestamp"), tmp_path, ending)
    with pytest.raises(BarError, match="time must be a DatetimeIndex or one of the columns"):
        read_bars(path)


@pytest.mark.parametrize("value", [None, "n/a", "<b>", ""])
def test_cells_that_are_no_numbers_in_every_format(make, tmp_path, ending, value):
    frame = plain(make(5)).astype({"close": object})
    frame.loc[2, "close"] = value
    frame["close"] = frame["close"].map(lambda x: x if x is None else str(x))
    path = write(frame, tmp_path, ending)
    with pytest.raises(BarError, match=r"values must be finite|close must be a number, was '"):
        read_bars(path)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("close", float("nan"), "values must be finite"),
        ("low", -1.0, "prices must be > 0"),
        ("high", 0.001, "open and close must lie within low..high"),
        ("volume", -1.0, "volume must be >= 0"),
    ],
)
def test_bars_that_break_a_rule_in_every_format(make, tmp_path, ending, column, value, words):
    frame = plain(make(5))
    frame.loc[2, column] = value
    path = write(frame, tmp_path, ending)
    with pytest.raises(BarError, match=f"bars{ending}: 1h: bar 2 at 2024-01-01T02:00Z: {words}"):
        read_bars(path)
    assert not inspect(read_bars(path, check=False)).ok


def test_order_and_duplicates_in_every_format(make, tmp_path, ending):
    frame = plain(make(5))
    path = write(frame.iloc[::-1], tmp_path, ending)
    with pytest.raises(BarError, match="time must be later than"):
        read_bars(path)
    path = write(frame.iloc[[0, 1, 1, 2]], tmp_path, ending) if ending != ".feather" else path
    with pytest.raises(BarError, match="time must be later than"):
        read_bars(path)


def test_truncated_files_of_every_format(make, tmp_path, ending):
    path = write(plain(make(300)), tmp_path, ending)
    whole = path.read_bytes()
    for size in (0, 1, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        if ending == ".csv" and size == len(whole) - 1:
            continue  # only the line end is missing
        with pytest.raises(BarError, match=f"bars{ending}: "):
            read_bars(path)


PAGE = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head></html>\n"


def test_an_error_page_instead_of_data(tmp_path, ending):
    path = tmp_path / f"bars{ending}"
    path.write_bytes(gzip.compress(PAGE.encode()) if ending == ".csv.gz" else PAGE.encode())
    with pytest.raises(BarError) as caught:
        read_bars(path)
    assert len(str(caught.value)) < 500
    if ending == ".json":
        assert "file must hold JSON, starts with '<!DOCTYPE html>" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"code": -1121, "msg": "Invalid symbol."}', "was an object with code, msg"),
        ("null", "was None"),
        ("3", "was 3"),
        ('"bars"', "was 'bars'"),
        ("[1, 2]", "list of mixed things"),
        ("[[1704067200000, 1, 1, 1]]", "had 4 places"),
        ("[[1704067200000, null, 1, 1, 1, 1]]", "values must be finite"),  # BitMEX
        ('[[1704067200000, "NaN", 1, 1, 1, 1]]', "finite|number"),
        ("[[1704067200000, 1, 1, 1, 1, 1e999]]", "finite|JSON"),
        ("[[null, 1, 1, 1, 1, 1]]", "time must be given in every row"),
        ("[[1704067200000, 1, 1, 1, 1, {}]]", "volume must be a number"),
        ("[[NaN, 1, 1, 1, 1, 1]]", "file must hold JSON"),
        ("[" * 100_000, "file must hold JSON"),
        ('[["' + "9" * 5000 + '", 1, 1, 1, 1, 1]]', "time must"),
        ("{}", "was an object with"),
    ],
)  # fmt: skip
def test_json_that_holds_no_bars(tmp_path, text, words):
    path = tmp_path / "bars.json"
    path.write_text(text)
    with pytest.raises(BarError, match=words) as caught:
        read_bars(path)
    assert len(str(caught.value)) < 700


def test_an_empty_list_gives_no_bars(tmp_path):
    path = tmp_path / "bars.json"
    path.write_text("[]")
    assert len(read_bars(path)) == 0


def test_paths_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="path must name a file"):
        read_bars(tmp_path / "absent.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(FileNotFoundError, match="path must name a file"):
        read_bars(tmp_path / "folder.csv")
    for name in ("bars.xlsx", "bars", "bars.parquet.gz"):
        with pytest.raises(BarError, match="file ending must be a known name"):
            read_bars(tmp_path / name)


def test_one_format_under_the_name_of_another(make, tmp_path):
    for ending in WRITERS:
        data = write(plain(make(20)), tmp_path, ending).read_bytes()
        for other in set(WRITERS) - {ending}:
            path = tmp_path / f"wrong{other}"
            path.write_bytes(data)
            with pytest.raises(BarError):
                read_bars(path)


def bars_or_error(path):
    try:
        assert isinstance(read_bars(path), Bars)
    except BarError as error:
        text = str(error)
    else:
        return
    assert text.startswith(str(path))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
@given(
    ending=st.sampled_from(sorted(WRITERS)), seed=st.integers(0, 10**6), n=st.integers(1, 20)
)
def test_damaged_files_give_bars_or_a_bar_error(make, tmp_path_factory, ending, seed, n):
    path = write(plain(make(40)), tmp_path_factory.mktemp("damaged"), ending)
    data, dice = bytearray(path.read_bytes()), random.Random(seed)
    for _ in range(n):
        data[dice.randrange(len(data))] = dice.randrange(256)
    path.write_bytes(bytes(data))
    bars_or_error(path)


@settings(max_examples=150, deadline=None)
@given(
    data=st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats()
        | st.text("ab1.", max_size=5),
        lambda x: st.lists(x, max_size=7)
        | st.dictionaries(
            st.sampled_from(["data", "columns", "index", "open", "high", "low", "close", "volume",
                             "time", "x", "1704067200000"]), x, max_size=8,
        ),
        max_leaves=20,
    )
)
def test_any_json_gives_bars_or_a_bar_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "bars.json"
    path.write_bytes(orjson.dumps(data))
    bars_or_error(path)


@pytest.mark.realdata
def test_recorded_parquet(market_data):
    path = market_data / "coinbase" / "BTC-USD" / "1d.parquet"
    bars = read_bars(path, symbol="BTC/USD")
    assert len(bars) == 1635
    assert bars.timeframe == "1d"
    assert pd.Timestamp(bars.time[0], unit="ms") == pd.Timestamp("2014-12-01")
    report = inspect(bars)
    assert (report.gaps, report.missing) == (1, 12)
