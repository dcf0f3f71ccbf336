"""What the bars really were, by the exchange's own books, and the scores that they make."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np

from app.exchange.view import View
from opportunity.live.streams import Streams
from opportunity.market.notes import BarNote
from opportunity.market.timeframe import MINUTE_MS, length_ms, open_ms
from opportunity.market.trust import Faults

SYMBOLS: Final = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
EXPLAINED: Final = frozenset({"corrected", "spike"})


class Truth:
    """The market as the exchange says it at last: with corrections, without its lies."""

    def __init__(self, view: View, now: int) -> None:
        self._view, self._now = view, now
        self.symbols = view.market.symbols

    def bar(self, row: int, time: int) -> tuple[float, ...] | None:
        """Return a bar, None where there is none."""
        return self._view.closed(row, time, self._now)

    def market(self, row: int, time: int) -> tuple[float, ...]:
        """Return a bar of the market, without any correction."""
        return tuple(self._view.market.base_bars(time)[row].tolist())

    def bars(self, row: int, timeframe: Any, n: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the newest `n` bars of a symbol that closed by `end`."""
        length = length_ms(timeframe)
        last = open_ms(end, timeframe)
        spans = {open_ms(t, timeframe) for t in self._view.changes[row]}
        first = last - (n + 2 * len(spans)) * length
        times, values = self._view.market.bars(row, timeframe, first, last, 10_000, True)
        kept = []
        for i, time in enumerate(times.tolist()):
            if time in spans:
                bar = self._view.bar(row, timeframe, time, self._now)
                if bar is None:
                    continue
                values[i] = bar
            kept.append(i)
        kept = kept[-n:]
        return times[kept], values[kept]


@dataclass
class Run:
    """What came out of a feed."""

    start: int = 0
    bars: dict[tuple[int, int], tuple[float, ...]] = field(default_factory=dict)
    order: list[list[int]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    corrected: Counter[int] = field(default_factory=Counter)
    rewarmed: dict[int, int] = field(default_factory=dict)
    notes: list[BarNote] = field(default_factory=list)
    told: set[tuple[int, str]] = field(default_factory=set)
    states: set[str] = field(default_factory=set)
    trust: np.ndarray = field(default_factory=lambda: np.ones(len(SYMBOLS)))
    settled: np.ndarray = field(default_factory=lambda: np.zeros(len(SYMBOLS), np.int64))
    streams: Streams | None = None
    faults: Faults | None = None
    truth: Truth | None = None
    injected: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    calls_in_ban: int = 0
    reconnects: int = 0
    finished: bool = False
    took_s: float = 0.0

    def noted(self, row: int, time: int) -> set[str]:
        """Return the kinds of notes on one bar."""
        return {n.kind for n in self.notes if (n.symbol, n.time) == (SYMBOLS[row], time)}

    def kinds(self, symbol: str = "") -> Counter[str]:
        """Return how many notes there are of each kind."""
        return Counter(n.kind for n in self.notes if not symbol or n.symbol == symbol)


def scores(run: Run, n_warm: int) -> np.ndarray:
    """Return the scores of streams that saw the truth alone, in the rows of `run.streams`."""
    truth, real = run.truth, run.streams
    streams = Streams(real.symbols, real.timeframes, real.base, real.source)
    ends = [run.rewarmed.get(row, run.start) for row in range(len(real.symbols))]
    for timeframe in real.timeframes:
        told = [truth.bars(row, timeframe, n_warm, end) for row, end in enumerate(ends)]
        streams.warm(timeframe, *(np.stack(part) for part in zip(*told, strict=True)))
    begun = [min(open_ms(end, t) for t in real.timeframes) for end in ends]
    streams.prime(_instants(run, begun, ends))
    streams.begin(np.array(ends))
    lasts = [times[-1] + MINUTE_MS if times else run.start for times in run.order]
    for rows, times, values in _instants(run, ends, lasts):
        streams.update(rows, times, values)
    streams.flush(run.settled)
    streams.close()
    return outputs(streams)


def _instants(run: Run, first: list[int], last: list[int]) -> Any:
    for time in range(min(first), max(last), MINUTE_MS):
        bars = {
            row: bar
            for row in range(len(first))
            if first[row] <= time < last[row] and (bar := run.truth.bar(row, time)) is not None
        }
        if bars:
            rows = np.array(list(bars))
            yield rows, np.full(rows.size, time), np.array(list(bars.values()))


def outputs(streams: Streams) -> np.ndarray:
    """Return scores and confidences, by symbol first."""
    n = len(streams.symbols)
    return np.stack([streams._scores, streams._confidences], -1).reshape(n, -1)


def judge(run: Run) -> list[str]:
    """Return what breaks the promise: wrong, early, doubled or missing bars that nobody told."""
    wrong = list(run.wrong)
    for row, times in enumerate(run.order):
        if any(b <= a for a, b in pairwise(times)):
            wrong.append(f"row {row}: out of order")
        for time in range(run.start, times[-1] + MINUTE_MS if times else 0, MINUTE_MS):
            given, true = run.bars.get((row, time)), run.truth.bar(row, time)
            if given == true:
                continue
            kinds = run.noted(row, time)
            place = f"row {row}, bar {(time - run.start) // MINUTE_MS}"
            if given is None:
                # while a symbol is not traded its bars are history, told of when it comes back
                halted = (row, "ended") in run.told and row in run.rewarmed
                if "empty" not in kinds and not halted:
                    wrong.append(f"{place}: missing and not noted ({kinds})")
            elif not kinds & EXPLAINED or not run.faults.revised[row] > 0:
                wrong.append(f"{place}: {given} instead of {true}, noted {kinds}")
    return wrong


def astray(run: Run, n_warm: int) -> list[int]:
    """Return the symbols whose scores are not those of the truth."""
    true, real = scores(run, n_warm), outputs(run.streams)
    return [
        row for row in range(len(true)) if not np.array_equal(true[row], real[row], equal_nan=True)
    ]
