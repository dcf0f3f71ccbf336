"""Walk over all routes: documented, refusing alike, leaking nothing."""

import inspect
from pathlib import Path

import pytest

from app.api import resources, routes
from app.api.base import BaseHandler, Checked, NotFound
from app.api.realtime import RealtimeHandler
from app.auth.gate import Gate
from app.openapi.table import BEGIN, END
from opportunity.config import Settings

DOCS = Path(__file__).parents[3] / "docs" / "api.md"
_BEFORE, _, _REST = DOCS.read_text().partition(BEGIN)
WRITTEN = _BEFORE + _REST.partition(END)[2]
"""The docs without the table that is made of the routes."""
ROUTES = resources()
IDS = [path for path, _ in ROUTES]
WANTED = {
    "/health": {"GET"},
    "/health/live": {"GET"},
    "/health/ready": {"GET"},
    "/api/agent/status": {"GET"},
    "/api/agent/toggle": {"PUT"},
    "/api/agent/config": {"GET", "PUT"},
    "/api/agent/subscribe": {"POST", "PUT"},
    "/api/scanner/run": {"POST"},
    "/api/signals/score": {"POST"},
    "/api/scanner/symbol/{symbol}": {"GET"},
    "/api/scanner/status": {"GET"},
    "/api/signals/live": {"GET"},
    "/api/signals/history": {"GET"},
    "/api/price/{symbol}": {"GET"},
    "/api/ohlcv/{symbol}": {"GET"},
    "/api/analysis/{symbol}": {"GET"},
    "/api/sentiment": {"GET"},
    "/api/sentiment/{symbol}": {"GET"},
    "/api/whales/{symbol}": {"GET"},
    "/api/pnl/daily-summary": {"GET"},
    "/api/pnl/monthly-performance": {"GET"},
    "/api/pnl/portfolio-metrics": {"GET"},
    "/api/export/{what}": {"GET"},
    "/api/health": {"GET"},
    "/api/system/status": {"GET"},
    "/api/detectors": {"GET"},
    "/api/news": {"GET"},
    "/api/data/trust": {"GET"},
    "/api/preview/{symbol}": {"GET"},
    "/api/data/notes": {"GET"},
    "/api/decisions": {"GET"},
    "/api/decisions/summary": {"GET"},
    "/api/journal/summary": {"GET"},
    "/api/journal/reliability": {"GET"},
    "/api/journal/detectors": {"GET"},
    "/api/journal/symbols": {"GET"},
    "/api/journal/decay": {"GET"},
    "/api/risk/status": {"GET"},
    "/api/risk/calculate-position": {"POST"},
    "/api/risk/calculate-stop-loss": {"POST"},
    "/api/risk/portfolio-assessment": {"GET"},
    "/api/risk/check-correlation": {"POST"},
    "/api/risk/var": {"GET"},
    "/api/risk/limits": {"GET", "PUT"},
    "/api/risk/breakers/reset": {"POST"},
    "/api/config/weights": {"GET", "PUT"},
    "/api/config/weight-presets": {"GET", "POST"},
    "/api/config/weight-presets/{name}": {"DELETE"},
    "/api/weights/promote": {"POST"},
    "/api/shadows": {"GET", "POST"},
    "/api/shadows/{name}": {"GET", "DELETE"},
    "/api/shadows/{name}/promote": {"POST"},
    "/api/backtest/run": {"POST"},
    "/api/backtest/sweep": {"POST"},
    "/api/backtest/jobs/{id}": {"GET", "DELETE"},
    "/api/backtest/results/{id}": {"GET"},
    "/api/backtest/export/{id}": {"GET"},
    "/api/notifications": {"GET"},
    "/api/notifications/settings": {"GET", "PUT"},
    "/api/notifications/channels": {"GET"},
    "/api/notifications/test": {"POST"},
    "/api/price-alerts": {"GET", "POST"},
    "/api/price-alerts/{id}": {"DELETE"},
    "/api/portfolio": {"GET"},
    "/api/portfolio/positions": {"GET"},
    "/api/portfolio/orders": {"GET"},
    "/api/portfolio/fills": {"GET"},
    "/api/portfolio/trades": {"GET"},
    "/api/portfolio/equity": {"GET"},
    "/api/portfolio/performance": {"GET"},
    "/api/portfolio/close": {"POST"},
    "/api/portfolio/flatten": {"POST"},
    "/api/portfolio/reset": {"POST"},
    "/api/audit": {"GET"},
    "/api/watchlists": {"GET"},
    "/api/watchlists/{name}": {"PUT", "DELETE"},
    "/api/universe": {"GET", "PUT"},
    "/api/auth/login": {"POST"},
    "/api/auth/refresh": {"POST"},
    "/api/auth/logout": {"POST"},
    "/api/auth/me": {"GET"},
    "/api/auth/password": {"PUT"},
    "/api/auth/ticket": {"POST"},
    "/api/users": {"GET", "POST"},
    "/api/users/{name}": {"PUT", "DELETE"},
    "/api/tokens": {"GET", "POST"},
    "/api/tokens/{id}": {"DELETE"},
    "/api/openapi.json": {"GET"},
    "/api/asyncapi.json": {"GET"},
    "/api/docs": {"GET"},
    "/api/docs/{file}": {"GET"},
    "/api/stream/events": {"GET"},
    "/api/stream/changes": {"GET"},
    "/api/stream/caller": {"GET"},
    "/api/stream/held": {"POST"},
    "/api/metrics": {"GET"},
    "/metrics": {"GET"},
    "/ws/realtime": {"GET"},
}


