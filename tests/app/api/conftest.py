"""A small world behind a real socket: six symbols, four timeframes, everything else as it is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import numpy as np
import param
import pytest
from tornado.httpserver import HTTPServer
from tornado.web import Application
from walks import FakeBars

from app.api import install, routes
from app.api.broadcast import Realtime
from app.backtests import Backtests
from app.presets import Preset
from opportunity.backtest.trials import MemoryTrials
from opportunity.bus.memory import Hub
from opportunity.config import Settings
from opportunity.contracts import DETECTOR_NAMES
from opportunity.detectors.news_inputs import NewsItem
from opportunity.errors import ConflictError
from opportunity.feeds.status import FeedStatus
from opportunity.live.context import Context
from opportunity.live.scan_report import ScanReport
from opportunity.market.symbols import parse_symbol
from opportunity.scoring.explanation import Explanation
from opportunity.scoring.presets import PRESETS, PROTECTED
from opportunity.scoring.snapshot import MarketSnapshot
from opportunity.scoring.weights import Weights
from opportunity.storage.bar_notes import NotePage
from opportunity.strategy import Evaluation, ScanRules, evaluate

NOW = 1_767_225_600_000  # 2026-01-01 00:00 UTC
SYMBOLS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT", "ADA/USDT", "DOGE/USDT")
TIMEFRAMES = ("5m", "15m", "1h", "4h")
BUILT = ("fibonacci", "price_action", "sar")


def make_snapshot(seed: int = 7, symbols: tuple[str, ...] = SYMBOLS) -> MarketSnapshot:
    """Draw a market: strong scores, one symbol without any, one of unknown volume."""
    rng = np.random.default_rng(seed)
    shape = (len(symbols), len(TIMEFRAMES))
    scores = np.full((*shape, len(DETECTOR_NAMES)), np.nan)
    confidences = scores.copy()
    for name in BUILT:
        column = DETECTOR_NAMES.index(name)
        side = np.where(np.arange(len(symbols)) % 2 == 0, 1.0, -1.0)[:, None]
        scores[:, :, column] = side * rng.uniform(0.4, 1.0, shape)
        confidences[:, :, column] = rng.uniform(0.5, 0.9, shape)
    scores[-1] = confidences[-1] = np.nan
    volume = rng.uniform(2e6, 9e6, len(symbols))
    volume[-1] = np.nan
    return MarketSnapshot(
        version=1,
        time=NOW,
        source="simulated",
        symbols=symbols,
        timeframes=TIMEFRAMES,
        scores=scores,
        confidences=confidences,
        trend=rng.choice([-1.0, 0.0, 1.0], shape),
        volatility=rng.uniform(0.1, 0.6, shape),
        atr=rng.uniform(0.5, 2.0, shape),
        closed=np.full(shape, NOW, np.int64),
        price=rng.uniform(50, 150, len(symbols)),
        change_24h=rng.normal(0, 0.03, len(symbols)),
        volume_24h=volume,
        drawdown_rank=np.full(len(symbols), 0.1),
        flagged=np.zeros(shape, bool),
        patterns=tuple(("engulfing",) if i == 0 else () for i in range(len(symbols))),
    )


class FakeAgent(param.Parameterized):
    """The agent's Param surface without a feed behind it."""

    enabled = param.Boolean(True)
    scan_interval_ms = param.Integer(30_000, bounds=(100, 60_000))
    running = param.Boolean(True)
    last_scan_at = param.Integer(NOW, allow_None=True)
    last_scan_ms = param.Number(1.5, allow_None=True)
    next_scan_at = param.Integer(NOW + 30_000, allow_None=True)
    last_error = param.String("")


class KeptPromotions:
    """Promotions in memory."""

    def __init__(self) -> None:
        self.rows: list[Any] = []

    def add(self, done: Any) -> None:
        self.rows.append(done)


