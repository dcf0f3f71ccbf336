"""The agent on a live exchange for a long time: does anything grow, is anything lost?

    python -m tests.benchmarks.soak_exchange --symbols 95 --speed 600 --minutes 30

Starts `opportunity exchange` in a process of its own and the agent here, with its databases as
in the server. Writes one line a minute (resident memory, descriptors, tasks, threads, objects,
bars, late ones, processor time of both) and at the end one line of JSON: the growth from a third
of the time to its end, every bar that was given held against the market that the exchange drew
it from, delays from close to release, and how long the loop was held.
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
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from pysqlite3 import _sqlite3

from app.server import SWITCH_S, quiet_collector, steady_allocator
from opportunity.bus.memory import Hub
from opportunity.feeds.base import Closed, Event
from opportunity.feeds.exchange.feed import ExchangeFeed, wall_ms
from opportunity.feeds.exchange.lines.lines import settings_for
from opportunity.feeds.exchange.tuning import Tuning
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.live.agent import Agent
from opportunity.market.notes import BarNote
from opportunity.market.observations import Observation, PrintMinute
from opportunity.market.timeframe import length_ms
from opportunity.storage.bar_notes import BarNoteRepository
from opportunity.storage.database import open_database
from opportunity.storage.observations import ObservationRepository
from opportunity.storage.repositories import Memory
from tests.benchmarks.loop_holds import Holds

TIMEFRAMES = ("5m", "15m", "1h", "4h")
SEED = 7  # of the exchange's market, its default
SETTLED_S = 30.0  # wall seconds after the start from which on delays count
QUICK = 100.0  # speed above which bars wait for so long, wall seconds
GRACE_S, HOLD_S = 0.05, 0.25

BAR = np.dtype([("row", "i4"), ("late", "i4"), ("time", "i8"), ("values", "f8", (5,))])
BATCH = np.dtype([("close", "i8"), ("at", "i8"), ("n", "i4"), ("late", "i4"), ("took", "f8")])


class HeardFeed(ExchangeFeed):
    """An exchange feed that writes down every bar that it gives, outside of memory."""

    bars: BinaryIO
    batches: BinaryIO

    async def stream(self) -> AsyncIterator[Event]:
        """Iterate over the events; also measures how long the agent works on each batch."""
        async for event in super().stream():
            if not isinstance(event, Closed):
                yield event
                continue
            rows = np.zeros(event.rows.size, BAR)
            rows["row"], rows["late"] = event.rows, event.late
            rows["time"], rows["values"] = event.times, event.values
            batch = np.zeros(1, BATCH)
            batch["close"], batch["at"] = event.time, self.clock.now()
            batch["n"], batch["late"] = rows.size, int(event.late.sum())
            given = time.perf_counter()
            yield event
            batch["took"] = time.perf_counter() - given
            self.bars.write(rows.tobytes())
            self.batches.write(batch.tobytes())


class CountedNotes:
    """The notes' repository, with a count of each kind."""

    def __init__(self, repository: BarNoteRepository) -> None:
        self._repository = repository
        self.counts: Counter[str] = Counter()

    def append(self, notes: Sequence[BarNote]) -> int:
        """Keep and count notes."""
        self.counts.update(note.kind for note in notes)
        return self._repository.append(notes)

    def forget(self, before: int, most: int) -> int:
        """Let go of old ones."""
        return self._repository.forget(before, most)


class ThinnedRecords:
    """The records' repository, which gets few minutes of prints.

    At speed 600 it would get as many in a minute as in ten hours of a real market.
    """

    def __init__(self, repository: ObservationRepository, one_in: int) -> None:
        self._repository, self._one_in, self._seen = repository, one_in, 0
        self.known, self.forget = repository.known, repository.forget

    def append(self, records: Iterable[Observation]) -> int:
        """Keep records, of the minutes of prints one in so many."""
        kept = []
        for record in records:
            self._seen += isinstance(record, PrintMinute)
            if not isinstance(record, PrintMinute) or self._seen % self._one_in == 0:
                kept.append(record)
        return self._repository.append(kept)


