"""Scans on request, of an agent that watches a simulated market at a fixed time."""

import numpy as np
import pytest

from app.scans import Asked, scan
from opportunity.feeds.simulated import SimulatedFeed
from opportunity.live.agent import Agent
from opportunity.scoring.weights import Weights
from opportunity.strategy import ScanRules

START = 1_767_614_400_000  # 2026-01-05 12:00 UTC
NAMES = ("BTC/USDT", "ETH/USDT")


@pytest.fixture
async def agent():
    """An agent at the start of its stream; nothing closes while a test looks."""
    made = Agent(
        SimulatedFeed(symbols=list(NAMES), start_ms=START, speed=0.1), timeframes=("1h", "4h")
    )
    await made.start()
    yield made
    await made.stop()
    made.close()


def asked(symbols=NAMES, timeframes=("1h",), quick=False) -> Asked:
    return Asked(symbols, timeframes, Weights().as_array(), ScanRules().record(), quick)


async def test_what_is_scored_already_is_not_scored_again(agent) -> None:
    report = await scan(agent, asked(["ethusdt", "ETH/USDT"], ["4h", "4h"]), agent.time)
    assert report.evaluation.snapshot.symbols == ("ETH/USDT",)
    np.testing.assert_array_equal(
        report.evaluation.combined.net, agent.evaluation().combined.net[1:, 1:]
    )
    assert report.errors == {}


async def test_other_timeframes_are_read_from_history_unless_it_must_be_quick(agent) -> None:
    slow = await scan(agent, asked(timeframes=["2h", "1h"]), agent.time)
    quick = await scan(agent, asked(timeframes=["2h", "1h"], quick=True), agent.time)
    assert slow.evaluation.snapshot.timeframes == ("2h", "1h")
    assert slow.errors == {}
    assert quick.evaluation.snapshot.timeframes == ("1h",)
    assert quick.errors == {"2h": "not scored by the agent"}
    np.testing.assert_array_equal(
        slow.evaluation.combined.net[:, 1], quick.evaluation.combined.net[:, 0]
    )


async def test_what_cannot_be_scanned_is_told_by_name(agent) -> None:
    report = await scan(agent, asked(["ETH/USD", "???", "BTCUSDT"]), agent.time)
    assert report.evaluation.snapshot.symbols == ("BTC/USDT",)
    assert "ETH/USDT" in report.errors["ETH/USD"]  # the near one
    assert set(report.errors) == {"ETH/USD", "???"}


@pytest.mark.parametrize("frames", [[], ["7h"]])
async def test_wrong_timeframes_are_refused(agent, frames) -> None:
    with pytest.raises(ValueError, match="timeframe"):
        await scan(agent, asked(timeframes=frames), agent.time)
