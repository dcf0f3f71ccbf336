"""`opportunity fetch` as a process against a local exchange."""

import asyncio
import json
import os
import signal
import sys

import numpy as np
import pytest

from app.cli import main
from app.exchange.server import LocalExchange
from opportunity.market.store import BarStore


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path_factory):
    """Bans that are earned here must not reach other tests."""
    monkeypatch.setenv("OPPORTUNITY_HOME", str(tmp_path_factory.mktemp("home")))


SINCE = "2025-05-30"
NOON = 1_748_867_400_000  # half past twelve: no bar closes while a test runs


async def started(*args):
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.cli", "fetch", *map(str, args),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


@pytest.fixture
def fetch(capfdbinary):
    """Run the command in a thread: ccxt takes seconds to import in each new process."""

    async def run(url, *args):
        capfdbinary.readouterr()
        command = ["fetch", "--exchange", "binance", "--exchange-url", url, *map(str, args)]
        code = await asyncio.to_thread(main, command)
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return run


async def test_two_symbols_then_only_what_is_new(tmp_path, fetch):
    rest = ("--timeframes", "1h,4h", "--since", SINCE, "--data", tmp_path, "--json")
    async with LocalExchange(5, speed=1.0, start_ms=NOON) as exchange:
        code, out, err = await fetch(exchange.url, "--symbols", "BTC/USDT,ethusdt", *rest)
        assert code == 0, err
        body = json.loads(out)
        assert {(s["symbol"], s["timeframe"]) for s in body["streams"]} == {
            (s, t) for s in ("BTC/USDT", "ETH/USDT") for t in ("1h", "4h")
        }
        assert all(s["missing"] == 0 and s["bars"] > 10 for s in body["streams"])
        assert body["source"] == "simulated"
        assert body["errors"] == {}
        assert "1 of 4:" in err
        code, out, err = await fetch(exchange.url, "--symbols", "BTC/USDX,BTC/USDT", *rest)
    body = json.loads(out)
    assert (code, body["bars_new"]) == (1, 0)
    assert [s["bars"] > 10 for s in body["streams"]] == [True, True]
    assert "Did you mean 'BTC/USDT'?" in body["errors"]["BTC/USDX"]
    stored = BarStore(tmp_path)
    assert stored.exchange == "simulated"  # made-up bars never lie under a real name
    assert stored.symbols("1h") == ["BTC/USDT", "ETH/USDT"]


async def test_largest_ones_and_a_table_that_scan_can_read(tmp_path, fetch, capfdbinary):
    async with LocalExchange(5, speed=1.0, start_ms=NOON) as exchange:
        code, out, err = await fetch(
            exchange.url, "--top", 2, "--quote", "usdt", "--timeframes", "1h", "--since",
            "2025-05-20", "--data", tmp_path,
        )
    assert code == 0, err
    assert "this address gives simulated bars" in out
    assert f"next: opportunity scan --data {tmp_path / 'simulated'} --timeframes 1h" in out
    assert main(["scan", "--data", str(tmp_path), "--timeframes", "1h", "--json"]) == 0
    assert json.loads(capfdbinary.readouterr().out)["source"] == "simulated"


@pytest.mark.parametrize("number", [
    signal.SIGINT,
    pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
    pytest.param(signal.SIGKILL, marks=pytest.mark.slow),
])
async def test_stopped_at_any_time_it_goes_on(tmp_path, fetch, number):
    args = ("--symbols", "BTC/USDT", "--timeframes", "1m", "--data", tmp_path, "--json")
    async with LocalExchange(2, speed=1.0) as exchange:
        process = await started("--exchange", "binance", "--exchange-url", exchange.url,
                                "--since", "2025-05-20", *args)
        path = tmp_path / "simulated" / "BTC-USDT" / "1m.parquet"
        async with asyncio.timeout(60):
            while not path.exists() and process.returncode is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        process.send_signal(number)
        _, err = await asyncio.wait_for(process.communicate(), 30)
        kept = BarStore(tmp_path, "simulated").coverage("BTC/USDT", "1m").n_bars
        assert kept >= 5_000
        if number != signal.SIGKILL:
            assert process.returncode == 130
            assert b"the same command goes on from there" in err
        code, out, err = await fetch(exchange.url, "--since", "2025-05-20", *args)
    assert code == 0, err
    (stream,) = json.loads(out)["streams"]
    assert stream["missing"] == 0
    assert 0 < stream["new"] <= stream["bars"] - kept


