import argparse
import json

import pandas as pd
import pytest
from walks import walk_bars

from app.cli import main
from app.commands.walkforward import training
from opportunity.market.store import BarStore


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("data")
    BarStore(root, "binance").write(walk_bars())
    return root


@pytest.fixture
def base(data):
    return ("walkforward", "BTC/USDT", "--data", data, "--timeframes", "1h", "--n", 20,
            "--rules", "min_score=0.5,min_confidence=0", "--folds", 3)  # fmt: skip


def run(capsys, *args):
    code = main([str(a) for a in args])
    out, err = capsys.readouterr()
    return code, out, err


def test_json_tells_every_fold(base, capsys):
    code, out, err = run(capsys, *base, "--json")
    assert code == 0, err
    body = json.loads(out)
    assert len(body["folds"]) == 3
    assert body["cash"] == 10_000
    assert sum(body["weights"].values()) == pytest.approx(1)
    assert body["trials"] >= 60
    ends = [fold["test_last"] for fold in body["folds"]]
    assert ends == sorted(ends)
    assert "NaN" not in out


def test_a_table_and_what_was_kept(base, capsys, tmp_path):
    path = tmp_path / "folds.csv"
    code, out, err = run(capsys, *base, "--rolling", "--train", "0.3", "--export", path)
    assert code == 0, err
    assert "3 folds by sharpe" in out
    assert "kept of what was promised" in out
    assert len(pd.read_csv(path)) == 3


def test_too_short_a_history_fails(base, capsys):
    code, out, err = run(capsys, *base, "--from", "2024-02-28", "--train", "0.5")
    assert (code, out) == (1, "")
    assert err


@pytest.mark.parametrize(("text", "value"), [("500", 500), ("0.25", 0.25)])
def test_training_is_bars_or_a_share(text, value):
    assert training(text) == value


@pytest.mark.parametrize("text", ["0", "1.5", "x", "-3"])
def test_other_training_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="share in"):
        training(text)
