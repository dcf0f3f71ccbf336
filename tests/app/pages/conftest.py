"""A small seeded market behind the interface of `Services`, for pages without feed and agent."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from bokeh.document import Document
from desks import Desk
from panel.io.state import set_curdoc

from opportunity.bus.memory import Hub
from opportunity.contracts import DETECTOR_NAMES
from opportunity.detectors.news_inputs import NewsItem
from opportunity.errors import ConflictError, CoverageError
from opportunity.feeds.status import FeedStatus
from opportunity.live.chart import ChartData, chart_of
from opportunity.live.context import Context
from opportunity.market.bars import Bar, Bars
from opportunity.market.timeframe import length_ms
from opportunity.scoring.ensemble import collect
from opportunity.scoring.explanation import Explanation
from opportunity.scoring.presets import PRESETS
from opportunity.scoring.snapshot import MarketSnapshot
from opportunity.scoring.weights import Weights
from opportunity.storage.repositories import StoredWeights
from opportunity.strategy import Evaluation, ScanRules, evaluate

NAMES = (
    "BTC", "ETH", "SOL", "LINK", "AVAX", "XRP", "ADA", "DOGE", "DOT", "NEAR", "LTC", "TRX", "BCH",
    "ATOM", "UNI", "AAVE", "SUI", "APT", "OP", "ARB",
)
START = 1_763_812_800_000
FRAMES = ("5m", "15m", "1h", "4h", "1d")


@dataclass
class Preset:
    name: str
    weights: dict[str, float]
    protected: bool


class Clock:
    speed = 60.0

    def __init__(self, world: "World") -> None:
        self.world = world

    def now(self) -> int:
        return self.world.now


class FeedFacts:
    def __init__(self, world: "World") -> None:
        self.clock = Clock(world)


class AgentFacts:
    enabled = True
    running = True
    last_error = ""
    scan_interval_ms = 30_000


class WhatIfFacts:
    """Knows of no history; a test puts its own `compare` in its place."""

    async def compare(self, now: Any, draft: Any = None, counts: bool = False) -> Any:
        raise CoverageError("history must be there, was none")


class World(Desk):
    """Random-walk bars of a few symbols; `close_bars` and `move` make it live."""

    version, epoch, source, feed_name, base = "0.1.0", "world", "simulated", "simulated", "5m"
    session = None

    def __init__(
        self, n_symbols: int = 20, frames: tuple[str, ...] = FRAMES, n_bars: int = 700,
        seed: int = 5,
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.symbols = tuple(f"{name}/USDT" for name in NAMES[:n_symbols])
        self.timeframes = frames
        self.now = START
        self.agent, self.feed = AgentFacts(), FeedFacts(self)
        self.what_ifs = WhatIfFacts()
        self.controls = self  # what people turn is here, too
        self.hub = Hub(asyncio.get_running_loop(), tick_s=0)
        self.weights, self.weights_version = Weights(), 1
        self.rules = ScanRules(min_volume_usd=0, min_confidence=0.1)
        self.saved: dict[str, dict[str, float]] = {}
        self.n_evaluated = self.previewed = 0
        self.line: FeedStatus | None = None
        self._skipped = 0.0
        self._seconds = asyncio.get_running_loop().time
        self.prices = np.exp(self.rng.uniform(-1, 7, n_symbols))
        self.bars = {
            (s, f): self._walk(i, f, n_bars)
            for i, s in enumerate(self.symbols) for f in frames
        }
        self.opened = {s: self.bars[s, frames[0]].close[-1] for s in self.symbols}
        self.running: dict[str, list[float]] = {}
        self._snapshot = self._look()
        self.set_up()

    @property
    def uptime_s(self) -> float:
        return self._seconds() + self._skipped

    def skip(self, seconds: float) -> None:
        """Let the server's clock jump."""
        self._skipped += seconds

    def _walk(self, i: int, frame: str, n: int) -> Bars:
        length = length_ms(frame)
        last = START // length * length
        vol = 0.004 * np.sqrt(length / 3_600_000) * (1 + (i % 3))
        steps = self.rng.standard_t(4, n) * vol + 0.6 * vol * np.sin(np.arange(n) / 17 + i)
        close = self.prices[i] * np.exp(np.cumsum(steps) - steps.sum())
        opened = np.r_[close[0], close[:-1]]
        wick = np.abs(self.rng.normal(0, vol / 2, (2, n)))
        high = np.maximum(opened, close) * (1 + wick[0])
        low = np.minimum(opened, close) * (1 - wick[1])
        volume = self.rng.lognormal(8, 0.5, n) * (1 + 30 * np.abs(steps))
        return Bars(
            last - length * np.arange(n, 0, -1), np.stack([opened, high, low, close, volume], 1),
            timeframe=frame, symbol=self.symbols[i], source="simulated",
        )

    def _look(self) -> MarketSnapshot:
        shape = (len(self.symbols), len(self.timeframes))
        scores, trust = np.full((2, *shape, len(DETECTOR_NAMES)), np.nan)
        trend, volatility, atr = np.full((3, *shape), np.nan)
        closed = np.zeros(shape, np.int64)
        for i, symbol in enumerate(self.symbols):
            for k, frame in enumerate(self.timeframes):
                bars = self.bars[symbol, frame][-400:]
                seen = collect(bars)
                scores[i, k], trust[i, k] = seen.scores[-1], seen.confidences[-1]
                trend[i, k], volatility[i, k], atr[i, k] = (
                    seen.trend[-1], seen.volatility[-1], seen.atr[-1],
                )
                closed[i, k] = int(bars.close_time[-1])
        names = ("Golden zone", "Engulfing", "SAR flip", "Breakout", "Pin bar")
        return MarketSnapshot(
            version=1, time=self.now, source=self.source, symbols=self.symbols,
            timeframes=self.timeframes, scores=scores, confidences=trust, trend=trend,
            volatility=volatility, atr=atr, closed=closed,
            price=np.array([self.bars[s, self.timeframes[0]].close[-1] for s in self.symbols]),
            change_24h=self.rng.normal(0, 0.03, shape[0]),
            volume_24h=self.rng.lognormal(18, 1, shape[0]),
            drawdown_rank=self.rng.uniform(0, 1, shape[0]), flagged=np.zeros(shape, bool),
            patterns=tuple(
                tuple(names[(i + j) % 5] for j in range(i % 3)) for i in range(shape[0])
            ),
        )

    # -- the interface -------------------------------------------------------------------------

    def snapshot(self) -> MarketSnapshot:
        return self._snapshot

    def evaluation(self) -> Evaluation:
        return evaluate(self._snapshot, self.weights, self.rules)

    def evaluate(self, weights: Weights, rules: Any = None, **_: Any) -> Evaluation:
        self.n_evaluated += 1
        return evaluate(self._snapshot, weights, self.rules if rules is None else rules)

    async def chart(self, symbol: str, timeframe: str, n_bars: int = 300) -> ChartData:
        weights = Weights(**self.weights.as_dict())
        return await asyncio.to_thread(
            chart_of, self.bars[symbol, timeframe], weights, n_bars,
            self.forming(symbol, timeframe),
        )

    async def context(self, symbol: str, most: int = 12) -> Context | None:
        return await asyncio.to_thread(self._context, symbol, most)

    def _context(self, symbol: str, most: int) -> Context:
        known = self.now - 60_000
        said = NewsItem("<i>Coin</i> soars", "Our Desk", 0.6, 0.6, 1.0, 0.4, 1, known, known)
        return Context(symbol, self.source, self.now, fear_greed=20.0, headlines=(said,)[:most])

    def feed_status(self) -> FeedStatus | None:
        return self.line

    def preview(self, symbol: str, timeframe: str) -> Explanation | None:
        self.previewed += 1
        bar = self.forming(symbol, timeframe)
        if bar is None:
            return None
        found = self.evaluation()
        seen = found.breakdown(self.symbols.index(symbol))[timeframe]
        return replace(seen, symbol=symbol, closed=bar.time + length_ms(timeframe))

    def forming(self, symbol: str, timeframe: str) -> Bar | None:
        running = self.running.get(symbol)
        if running is None:
            return None
        bars = self.bars[symbol, timeframe]
        return Bar(int(bars.close_time[-1]), *running)

    async def apply_weights(self, values: Any, by: str, expected: int | None = None) -> int:
        if expected is not None and expected != self.weights_version:
            raise ConflictError(f"version must be {self.weights_version}, was {expected}")
        self.weights.update(values)
        self.weights_version += 1
        self._tell("weights", self.weights.as_dict(), self.weights_version, by)
        self.hub.publish("scan", "", self.evaluation())
        return self.weights_version

    def presets(self) -> list[Preset]:
        return [
            *(Preset(n, dict(w), True) for n, w in PRESETS.items()),
            *(Preset(n, w, False) for n, w in self.saved.items()),
        ]

    async def weights_history(self, limit: int = 30) -> tuple[StoredWeights, ...]:
        return (StoredWeights(1, self.weights.as_dict(), "start", START),)

    async def save_preset(self, name: str, values: dict[str, float], by: str) -> None:
        self.saved[name] = dict(values)
        self.preset_by = by
        self._tell("preset", {"name": name, "weights": self.saved[name]}, None, by)

    async def delete_preset(self, name: str, by: str) -> None:
        del self.saved[name]
        self.preset_by = by
        self._tell("preset", {"name": name, "weights": None}, None, by)

    async def set_enabled(self, enabled: bool, by: str) -> None:
        self.agent.enabled = enabled
        self._tell("agent", {"enabled": enabled}, None, by)

    def _tell(self, what: str, value: Any, version: int | None, by: str) -> None:
        self.hub.emit(
            "config", {"what": what, "value": value, "version": version, "by": by, "ts": self.now}
        )

    # -- life ----------------------------------------------------------------------------------

    def move(self) -> None:
        """Move every price a little and tell it."""
        self.now += 15_000
        for symbol in self.symbols:
            bars = self.bars[symbol, self.timeframes[0]]
            o, h, low, c, v = self.running.get(symbol, [bars.close[-1]] * 4 + [0.0])
            c *= float(np.exp(self.rng.normal(0, 0.0006)))
            self.running[symbol] = [o, max(h, c), min(low, c), c, v + float(bars.volume[-1]) / 10]
            self.hub.publish("price", symbol, (int(bars.close_time[-1]), *self.running[symbol]))

    def close_bars(self, frame: str) -> None:
        """Close the running bar of one timeframe for every symbol, rank and tell."""
        for symbol in self.symbols:
            bars = self.bars[symbol, frame]
            row = self.running.get(symbol) or [bars.close[-1]] * 4 + [0.0]
            self.bars[symbol, frame] = Bars(
                np.r_[bars.time[1:], bars.close_time[-1]],
                np.vstack([bars.values[1:], row]),
                timeframe=frame, symbol=symbol, source="simulated",
            )
            last = row[3]
            self.running[symbol] = [last, last, last, last, 0.0]
        self._snapshot = self._look()
        found = self.evaluation()
        self.hub.publish("scan", "", found)
        if self.agent.enabled:
            for row in found.rows():
                self.hub.publish("signal", row.symbol, {
                    "symbol": row.symbol, "direction": row.direction, "score": row.final_score,
                    "confidence": row.confidence, "risk_level": row.risk_level, "ts": self.now,
                })


@pytest.fixture
async def world() -> World:
    """Six symbols on two timeframes."""
    return World(6, ("15m", "1h"), n_bars=400)


@pytest.fixture
def doc() -> Iterator[Document]:
    """A document without a server; `turn` runs what waits in it."""
    document = Document()
    with set_curdoc(document):
        yield document


@contextmanager
def _inside(document: Document) -> Iterator[None]:
    with set_curdoc(document):
        yield


@pytest.fixture
def turn() -> Callable[[Document], Awaitable[None]]:
    """Let the hub deliver, then run the document's callbacks until none waits."""

    async def run(document: Document) -> None:
        for _ in range(4):
            for _ in range(5):
                await asyncio.sleep(0)
            waiting = list(document.session_callbacks)
            for callback in waiting:
                document.callbacks.remove_session_callback(callback)
                with _inside(document):
                    done = callback.callback()
                    if inspect.isawaitable(done):
                        await done

    return run