class FakeServices:
    """The surface of `app.services.Services`, with a drawn market instead of a feed."""

    source, feed_name, version, epoch = "simulated", "simulated", "0.0.test", "e1"
    base, timeframes = "5m", TIMEFRAMES

    def __init__(self, loop: asyncio.AbstractEventLoop, symbols: tuple[str, ...] = SYMBOLS) -> None:
        self.settings = Settings(max_symbols=4, max_connections=5)
        self.controls = self  # what people turn is faked here, too
        self.hub = Hub(loop, tick_s=0.001)
        self.weights, self.rules, self.agent = Weights(), ScanRules(), FakeAgent()
        self.symbols = symbols
        self.subscribed: tuple[str, ...] = ()
        self.websocket_stats = {"connections": 0, "subscriptions": 0, "messages_sent": 0}
        self.uptime_s = 12.5
        self.weights_version = 1
        self.market: MarketSnapshot | None = make_snapshot(symbols=symbols)
        self.line: FeedStatus | None = None
        self.page, self.asked = NotePage((), None), ()
        self._saved: dict[str, dict[str, float]] = {}
        self.bars = FakeBars(self.source)
        self.backtests = Backtests(
            lambda exchange: self.bars, self.hub, MemoryTrials(), KeptPromotions()
        )

    def snapshot(self) -> MarketSnapshot | None:
        return self.market

    def feed_status(self) -> FeedStatus | None:
        return self.line

    def preview(self, symbol: str, timeframe: str) -> Explanation | None:
        row = None if self.market is None else self.evaluate(self.weights).find(symbol)
        return None if row is None else row.timeframe_breakdown.get(timeframe)

    async def notes(
        self,
        symbol: Any = None,
        kind: Any = None,
        since: int = 0,
        limit: int = 100,
        after: Any = None,
    ) -> NotePage:
        self.asked = (symbol, kind, since, limit, after)
        return self.page

    def evaluation(self) -> Evaluation | None:
        return self.evaluate(self.weights)

    def evaluate(
        self,
        weights: Weights,
        rules: ScanRules | None = None,
        symbols: Any = None,
        timeframes: Any = None,
    ) -> Evaluation | None:
        if self.market is None:
            return None
        return evaluate(self.market, weights, rules or self.rules, timeframes, symbols)

    async def scan(
        self, symbols: Any, timeframes: Any, weights: Any = None, rules: Any = None,
        quick: bool = False,
    ) -> Any:
        assert self.market is not None
        errors, market = {}, self.market
        if not set(timeframes) <= set(TIMEFRAMES):
            errors = {symbols[0]: "too little"}
            market = replace(market, timeframes=tuple(timeframes))
        found = evaluate(market, weights or self.weights, rules or self.rules, timeframes, symbols)
        return ScanReport(market.time, False, found, (), (), errors, 1.0)

    async def context(self, symbol: str, most: int = 12) -> Context | None:
        if self.market is None:
            return None
        told = tuple(
            NewsItem(
                f"<b>Bitcoin</b> headline {i}", "Our Desk", 0.5, 0.6, 1.0, 0.4, 2, NOW - i, NOW - i
            )
            for i in range(30)
        )
        return Context(symbol, self.source, NOW, headlines=told[:most])

    def apply_weights(
        self, values: Mapping[str, float], by: str, expected: int | None = None
    ) -> int:
        if expected is not None and expected != self.weights_version:
            raise ConflictError("stale")
        self.weights_version += 1
        self.weights.update(dict(values))
        self._tell("weights", dict(values), self.weights_version, by)
        return self.weights_version

    def presets(self) -> list[Preset]:
        built_in = [Preset(n, dict(w), True) for n, w in PRESETS.items()]
        return built_in + [Preset(n, w, False) for n, w in sorted(self._saved.items())]

    def save_preset(self, name: str, weights: Mapping[str, float]) -> None:
        if name in PROTECTED:
            raise PermissionError(name)
        self._saved[name] = dict(weights)

    def delete_preset(self, name: str) -> None:
        if name in PROTECTED:
            raise PermissionError(name)
        del self._saved[name]

    def set_enabled(self, enabled: bool, by: str) -> None:
        if enabled != self.agent.enabled:
            self.agent.enabled = enabled
            self._tell("agent", {"enabled": enabled}, None, by)

    def set_interval(self, scan_interval_ms: int, by: str) -> None:
        self.agent.scan_interval_ms = scan_interval_ms

    def subscribe(self, symbols: Any) -> tuple[str, ...]:
        self.subscribed = tuple(parse_symbol(s) for s in symbols)
        return self.subscribed

    def set_rules(self, values: Mapping[str, Any], by: str) -> None:
        self.rules.param.update(**values)

    def _tell(self, what: str, value: Any, version: int | None, by: str) -> None:
        event = {"what": what, "value": value, "version": version, "by": by, "ts": NOW}
        self.hub.emit("config", event)

    def publish_signal(self, symbol: str, score: float = 0.7, **more: Any) -> None:
        direction = "BULLISH" if score >= 0.6 else "BEARISH" if score <= 0.4 else "NEUTRAL"
        self.hub.publish("signal", symbol, {
            "type": "signal", "symbol": symbol, "direction": direction, "confidence": 0.5,
            "score": score, "risk_level": "LOW", "timeframes": {"5m": score, "1h": 0.5},
            "ts": NOW, "source": "simulated", **more,
        })  # fmt: skip


@dataclass
class World:
    """A running server and a client for it."""

    services: FakeServices
    application: Application
    realtime: Realtime
    port: int
    http: aiohttp.ClientSession
    server: HTTPServer
    url: str = field(init=False)

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.port}"

    async def call(self, method: str, path: str, **kwargs: Any) -> tuple[int, Any, Any]:
        """Return status, decoded body and headers of a request."""
        async with self.http.request(method, self.url + path, **kwargs) as answer:
            text = await answer.text()
            assert "NaN" not in text
            assert "Infinity" not in text
            body = await answer.json(content_type=None) if "json" in answer.content_type else text
            return answer.status, body, answer.headers

    async def refused(self, status: int, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        """Check that a request ends in problem details of this status; return them."""
        got, problem, headers = await self.call(method, path, **kwargs)
        assert got == status, problem
        assert headers["Content-Type"].startswith("application/problem+json")
        assert problem["status"] == status
        assert problem["type"] == f"urn:opportunity:problem:{problem['code']}"
        assert problem["request_id"] == headers["X-Request-Id"]
        assert problem["instance"].startswith("/")
        assert {"title", "detail"} <= set(problem)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Traceback" not in str(problem)
        return dict(problem)


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Wait for what no event tells: a socket that the other side closed, a timer of the loop."""

    async def wait(is_true: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not is_true():  # noqa: ASYNC110 - there is no event to wait for
                await asyncio.sleep(0.005)

    return wait


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Serve the small world on a free port."""
    services = FakeServices(asyncio.get_running_loop())
    application = Application(routes(services))  # type: ignore[arg-type]  # same surface
    realtime = install(application, services)  # type: ignore[arg-type]  # same surface
    server = HTTPServer(application)
    server.listen(0, "127.0.0.1")
    port = next(iter(server._sockets.values())).getsockname()[1]
    async with aiohttp.ClientSession() as http:
        yield World(services, application, realtime, port, http, server)
        await realtime.close()
    await services.backtests.close()
    services.hub.close()
    server.stop()
    await server.close_all_connections()
