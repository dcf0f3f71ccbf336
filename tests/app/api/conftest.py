"""A small world behind a real socket: six symbols, four timeframes, everything else as it is."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import numpy as np
import param
import pytest
from logins import PASSWORD, accounts_at
from rawhttp import Line
from tornado.httpserver import HTTPServer
from tornado.web import Application
from walks import FakeBars

from app.api import install, resources, routes
from app.api.broadcast import Realtime
from app.api.hot import Hot
from app.api.hot_stream import put_before
from app.api.operations import operation_of, pattern_of, problems_of
from app.auth.gate import Gate
from app.backtests import Backtests
from app.observing.observing import Observing
from app.presets import Preset
from opportunity.backtest.trials import MemoryTrials
from opportunity.bus.memory import Hub
from opportunity.config import Settings
from opportunity.contracts import DETECTOR_NAMES
from opportunity.contracts.realtime import EVENT_CHANNELS
from opportunity.detectors.news_inputs import NewsItem
from opportunity.errors import ConflictError
from opportunity.feeds.status import FeedStatus
from opportunity.live.context import Context
from opportunity.live.scan_report import ScanReport
from opportunity.market.symbols import parse_symbol
from opportunity.market.wall import wall_ms
from opportunity.scoring.explanation import Explanation
from opportunity.scoring.presets import PRESETS, PROTECTED
from opportunity.scoring.snapshot import MarketSnapshot
from opportunity.scoring.weights import Weights
from opportunity.storage.bar_notes import NotePage
from opportunity.storage.events import StoredEvent
from opportunity.storage.streams import channel_of
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

    def calibration(self, weights: Any = None) -> None:
        return None
    n_scans, n_unstored, storage_error, loop = 3, 0, "", None


class KeptPromotions:
    """Promotions in memory."""

    def __init__(self) -> None:
        self.rows: list[Any] = []

    def add(self, done: Any) -> None:
        self.rows.append(done)


class KeptLog:
    """An event log in memory, numbered as the database does it."""

    def __init__(self) -> None:
        self.rows: list[StoredEvent] = []
        self._heads: dict[Any, int] = dict.fromkeys(EVENT_CHANNELS, 0)

    def append(self, kind: str, **body: Any) -> StoredEvent:
        """Keep an event and return it as it is in the log."""
        channel, seq = channel_of(kind, body), None
        if channel is not None:
            seq = self._heads[channel] = self._heads[channel] + 1
        n = len(self.rows) + 1
        self.rows.append(StoredEvent(n, f"k{n}", NOW, NOW, kind, body, channel, seq))
        return self.rows[-1]

    def epoch(self) -> str:
        return "e1"

    def heads(self) -> dict[Any, int]:
        return dict(self._heads)

    def after(self, channel: str, seq: int, limit: int = 1_000) -> tuple[StoredEvent, ...]:
        found = (row for row in tuple(self.rows) if row.channel == channel)
        return tuple(row for row in found if (row.stream_seq or 0) > seq)[:limit]


class FakeServices:
    """The surface of `app.services.Services`, with a drawn market instead of a feed."""

    source, feed_name, version, epoch = "simulated", "simulated", "0.0.test", "e1"
    base, timeframes = "5m", TIMEFRAMES
    accounts: Any = None
    feed = SimpleNamespace(clock=SimpleNamespace(speed=60.0))

    def __init__(self, loop: asyncio.AbstractEventLoop, symbols: tuple[str, ...] = SYMBOLS) -> None:
        self.settings = Settings(max_symbols=4, max_connections=5)
        self.controls = self  # what people turn is faked here, too
        self.hub = Hub(loop, tick_s=0.001)
        self.events = KeptLog()
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
        self.preset_by = ""
        self.bars = FakeBars(self.source)
        self.backtests = Backtests(
            lambda exchange: self.bars, self.hub, MemoryTrials(), KeptPromotions()
        )

    def snapshot(self) -> MarketSnapshot | None:
        return self.market

    def feed_status(self) -> FeedStatus | None:
        return self.line

    def look_at_storage(self) -> int:
        return 0

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

    async def apply_weights(
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

    async def save_preset(
        self, name: str, weights: Mapping[str, float], by: str, check: Any = None
    ) -> None:
        if check is not None:
            check()
        if name in PROTECTED:
            raise PermissionError(name)
        self.preset_by = by
        self._saved[name] = dict(weights)

    async def delete_preset(self, name: str, by: str, check: Any = None) -> None:
        if check is not None:
            check()
        if name in PROTECTED:
            raise PermissionError(name)
        self.preset_by = by
        del self._saved[name]

    async def set_enabled(self, enabled: bool, by: str) -> None:
        if enabled != self.agent.enabled:
            self.agent.enabled = enabled
            self._tell("agent", {"enabled": enabled}, None, by)

    async def set_interval(self, scan_interval_ms: int, by: str) -> None:
        self.agent.scan_interval_ms = scan_interval_ms

    async def subscribe(self, symbols: Any) -> tuple[str, ...]:
        self.subscribed = tuple(parse_symbol(s) for s in symbols)
        return self.subscribed

    async def set_rules(self, values: Mapping[str, Any], by: str) -> None:
        self.rules.param.update(**values)

    def _tell(self, what: str, value: Any, version: int | None, by: str) -> None:
        self.events.append(what, what=what, by=by, before=None, after=value, version=version)
        event = {"what": what, "value": value, "version": version, "by": by, "ts": NOW}
        self.hub.emit("config", event)

    def happen(self, kind: str, **body: Any) -> StoredEvent:
        """Append an event to the log and tell of it."""
        stored = self.events.append(kind, **body)
        self.hub.emit("event", stored)
        return stored

    def publish_signal(self, symbol: str, score: float = 0.7, **more: Any) -> None:
        direction = "BULLISH" if score >= 0.6 else "BEARISH" if score <= 0.4 else "NEUTRAL"
        self.hub.publish("signal", symbol, {
            "type": "signal", "symbol": symbol, "direction": direction, "confidence": 0.5,
            "score": score, "risk_level": "LOW", "timeframes": {"5m": score, "1h": 0.5},
            "ts": NOW, "source": "simulated", **more,
        })  # fmt: skip


def assert_declared(method: str, path: str, status: int) -> None:
    """Check that a method may end with a status by what is declared of it."""
    for template, handler in resources():
        if not re.fullmatch(pattern_of(template), path):
            continue
        made = operation_of(handler, method)
        if made is not None and status < 500:
            allowed = {*made.successes, *problems_of(template, method, made), 304}
            assert status in allowed, f"{method} {template} must declare {status}"


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
            assert_declared(method, answer.url.raw_path, answer.status)
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
        async with asyncio.timeout(30):
            while not is_true():  # noqa: ASYNC110 - there is no event to wait for
                await asyncio.sleep(0.005)

    return wait


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Serve the small world on a free port."""
    async with served(FakeServices(asyncio.get_running_loop())) as made:
        yield made


