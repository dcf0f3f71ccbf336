"""Measure every detector on recorded bars and write the report: `make report-detectors`.

    python -m tests.benchmarks.report_detectors [DATA] [--out docs/reports] [--symbols A,B]

DATA is a folder of stored bars of an exchange, by default `binance` of the recorded market data
(OPPORTUNITY_TEST_DATA). Symbols with at least 20,000 bars of 1h are read, and what the folder
above holds besides bars (moods, headlines, prints, ...), each from when it was known. Written are
`detectors.html`, one page that needs nothing else, and `detectors.md`, a summary.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress

import opportunity as op
from opportunity.detectors import DETECTORS
from opportunity.detectors.sightings import BADGED, records_of
from opportunity.feeds.record_folder import FolderRecords
from opportunity.kernels import VERSION
from opportunity.market.bars import Bars
from opportunity.market.observations import Record
from opportunity.market.store import BarStore
from opportunity.market.timeframe import DAY_MS
from opportunity.scoring.calibration import Measured, calibrated
from opportunity.scoring.calls import calls_of, pooled
from opportunity.scoring.scores import Scores
from opportunity.scoring.study import N_DRAWS, Study, study
from tests.benchmarks.report_page import Report, markdown, page
from tests.markets import coin_flipped

TIMEFRAME = "1h"
LONG = 20_000
MEMORY_MS = 90 * DAY_MS
"""How far before the first bar records are read: no detector looks back further."""

SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Market:
    """Bars of one symbol and what was known besides."""

    bars: Bars
    records: Sequence[Record] = ()

    def scores(self) -> Scores:
        return op.score(self.bars, observations=self.records)


def measure(markets: Sequence[Market], tell: Tell, n_draws: int = N_DRAWS) -> Report:
    """Measure all of it; `tell` hears what is done, how much of it, and of how many."""
    scores = _scores(markets, "scores", tell)
    found = study(scores, n_draws=n_draws)
    edges = {
        s.evidence.bars.symbol: _edges(study(s, n_draws=1), found) for s in scores
    }
    events = _events(markets, "events", tell)
    calibration = _calibration(scores)
    atr = np.concatenate([s.evidence.atr / s.evidence.bars.close for s in scores])
    del scores  # the null market needs the room
    flipped = [replace(m, bars=coin_flipped(m.bars, i)) for i, m in enumerate(markets)]
    null = study(_scores(flipped, "null scores", tell), n_draws=n_draws)
    spans = [
        (b.symbol, len(b), int(b.time[0]), int(b.time[-1])) for b in (m.bars for m in markets)
    ]
    return Report(
        found, null, events, _events(flipped, "null events", tell), edges, calibration, spans,
        float(np.nanmedian(atr)), VERSION, markets[0].bars.source,
    )


def _scores(markets: Sequence[Market], what: str, tell: Tell) -> list[Scores]:
    made = []
    for i, market in enumerate(markets):
        made.append(market.scores())
        tell(what, i + 1, len(markets))
    return made


def _edges(one: Study, whole: Study) -> list[float]:
    middle = one.knowledge.edge.value[len(one.horizons) // 2]
    by_name = dict(zip(one.names, middle.tolist(), strict=True))
    return [by_name.get(name, float("nan")) for name in whole.names]


def _events(markets: Sequence[Market], what: str, tell: Tell) -> dict[str, float]:
    """Count the things that make news, per 1,000 bars, by detector."""
    counts: dict[str, int] = {}
    for i, market in enumerate(markets):
        for detector in (d() for d in DETECTORS):
            news = [(detector.label, k.name) in BADGED for k in detector.kinds]
            known = detector.observe(market.bars, market.records).rows
            records = records_of(detector, market.bars, known)
            records = records[np.array(news)[records["kind"]]]
            things = np.unique(records["serial"] * len(detector.kinds) + records["kind"])
            counts[detector.label] = counts.get(detector.label, 0) + things.size
        tell(what, i + 1, len(markets))
    n_bars = sum(len(m.bars) for m in markets)
    return {name: 1000.0 * n / n_bars for name, n in counts.items()}


def _calibration(scores: Sequence[Scores]) -> Measured | None:
    calls = pooled([calls_of(s) for s in scores])
    bars = scores[0].evidence.bars
    symbols = [s.evidence.bars.symbol for s in scores]
    found = calibrated({calls.timeframe: calls}, None, bars.source, symbols)
    return found.measured.get(calls.timeframe)


def read(folder: Path, symbols: Sequence[str] | None) -> list[Market]:
    """Read the long streams of a folder, or those that are named, and what is beside them."""
    store, beside = BarStore(folder), FolderRecords(folder.parent)
    names = symbols or [
        s for s in store.symbols(TIMEFRAME) if store.coverage(s, TIMEFRAME).n_bars >= LONG
    ]
    return [_market(store.read(s, TIMEFRAME), beside) for s in names]


def _market(bars: Bars, beside: FolderRecords) -> Market:
    since, until = int(bars.time[0]) - MEMORY_MS, int(bars.close_time[-1]) + 1
    return Market(bars, beside.between(beside.kinds, since, until, (bars.symbol,)))


class _Bars:
    """Progress bars on stderr, only when that is a terminal."""

    def __enter__(self) -> "_Bars":
        self._progress = Progress(console=Console(stderr=True), transient=True)
        self._tasks: dict[str, int] = {}
        if self._progress.console.is_terminal:
            self._progress.start()
        return self

    def tell(self, what: str, done: int, n: int) -> None:
        task = self._tasks.get(what)
        if task is None:
            task = self._tasks[what] = self._progress.add_task(what, total=n)
        self._progress.update(task, completed=done)

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write the two files and say where they are."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    shared = Path(os.environ.get("OPPORTUNITY_TEST_DATA", SHARED))
    parser.add_argument("data", nargs="?", type=Path, default=shared / "binance")
    parser.add_argument("--out", type=Path, default=Path("docs/reports"))
    parser.add_argument("--symbols", type=lambda text: text.split(","), help="only these: A,B")
    given = parser.parse_args(arguments)
    if not given.data.is_dir():
        parser.error(f"DATA must be a folder of stored bars, was {given.data}")
    began = time.perf_counter()
    markets = read(given.data, given.symbols)
    if not markets:
        parser.error(f"{given.data} holds no symbol with {LONG:,} bars of {TIMEFRAME}")
    with _Bars() as shown:
        report = measure(markets, shown.tell)
    given.out.mkdir(parents=True, exist_ok=True)
    for name, text in (("detectors.html", page(report)), ("detectors.md", markdown(report))):
        (given.out / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{given.out / name}: {len(text.encode()) / 1024:.0f} KiB\n")
    sys.stdout.write(f"{time.perf_counter() - began:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
