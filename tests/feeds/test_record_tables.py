import numpy as np
import pandas as pd
import pytest

from opportunity.feeds.record_tables import Table, newest_last, read_table, rows

TIME = 1_704_067_200_000


def table(tmp_path, **columns) -> Table:
    path = tmp_path / "file.csv"
    n = len(next(iter(columns.values()))) if columns else 1
    pd.DataFrame({"Timestamp": TIME + 1_000 * np.arange(n), **columns}).to_csv(path, index=False)
    return read_table(path)


@pytest.mark.parametrize("ending", [".parquet", ".feather", ".csv", ".csv.gz", ".json"])
def test_every_format_gives_the_same_rows(tmp_path, ending):
    frame = pd.DataFrame({
        "timestamp": pd.to_datetime([TIME, TIME + 1_000], unit="ms", utc=True),
        "value": [1.5, 2.5], "name": ["a", "b"],
    })  # fmt: skip
    path = tmp_path / f"file{ending}"
    if ending == ".json":
        frame.assign(timestamp=[TIME, TIME + 1_000]).to_json(path, orient="records")
    else:
        write = {".parquet": "to_parquet", ".feather": "to_feather"}.get(ending, "to_csv")
        getattr(frame, write)(path, **({"index": False} if write == "to_csv" else {}))
    found = read_table(path)
    assert found.times().tolist() == [TIME, TIME + 1_000]
    assert found.numbers("value").tolist() == [1.5, 2.5]
    assert found.texts("name") == ["a", "b"]
    assert len(found) == 2


def test_known_is_the_column_or_the_delay(tmp_path):
    plain = table(tmp_path, value=[1, 2])
    assert plain.known(plain.times(), 500).tolist() == [TIME + 500, TIME + 1_500]
    told = table(tmp_path, value=[1, 2], available_at=[TIME, TIME + 9_000])
    assert told.known(told.times(), 500).tolist() == [TIME, TIME + 9_000]


@pytest.mark.parametrize(
    ("known", "text"),
    [
        ([TIME, TIME], r"available_at must be at or after the event \(2024-01-01T00:00:01.000Z\), "
         r"was '2024-01-01T00:00Z' in row 1"),
        (["soon", "later"], "available_at must be ISO 8601 or integers, was 'soon'"),
        ([TIME, None], "available_at must be given in every row"),
    ],
)  # fmt: skip
def test_impossible_times_of_knowing_are_refused(tmp_path, known, text):
    found = table(tmp_path, available_at=known)
    with pytest.raises(ValueError, match=text) as error:
        found.known(found.times(), 0)
    assert str(error.value).startswith(str(tmp_path / "file.csv"))


def test_delay_below_zero_is_refused(tmp_path):
    with pytest.raises(ValueError, match="delay_ms must be >= 0, was -1"):
        table(tmp_path, value=[1]).known(np.array([TIME]), -1)


@pytest.mark.parametrize(
    ("values", "bounds", "text"),
    [
        ([1, "x"], {}, "value must be a number, was 'x' in row 1"),
        ([1, None], {}, "value must be a number, was nan in row 1"),
        ([1, np.inf], {}, "value must be a number, was inf in row 1"),
        ([1, -1], {"least": 0}, "value must be a number >= 0, was -1 in row 1"),
        ([1, 0], {"least": 0, "above": True}, "value must be a number > 0, was 0 in row 1"),
        ([1, 101], {"least": 0, "most": 100},
         "value must be a number >= 0 and <= 100, was 101 in row 1"),
        ([1, 101], {"most": 100}, "value must be a number <= 100, was 101 in row 1"),
        ([True, False], {}, "value must be numbers, was bool"),
    ],
)  # fmt: skip
def test_bad_numbers_are_refused_with_field_rule_value_and_row(tmp_path, values, bounds, text):
    with pytest.raises(ValueError, match=text) as error:
        table(tmp_path, value=values).numbers("value", **bounds)
    assert str(error.value).startswith(str(tmp_path / "file.csv"))


def test_sign_is_taken_off_the_end_of_text(tmp_path):
    found = table(tmp_path, value=["0.01%", " -0.02 % "])
    assert found.numbers("value", sign="%").tolist() == [0.01, -0.02]
    with pytest.raises(ValueError, match=r"value must be a number, was '0\.01%' in row 0"):
        found.numbers("value")


def test_missing_columns_and_cells(tmp_path):
    found = table(tmp_path, Name=["a", None])
    assert found.texts("name", "-") == ["a", "-"]
    assert found.texts("other", "-") == ["-", "-"]
    assert found.first(("x", "name")) == "name"
    with pytest.raises(ValueError, match="columns must hold x or y, was timestamp, name"):
        found.one_of(("x", "y"))


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="path must name a file"):
        read_table(tmp_path / "none.csv")
    odd = tmp_path / "file.xls"
    odd.write_text("x")
    with pytest.raises(ValueError, match="file ending must be a known name"):
        read_table(odd)
    broken = tmp_path / "file.parquet"
    broken.write_text("x")
    with pytest.raises(ValueError, match=r"file\.parquet: "):
        read_table(broken)


def test_order_is_by_known_then_by_event():
    assert newest_last(np.array([3, 1, 3, 2]), np.array([2, 9, 1, 0])).tolist() == [1, 3, 2, 0]
    assert [*rows(np.array([1, 2]), ["a", "b"])] == [(1, "a"), (2, "b")]