async def test_nobody_listens(tmp_path, fetch):
    async with LocalExchange(1, speed=1.0) as exchange:
        url = exchange.url
    code, out, err = await fetch(
        url, "--symbols", "BTC/USDT", "--timeframes", "1h", "--since", SINCE, "--data", tmp_path
    )
    assert (code, out) == (1, "")
    assert "opportunity doctor --exchange binance" in err
    assert not list(tmp_path.iterdir())


WHOLE = {"--exchange": "binance", "--symbols": "BTC/USDT", "--timeframes": "1h",
         "--since": "2024-01-01"}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"--timeframes": "1hr"}, "Did you mean '1h'?"),
        ({"--since": "yesterdayish"}, "time must be ISO 8601"),
        ({"--symbols": "HELLO"}, "symbol must be BASE/QUOTE"),
        ({"--symbols": None}, "one of the arguments --symbols --top is required"),
        ({"--top": "3"}, "not allowed with"),
        ({"--symbols": None, "--top": "0"}, "whole number >= 1"),
    ],
)
def test_bad_usage_is_told_at_once(capsys, change, words):
    given = {k: v for k, v in (WHOLE | change).items() if v is not None}
    with pytest.raises(SystemExit) as ended:
        main(["fetch", *(part for pair in given.items() for part in pair)])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"--exchange": "binanse"}, "Did you mean 'binance'?"),
        ({"--since": "1234567890"}, "since must lie between 2009 and now"),
        ({"--since": "2199-01-01"}, "since must lie between 2009 and now"),
        ({"--until": "2023-01-01"}, "until must be later than since"),
        ({"--quote": "USDT"}, "--quote belongs to --top"),
        ({"--exchange-url": "https://api.binance.com"}, "exchange_url must be http://HOST:PORT"),
    ],
)
def test_bad_usage_is_told_before_anything_is_asked(capsys, monkeypatch, change, words):
    monkeypatch.setattr("opportunity.feeds.exchange.venue.venue.Venue.open", None)
    given = WHOLE | change
    assert main(["fetch", *(part for pair in given.items() for part in pair)]) == 2
    assert words in capsys.readouterr().err
    assert os.environ["OPPORTUNITY_HOME"]


async def test_bars_are_the_same_when_the_exchange_misbehaves(tmp_path, fetch):
    stored = []
    for name, orders in (
        ("calm", []),
        ("bad", [
            {"kind": "html", "status": 200, "paths": ["klines"], "probability": 0.2, "seed": 3},
            {"kind": "rate_limit", "status": 429, "retry_after_s": 1, "paths": ["klines"],
             "times": 1},
            {"kind": "empty_body", "paths": ["klines"], "every": 4},
        ]),
    ):  # fmt: skip
        async with LocalExchange(1, speed=1.0, start_ms=NOON) as exchange:
            for order in orders:
                exchange.faults.order(order)
            code, _, err = await fetch(
                exchange.url, "--symbols", "BTC/USDT", "--timeframes", "1m,1h", "--since",
                "2025-05-28", "--until", "2025-06-02T12:00", "--data", tmp_path / name,
            )
            assert code == 0, err
            assert len(exchange.faults.injected) == len(orders)
        store = BarStore(tmp_path / name, "simulated")
        stored.append([store.read("BTC/USDT", t) for t in ("1m", "1h")])
    for calm, bad in zip(*stored, strict=True):
        np.testing.assert_array_equal(calm.time, bad.time)
        np.testing.assert_array_equal(calm.values, bad.values)
