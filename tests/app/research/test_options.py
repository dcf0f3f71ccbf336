import argparse
from pathlib import Path

import pytest
from walks import FIRST, LAST, START, walk_bars

from app.research.options import (
    add_market,
    add_setup,
    bars_of,
    history_of,
    limits,
    rules,
    setup_of,
    sizing,
    symbol_or_file,
)
from opportunity.backtest.span import WARMUP_BARS
from opportunity.errors import CoverageError
from opportunity.market.store import BarStore

HOUR = 3_600_000


def parsed(*args):
    parser = argparse.ArgumentParser()
    add_market(parser)
    add_setup(parser)
    return parser.parse_args([str(a) for a in args])


@pytest.fixture
def store(tmp_path):
    store = BarStore(tmp_path, "binance")
    store.write(walk_bars())
    return store


def test_rules_are_read_by_their_types():
    assert rules("min_score=0.6,time_stop=0,opposite=false,fill=limit,direction=none") == {
        "min_score": 0.6, "time_stop": 0, "opposite": False, "fill": "limit", "direction": None,
    }  # fmt: skip
    assert rules("targets_r=") == {"targets_r": (), "shares": ()}
    assert rules("targets_r=1:2") == {"targets_r": (1.0, 2.0), "shares": (0.5, 0.5)}
    assert rules("targets_r=1:2,shares=0.2:0.8")["shares"] == (0.2, 0.8)
    assert limits("max_losses=0,cooldown_h=1.5") == {"max_losses": 0, "cooldown_h": 1.5}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("time_stop=1.5", "whole number"), ("opposite=yes", "true or false"),
        ("min_score=x", "must be a number"), ("direction=UP", "BULLISH"),
        ("targets_r=2:1", "ascend"), ("stop=1", "Did you mean"), ("", "list"),
    ],
)  # fmt: skip
def test_wrong_rules_are_refused(text, why):
    with pytest.raises(argparse.ArgumentTypeError, match=why):
        rules(text)


def test_sizing_has_usual_amounts():
    assert [sizing(k).amount for k in ("risk", "equity", "notional", "all_in")] == [
        0.01, 0.1, 1_000, 1.0,
    ]  # fmt: skip
    assert sizing("risk:0.02").amount == 0.02


def test_setup_is_made_of_all_of_them():
    args = parsed("BTC/USDT", "--fee", "0.001", "--cash", "50", "--risk", "max_positions=1")
    setup = setup_of(args)
    assert (setup.costs.fee, setup.cash, setup.risk.max_positions) == (0.001, 50.0, 1)


def test_a_file_is_a_file_and_everything_else_a_symbol(tmp_path):
    path = tmp_path / "btc.csv"
    path.write_text("x")
    assert symbol_or_file(str(path)) == path
    assert symbol_or_file("eth-usdt") == "ETH/USDT"


def test_bars_before_the_start_are_warm_up(store):
    args = parsed("BTC/USDT", "--data", store.folder, "--from", "2024-01-01", "--timeframes", "1h")
    (bars,), known = bars_of(args)
    assert known is None
    assert bars.time[0] == START - WARMUP_BARS * HOUR
    assert history_of(args).batches.opened[history_of(args).start_batch] == START


def test_without_a_start_everything_is_read(store):
    (bars,), known = bars_of(parsed("BTC/USDT", "--data", store.folder, "--context"))
    assert (bars.time[0], bars.close_time[-1]) == (FIRST, LAST)
    assert known == []


def test_files_are_labelled_where_they_have_no_name(tmp_path):
    for name in ("one", "two"):
        walk_bars(seed=len(name)).label(symbol="").to_frame().to_csv(tmp_path / f"{name}.csv")
    bars, _ = bars_of(parsed(tmp_path / "one.csv", tmp_path / "two.csv", "--timeframe", "1h"))
    assert [b.symbol for b in bars] == ["one", "two"]
    (longer,), _ = bars_of(parsed(tmp_path / "one.csv", "--timeframe", "4h"))
    assert longer.timeframe == "4h"
    with pytest.raises(ValueError, match="context"):
        bars_of(parsed(tmp_path / "one.csv", "--context"))


def test_the_data_folder_is_that_of_the_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("OPPORTUNITY_HOME", str(tmp_path))
    with pytest.raises(CoverageError):
        bars_of(parsed("BTC/USDT"))
    with pytest.raises(CoverageError, match="fetch"):
        bars_of(parsed("BTC/USDT", "--exchange", "kraken"))
    BarStore(tmp_path / "bars", "kraken").write(walk_bars())
    (bars,), _ = bars_of(parsed("BTC/USDT", "--exchange", "kraken"))
    assert bars.source == "kraken"
    assert isinstance(tmp_path, Path)


def test_the_simulated_market_needs_both_ends():
    with pytest.raises(ValueError, match="--to"):
        bars_of(parsed("BTC/USDT", "--simulated", "7", "--from", "2024-01-01"))
    with pytest.raises(ValueError, match="--from"):
        bars_of(parsed("BTC/USDT", "--simulated", "7", "--to", "2024-01-01"))
