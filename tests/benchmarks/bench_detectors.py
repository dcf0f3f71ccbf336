"""All detectors: in batch, in one live step of a large universe, and over a year of minutes.

    python -m tests.benchmarks.bench_detectors [--symbols N] [--json]

The live step is the worst case on purpose: every timeframe of every symbol closes at once, and
each stream's state has to come from memory. TA-Lib's candle functions and its SAR with the
indicators that weigh it stand beside the detectors that do their work and more.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import talib

import opportunity as op
from opportunity.detectors.events import EVENT
from opportunity.live.streams import Streams
from opportunity.market.bars import Bars
from opportunity.market.timeframe import length_ms
from tests.benchmarks.bench_indicators import Case, detectors, keep_memory, measure, walk
from tests.benchmarks.bench_scan import START, TIMEFRAMES
from tests.benchmarks.bench_scan import walk as walk_many

N_BATCH = 66_000
YEAR = 525_600
TARGETS = {"batch_ns": 2_000.0, "live_ms": 50.0, "year_s": 1.5}

CANDLES = (
    "CDLHAMMER", "CDLSHOOTINGSTAR", "CDLENGULFING", "CDLPIERCING", "CDLDARKCLOUDCOVER",
    "CDLHARAMI", "CDLMORNINGSTAR", "CDLEVENINGSTAR", "CDL3WHITESOLDIERS", "CDL3BLACKCROWS",
    "CDLMARUBOZU", "CDLDOJI",
)  # fmt: skip
"""TA-Lib's functions for candles that `price_action` looks for, among other things."""


@dataclass(frozen=True)
class Found:
    """What was measured.

    Parameters
    ----------
    batch_ns : dict of str to float
        Nanoseconds a bar of each detector, and of the context.
    peers_ns : dict of str to float
        The same of TA-Lib, by the detector that it stands beside.
    live_ms, live_work_ms : float
        One step of all streams on two threads, as the agent takes it: on the clock, and the
        processor time of both threads, which a busy machine does not stretch.
    live_parts_ms : dict of str to float
        Each detector's kernel alone on one thread.
    streams, state_bytes : int
        Streams of the step; bytes of state of one stream.
    year_s, year_work_s : float
        `op.score` over a year of bars of 1m, on the clock and in processor time of its thread.
    """

    batch_ns: dict[str, float]
    peers_ns: dict[str, float]
    live_ms: float
    live_work_ms: float
    live_parts_ms: dict[str, float]
    streams: int
    state_bytes: int
    year_s: float
    year_work_s: float


def peers(bars: Bars) -> list[Case]:
    """Return what TA-Lib has beside two of the detectors."""
    o, h, low, c = (np.ascontiguousarray(bars.values[:, i]) for i in range(4))
    functions = [getattr(talib, name) for name in CANDLES]

    def sar() -> None:
        talib.SAR(h, low, 0.02, 0.2)
        talib.ATR(h, low, c, 14)
        for indicator in (talib.ADX, talib.PLUS_DI, talib.MINUS_DI):
            indicator(h, low, c)

    return [
        Case("price_action", lambda: [f(o, h, low, c) for f in functions]), Case("sar", sar),
    ]


def live(
    n_symbols: int, n_warm: int = 500, n_steps: int = 15
) -> tuple[float, float, dict[str, float], int]:
    """Return a step on the clock and in work, each kernel's part, and bytes of a stream's state."""
    symbols = [f"S{i}/USDT" for i in range(n_symbols)]
    streams = Streams(symbols, TIMEFRAMES, "5m", "simulated")
    bars = walk_many(n_symbols, n_warm + n_steps + 1, 1)
    for timeframe in TIMEFRAMES:
        times = START + np.arange(n_warm) * length_ms(timeframe)
        streams.warm(timeframe, np.tile(times, (n_symbols, 1)), bars[:, :n_warm])
    rows = np.arange(n_symbols)
    took, worked = [], []
    for step in range(n_steps):
        at, bar = n_warm + step, bars[:, n_warm + step, None]
        began, work = time.perf_counter(), time.process_time()
        for timeframe in TIMEFRAMES:
            times = np.full((n_symbols, 1), START + at * length_ms(timeframe))
            streams._run(streams._rows(rows, timeframe), timeframe, times, bar)
        took.append((time.perf_counter() - began) * 1e3)
        worked.append((time.process_time() - work) * 1e3)
    parts = _parts(streams, bars[:, -1:], START + (n_warm + n_steps) * length_ms("5m"))
    streams.close()
    n_bytes = sum(d.state_type.itemsize for d in streams.detectors)
    return statistics.median(took), statistics.median(worked), parts, n_bytes