@dataclass(frozen=True, slots=True)
class Sample:
    """The process at one moment; `bars` are released ones of all symbols together.

    `resident_mib` is the least of three looks at the end of the minute, each after a collection
    and `malloc_trim`; `malloc_mib` what C code and NumPy hold of it, without the gaps between,
    `sqlite_mib` the part of SQLite, whose page caches grow with the database to their limit;
    `untrimmed_mib` the least during the minute without either. `tasks` and
    `descriptors` are the least of the minute, too: questions come and go. `objects` are those
    that the collector knows, `blocks` all that Python has allocated.
    """

    minute: float
    resident_mib: float
    malloc_mib: float
    sqlite_mib: float
    untrimmed_mib: float
    descriptors: int
    tasks: int
    threads: int
    objects: int
    blocks: int
    streams: int
    bars: int
    behind: int
    late: int
    notes: dict[str, int]
    cpu: float
    exchange_cpu: float
    delay_ms: float | None
    reconnects: int
    state: str


def resident_mib() -> float:
    """Return resident memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


class MallocInfo(ctypes.Structure):
    """What glibc's `mallinfo2` tells, of all arenas."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks",
                     "uordblks", "fordblks", "keepcost")
    )  # fmt: skip


def malloc_mib() -> float:
    """Return what is allocated through malloc; objects of Python are not."""
    ask = ctypes.CDLL(None).mallinfo2
    ask.restype = MallocInfo
    found = ask()
    return int(found.uordblks + found.hblkhd) / 2**20


def sqlite_mib() -> float:
    """Return what the bundled SQLite has allocated."""
    ask = ctypes.CDLL(_sqlite3.__file__).sqlite3_memory_used
    ask.restype = ctypes.c_longlong
    return int(ask()) / 2**20


