"""`opportunity backtest` as a process and inside: output, JSON, files, exit codes."""

import csv
import json
import subprocess
import sys

import pytest
from walks import FIRST, LAST, START, walk_bars

from app.cli import main
from app.commands.backtest import export_file
from app.research.tables import number
from opportunity.market.store import BarStore
from opportunity.market.timeframe import utc_text

EAGER = "min_score=0.5,min_confidence=0"


def opportunity(*args):
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *map(str, args)], capture_output=True, text=True,
        check=False, timeout=120,
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    store = BarStore(root, "binance")
    for symbol in ("BTC/USDT", "ETH/USDT"):
        store.write(walk_bars(symbol))
    return root


@pytest.fixture
def base(data):
    return ("backtest", "BTCUSDT", "--data", data, "--from", "2024-01-01", "--timeframes", "1h,4h",
            "--rules", EAGER)  # fmt: skip


def run(capsys, *args):
    code = main([str(a) for a in args])
    out, err = capsys.readouterr()
    return code, out, err


def test_json_is_one_document(base):
    done = opportunity(*base, "--json")
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    assert body["source"] == "binance"
    assert body["metrics"]["trades"] == len(body["trades"]) > 5
    assert body["config"]["symbols"] == ["BTC/USDT"]
    assert body["config"]["rules"]["min_score"] == 0.5
    assert body["trades"][0]["entry_ts"] >= START
    assert body["coverage"]["symbols"][0]["last"] == LAST
    assert body["trials"] >= 1
    assert "NaN" not in done.stdout


def test_tables_name_metrics_trades_and_warnings(base, capsys):
    code, out, err = run(capsys, *base, "--to", "2024-01-08")
    assert code == 0, err
    for text in ("BTC/USDT 1h", "total return", "win rate", "longest below a peak", "newest"):
        assert text in out
    assert "too few to judge by" in err


def test_trades_keep_their_dates_in_80_columns(base, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = run(capsys, *base)
    assert max(map(len, out.splitlines())) <= 80
    assert "\N{HORIZONTAL ELLIPSIS}" not in out
    newest = out[out.index("newest"):]
    assert newest.count("2024-0") >= 20  # both ends of ten trades
    assert "why" in newest
    assert "SL" in newest
    assert "buy and hold" in out


def test_costs_weights_and_portfolio_count(base, capsys):
    free = ("--fee", "0", "--slippage", "0", "--cash", "500", "--sizing", "equity:0.2", "--json")
    both = ("backtest", "BTCUSDT", "ETH/USDT", *base[2:])
    code, out, _ = run(capsys, *both, *free, "--preset", "aggressive")
    body = json.loads(out)
    assert code == 0
    assert body["metrics"]["fees"] == 0
    assert body["config"]["cash"] == 500
    assert body["config"]["sizing"]["kind"] == "equity"
    assert body["config"]["weights"]["smc"] == 0.25
    assert {t["symbol"] for t in body["trades"]} == {"BTC/USDT", "ETH/USDT"}


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet", "html"])
def test_export_follows_the_ending(base, capsys, tmp_path, suffix):
    path = tmp_path / f"run.{suffix}"
    code, out, err = run(capsys, *base, "--export", path)
    assert code == 0, err
    assert str(path) in out
    data = path.read_bytes()
    if suffix == "csv":
        assert next(csv.reader(data.decode().splitlines())) == ["source", "binance"]
    assert data.startswith({"csv": b'"source"', "json": b"{", "parquet": b"PAR1",
                            "html": b"<!doctype html>"}[suffix])  # fmt: skip


def test_files_need_no_store(tmp_path, capsys):
    walk_bars().to_frame().to_csv(tmp_path / "btc.csv")
    code, out, err = run(capsys, "backtest", tmp_path / "btc.csv", "--timeframe", "4h",
                         "--timeframes", "4h", "--json")  # fmt: skip
    assert code == 0, err
    assert json.loads(out)["config"]["timeframe"] == "4h"


def test_the_simulated_market_needs_no_data_and_is_stamped(capsys):
    asked = ("backtest", "BTC/USDT", "--simulated", "7", "--timeframes", "1h", "--json")
    code, out, err = run(capsys, *asked, "--from", "2024-01-01", "--to", "2024-01-11")
    assert code == 0, err
    body = json.loads(out)
    assert body["source"] == "simulated"
    assert any("simulated" in warning for warning in body["warnings"])
    assert run(capsys, *asked, "--from", "2024-01-01")[0] == 1


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (("--to", "2024-09-01"), "ends at 2024-03-01"),
        (("--from", "2023-06-01"), "begins at"),
        (("--timeframes", "30m"), "timeframes must be made of whole bars of 1h"),
        (("--exchange", "kraken"), "BTC"),
    ],
)
def test_missing_history_fails_and_says_what_there_is(base, capsys, args, text):
    code, out, err = run(capsys, *base, *args)
    assert (code, out) == (1, "")
    assert text in err


