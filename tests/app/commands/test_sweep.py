import json

import pandas as pd
import pytest
from walks import walk_bars

from app.cli import main
from opportunity.contracts import DETECTOR_NAMES
from opportunity.market.store import BarStore


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    BarStore(root, "binance").write(walk_bars())
    return root


@pytest.fixture
def base(data):
    return ("sweep", "BTC/USDT", "--data", data, "--from", "2024-01-01", "--timeframes", "1h",
            "--rules", "min_score=0.5,min_confidence=0", "--n", 40)  # fmt: skip


def run(capsys, *args):
    code = main([str(a) for a in args])
    out, err = capsys.readouterr()
    return code, out, err


def test_json_tells_the_best_and_counts_trials(base, capsys):
    code, out, err = run(capsys, *base, "--json", "--top", "3", "--objective", "sortino")
    assert code == 0, err
    body = json.loads(out)
    assert (body["n"], body["objective"], body["source"]) == (40, "sortino", "binance")
    assert len(body["best"]) == 3
    assert body["best"][0]["value"] == body["value"] >= body["best"][1]["value"]
    assert sum(body["weights"].values()) == pytest.approx(1)
    assert body["trials"] >= 40
    again = json.loads(run(capsys, *base, "--json", "--objective", "sortino")[1])
    assert again["weights"] == body["weights"]
    assert again["trials"] == body["trials"]  # the same work is counted once


def test_a_table_and_the_line_to_go_on_with(base, capsys):
    code, out, err = run(capsys, *base)
    assert code == 0
    assert "best of 40 vectors by sharpe, binance" in out
    assert "--weights harmonic=" in out
    assert "luckiest" in err


@pytest.mark.parametrize("width", [80, 100])
def test_the_table_fits_and_nothing_is_cut(base, capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    out = run(capsys, *base, "--top", "3")[1]
    table = [line for line in out.splitlines() if not line.startswith("--weights")]
    assert max(map(len, table)) <= width
    assert "\N{HORIZONTAL ELLIPSIS}" not in out
    for word in ("value", "return", "drawdown", "trades", "Sharpe", "weights", "smc ."):
        assert word in out
    row = next(line for line in table if "%" in line)
    assert row.count("%") == 2


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_every_vector_is_exported(base, capsys, tmp_path, suffix):
    path = tmp_path / f"found.{suffix}"
    assert run(capsys, *base, "--export", path)[0] == 0
    frame = pd.read_csv(path) if suffix == "csv" else pd.read_parquet(path)
    assert len(frame) == 40
    assert set(DETECTOR_NAMES) <= set(frame.columns)


def test_nothing_worth_a_value_is_a_failure(base, capsys):
    code, _, err = run(capsys, *base, "--least-trades", "100000")
    assert code == 1
    assert "--least-trades" in err


def test_what_cannot_be_done_says_why(base, capsys):
    assert run(capsys, *base, "--to", "2024-09-01")[0] == 1
    code, _, err = run(capsys, *base, "--study", "x")
    assert code == 2
    assert "study" in err
    with pytest.raises(SystemExit) as ended:
        main([str(a) for a in base] + ["--objective", "sharp"])
    assert ended.value.code == 2
    assert "Did you mean 'sharpe'" in capsys.readouterr().err