def trimmed_mib() -> float:
    """Return resident memory, free pages given back first."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return resident_mib()


def cpu_of(process: int) -> float:
    """Return the processor time of a process, seconds."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Soak:
    """One run: an agent and what is measured of it."""

    def __init__(self, arguments: argparse.Namespace, url: str, home: Path, exchange: int) -> None:
        self.arguments, self.home, self.exchange = arguments, home, exchange
        speed = arguments.speed
        lines = replace(settings_for("1m", speed), recycle_s=arguments.recycle)
        tuning = Tuning(lines=lines)
        if (
            speed > QUICK
        ):  # else 17 ms and 50 ms of wall time at 600, less than a busy machine needs
            tuning = replace(tuning, grace_ms=int(GRACE_S * 1e3 * speed),
                             hold_ms=int(HOLD_S * 1e3 * speed))  # fmt: skip
        self.feed = HeardFeed("binance", arguments.symbols, url=url, folder=home, tuning=tuning)
        memory = Memory(open_database(f"sqlite:///{home / 'soak.db'}"), wall_ms)
        self.notes = CountedNotes(memory.bar_notes("soak"))
        self.agent = Agent(
            self.feed, hub=Hub(asyncio.get_running_loop()), timeframes=TIMEFRAMES,
            state=home / "state.npz", notes=self.notes,
            store=ThinnedRecords(memory.observations("soak"), max(1, int(arguments.speed / 10))),
            scan_interval_ms=60_000,
        )  # fmt: skip
        self.holds = Holds()
        self.samples: list[Sample] = []

    async def run(self) -> dict[str, Any]:
        """Run the agent, take a sample a minute, and return what came of it."""
        minutes = self.arguments.minutes
        heard, told = self.home / "heard", self.home / "batches"
        with heard.open("wb") as bars, told.open("wb") as batches:
            self.feed.bars, self.feed.batches = bars, batches
            await self.agent.start(thread=False)
            quiet_collector()
            self.begun = time.monotonic()
            self.cpu = time.process_time(), cpu_of(self.exchange)
            # what closed while the agent warmed up was caught up with: no delay of ours
            self.settled = self.feed.clock.now() + int(SETTLED_S * 1000 * self.arguments.speed)
            self.first = self.feed.assembler.released.copy()
            with self.holds.watching(stacks=self.arguments.stacks):
                while time.monotonic() < self.begun + 60 * minutes:
                    await self._minute(self.begun + 60 * minutes)
            symbols = self.feed.symbols
            await self.agent.stop()
        self.agent.close()
        return {
            **growth(self.samples, minutes),
            "notes": dict(self.notes.counts),
            **compared(self.home / "heard", symbols, self.arguments.symbols),
            **delays(self.home / "batches", self.arguments.speed, self.first.size, self.settled),
            **self.holds.report(),
        }

    async def _minute(self, ended: float) -> None:
        began = time.monotonic()
        until = min(ended, began + self.arguments.every)
        least, descriptors, tasks = [], [], []
        while time.monotonic() < until - 6:
            await asyncio.sleep(min(2.0, max(0.0, until - 6 - time.monotonic())))
            least.append(resident_mib())
            descriptors.append(len(os.listdir("/proc/self/fd")))
            tasks.append(len(asyncio.all_tasks()))
            assert self.agent.running, self.agent.last_error
        trimmed = []
        for i in range(3):
            await asyncio.sleep(max(0.0, until - 4 + 2 * i - time.monotonic()))
            with self.holds.paused():
                trimmed.append(trimmed_mib())
        before, self.cpu = self.cpu, (time.process_time(), cpu_of(self.exchange))
        self._note(began, trimmed, least, descriptors, tasks, before)
        if self.arguments.trace:
            self._trace()

    def _note(
        self, began: float, trimmed: list[float], least: list[float], descriptors: list[int],
        tasks: list[int], before: tuple[float, float],
    ) -> None:  # fmt: skip
        feed, step = self.feed, time.monotonic() - began
        released, base, status = feed.assembler.released, length_ms(feed.base), feed.status()
        assert status is not None
        batches = read(self.home / "batches", BATCH)
        sample = Sample(
            minute=round((time.monotonic() - self.begun) / 60, 2),
            resident_mib=round(min(trimmed), 2),
            malloc_mib=round(malloc_mib(), 2),
            sqlite_mib=round(sqlite_mib(), 2),
            untrimmed_mib=round(min(least, default=0.0), 2),
            descriptors=min(descriptors, default=0),
            tasks=min(tasks, default=0),
            threads=threading.active_count(),
            objects=len(gc.get_objects()),
            blocks=sys.getallocatedblocks(),
            streams=sum("ccxt.pro" in str(type(o).__mro__) for o in gc.get_objects()
                        if type(o).__name__ == "binance"),
            bars=int(((released - self.first) // base).sum()),
            behind=int((feed.clock.now() - released.min()) // base - 1),
            late=int(batches["late"].sum()),
            notes=dict(self.notes.counts),
            cpu=round((self.cpu[0] - before[0]) / step, 3),
            exchange_cpu=round((self.cpu[1] - before[1]) / step, 3),
            delay_ms=status.delay_ms,
            reconnects=status.n_reconnects,
            state=status.state,
        )  # fmt: skip
        self.samples.append(sample)
        say(asdict(sample))

    def _trace(self) -> None:
        """Name the lines of code whose memory has grown most since the minute before."""
        now = tracemalloc.take_snapshot()
        old, self._before = getattr(self, "_before", now), now
        for stat in now.compare_to(old, "lineno")[:25]:
            sys.stdout.write(
                f"  {stat.size_diff / 1024:+9.0f} KiB of {stat.size / 1024:9.0f}  "
                f"{stat.count_diff:+7d}  {stat.traceback}\n"
            )
        sys.stdout.flush()


def read(path: Path, kind: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Read whole records of a file that may be growing."""
    raw = path.read_bytes()
    return np.frombuffer(raw[: len(raw) // kind.itemsize * kind.itemsize], kind)


def growth(samples: Sequence[Sample], minutes: float) -> dict[str, Any]:
    """Compare the end with what was after a third of the time."""
    third = [s for s in samples if s.minute >= minutes / 3 - 0.01]
    a, b = third[0], third[-1]
    return {
        "from_minute": a.minute,
        "to_minute": b.minute,
        "grown_mib": round(b.resident_mib - a.resident_mib, 2),
        "grown_least_of_three_mib": round(
            min(s.resident_mib for s in third[-3:]) - min(s.resident_mib for s in third[:3]), 2
        ),
        "malloc_mib": [a.malloc_mib, b.malloc_mib],
        "sqlite_mib": [a.sqlite_mib, b.sqlite_mib],
        "resident_mib": [a.resident_mib, b.resident_mib],
        "descriptors": [a.descriptors, b.descriptors],
        "tasks": [a.tasks, b.tasks],
        "threads": [a.threads, b.threads],
        "objects": [a.objects, b.objects],
        "blocks": [a.blocks, b.blocks],
        "streams": [a.streams, b.streams],
        "reconnects": b.reconnects,
    }


def compared(path: Path, symbols: Sequence[str], n_symbols: int) -> dict[str, Any]:
    """Hold every bar that was given against the market: none missing, none twice, all equal."""
    bars, market = read(path, BAR), SimulatedMarket(n_symbols, SEED)
    missing = twice = different = 0
    for row, symbol in enumerate(symbols):
        mine = bars[bars["row"] == row]
        if not mine.size:
            missing += 1
            continue
        times = np.unique(mine["time"])
        grid = np.arange(times[0], times[-1] + 60_000, 60_000)
        missing += grid.size - times.size
        twice += mine.size - times.size
        place = np.array([market.symbols.index(symbol)])
        truth = market.bars(place, "1m", mine["time"])[0]
        different += int((~np.isclose(mine["values"], truth, rtol=1e-12, atol=0)).any(1).sum())
    late = int((bars["late"] != 0).sum())
    return {
        "bars": int(bars.size),
        "missing": missing,
        "twice": twice,
        "different": different,
        "late": late,
        "late_share": round(late / max(1, bars.size), 6),
    }


def delays(path: Path, speed: float, n_symbols: int, since: int) -> dict[str, Any]:
    """Return how long after its close a batch was given, in wall ms, and was worked in.

    50 %, 99 % and the longest, of batches that were given from `since` on.
    """
    batches = read(path, BATCH)
    batches = batches[(batches["at"] >= since) | (batches["at"] == batches["at"].max())]
    punctual = batches[batches["late"] == 0]
    wall = (punctual["at"] - punctual["close"]) / speed
    ends = (50, 99, 100)
    return {
        "batches": int(batches.size),
        "whole": int((batches["n"] == n_symbols).sum()),
        "late_since_settled": int(batches["late"].sum()),
        "late_share_since_settled": round(
            int(batches["late"].sum()) / max(1, int(batches["n"].sum())), 6
        ),
        "release_wall_ms": np.percentile(wall, ends).round(1).tolist(),
        "release_feed_ms": np.percentile(wall * speed, ends).round(0).tolist(),
        "worked_in_ms": np.percentile(batches["took"] * 1e3, ends).round(2).tolist(),
    }


def say(record: dict[str, Any]) -> None:
    """Write a record as one line."""
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the soak and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", type=int, default=95)
    parser.add_argument("--speed", type=float, default=600.0)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--every", type=float, default=60.0, help="a sample each so many s")
    parser.add_argument("--recycle", type=float, default=480.0, help="age of a connection, s")
    parser.add_argument("--trace", action="store_true", help="tracemalloc: slow")
    parser.add_argument("--stacks", action="store_true", help="look what holds the loop")
    arguments = parser.parse_args(argv)
    sys.setswitchinterval(SWITCH_S)  # all three as the server does
    steady_allocator()
    if arguments.trace:
        tracemalloc.start(1)
    command = [
        str(Path(sys.executable).with_name("opportunity")), "exchange", "--port", "0",
        "--top", str(arguments.symbols), "--speed", str(arguments.speed), "--seed", str(SEED),
    ]  # fmt: skip
    with (
        tempfile.TemporaryDirectory() as home,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as exchange,
    ):
        try:
            assert exchange.stdout is not None
            line = exchange.stdout.readline()
            url = next(w for w in line.split() if w.startswith("http://")).rstrip(";,.")
            say(asyncio.run(_run(arguments, url, Path(home), exchange.pid)))
        finally:
            exchange.terminate()
    return 0


async def _run(arguments: argparse.Namespace, url: str, home: Path, pid: int) -> dict[str, Any]:
    return await Soak(arguments, url, home, pid).run()


if __name__ == "__main__":
    sys.exit(main())
