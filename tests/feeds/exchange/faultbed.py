"""A live feed on a local exchange that misbehaves, and the truth to hold it against."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from app.exchange.injector import FAULTS
from app.exchange.server import LocalExchange
from opportunity.feeds.base import Closed, Corrected
from opportunity.feeds.exchange.feed import ExchangeFeed
from opportunity.feeds.exchange.lines.line import LineSettings
from opportunity.feeds.exchange.tuning import Tuning
from opportunity.feeds.exchange.venue.gate import Patience
from opportunity.live.streams import Streams
from opportunity.market.notes import BarNote
from opportunity.market.timeframe import MINUTE_MS

SYMBOLS: Final = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
SPEED: Final = 600.0
TIMEFRAMES: Final = ("1m", "5m", "15m")
WARM: Final = 300
QUICK: Final = Tuning(
    patience=Patience(first_s=0.02, longest_s=0.2, wait_s=0.5, failures=5, open_s=0.3),
    lines=LineSettings(
        silence_s=0.5, longest_silence_s=0.8, recycle_s=3_600.0, first_s=0.02, longest_s=0.3
    ),
)
"""Patience of a market whose minutes last a tenth of a second."""


@dataclass
class Run:
    """What came out of a feed."""

    start: int
    bars: dict[tuple[int, int], tuple[float, ...]] = field(default_factory=dict)
    order: dict[int, list[int]] = field(default_factory=dict)
    early: list[tuple[int, int]] = field(default_factory=list)
    corrected: Counter[int] = field(default_factory=Counter)
    notes: list[BarNote] = field(default_factory=list)
    distrusted: set[tuple[int, str]] = field(default_factory=set)
    states: set[str] = field(default_factory=set)
    scores: np.ndarray | None = None
    injected: Counter[str] = field(default_factory=Counter)
    calls_in_ban: int = 0
    reconnects: int = 0
    history: dict[int, dict[int, tuple[float, ...]]] = field(default_factory=dict)

    def noted(self, row: int, time: int) -> set[str]:
        return {n.kind for n in self.notes if (n.symbol, n.time) == (SYMBOLS[row], time)}


@dataclass
class Bed:
    """One exchange and one feed, alive for `n_bars`."""

    seed: int
    folder: Path | None = None
    speed: float = SPEED
    tuning: Tuning = QUICK
    n_bars: int = 45
    wall_s: float = 12.0
    settle: bool = True

    async def run(
        self, order: Callable[[LocalExchange, int], Iterable[dict[str, Any]]] | None = None,
        before: Iterable[dict[str, Any]] = (),
    ) -> Run:
        """Let the feed live; `order` gives the faults when it streams, `before` from the start."""
        async with LocalExchange(SYMBOLS, speed=self.speed, seed=self.seed + 1) as exchange:
            for payload in before:
                exchange.faults.order(payload)
            feed = ExchangeFeed(
                "binance", SYMBOLS, url=exchange.url, folder=self.folder, tuning=self.tuning
            )
            try:
                return await self._live(exchange, feed, order)
            finally:
                await feed.close()

    async def _live(self, exchange: LocalExchange, feed: ExchangeFeed, order: Any) -> Run:
        start = await feed.open()
        streams = Streams(feed.symbols, TIMEFRAMES, feed.base, feed.source)
        for timeframe in TIMEFRAMES:
            streams.warm(timeframe, *await feed.histories(timeframe, WARM, start))
        run = Run(start, order={row: [] for row in range(len(SYMBOLS))})
        wanted = [start + k * MINUTE_MS for k in range(self.n_bars)]
        stream = feed.stream()
        try:
            async with asyncio.timeout(self.wall_s):
                ordered = False
                async for event in stream:
                    self._note(run, feed, streams, event)
                    if not ordered and run.bars:
                        ordered = True
                        for payload in () if order is None else order(exchange, start):
                            exchange.faults.order(payload)
                    if self.settle and self._done(run, feed, wanted[-1]):
                        break
        except TimeoutError:
            pass
        finally:
            await stream.aclose()
        run.notes += feed.notes()
        run.scores = np.stack([streams._scores, streams._confidences])
        run.injected = exchange.faults.injected
        run.calls_in_ban = exchange.faults.calls_in_ban
        run.reconnects = feed.lines.n_reconnects
        streams.close()
        return run

    def _note(self, run: Run, feed: ExchangeFeed, streams: Streams, event: Any) -> None:
        if isinstance(event, Corrected):
            run.corrected.update(event.rows.tolist())
        if isinstance(event, Closed):
            now = feed.clock.now()
            for row, time, bar in zip(
                event.rows.tolist(), event.times.tolist(), event.values.tolist(), strict=True
            ):
                assert (row, time) not in run.bars, "a bar was given twice"
                run.bars[row, time] = tuple(bar)
                run.order[row].append(time)
                if time + MINUTE_MS > now:
                    run.early.append((row, time))
            streams.update(event.rows, event.times, event.values)
        faults = feed.faults()
        for name in ("pending", "suspicious", "ended"):
            run.distrusted |= {(row, name) for row in np.flatnonzero(getattr(faults, name))}
        for name in ("missing", "mismatch", "revised"):
            run.distrusted |= {(row, name) for row in np.flatnonzero(getattr(faults, name) > 0)}
        status = feed.status()
        run.states.add(status.state)

    def _done(self, run: Run, feed: ExchangeFeed, last: int) -> bool:
        ended = feed.faults().ended
        return all(
            ended[row] or (times and times[-1] >= last) for row, times in run.order.items()
        )


def truth(run: Run, seed: int) -> dict[tuple[int, int], tuple[float, ...]]:
    """Return what the market's bars were, for every bar that was given and those between."""
    from opportunity.feeds.simulation.market import SimulatedMarket

    market = SimulatedMarket(SYMBOLS, seed + 1)
    found = {}
    for row, times in run.order.items():
        if not times:
            continue
        grid = np.arange(run.start, times[-1] + MINUTE_MS, MINUTE_MS)
        values = market.bars(np.array([row]), "1m", grid)[0]
        found |= {
            (row, t): tuple(v) for t, v in zip(grid.tolist(), values.tolist(), strict=True)
        }
    return found


def judge(run: Run, seed: int) -> list[str]:
    """Return what breaks the promise: wrong, early, doubled or missing bars that nobody flagged."""
    wrong = [f"early: {e}" for e in run.early]
    true = truth(run, seed)
    for row, times in run.order.items():
        if any(b <= a for a, b in pairwise(times)):
            wrong.append(f"row {row}: out of order")
    for (row, time), bar in true.items():
        given = run.bars.get((row, time))
        kinds = run.noted(row, time)
        place = f"row {row}, bar {(time - run.start) // MINUTE_MS}"
        if given is None:
            if not kinds & {"empty", "late"}:
                wrong.append(f"{place}: missing and not noted ({kinds})")
        elif given != bar and not kinds & {"corrected", "spike"}:
            wrong.append(f"{place}: {given} instead of {bar}, noted {kinds}")
    return wrong


def payload(kind: str, **values: Any) -> dict[str, Any]:
    """Return the JSON of a fault."""
    assert kind in FAULTS
    return {"kind": kind, **values}
