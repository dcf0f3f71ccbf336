"""The agent on a live exchange for a long time: does anything grow, is anything lost?

    python -m tests.benchmarks.soak_exchange --symbols 95 --speed 600 --minutes 30

Starts `opportunity exchange` in a process of its own and the agent here, writes one line a minute
(resident memory, descriptors, tasks, threads, bars, late and missing ones, CPU) and at the end the
growth from a third of the time to its end.
"""

import argparse
import asyncio
import ctypes
import gc
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from opportunity.bus.memory import Hub
from opportunity.feeds.exchange.feed import ExchangeFeed
from opportunity.live.agent import Agent
from opportunity.market.timeframe import length_ms

TIMEFRAMES = ("5m", "15m", "1h", "4h")


@dataclass(frozen=True)
class Sample:
    """The process at one moment; `bars` are released ones of all symbols together."""

    minute: float
    resident_mib: float
    least_mib: float
    descriptors: int
    tasks: int
    threads: int
    bars: int
    behind: int
    late: int
    cpu: float
    state: str


def resident_mib(trim: bool) -> float:
    """Return resident memory, free pages given back first if wanted."""
    if trim:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


async def soak(arguments: argparse.Namespace, url: str, home: Path) -> list[Sample]:
    """Run the agent and return one sample a minute."""
    hub = Hub(asyncio.get_running_loop())
    feed = ExchangeFeed("binance", arguments.symbols, url=url, folder=home)
    agent = Agent(feed, hub=hub, timeframes=TIMEFRAMES, scan_interval_ms=60_000)
    await agent.start(thread=False)
    late = 0
    samples: list[Sample] = []
    begun, cpu = time.monotonic(), time.process_time()
    start = feed.assembler.released.copy()
    ended = begun + 60 * arguments.minutes
    while time.monotonic() < ended:
        least = []
        step = min(60.0, ended - time.monotonic())
        until = time.monotonic() + step
        while time.monotonic() < until:
            await asyncio.sleep(min(5.0, max(0.0, until - time.monotonic())))
            least.append(resident_mib(trim=False))
        assert agent.running, agent.last_error
        late += sum(note.kind == "late" for note in feed.notes())
        released = feed.assembler.released
        base = length_ms(feed.base)
        used, cpu = time.process_time() - cpu, time.process_time()
        samples.append(
            Sample(
                minute=round((time.monotonic() - begun) / 60, 2),
                resident_mib=round(resident_mib(trim=True), 2),
                least_mib=round(min(least), 2),
                descriptors=len(os.listdir("/proc/self/fd")),
                tasks=len(asyncio.all_tasks()),
                threads=threading.active_count(),
                bars=int(((released - start) // base).sum()),
                behind=int((feed.clock.now() - released.min()) // base - 1),
                late=late,
                cpu=round(used / step, 3),
                state=feed.status().state,
            )
        )
        sys.stdout.write(json.dumps(asdict(samples[-1])) + "\n")
        sys.stdout.flush()
    await agent.stop()
    agent.close()
    return samples


def main(argv: Sequence[str] | None = None) -> int:
    """Run the soak and print the growth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", type=int, default=95)
    parser.add_argument("--speed", type=float, default=600.0)
    parser.add_argument("--minutes", type=float, default=30.0)
    arguments = parser.parse_args(argv)
    command = [
        str(Path(sys.executable).with_name("opportunity")),
        "exchange",
        "--port",
        "0",
        "--top",
        str(arguments.symbols),
        "--speed",
        str(arguments.speed),
    ]
    with (
        tempfile.TemporaryDirectory() as home,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as exchange,
    ):
        try:
            assert exchange.stdout is not None
            line = exchange.stdout.readline()
            url = next(w for w in line.split() if w.startswith("http://")).rstrip(";,.")
            samples = asyncio.run(soak(arguments, url, Path(home)))
        finally:
            exchange.terminate()
    third = [s for s in samples if s.minute >= arguments.minutes / 3 - 0.01]
    grown = third[-1].resident_mib - third[0].resident_mib
    sys.stdout.write(
        f"grown from minute {third[0].minute:g} to {third[-1].minute:g}: {grown:.2f} MiB; "
        f"descriptors {third[0].descriptors} -> {third[-1].descriptors}; "
        f"tasks {third[0].tasks} -> {third[-1].tasks}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
