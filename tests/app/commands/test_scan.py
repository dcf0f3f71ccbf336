"""`opportunity scan` as a process: output, JSON, exit codes."""

import json
import subprocess
import sys

import numpy as np
import pytest

from opportunity.market.bars import Bars
from opportunity.market.store import BarStore

HOUR = 3_600_000
END = 20_000 * 24 * HOUR


def opportunity(*args):
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *map(str, args)], capture_output=True, text=True,
        check=False, timeout=300,
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    store = BarStore(root, "binance")
    for i, symbol in enumerate(("BTC/USDT", "ETH/USDT", "OLD/USDT")):
        rng = np.random.default_rng(i)
        n, end = 600, END - (90 * 24 * HOUR if symbol.startswith("OLD") else 0)
        close = 100 * np.exp(np.cumsum(rng.normal(0.003 * (1 - 2 * i), 0.01, n)))
        open_ = np.concatenate([[100.0], close[:-1]])
        store.write(Bars.from_arrays(
            end - HOUR * np.arange(n, 0, -1), open_, np.maximum(open_, close),
            np.minimum(open_, close), close, np.full(n, 1e6), timeframe="1h", symbol=symbol,
        ))
    return root


ALL = ("--include-neutral", "--threshold", "0", "--min-confidence", "0", "--max-risk", "high")


def test_json_is_one_document(data):
    done = opportunity("scan", "--data", data, "--timeframes", "1h,4h", "--json", *ALL)
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    assert [r["rank"] for r in body["results"]] == [1, 2]
    assert {r["symbol"] for r in body["results"]} == {"BTC/USDT", "ETH/USDT"}
    assert {s["symbol"] for s in body["stale"]} == {"OLD/USDT"}
    assert body["time"] == END
    assert body["source"] == "binance"
    assert done.stderr == ""


def test_table_names_rank_and_what_is_stale(data):
    done = opportunity("scan", "--data", data, "--timeframes", "1h,4h", "--rule", "any", *ALL)
    assert done.returncode == 0, done.stderr
    assert "BTC/USDT" in done.stdout
    assert "stale: 2 streams of 1 symbols" in done.stdout
    assert "2 of 2 scored symbols pass" in done.stdout


def test_each_time_weights_and_limit(data):
    done = opportunity("scan", "--data", data, "--timeframes", "1h", "--at", "each", "--json",
                       "--weights", "sar=0,price_action=1", "--limit", "1", *ALL)
    body = json.loads(done.stdout)
    assert body["each"] is True
    assert body["opportunities_found"] == 3
    assert len(body["results"]) == 1
    assert (body["weights"]["sar"], body["weights"]["price_action"]) == (0, 1)


def test_unknown_symbols_are_told_and_the_rest_goes_on(data):
    done = opportunity("scan", "--data", data, "--timeframes", "1h", "--symbols",
                       "btcusdt,BTX/USDT", *ALL)
    assert done.returncode == 0
    assert "'BTX/USDT'. Did you mean 'BTC/USDT'?" in done.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--timeframes", "1h"], "the following arguments are required: --data"),
        (["--data", "DATA"], "the following arguments are required: --timeframes"),
        (["--data", "DATA", "--timeframes", "1x"], "timeframe must be a known name, was '1x'"),
        (["--data", "DATA", "--timeframes", ","], "must be a comma-separated list, was ','"),
        (["--data", "/no/such", "--timeframes", "1h"], "must be an existing folder"),
        (["--data", "DATA", "--timeframes", "1h", "--at", "soon"], "time must be ISO 8601"),
        (["--data", "DATA", "--timeframes", "1h", "--symbols", "??"], "symbol must be BASE/QUOTE"),
        (["--data", "DATA", "--timeframes", "1h", "--weights", "sarr=1"], "Did you mean 'sar'?"),
        (["--data", "DATA", "--timeframes", "1h", "--weights", "sar=-1"],
         "weight sar must be finite and >= 0, was -1.0"),
        (["--data", "DATA", "--timeframes", "1h", "--weights", "sar"], "weights must be NAME="),
        (["--data", "DATA", "--timeframes", "1h", "--preset", "balance"],
         "preset must be a known name, was 'balance'. Did you mean 'balanced'?"),
        (["--data", "DATA", "--timeframes", "1h", "--preset", "balanced", "--weights", "sar=1"],
         "not allowed with argument"),
        (["--data", "DATA", "--timeframes", "1h", "--rule", "most"], "invalid choice: 'most'"),
        (["--data", "DATA", "--timeframes", "1h", "--threshold", "2"], "must be a number in 0..1"),
        (["--data", "DATA", "--timeframes", "1h", "--limit", "0"], "must be a whole number >= 1"),
        (["--data", "DATA", "--timeframes", "1h", "--max-risk", "some"], "invalid choice: 'SOME'"),
    ],
)
def test_bad_usage_is_exit_code_two(data, args, message, capsys):
    from app.cli import main

    with pytest.raises(SystemExit) as stopped:
        main(["scan", *(str(data) if a == "DATA" else a for a in args)])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_bad_usage_of_the_process(data):
    done = opportunity("scan", "--data", data, "--timeframes", "1x")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_a_folder_without_bars_fails(tmp_path):
    done = opportunity("scan", "--data", tmp_path, "--timeframes", "1h")
    assert done.returncode == 1
    assert "no bars are stored in" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_is_complete():
    done = opportunity("scan", "--help")
    assert done.returncode == 0
    for word in ("--data", "--symbols", "--timeframes", "--at", "--preset", "--weights", "--rule",
                 "--threshold", "--min-confidence", "--max-risk", "--include-neutral", "--limit",
                 "--json", "exit codes"):
        assert word in done.stdout


def test_symbols_with_too_many_holes_are_counted(tmp_path):
    rng = np.random.default_rng(5)
    close = 100 * np.exp(np.cumsum(rng.normal(0.001, 0.01, 600)))
    kept = np.arange(600) % 7 != 0
    time = (END - HOUR * np.arange(600, 0, -1))[kept]
    close = close[kept]
    BarStore(tmp_path, "binance").write(Bars.from_arrays(
        time, close, close, close, close, np.full(close.size, 1e6), timeframe="1h",
        symbol="BTC/USDT",
    ))
    done = opportunity("scan", "--data", tmp_path, "--timeframes", "1h", *ALL)
    assert done.returncode == 0, done.stderr
    assert "0 of 1 scored symbols pass" in done.stdout
    assert "not trusted: 1 symbols" in done.stdout
