"""A paper trading agent that says what it was told to be durable, made to be killed at any moment.

Run as ``python tests/dying_agent.py URL SEED``; with a seed below 0 nothing is done by hand. It
restores its book from the database, trades a simulated market as fast as it can and writes one line
for each thing that it may call done: ``ready``, ``ack KEY`` for an event that came out of the hub,
``hand NUMBER`` for a command by hand that returned. Storage errors are told as ``storage TEXT``.
"""

import asyncio
import os
import random
import sys
from collections.abc import Sequence
from typing import Any

import structlog

from opportunity.bus.memory import Hub
from opportunity.errors import OpportunityError
from opportunity.feeds.clock import wall_ms
from opportunity.feeds.simulated import SimulatedFeed
from opportunity.live.agent import Agent
from opportunity.scoring.weights import Weights
from opportunity.storage.database import open_database
from opportunity.storage.lease import Lease
from opportunity.storage.ledger import PAPER, Ledger
from opportunity.trading.costs import Sizing
from opportunity.trading.risk import RiskRecord
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

START = 1_767_614_400_000  # 2026-01-05 12:00 UTC
OVERLAP_MS = 45 * 60_000
NAMES = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT")
MARKET = "simulated-7"

BUSY = TradeSetup(
    TradeRecord(
        min_score=0.5, min_confidence=0.0, min_trust=0.0, max_disagreement=1.0, stop_atr=1.0,
        targets_r=(0.5, 1.0), shares=(0.5, 0.5), trail_atr=1.0, time_stop=6,
    ),
    sizing=Sizing.risk(0.01),
    risk=RiskRecord(max_positions=4, max_drawdown=0.9, max_daily_loss=0.5, max_losses=0),
)
"""Trades at nearly every decision."""


def say(text: str) -> None:
    """Write a line at once: what a killed process kept in a buffer was never said."""
    os.write(1, f"{text}\n".encode())


async def main(url: str, seed: int) -> None:
    """Trade until killed."""
    loop = asyncio.get_running_loop()
    engine, hub = open_database(url), Hub(loop)
    hub.subscribe(lambda states, events: acknowledge(events))
    lease = Lease(engine, f"trading {MARKET}", clock=wall_ms)
    lease.acquire()
    ledger = Ledger(engine, MARKET, wall_ms)
    resumed = ledger.time_of(PAPER)
    # Behind what the book knows: bars that come again must change nothing.
    start = START if resumed is None else max(START, resumed - OVERLAP_MS)
    agent = Agent(
        SimulatedFeed(symbols=NAMES, seed=7, speed=1e5, start_ms=start), weights=Weights(),
        timeframes=("15m", "1h"), hub=hub, trading=BUSY, ledger=ledger, lease=lease,
    )
    assert agent.trading is not None
    agent.trading.decision_timeframe = "15m"
    await agent.start(thread=True)
    say("ready")
    await by_hand(agent, random.Random(seed) if seed >= 0 else None)


def acknowledge(events: Sequence[tuple[str, Any]]) -> None:
    """Tell of every event that the hub delivers: it is in the log by then."""
    for topic, event in events:
        if topic == "event":
            say(f"ack {event.key}")


async def by_hand(agent: Agent, rng: random.Random | None) -> None:
    """Close a position now and then; each return of a command is a promise."""
    while agent.running and not agent.last_error:
        await asyncio.sleep(0.05 if rng is None else rng.uniform(0.01, 0.1))
        if agent.portfolio.storage != "ok":
            say(f"storage {agent.portfolio.storage}")
        held = [line.symbol for line in agent.portfolio.positions if not line.leaving]
        if not held or rng is None:
            continue
        try:
            say(f"hand {await agent.close_position(rng.choice(held), by='test')}")
        except OpportunityError as error:
            say(f"storage {error}")
        except ValueError:
            pass  # its stop was quicker
    say(f"ended {agent.last_error}")


if __name__ == "__main__":
    # Standard output is for promises alone: what is buffered there would be mixed with them.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