@pytest.mark.parametrize(
    ("span", "n_bars"), [(("2020-08-01", "2020-09-01"), "no"), (("2027-08-01", "2028-01-01"), "no"),
                         (("2024-02-01", "2027-01-01"), "4,696")],
)
def test_there_is_what_the_store_has(base, capsys, span, n_bars):
    frames = ("--timeframes", "1h,4h")
    _, _, err = run(capsys, *base[:4], "--from", span[0], "--to", span[1], *frames)
    assert f"{utc_text(FIRST)} to {utc_text(LAST)}, {n_bars} bars in what was asked" in err


def test_a_span_that_ends_before_it_begins_is_told_in_dates(base, capsys):
    code, _, err = run(capsys, *base, "--to", "2023-01-01")
    assert code == 1
    assert "--to must be later than --from 2024-01-01T00:00Z, was 2023-01-01T00:00Z" in err


def test_nothing_stored_names_what_helps(capsys, tmp_path):
    code, _, err = run(capsys, "backtest", "BTC/USDT", "--data", tmp_path)
    assert code == 1
    for word in ("no bars are stored", "opportunity fetch", "--data", "--simulated"):
        assert word in err


def test_left_out_timeframes_are_the_usual_ones_with_the_same_warm_up(base, capsys):
    asked = [a for a in base if a not in ("--timeframes", "1h,4h")]
    usual = json.loads(run(capsys, *asked, "--json")[1])
    named = json.loads(run(capsys, *asked, "--timeframes", "1h,4h,1d", "--json")[1])
    assert usual["capsule"]["timeframes"] == ["1h", "4h", "1d"]
    assert usual["metrics"] == named["metrics"]
    assert usual["coverage"]["symbols"][0]["first"] == FIRST  # less than 1,000 days: all there is


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (("nope.csv",), "must be an existing file"),
        (("??",), "must be a symbol or a file"),
        (("BTC/USDT", "--rules", "min_scroe=1"), "Did you mean 'min_score'"),
        (("BTC/USDT", "--rules", "min_score=2"), "min_score must be in"),
        (("BTC/USDT", "--risk", "max_losses"), "NAME=VALUE"),
        (("BTC/USDT", "--sizing", "half"), "sizing must be a known name"),
        (("BTC/USDT", "--fee", "2"), "0..1"),
        (("BTC/USDT", "--cash", "0"), "must be a number > 0"),
        (("BTC/USDT", "--from", "yesterday"), "ISO 8601"),
        (("BTC/USDT", "--export", "x.xlsx"), "must end in one of"),
        (("BTC/USDT", "--export", "/nowhere/x.csv"), "existing folder"),
        (("BTC/USDT", "--simulated", "-1"), "argument"),
        ((), "SYMBOL|FILE"),
    ],
)
def test_bad_usage_is_2(capsys, args, text):
    with pytest.raises(SystemExit) as ended:
        main(["backtest", *args])
    assert ended.value.code == 2
    assert text in capsys.readouterr().err


def test_settings_that_contradict_each_other_are_bad_usage(base, capsys):
    code, _, err = run(capsys, *base[:-1], "stop_atr=0")
    assert code == 2
    assert "sizing must not be by risk" in err
    assert run(capsys, *base, "--fee", "0.5")[0] == 2


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [("win_rate", 0.25, "25.00%"), ("sharpe", None, "-"), ("trades", 1_200, "1,200"),
     ("max_drawdown_ms", 7_200_000, "2.0 h"), ("fees", 1_234.5, "1,234.50")],
)
def test_numbers_are_worded_by_name(name, value, text):
    assert number(name, value) == text


def test_export_file_is_a_path(tmp_path):
    assert export_file(str(tmp_path / "a.html")) == tmp_path / "a.html"
