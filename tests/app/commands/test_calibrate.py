"""`opportunity calibrate`: the table, its JSON, what it keeps and its exit codes."""

import json
from dataclasses import replace

import pytest
from builders import random_bars

from app.cli import main
from opportunity.live.calibrate import calibration_path, saved_calibration
from opportunity.market.store import BarStore


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    for i, symbol in enumerate(("BTC/USDT", "ETH/USDT")):
        BarStore(root, "binance").write(replace(random_bars(3_000, seed=i), symbol=symbol))
    return root


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("OPPORTUNITY_HOME", str(tmp_path))
    return tmp_path


def test_table_compares_before_and_after_and_keeps_the_result(data, home, capsys):
    assert main(["calibrate", "--data", str(data), "--timeframes", "1h,1w"]) == 0
    done = capsys.readouterr()
    assert "binance (recorded bars), 2 symbols" in done.out
    for word in ("score", "confidence", "calibrated", "Brier", "ECE"):
        assert word in done.out
    assert str(calibration_path()) in done.out.replace("\n", "")
    assert "1w stays uncalibrated: no call in the bars" in done.err
    assert list(saved_calibration().calibrators) == ["1h"]


def test_json_is_one_document(data, capsysbinary):
    code = main(["calibrate", "--data", str(data), "--timeframes", "1h", "--symbols", "btcusdt",
                 "--weights", "sar=0.5", "--method", "logistic", "--bars", "2500", "--json"])
    body = json.loads(capsysbinary.readouterr().out)
    assert code == 0
    assert (body["symbols"], body["family"]) == (["BTC/USDT"], "recorded")
    assert body["calibrators"]["1h"]["method"] == "logistic"
    assert set(body["measured"]["1h"]) == {
        "success", "final", "confidence", "gain", "gain_within"
    }
    assert body["kept"] == str(calibration_path())
    assert saved_calibration().problem({"sar": 0.5}, "binance") == ""


def test_dry_run_keeps_nothing(data, capsysbinary):
    assert main(["calibrate", "--data", str(data), "--timeframes", "1h", "--dry-run",
                 "--json"]) == 0
    assert json.loads(capsysbinary.readouterr().out)["kept"] is None
    assert not calibration_path().exists()


def test_scan_and_score_use_what_was_kept(data, capsysbinary):
    scan = ["scan", "--data", str(data), "--timeframes", "1h", "--include-neutral", "--threshold",
            "0", "--min-confidence", "0", "--max-risk", "high", "--json"]
    score = ["score", "--data", str(data), "--symbol", "BTC/USDT", "--timeframe", "1h", "--json"]

    def asked(command):
        assert main(command) == 0
        return json.loads(capsysbinary.readouterr().out)

    note = "uncalibrated: these scores have no calibration yet"
    assert asked(scan)["uncalibrated"] == note
    assert asked(score)["success_note"] == note
    main(["calibrate", "--data", str(data), "--timeframes", "1h", "--json"])
    capsysbinary.readouterr()
    ranked = asked(scan)
    assert ranked["uncalibrated"] is None
    row = next(r for r in ranked["results"] if r["symbol"] == "BTC/USDT")
    one = asked(score)
    assert one["success"] == row["timeframe_breakdown"]["1h"]["success"]
    assert one["success_note"] == ("no direction" if one["direction"] == "NEUTRAL" else "")


def test_too_few_bars_fail_and_keep_nothing(data, capsys):
    assert main(["calibrate", "--data", str(data), "--timeframes", "1h", "--bars", "150"]) == 1
    assert "1h stays uncalibrated" in capsys.readouterr().err
    assert not calibration_path().exists()


def test_unknown_symbols_fail(data, capsys):
    assert main(["calibrate", "--data", str(data), "--timeframes", "1h", "--symbols",
                 "XYZ/USDT"]) == 1
    assert "XYZ/USDT" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", [["--timeframes", "7h"], ["--bars", "0"], ["--method", "magic"], []]
)
def test_bad_usage(data, wrong, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["calibrate", "--data", str(data), *wrong])
    assert stopped.value.code == 2
    assert "usage" in capsys.readouterr().err
