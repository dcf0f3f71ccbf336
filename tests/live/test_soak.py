"""The agent for two months of market time: nothing grows, nothing is left behind.

Runs in a process of its own: what thousands of other tests left in the allocator is not ours.
"""

import asyncio
import ctypes
import gc
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from opportunity.bus.memory import Hub
from opportunity.feeds.simulated import SimulatedFeed
from opportunity.live.agent import Agent
from opportunity.market.timeframe import DAY_MS

SETTLED_DAYS = 20  # hours of prints are kept for two weeks
DAYS = 60
MOST_GROWTH_MIB = 48  # blocks of prints come and go: the allocator's part of it moves by 30
"""One float leaked for each bar would be 17, one bar 92."""

MOST_NEW_OBJECTS = 5_000  # records are kept for months; one leaked for each minute is 57,600


def _resident_mib() -> float:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


async def soak() -> None:
    threads = threading.active_count()
    hub = Hub(asyncio.get_running_loop())
    feed = SimulatedFeed(speed=1e6, start_ms=1_760_000_040_000)
    agent = Agent(feed, hub=hub, timeframes=("5m", "1h", "4h"), scan_interval_ms=60_000)
    await agent.start(thread=True)
    begun = agent.snapshot().time

    async def reach(day: int) -> tuple[float, int]:
        found = []
        for days in range(day - 4, day + 1):  # the least of five days: what stays
            while agent.snapshot().time < begun + days * DAY_MS:
                assert agent.running, agent.last_error
                await asyncio.sleep(0.05)
            found.append(_resident_mib())
        return min(found), len(gc.get_objects())

    settled, held = await reach(SETTLED_DAYS)
    most, objects = await reach(DAYS)
    grown = most - settled
    await agent.stop()
    agent.close()
    assert grown < MOST_GROWTH_MIB, f"grew by {grown:.1f} MiB"
    assert objects - held < MOST_NEW_OBJECTS, f"{objects - held} objects more"
    assert "agent" not in {t.name for t in threading.enumerate()}
    assert threading.active_count() <= threads + 3  # pools of the default executor may stay


@pytest.mark.slow
def test_two_months_of_forty_symbols_leave_memory_and_threads_as_they_were() -> None:
    done = subprocess.run(
        [sys.executable, __file__], env=dict(os.environ), capture_output=True, text=True,
        timeout=1_200, check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]


if __name__ == "__main__":
    asyncio.run(soak())
