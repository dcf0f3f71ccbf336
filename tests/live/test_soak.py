"""The agent for months of market time: nothing grows, nothing is left behind."""

import asyncio
import gc
import resource
import threading
from pathlib import Path

import pytest

from opportunity.bus.memory import Hub
from opportunity.feeds.simulated import SimulatedFeed
from opportunity.live.agent import Agent
from opportunity.market.timeframe import DAY_MS

SETTLED_DAYS = 10
DAYS = 60
LEAST_GROWTH_MIB = 8  # one arena of the allocator may come late; a leak of a bar is a hundred


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


@pytest.mark.slow
async def test_two_months_of_forty_symbols_leave_memory_and_threads_as_they_were() -> None:
    threads = threading.active_count()
    hub = Hub(asyncio.get_running_loop())
    feed = SimulatedFeed(speed=1e6, start_ms=1_760_000_040_000)
    agent = Agent(feed, hub=hub, timeframes=("5m", "1h", "4h"), scan_interval_ms=60_000)
    await agent.start(thread=True)
    begun = agent.snapshot().time

    async def reach(days: int) -> float:
        while agent.snapshot().time < begun + days * DAY_MS:
            assert agent.running, agent.last_error
            await asyncio.sleep(0.05)
        gc.collect()
        return _resident_mib()

    settled = await reach(SETTLED_DAYS)
    grown = await reach(DAYS) - settled
    await agent.stop()
    agent.close()
    assert grown < LEAST_GROWTH_MIB
    assert "agent" not in {t.name for t in threading.enumerate()}
    assert threading.active_count() <= threads + 3  # pools of the default executor may stay
