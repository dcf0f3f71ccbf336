import csv
import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from ran import ABOUT, made

from opportunity.backtest.export import (
    FORMATS,
    MEDIA,
    TRADE_COLUMNS,
    export,
    flatten,
    safe_cell,
)

COLUMNS = ("Trade ID", "Symbol", "Entry Time", "Exit Time", "Direction", "Entry Price",
           "Exit Price", "Quantity", "PnL", "PnL %", "Exit Reason", "R-Multiple")  # fmt: skip


def read_csv(data):
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    at = rows.index([])
    return dict(rows[:at]), rows[at + 1], rows[at + 2 :]


def test_csv_has_a_head_with_config_and_metrics_then_trades():
    head, titles, rows = read_csv(export(made(), ABOUT))
    assert head["source"] == "simulated"
    assert head["config.fee"] == "0.0005"
    assert head["config.exchange"] == ""
    assert head["metrics.trades"] == "2"
    assert float(head["metrics.total_return"]) == pytest.approx(0.01)
    assert tuple(titles[:12]) == COLUMNS
    assert tuple(titles) == tuple(TRADE_COLUMNS)
    first = dict(zip(titles, rows[0], strict=True))
    assert first["Entry Time"] == "2024-01-01T00:00Z"
    assert (first["PnL"], first["Direction"], first["Exit Reason"]) == ("20.0", "LONG", "TP")
    assert float(first["PnL %"]) == pytest.approx(10.0)
    assert dict(zip(titles, rows[1], strict=True))["R-Multiple"] == ""


def test_no_text_of_a_csv_is_a_formula_and_numbers_stay_numbers():
    data = export(made(), ABOUT).decode()
    for row in csv.reader(io.StringIO(data, newline="")):
        for cell in row:
            if cell[:1] in "=+-@\t\r" and cell:
                float(cell)  # only a number may begin like this
    head, titles, rows = read_csv(data.encode())
    assert head["config.note"].startswith("'=HYPERLINK")
    assert head["config.tab"] == "'\t=1+1"
    assert head["config.name"] == "'@SUM"
    assert head["config.minus"] == "-0.5"
    assert rows[1][titles.index("Symbol")] == "'=ETH/USDT"
    assert float(rows[1][titles.index("PnL")]) == -10
    assert '"-10.0"' not in data


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx", "\uff1d1"])
def test_cells_that_begin_like_a_formula_are_made_safe(text):
    assert safe_cell(text) == "'" + text
    assert safe_cell("BTC/USDT") == "BTC/USDT"
    assert safe_cell(-1.5) == -1.5


def test_nested_values_get_dotted_names():
    nested = {"a": {"b": {"c": 1}, "d": [1, 2]}, "e": None}
    assert dict(flatten(nested)) == {"a.b.c": 1, "a.d": "1; 2", "e": None}


def test_json_holds_everything_and_no_nan():
    data = export(made(), ABOUT, "json")
    document = json.loads(data)
    assert b"NaN" not in data
    assert document["source"] == "simulated"
    assert document["trades"]["r_multiple"] == [1.5, None]
    assert document["equity"]["equity"] == [1_000, 1_020, 980, 1_010]
    assert len(document["fills"]["time"]) == 2
    assert document["metrics"]["sharpe"] is not None


@pytest.mark.parametrize("table", ["trades", "equity", "fills"])
def test_parquet_has_types_and_tells_about_the_run(table):
    read = pq.read_table(io.BytesIO(export(made(), ABOUT, "parquet", table)))
    told = json.loads(read.schema.metadata[b"opportunity"])
    assert told["source"] == "simulated"
    assert told["config"]["seed"] == 3
    stamp = read.schema.field("entry_ts" if table == "trades" else "time").type
    assert str(stamp) == "timestamp[ms, tz=UTC]"
    if table == "equity":
        assert np.array_equal(read["equity"].to_numpy(), made().equity)


@pytest.mark.parametrize("table", ["trades", "fills"])
@pytest.mark.parametrize("format_", FORMATS)
def test_a_run_without_trades_exports_too(format_, table):
    result = made()
    result.trades, result.fills = result.trades[:0], result.fills[:0]
    assert export(result, ABOUT, format_, table)
    assert format_ in MEDIA


def test_unknown_format_is_refused():
    with pytest.raises(ValueError, match="Did you mean 'parquet'"):
        export(made(), ABOUT, "parquett")


def test_long_tables_are_written_whole(monkeypatch):
    monkeypatch.setattr("opportunity.backtest.export.PIECE", 3)
    result = made()
    whole = {f: export(result, ABOUT, f, "equity") for f in ("csv", "json")}
    monkeypatch.setattr("opportunity.backtest.export.PIECE", 1_000)
    assert {f: export(result, ABOUT, f, "equity") for f in ("csv", "json")} == whole
    assert len(read_csv(whole["csv"])[2]) == 4
    result.time = result.time + 1
    assert read_csv(export(result, ABOUT, "csv", "equity"))[2][0][0] == "2024-01-01T01:00:00.001Z"
