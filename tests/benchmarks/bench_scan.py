"""One scan step: every stream of a large universe closes a bar and the market is re-ranked.

Worst case on purpose: all timeframes of all symbols close at the same instant (midnight).
"""

import argparse
import json
import statistics
import sys
import time
from typing import Any

import numpy as np

from opportunity.live.streams import Streams
from opportunity.market.figures import DayFigures
from opportunity.market.timeframe import DAY_MS, length_ms
from opportunity.scoring.weights import Weights
from opportunity.strategy import ScanRules, evaluate

TIMEFRAMES = ("5m", "15m", "30m", "1h", "4h", "1d")
START = 1_700_000_000_000 // DAY_MS * DAY_MS


def walk(n_symbols: int, n_bars: int, seed: int) -> np.ndarray:
    """Return seeded random-walk bars, shape (n_symbols, n_bars, 5)."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.004, (n_symbols, n_bars)), axis=1))
    open_ = np.concatenate([np.full((n_symbols, 1), 100.0), close[:, :-1]], axis=1)
    reach = np.abs(rng.normal(0, 0.002, (2, n_symbols, n_bars)))
    high = np.maximum(open_, close) * (1 + reach[0])
    low = np.minimum(open_, close) * (1 - reach[1])
    volume = rng.lognormal(3, 1, (n_symbols, n_bars))
    return np.stack([open_, high, low, close, volume], axis=2)


def measure(n_symbols: int = 2_000, n_steps: int = 15, n_warm: int = 300) -> dict[str, Any]:
    """Return milliseconds of each part of a step, medians over `n_steps`."""
    symbols = [f"S{i}/USDT" for i in range(n_symbols)]
    streams = Streams(symbols, TIMEFRAMES, "5m", "simulated")
    bars = walk(n_symbols, n_warm + n_steps, 1)
    for timeframe in TIMEFRAMES:
        times = START + np.arange(n_warm) * length_ms(timeframe)
        streams.warm(timeframe, np.tile(times, (n_symbols, 1)), bars[:, :n_warm])
    rows, day = np.arange(n_symbols), DayFigures(n_symbols, "5m")
    for i in range(n_warm):
        day.feed(rows, np.full(n_symbols, START + i * length_ms("5m")), bars[:, i])
    streams.drawdowns.feed(rows, bars[:, :n_warm, 3])
    weights, rules = Weights().as_array(), ScanRules().record()
    parts: dict[str, list[float]] = {
        "kernels": [], "figures": [], "snapshot": [], "evaluate": []
    }
    for step in range(n_steps):
        bar = bars[:, n_warm + step]
        began = time.perf_counter()
        for timeframe in TIMEFRAMES:
            times = np.full(n_symbols, START + (n_warm + step) * length_ms(timeframe))
            streams._run(
                streams._rows(rows, timeframe), timeframe, times[:, None], bar[:, None]
            )
        parts["kernels"].append((time.perf_counter() - began) * 1e3)
        began = time.perf_counter()
        day.feed(rows, np.full(n_symbols, START + (n_warm + step) * length_ms("5m")), bar)
        streams.drawdowns.feed(rows, bar[:, None, 3])
        parts["figures"].append((time.perf_counter() - began) * 1e3)
        began = time.perf_counter()
        snapshot = streams.snapshot(day)
        parts["snapshot"].append((time.perf_counter() - began) * 1e3)
        began = time.perf_counter()
        evaluate(snapshot, weights, rules)
        parts["evaluate"].append((time.perf_counter() - began) * 1e3)
    streams.close()
    medians = {name: round(statistics.median(values), 3) for name, values in parts.items()}
    return {
        "streams": n_symbols * len(TIMEFRAMES),
        "milliseconds": medians | {"step": round(sum(medians.values()), 3)},
        "state_bytes_per_stream": sum(
            d.state_type.itemsize for d in streams.detectors
        ),
    }


def main() -> int:
    """Print the measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    result = measure(args.symbols)
    text = json.dumps(result) if args.json else "\n".join(f"{k}: {v}" for k, v in result.items())
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
