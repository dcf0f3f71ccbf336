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
from app.api.base import NotFound
from app.api.broadcast import Realtime
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


def routes(services: Services) -> list[Route]:
    """Return the routes of all endpoints, for an `Application` or as `extra_patterns`."""
    given = {"services": services}
    found = [(path, handler, given) for module in ENDPOINTS for path, handler in module.routes]
    return [*found, (OURS, NotFound, given)]


def install(application: Application, services: Services) -> Realtime:
    """Set up what belongs to the application as a whole; call once, on its loop.

    What no route answers becomes a 404 with problem details, and the stream begins to read the
    hub. Await the result's `close()` before the server stops.
    """
    application.settings["default_handler_class"] = NotFound
    application.settings["default_handler_args"] = {"services": services}
    return Realtime.of(application, services)