def _parts(streams: Streams, bar: Any, at: int) -> dict[str, float]:
    """Time each kernel alone on one thread, once, over the states that the steps left behind."""
    n_rows = len(streams.symbols) * len(streams.timeframes)
    rows, times = np.arange(n_rows), np.full((n_rows, 1), at)
    values = np.repeat(bar, len(streams.timeframes), axis=0)
    events, counts = np.empty((n_rows, 0), EVENT), np.zeros(n_rows, np.int64)
    found = {}
    for detector, states in zip(streams.detectors, streams._states, strict=True):
        out = np.empty((n_rows, 1, detector.width))
        obs = np.full((n_rows, 1, len(detector.columns)), np.nan)
        began = time.thread_time()
        detector.run(states, rows, detector.packed, times, values, obs, out, events, counts)
        found[detector.label] = (time.thread_time() - began) * 1e3
    return found


def year(n_rounds: int = 5) -> tuple[float, float]:
    """Return the seconds that the score of a year of minutes takes, on the clock and in work."""
    bars = walk(YEAR)
    op.score(bars[:2_000])  # compiled, or read from the cache, before the clock starts
    took, worked = [], []
    for _ in range(n_rounds):
        began, work = time.perf_counter(), time.thread_time()
        op.score(bars)
        took.append(time.perf_counter() - began)
        worked.append(time.thread_time() - work)
    return statistics.median(took), statistics.median(worked)


def run(n_symbols: int, n_rounds: int) -> Found:
    """Measure everything."""
    keep_memory()
    bars = walk(N_BATCH)
    ours = measure(detectors(bars), N_BATCH, n_rounds)
    theirs = measure(peers(bars), N_BATCH, n_rounds)
    step, work, parts, n_bytes = live(n_symbols)
    return Found(
        {r.name: r.ours_ns for r in ours}, {r.name: r.ours_ns for r in theirs}, step, work,
        parts, n_symbols * len(TIMEFRAMES), n_bytes, *year(),
    )


def text(found: Found) -> str:
    """Lay the results out as a table."""
    lines = [f"{'':<14}{'ns a bar':>10}{'TA-Lib':>9}{'ratio':>7}{'live, ms':>10}"]
    for name, ns in found.batch_ns.items():
        peer, alone = found.peers_ns.get(name), found.live_parts_ms.get(name)
        beside = f"{'':>16}" if peer is None else f"{peer:>9.0f}{ns / peer:>7.2f}"
        last = "" if alone is None else f"{alone:>10.1f}"
        lines.append(f"{name:<14}{ns:>10.0f}{beside}{last}".rstrip())
    total = sum(ns for name, ns in found.batch_ns.items() if name != "context")
    n = len(found.live_parts_ms)
    lines += [
        f"{f'{n} detectors':<14}{total:>10.0f}{'':>16}{sum(found.live_parts_ms.values()):>10.1f}"
        "  (each kernel alone, one thread)",
        f"one stream in batch      {total / 1e3:>8.2f} us a bar  (wanted "
        f"{TARGETS['batch_ns'] / 1e3:g})",
        f"{found.streams:,} streams, a step {found.live_ms:>7.1f} ms        (wanted "
        f"{TARGETS['live_ms']:g}; two threads that worked {found.live_work_ms:.1f} ms together; "
        f"{found.state_bytes:,} bytes of state a stream)",
        f"a year of 1m, op.score   {found.year_s:>8.2f} s         (wanted {TARGETS['year_s']:g}; "
        f"its thread worked {found.year_work_s:.2f} s)",
        f"TA-Lib beside price_action: {len(CANDLES)} candles; beside sar: SAR, ATR, ADX, +DI, -DI",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the measurement."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--symbols", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    found = run(given.symbols, given.rounds)
    shown = json.dumps(asdict(found) | {"wanted": TARGETS}) if given.json else text(found)
    sys.stdout.write(shown + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
