"""Measure indicators against TA-Lib, and every built detector, in nanoseconds a bar.

    python tests/benchmarks/bench_indicators.py [--bars N] [--rounds N] [--json]

Ours and TA-Lib's take turns in one run and the medians are compared, so that a change of the
machine's speed hits both alike. Results are compared before anything is timed. Nothing here
judges a time: numbers are for reading, and a slow machine must not fail a build.
"""

import argparse
import ctypes
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np
import talib

import opportunity as op
from opportunity.detectors.events import EVENT
from opportunity.market.bars import Bars
from opportunity.scoring.context import CONTEXT, context_run

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 1 << 30


@dataclass(frozen=True)
class Case:
    """One thing to time; `peer` computes the same or is None."""

    name: str
    ours: Callable[[], Any]
    peer: Callable[[], Any] | None = None


@dataclass(frozen=True)
class Result:
    """Medians in nanoseconds a bar."""

    name: str
    ours_ns: float
    talib_ns: float | None = None


def keep_memory() -> bool:
    """Make the C library keep freed memory; tell whether it can.

    Otherwise each result of TA-Lib, which allocates its own, pays for fresh pages and looks five
    times slower than it is.
    """
    try:
        libc = ctypes.CDLL(None)
        kept = [libc.mallopt(what, KEPT_BYTES) for what in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD)]
    except (OSError, AttributeError):
        return False
    return all(kept)


def walk(n_bars: int, seed: int = 7) -> Bars:
    """Draw bars of a random walk with changing volatility."""
    rng = np.random.default_rng(seed)
    size = 0.004 * np.exp(np.sin(np.arange(n_bars) / 500))
    close = 100 * np.exp(np.cumsum(rng.normal(0, size)) * 0.2)
    open_ = np.concatenate((close[:1], close[:-1]))
    high = np.maximum(open_, close) * (1 + rng.exponential(0.3 * size))
    low = np.minimum(open_, close) * (1 - rng.exponential(0.3 * size))
    time_ = np.arange(n_bars) * 60_000
    volume = rng.lognormal(0, 1, n_bars)
    return Bars.from_arrays(time_, open_, high, low, close, volume, timeframe="1m")


def indicators(bars: Bars) -> list[Case]:
    """Pair each indicator with TA-Lib's, which reads contiguous columns made beforehand."""
    h, lo, c = (np.ascontiguousarray(x) for x in (bars.high, bars.low, bars.close))
    ours = op.indicators
    return [
        Case("EMA 20", lambda: ours.ema(bars, 20), lambda: talib.EMA(c, 20)),
        Case("SMA 20", lambda: ours.sma(bars, 20), lambda: talib.SMA(c, 20)),
        Case("RSI 14", lambda: ours.rsi(bars, 14), lambda: talib.RSI(c, 14)),
        Case("MACD 12 26 9", lambda: ours.macd(bars), lambda: talib.MACD(c)),
        Case("ATR 14", lambda: ours.atr(bars, 14), lambda: talib.ATR(h, lo, c, 14)),
        Case(
            "ADX +DI -DI 14",
            lambda: ours.adx(bars, 14),
            lambda: (talib.ADX(h, lo, c), talib.PLUS_DI(h, lo, c), talib.MINUS_DI(h, lo, c)),
        ),
        Case("SAR", lambda: ours.sar(bars), lambda: talib.SAR(h, lo, 0.02, 0.2)),
        Case("Bollinger 20", lambda: ours.bollinger(bars, 20), lambda: talib.BBANDS(c, 20)),
    ]


def detectors(bars: Bars) -> list[Case]:
    """Drive the kernels of the built detectors, and of the context, into reused arrays."""
    first = np.zeros(1, np.int64)
    stamps, values = bars.time[None], bars.values[None]
    events = np.empty((1, 0), EVENT)

    def case(cls: type[Any]) -> Case:
        detector = cls()
        obs = np.full((1, len(bars), len(detector.columns)), np.nan)  # no records are known
        out = np.empty((1, len(bars), detector.width))

        def run() -> None:
            cls.run(
                detector.new_states(1), first, detector.packed, stamps, values, obs, out,
                events, np.zeros(1, np.int64),
            )  # fmt: skip

        return Case(detector.label, run)

    out = np.empty((1, len(bars), 3))
    context = Case(
        "context", lambda: context_run(np.zeros(1, CONTEXT), first, stamps, values, out)
    )
    return [*(case(cls) for cls in op.DETECTORS), context]


def check(case: Case) -> None:
    """Compare with the peer; both must be undefined on the same bars."""
    ours = case.ours()  # compiles as well
    if case.peer is not None:
        np.testing.assert_allclose(ours, case.peer(), rtol=1e-8, atol=1e-8, err_msg=case.name)


def elapsed(call: Callable[[], Any]) -> int:
    """Time one call in nanoseconds of this thread's processor time.

    Everything measured runs on one thread: on an idle machine that is the time on the clock, on
    a busy one it leaves out the waiting for a core.
    """
    start = time.thread_time_ns()
    call()
    return time.thread_time_ns() - start


def measure(cases: Sequence[Case], n_bars: int, rounds: int) -> list[Result]:
    """Check all cases, then time them in turns."""
    for case in cases:
        check(case)
    ours: list[list[int]] = [[] for _ in cases]
    peers: list[list[int]] = [[] for _ in cases]
    for _ in range(rounds):
        for case, mine, theirs in zip(cases, ours, peers, strict=True):
            mine.append(elapsed(case.ours))
            if case.peer is not None:
                theirs.append(elapsed(case.peer))
    return [
        Result(
            case.name,
            round(median(mine) / n_bars, 2),
            round(median(theirs) / n_bars, 2) if theirs else None,
        )
        for case, mine, theirs in zip(cases, ours, peers, strict=True)
    ]


def report(results: Sequence[Result]) -> str:
    """Lay the results out as a table."""
    lines = [f"{'ns a bar':<16}{'ours':>8}{'TA-Lib':>8}"]
    for r in results:
        peer = "" if r.talib_ns is None else f"{r.talib_ns:.2f}"
        lines.append(f"{r.name:<16}{r.ours_ns:>8.2f}{peer:>8}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark and write a table or, with --json, one object."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--bars", type=int, default=200_000, help="length of the series")
    parser.add_argument("--rounds", type=int, default=15, help="repeats, of which the median")
    parser.add_argument("--json", action="store_true", help="write one JSON object")
    given = parser.parse_args(arguments)
    kept = keep_memory()
    bars = walk(given.bars)
    results = measure([*indicators(bars), *detectors(bars)], given.bars, given.rounds)
    if given.json:
        found = {
            "benchmark": "indicators", "bars": given.bars, "rounds": given.rounds,
            "memory_kept": kept, "results": [asdict(r) for r in results],
        }  # fmt: skip
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        sys.stdout.write(report(results) + "\n")


if __name__ == "__main__":
    main()
