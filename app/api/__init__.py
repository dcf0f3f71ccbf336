"""REST and WebSocket: one module a resource, each ending in its `routes`."""

from types import ModuleType
from typing import Any, Final

from tornado.web import Application, RequestHandler

from app.api import (
    agent,
    audit,
    backtest,
    data,
    decisions,
    health,
    journal,
    metrics,
    news,
    notes,
    notifications,
    portfolio,
    presets,
    preview,
    price_alerts,
    promote,
    realtime,
    risk,
    scanner,
    shadows,
    signals,
    sizes,
    universe,
    watchlists,
    weights,
)
from app.api.base import Checked, NotFound
from app.api.broadcast import Realtime
from app.api.operations import operations_of, pattern_of
from app.auth.gate import Gate
from app.services import Services

ENDPOINTS: Final[tuple[ModuleType, ...]] = (
    health,
    agent,
    scanner,
    signals,
    news,
    preview,
    notes,
    data,
    decisions,
    journal,
    weights,
    presets,
    promote,
    shadows,
    backtest,
    metrics,
    portfolio,
    audit,
    risk,
    sizes,
    watchlists,
    universe,
    notifications,
    price_alerts,
    realtime,
)

OURS: Final = r"/(?:api|health|metrics)(?:/.*)?|/ws/.+"
"""Paths below which nothing else answers, so that even their 404 is ours (`/ws` is Bokeh's)."""

Route = tuple[str, type[RequestHandler], dict[str, Any]]


def resources() -> list[tuple[str, type[Checked]]]:
    """Return all paths, e.g. ``/api/shadows/{name}``, with the handlers behind them.

    Raises
    ------
    TypeError
        If a handler has a method that nobody said who may use.
    """
    found = [resource for module in ENDPOINTS for resource in module.routes]
    for _, handler in found:
        list(operations_of(handler))
    return found


def routes(services: Services, gate: Gate | None = None) -> list[Route]:
    """Return the routes of all endpoints, for an `Application` or as `extra_patterns`."""
    given = {"services": services, "gate": gate or Gate(services.settings)}
    found: list[Route] = [(pattern_of(path), handler, given) for path, handler in resources()]
    return [*found, (OURS, NotFound, given)]


def install(
    application: Application, services: Services, gate: Gate | None = None
) -> Realtime:
    """Set up what belongs to the application as a whole; call once, on its loop.

    What no route answers becomes a 404 with problem details, and the stream begins to read the
    hub. Await the result's `close()` before the server stops.
    """
    application.settings["default_handler_class"] = NotFound
    application.settings["default_handler_args"] = {
        "services": services, "gate": gate or Gate(services.settings),
    }
    return Realtime.of(application, services)