@pytest.fixture
async def doors(tmp_path: Path) -> AsyncIterator[World]:
    """The small world with users: anna may do all, tom trades, vera looks."""
    services = FakeServices(asyncio.get_running_loop())
    services.accounts = accounts_at(tmp_path, wall_ms)
    for name, role in {"anna": "admin", "tom": "trader", "vera": "viewer"}.items():
        await services.accounts.people.add(name, role, PASSWORD, "test")
    async with served(services) as made:
        yield made
    await services.accounts.close()


@asynccontextmanager
async def served(services: FakeServices) -> AsyncIterator[World]:
    """Serve on a free port, and end all of it."""
    application = Application(routes(services))  # type: ignore[arg-type]  # same surface
    realtime = install(application, services)  # type: ignore[arg-type]  # same surface
    server = HTTPServer(application)
    server.listen(0, "127.0.0.1")
    port = next(iter(server._sockets.values())).getsockname()[1]
    async with aiohttp.ClientSession() as http:
        yield World(services, application, realtime, port, http, server)
        await realtime.close()
    await Observing.of(application).close()
    await services.backtests.close()
    services.hub.close()
    server.stop()
    await server.close_all_connections()


@pytest.fixture
def hot(world: World) -> Hot:
    """Put hot answers before the small world, which has a signal and a price."""
    made = Hot(world.services, Gate(world.services.settings), dict(resources()))  # type: ignore[arg-type]  # same surface
    put_before(world.server, made)
    world.services.publish_signal("BTC/USDT", 0.8)
    world.services.hub.publish("price", "BTC/USDT", (NOW, 1.0, 3.0, 1.0, 2.0, 5.0))
    return made


@pytest.fixture
async def line(world: World, hot: Hot) -> AsyncIterator[Line]:
    """A raw connection to the small world behind hot answers."""
    made = await Line.to(world)
    yield made
    await made.close()
