import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from opportunity.errors import BarError
from opportunity.market import files
from opportunity.market.files import Coverage, read_coverage, read_window, replace_file

HOUR = 3_600_000


@pytest.fixture
def path(tmp_path):
    return tmp_path / "BTC-USDT" / "1h.parquet"


def test_what_is_written_is_read(make, path):
    bars = make(300, keep=0.8)
    replace_file(path, bars)
    read = read_window(path, None, None, None)
    np.testing.assert_array_equal(read.time, bars.time)
    np.testing.assert_array_equal(read.values, bars.values)
    assert read_coverage(path) == Coverage(int(bars.time[0]), int(bars.time[-1]), len(bars))
    assert [p.name for p in path.parent.iterdir()] == ["1h.parquet"]


def test_the_file_is_what_the_data_folder_describes(make, path):
    replace_file(path, make(10))
    table = pq.read_table(path)
    assert table.schema.field("timestamp").type == pa.timestamp("ms", "UTC")
    assert table.schema.names == ["timestamp", "open", "high", "low", "close", "volume"]
    assert pq.ParquetFile(path).metadata.row_group(0).column(1).compression == "ZSTD"


@pytest.mark.parametrize("group", [7, 50, 1000])
@pytest.mark.parametrize("statistics", [True, False])
def test_windows_over_row_groups(make, path, group, statistics):
    bars = make(200, keep=0.7)
    path.parent.mkdir()
    table = pa.table({
        "timestamp": pa.array(bars.time).cast(pa.timestamp("ms", "UTC")),
        **{c: bars.values[:, i] for i, c in enumerate(files.COLUMNS)},
    })
    pq.write_table(table, path, row_group_size=group, write_statistics=statistics)
    rng = np.random.default_rng(1)
    assert read_coverage(path) == Coverage(int(bars.time[0]), int(bars.time[-1]), len(bars))
    for _ in range(40):
        start, end = np.sort(rng.integers(bars.time[0] - HOUR, bars.time[-1] + HOUR, 2)).tolist()
        for limit in (None, 0, 1, 13, 60, 10_000):
            expected = bars.between(start, end)
            expected = expected[max(0, len(expected) - limit) :] if limit is not None else expected
            assert read_window(path, start, end, limit).time.tolist() == expected.time.tolist()
            newest = bars.time[-limit:].tolist() if limit else []
            if limit is not None:
                assert read_window(path, None, None, limit).time.tolist() == newest


def test_a_window_reads_only_the_row_groups_it_needs(make, path, monkeypatch):
    monkeypatch.setattr(files, "ROW_GROUP", 10)
    bars = make(100)
    replace_file(path, bars)
    read = []
    original = pq.ParquetFile.read_row_groups
    monkeypatch.setattr(
        pq.ParquetFile, "read_row_groups",
        lambda self, groups, *a, **k: read.append(groups) or original(self, groups, *a, **k),
    )
    assert len(read_window(path, int(bars.time[35]), int(bars.time[45]), None)) == 10
    assert len(read_window(path, None, None, 15)) == 15
    assert read == [[3, 4], [7, 8, 9]]


def test_coverage_reads_no_rows(make, path, monkeypatch):
    replace_file(path, make(100))
    monkeypatch.delattr(pq.ParquetFile, "read")
    monkeypatch.delattr(pq.ParquetFile, "read_row_groups")
    assert read_coverage(path).n_bars == 100


def test_an_empty_file(make, path):
    replace_file(path, make(5)[:0])
    assert read_coverage(path) == Coverage(0, 0, 0)
    assert str(read_coverage(path)) == "no bars"
    assert len(read_window(path, None, None, 10)) == 0


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns", "int"])
def test_timestamps_of_any_resolution(make, path, unit):
    bars = make(5)
    path.parent.mkdir()
    times = pa.array(bars.time)
    if unit != "int":
        times = times.cast(pa.timestamp("ms", "UTC")).cast(pa.timestamp(unit, "UTC"))
    pq.write_table(pa.table({"timestamp": times} | {c: bars.close for c in files.COLUMNS}), path)
    assert read_window(path, None, None, None).time.tolist() == bars.time.tolist()
    assert read_coverage(path).last == bars.time[-1]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"timestamp": None}, "columns must be timestamp, open.* without timestamp"),
        ({"high": None, "volume": None}, "without high, volume"),
        ({"timestamp": [1.0, 2.0]}, "timestamp must be a timestamp or int64 milliseconds"),
        ({"timestamp": ["a", "b"]}, "timestamp must be a timestamp or int64 milliseconds"),
        ({"timestamp": pa.array([None, 1], pa.timestamp("ms"))}, "timestamp must be given in ev"),
        ({"close": [1.0, None]}, "close must be given in every row, was empty in 1"),
        ({"close": ["1", "2"]}, "close must be numbers, was string"),
    ],
)
def test_files_with_other_columns(path, columns, words):
    plain = {"timestamp": pa.array([1, 2], pa.timestamp("ms"))} | {
        c: [1.0, 2.0] for c in files.COLUMNS
    }
    path.parent.mkdir()
    table = pa.table({k: v for k, v in (plain | columns).items() if v is not None})
    pq.write_table(table, path)
    with pytest.raises(BarError, match=words):
        read_window(path, None, None, None)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"<html>502</html>", b"PAR1" * 100])
def test_files_that_are_not_parquet(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    for read in (read_coverage, lambda p: read_window(p, None, None, None)):
        with pytest.raises(BarError, match=r"1h\.parquet: file must be Parquet with bars"):
            read(path)


def test_no_file_is_another_error(path):
    with pytest.raises(FileNotFoundError):
        read_coverage(path)


def test_every_damaged_byte_of_the_rows_is_noticed(make, path):
    bars = make(400)
    replace_file(path, bars)
    whole = path.read_bytes()
    rng = np.random.default_rng(3)
    for place in rng.integers(4, len(whole) - 8, 60):
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        path.write_bytes(bytes(damaged))
        try:
            read = read_window(path, None, None, None)
        except BarError:
            continue
        # What passes must be a byte that carries no bar: notes, names of the writer, statistics.
        assert read.values.tobytes() == bars.values.tobytes()
        assert read.time.tobytes() == bars.time.tobytes()


@pytest.mark.parametrize("broken", ["replace", "fsync"])
def test_a_crash_leaves_the_old_file(make, path, monkeypatch, broken):
    old, new = make(10), make(20, seed=2)
    replace_file(path, old)

    def crash(*_):
        raise OSError("power gone")

    with monkeypatch.context() as patch:
        patch.setattr(os, broken, crash)
        with pytest.raises(OSError, match="power gone"):
            replace_file(path, new)
    assert read_window(path, None, None, None).time.tolist() == old.time.tolist()
    assert [p.name for p in path.parent.iterdir()] == ["1h.parquet"]
    replace_file(path, new)
    assert len(read_window(path, None, None, None)) == 20


def test_a_reader_keeps_the_file_it_opened(make, path):
    replace_file(path, make(10))
    with pq.ParquetFile(path) as file:
        replace_file(path, make(500, seed=2))
        assert file.read().num_rows == 10
