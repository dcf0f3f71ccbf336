"""`opportunity score`: the explained score of the last bar, its JSON and its exit codes."""

import json

import numpy as np
import pytest

from app.cli import main
from opportunity.contracts import DETECTOR_NAMES
from opportunity.market.bars import Bars
from opportunity.market.store import BarStore
from opportunity.scoring.ensemble import score
from opportunity.scoring.explain import explain

HOUR = 3_600_000
END = 20_000 * 24 * HOUR


def walk(n=400):
    close = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, n)))
    open_ = np.concatenate([[100.0], close[:-1]])
    return Bars.from_arrays(END - HOUR * np.arange(n, 0, -1), open_, np.maximum(open_, close),
                            np.minimum(open_, close), close, np.ones(n), timeframe="1h",
                            symbol="BTC/USDT")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    BarStore(root, "binance").write(walk())
    return root


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "btc.csv"
    frame = walk().to_frame()
    frame.insert(0, "time", frame.index.tz_localize(None))
    frame.to_csv(path, index=False)
    return path


def test_store_stream_as_json(data, capsysbinary):
    code = main(["score", "--data", str(data), "--symbol", "btcusdt", "--timeframe", "1h",
                 "--json"])
    assert code == 0
    body = json.loads(capsysbinary.readouterr().out)
    found = score(walk())
    assert body["final"] == found.final[-1]
    assert body["direction"] == found.direction[-1]
    assert (body["symbol"], body["timeframe"], body["closed"]) == ("BTC/USDT", "1h", END)
    assert [c["detector"] for c in body["components"]] == list(DETECTOR_NAMES)
    total = sum(c["contribution"] for c in body["components"] if c["available"])
    assert total == pytest.approx(body["net"], abs=1e-12)
    assert body["headline"] == explain(walk()).headline
    assert any(c["sightings"] for c in body["components"])


def test_file_as_a_table(file, capsys):
    assert main(["score", str(file), "--timeframe", "1h", "--symbol", "BTC/USDT"]) == 0
    out = capsys.readouterr().out
    assert "BTC/USDT 1h" in out
    assert f"score {score(walk()).final[-1]:.4f}" in out
    assert "unavailable" in out
    assert explain(walk()).headline in out


def test_as_of_a_time(data, capsysbinary):
    main(["score", "--data", str(data), "--symbol", "BTC/USDT", "--timeframe", "4h", "--json",
          "--at", str(END - 5 * HOUR)])
    assert json.loads(capsysbinary.readouterr().out)["closed"] == END - 8 * HOUR


def test_too_few_bars_fail(tmp_path, capsys):
    BarStore(tmp_path, "binance").write(walk(50))
    code = main(["score", "--data", str(tmp_path), "--symbol", "BTC/USDT", "--timeframe", "1h"])
    assert code == 1
    assert "100 bars are needed for a score, there were 50" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "give either FILE or --data DIR"),
        (["--data", "DATA"], "--data needs --symbol and --timeframe"),
        (["--data", "DATA", "--symbol", "BTC/USDT"], "--data needs --timeframe"),
        (["FILE", "--at", "2024-01-01"], "--at needs --timeframe"),
        (["FILE", "--data", "DATA"], "give either FILE or --data DIR"),
    ],
)
def test_bad_usage_is_exit_code_two(data, file, args, message, capsys):
    given = [{"DATA": str(data), "FILE": str(file)}.get(a, a) for a in args]
    assert main(["score", *given]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["/no/such/file.csv"], "must be an existing file"),
        (["--data", "DATA", "--symbol", "BTC/USDT", "--timeframe", "2x"], "was '2x'"),
    ],
)
def test_wrong_values_are_exit_code_two(data, args, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["score", *(str(data) if a == "DATA" else a for a in args)])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_an_unknown_symbol_fails_with_its_nearest(data, capsys):
    code = main(["score", "--data", str(data), "--symbol", "BTX/USDT", "--timeframe", "1h"])
    assert code == 1
    assert "Did you mean 'BTC/USDT'?" in capsys.readouterr().err


def test_a_broken_file_of_records_costs_the_records_only(tmp_path, capsys):
    BarStore(tmp_path, "binance").write(walk())
    (tmp_path / "sentiment").mkdir()
    (tmp_path / "sentiment/fear_greed.csv").write_text("timestamp,value\n2024-09-01,400\n")
    asked = ["score", "--data", str(tmp_path), "--symbol", "BTC/USDT", "--timeframe", "1h"]
    assert main(asked) == 0
    done = capsys.readouterr()
    assert "opportunity: records: " in done.err
    assert "fear_greed.csv" in done.err
    assert f"score {score(walk()).final[-1]:.4f}" in done.out


def test_several_exchanges_are_told_apart_by_an_option(tmp_path, capsys):
    for name in ("binance", "kraken"):
        BarStore(tmp_path, name).write(walk(120))
    asked = ["score", "--data", str(tmp_path), "--symbol", "BTC/USDT", "--timeframe", "1h"]
    assert main(asked) == 1
    assert "--exchange NAME" in capsys.readouterr().err
    assert main([*asked, "--exchange", "kraken"]) == 0
