import argparse
import asyncio
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from app.commands import exchange
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.market.bars import Bars
from opportunity.market.store import BarStore

START = 1_748_865_600_000


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="opportunity")
    exchange.add(made.add_subparsers(dest="verb"))
    return made


def test_defaults_and_flags(parser: argparse.ArgumentParser) -> None:
    args = parser.parse_args(["exchange"])
    assert (args.port, args.speed, args.seed, args.top, args.data) == (8791, 60.0, 7, None, None)
    args = parser.parse_args(["exchange", "--symbols", "btcusdt,ETH/USDT", "--top", "1",
                              "--start", "2025-01-01", "--port", "0", "--speed", "1"])
    assert args.symbols == ["BTC/USDT", "ETH/USDT"]
    assert args.start == 1_735_689_600_000
    assert exchange._market(args).symbols == ("BTC/USDT",)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--port", "70000"], "must be a whole number in 0..65535"),
        (["--speed", "0"], "must be a number in 0.1..1e7"),
        (["--speed", "fast"], "must be a number in 0.1..1e7"),
        (["--seed", "-1"], "must be a whole number >= 0"),
        (["--top", "0"], "must be a whole number >= 1"),
        (["--data", "/nowhere/at/all"], "must be an existing folder"),
    ],
)
def test_wrong_flag_is_bad_usage(parser, capsys, flags: list[str], words: str) -> None:
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(["exchange", *flags])
    assert caught.value.code == 2
    assert words in capsys.readouterr().err


def test_exchange_without_data_is_bad_usage(parser, capsys) -> None:
    args = parser.parse_args(["exchange", "--exchange", "binance"])
    assert args.run(args) == 2
    assert "--data" in capsys.readouterr().err


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_it_is_told_to_stop(parser, tmp_path, monkeypatch, capsys, stop) -> None:
    announce = exchange._announce

    def ready(*args: object) -> None:
        announce(*args)
        asyncio.get_running_loop().call_soon(os.kill, os.getpid(), stop)

    monkeypatch.setattr(exchange, "_announce", ready)
    replayed = stop == signal.SIGTERM
    more = ["--data", str(recorded(tmp_path))] if replayed else ["--top", "2"]
    args = parser.parse_args(["exchange", "--port", "0", "--speed", "600", *more])
    assert args.run(args) == 0
    told = capsys.readouterr().out
    url = told.rstrip().rpartition(" ")[2]
    market = "replay:binance" if replayed else "simulated"
    assert f"2 symbols, {market} market, 600x, at http://127.0.0.1:" in told
    assert f"--feed exchange --exchange binance --exchange-url {url}" in told
    assert told.count("\n") == 1


def recorded(folder: Path) -> Path:
    market = SimulatedMarket(2, 3)
    time = START + 60_000 * np.arange(300, dtype=np.int64)
    store = BarStore(folder / "data", "binance")
    for row, symbol in enumerate(market.symbols):
        store.write(Bars(time, market.bars(np.array([row]), "1m", time)[0], "1m", symbol))
    return folder / "data"