def test_routes_are_exactly_these():
    found = {path: set(handler.methods()) - {"HEAD", "OPTIONS"} for path, handler in ROUTES}
    assert found == WANTED
    assert len({path for path, _ in ROUTES}) == len(ROUTES)


def test_what_is_not_there_is_answered_last():
    listed = routes(None, Gate(Settings()))
    assert listed[-1][1] is NotFound
    assert len(listed) == len(ROUTES) + 1


@pytest.mark.parametrize(("path", "handler"), ROUTES, ids=IDS)
def test_route_is_checked_and_documented(path, handler):
    assert issubclass(handler, Checked)
    assert inspect.getdoc(handler) != inspect.getdoc(BaseHandler)
    for method in WANTED[path]:
        text = inspect.getdoc(getattr(handler, method.lower()))
        assert text, f"{handler.__name__}.{method.lower()} needs a docstring"
        assert f"{method} {path}" in WRITTEN, "the docs must tell of it, beside the table"


@pytest.mark.parametrize(("path", "handler"), ROUTES, ids=IDS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
async def test_route_refuses_other_methods(world, path, handler, method):
    if method in handler.methods():
        return
    address = path.replace("{name}", "x")
    status, problem, headers = await world.call(method, address)
    assert status == 405
    if method != "HEAD":
        assert problem["code"] == "method_not_allowed"
    assert headers["Allow"] == ", ".join(handler.methods())


@pytest.mark.parametrize(("path", "handler"), ROUTES, ids=IDS)
async def test_route_refuses_strangers(world, path, handler):
    address = path.replace("{name}", "x")
    for method in sorted(WANTED[path]):
        problem = await world.refused(403, method, address, headers={"Host": "evil.example"})
        assert problem["code"] == "wrong_host"
        if method != "GET" or handler is RealtimeHandler:
            asked = {"headers": {"Origin": "http://evil.example"}}
            problem = await world.refused(403, method, address, **asked)
            assert problem["code"] == "cross_origin"


@pytest.mark.parametrize(("path", "handler"), ROUTES, ids=IDS)
async def test_unknown_query_is_refused_where_queries_are_read(world, path, handler):
    if path in ("/api/agent/toggle", "/api/agent/config", "/api/scanner/run"):
        method = sorted(WANTED[path])[-1]
        await world.refused(422, method, path + "?surprise=1", json={})


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/preview/BTC-USDT", None),
        ("GET", "/api/news?symbol=BTCUSDT", None),
        ("GET", "/api/data/trust", None),
        ("GET", "/api/data/trust?symbol=BTCUSDT", None),
        ("POST", "/api/scanner/run", {"symbols": ["BTCUSDT"]}),
        ("POST", "/api/scanner/run", {}),
        ("POST", "/api/signals/score", {"symbol": "BTCUSDT", "timeframe": "1h"}),
        ("POST", "/api/agent/subscribe", {"symbols": ["BTCUSDT"]}),
    ],
)
async def test_before_an_exchange_says_what_it_trades_everybody_is_asked_to_wait(
    world, method, path, body
):
    world.services.symbols, world.services.market = (), None
    more = {} if body is None else {"json": body}
    problem = await world.refused(503, method, path, **more)
    assert problem["code"] == "warming_up"


@pytest.mark.parametrize(
    "path", ["/health", "/health/live", "/api/agent/status", "/api/agent/config", "/api/metrics",
             "/metrics", "/api/data/notes", "/api/config/weights"],
)
async def test_what_needs_no_symbols_is_answered_before_there_are_any(world, path):
    world.services.symbols, world.services.market = (), None
    assert (await world.call("GET", path))[0] == 200
