import argparse

import numpy as np
import pandas as pd
import pytest

from app.commands.arguments import weights as parse_weights
from app.research.search_options import (
    add_search,
    objective,
    plain_rows,
    plan_of,
    table_file,
    weights_text,
    write_table,
)
from opportunity.backtest.judge import LEAST_TRADES


def parsed(*args):
    parser = argparse.ArgumentParser()
    add_search(parser, 50)
    parser.add_argument("--seed", type=int, default=3)
    return parser.parse_args(list(args))


def test_a_plan_has_its_defaults():
    plan = plan_of(parsed())
    assert (plan.method, plan.n, plan.seed, plan.aim.objective) == ("random", 50, 3, "sharpe")
    assert plan.aim.least_trades == LEAST_TRADES
    tuned = plan_of(parsed("--method", "tpe", "--study", "x", "--objective", "calmar"))
    assert (tuned.study, tuned.aim.objective) == ("x", "calmar")


@pytest.mark.parametrize("text", ["", "sharp", "Sharpe"])
def test_unknown_objectives_are_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="objective must be a known name"):
        objective(text)


@pytest.mark.parametrize("name", ["x.xlsx", "missing/x.csv"])
def test_tables_go_to_known_formats_in_existing_folders(tmp_path, name):
    with pytest.raises(argparse.ArgumentTypeError):
        table_file(str(tmp_path / name))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_tables_are_read_back(tmp_path, suffix):
    path = table_file(str(tmp_path / f"x.{suffix}"))
    write_table(pd.DataFrame({"a": [1.5, 2.5]}), path)
    read = pd.read_csv(path) if suffix == "csv" else pd.read_parquet(path)
    assert read["a"].tolist() == [1.5, 2.5]


def test_rows_are_plain():
    frame = pd.DataFrame({"t": pd.to_datetime([5], unit="ms", utc=True), "v": [np.float64(2)]})
    assert plain_rows(frame) == [{"index": 0, "t": 5, "v": 2.0}]


def test_weights_are_worded_so_that_they_are_read_again():
    values = parse_weights("smc=0.3,sar=0")
    assert parse_weights(weights_text(values)) == values
