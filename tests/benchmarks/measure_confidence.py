"""Measure the confidence that the best third and the best fifth of scored symbols reach.

Run by hand when detectors or gates change::

    python tests/benchmarks/measure_confidence.py [DATA] [--hours 3500]

Every symbol of DATA (a folder of `binance` bars; records beside it are read) is scored on 1h, 4h
and 1d over its whole history under balanced weights. At each of its last `--hours` hourly closes
the newest closed score of every timeframe is taken, as a decision would, and brought together by
timeframe weight.
The printed quantiles go into `opportunity/strategy.py` (`SCAN_CONFIDENCE`, `TRADE_CONFIDENCE`)
and docs/scoring.md.
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from opportunity.feeds.record_folder import FolderRecords
from opportunity.market.resample import resample
from opportunity.market.store import BarStore
from opportunity.market.timeframe import length_ms
from opportunity.scoring.consensus import aggregate, timeframe_weights
from opportunity.scoring.ensemble import combine, score

TIMEFRAMES = ("1h", "4h", "1d")
QUANTILES = (0.1, 0.25, 1 / 3, 0.5, 2 / 3, 0.75, 0.8, 0.9, 0.95)
N_BASE = 30_000
"""Hourly bars read per symbol: enough for 1,000 daily bars of warm-up."""


def joined(store, symbol, n_hours, folder):
    """Return evidence of the timeframes at each hourly close: arrays (n_hours, 3[, 9])."""
    hourly = store.read(symbol, "1h", limit=N_BASE)
    closes = hourly.close_time[-n_hours:]
    parts = []
    for name in TIMEFRAMES:
        bars = resample(hourly, name)
        if len(bars) == 0:
            return None
        evidence = score(bars, observations=folder.about(bars)).evidence
        place = np.searchsorted(bars.time + length_ms(name), closes, side="right") - 1
        there = (place >= 0)
        arrays = [evidence.scores, evidence.confidences, evidence.trend, evidence.volatility]
        taken = [np.array(a[np.maximum(place, 0)], dtype=float) for a in arrays]
        for array in taken:
            array[~there] = np.nan
        parts.append(taken)
    return [np.stack(columns, axis=1) for columns in zip(*parts, strict=True)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", default="../shared/data/binance", type=Path)
    parser.add_argument("--hours", type=int, default=3_500)
    args = parser.parse_args()
    store = BarStore(args.data)
    symbols = store.symbols("1h")
    folder = FolderRecords(store.folder.parent)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda s: joined(store, s, args.hours, folder), symbols))
    scores, confidences, trend, volatility = (
        np.concatenate(columns) for columns in zip(*[f for f in found if f], strict=True)
    )
    combined = combine(scores, confidences, trend, volatility)
    together = aggregate(combined, volatility, timeframe_weights(TIMEFRAMES))
    out = sys.stdout.write
    out(f"{len(symbols)} symbols, {int((together.count > 0).sum())} scored rows\n")
    columns = {"symbol": together.confidence, "symbol with a direction":
               together.confidence[together.direction != 0]}
    columns |= {t: combined.confidence[:, f] for f, t in enumerate(TIMEFRAMES)}
    out("confidence".ljust(26) + "".join(f"{q:8.3f}" for q in QUANTILES) + "\n")
    for name, values in columns.items():
        marks = np.quantile(values[~np.isnan(values)], QUANTILES)
        out(name.ljust(26) + "".join(f"{m:8.4f}" for m in marks) + "\n")
    sides = together.direction[together.count > 0]
    out(f"bullish {np.mean(sides > 0):.1%}, bearish {np.mean(sides < 0):.1%}\n")


if __name__ == "__main__":
    main()
