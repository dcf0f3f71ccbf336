"""A real server process and a real Chromium; both stay on loopback."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browsed import QUIET, SYMBOLS, Server
from builders import random_bars
from playwright.sync_api import Browser, Error, expect, sync_playwright

from opportunity.market.store import BarStore
from opportunity.storage.database import open_database
from opportunity.storage.repositories import Memory
from opportunity.storage.turned import Why
from opportunity.trading.rules import TradeRules

expect.set_options(timeout=30_000)  # a bound of a hang, not of what a busy machine takes


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A running server with a fresh data folder; kernels stay where they are cached."""
    made = Server(tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Server]:
    """A server that asks everybody for a login, and has no user yet."""
    made = Server(tmp_path, "--auth", "--speed", "600", "--symbols", SYMBOLS)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def trading(tmp_path: Path) -> Iterator[Server]:
    """A server whose rules let nearly everything through, at half an hour a second."""
    memory = Memory(open_database(f"sqlite:///{tmp_path / 'opportunity.sqlite'}"), lambda: 1)
    rules = TradeRules(min_score=0.5, min_confidence=0.0, stop_atr=3.0, max_disagreement=1.0)
    memory.turned.write("trade_rules", rules.as_dict(), {}, Why("rules", "python", "", 0))
    memory.close()
    made = Server(tmp_path, "--speed", "1800", "--symbols", SYMBOLS)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def holed(tmp_path: Path) -> Iterator[Server]:
    """A server that replays hours of three symbols, of which two have holes."""
    store = BarStore(tmp_path / "data", "testing")
    for i, (name, every) in enumerate((("BTC", 0), ("ETH", 9), ("SOL", 60))):
        bars = random_bars(2_600, seed=i)
        kept = np.ones(2_600, np.bool_) if not every else np.arange(2_600) % every != 0
        store.write(replace(bars, time=bars.time[kept], values=bars.values[kept],
                            symbol=f"{name}/USDT"))
    made = Server(
        tmp_path / "home", "--feed", "replay", "--data", str(tmp_path / "data"),
        "--timeframes", "1h", "--start", "2020-11-26T00:00:00Z", "--speed", "3600",
    )
    made.start()
    yield made
    made.stop()


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Server]:
    """A local exchange with three coins at 60 times the speed of life."""
    made = Server(tmp_path / "exchange", "--symbols", "BTC/USDT,ETH/USDT,SOL/USDT", verb="exchange")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def exchanged(exchange: Server, tmp_path: Path) -> Iterator[Server]:
    """A server over the local exchange."""
    made = Server(
        tmp_path / "home", "--feed", "exchange", "--exchange-url", exchange.address,
        "--timeframes", "5m,1h",
    )
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")  # Playwright holds the thread's event loop until it ends
def browser() -> Iterator[Browser]:
    """Debian's Chromium when it is there, else Playwright's own."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        try:
            opened = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        except Error as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"no Chromium here: {str(error).splitlines()[0]}")
        yield opened
        opened.close()
