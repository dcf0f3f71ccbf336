"""REST and WebSocket: one module a resource, each ending in its `routes`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tornado.web import Application, RequestHandler

    from app.api.base import Checked
    from app.api.broadcast import Realtime
    from app.auth.gate import Gate
    from app.services import Services

    Route = tuple[str, type[RequestHandler], dict[str, Any]]

ENDPOINTS: Final = (
    "health",
    "agent",
    "scanner",
    "scanned",
    "signals",
    "signal_lists",
    "market",
    "analysis",
    "mood",
    "news",
    "preview",
    "notes",
    "data",
    "decisions",
    "journal",
    "weights",
    "presets",
    "promote",
    "shadows",
    "backtest",
    "metrics",
    "system",
    "portfolio",
    "pnl",
    "exports",
    "audit",
    "risk",
    "sizes",
    "watchlists",
    "universe",
    "notifications",
    "price_alerts",
    "login",
    "users",
    "tokens",
    "docs",
    "stream",
    "realtime",
)
"""Modules of this package, by name: they are imported when a server is made and not before, so
that a process that only passes the stream on need not load what they stand on."""

OURS: Final = r"/(?:api|health|metrics)(?:/.*)?|/ws/.+"
"""Paths below which nothing else answers, so that even their 404 is ours (`/ws` is Bokeh's)."""


def resources() -> "list[tuple[str, type[Checked]]]":
    """Return all paths, e.g. ``/api/shadows/{name}``, with the handlers behind them.

    Raises
    ------
    TypeError
        If a handler has a method that nobody said who may use, or places without a contract.
    """
    from app.api.operations import check_places

    modules = [import_module(f"app.api.{name}") for name in ENDPOINTS]
    found = [resource for module in modules for resource in module.routes]
    for path, handler in found:
        check_places(path, handler)
    return found


def routes(services: "Services", gate: "Gate | None" = None) -> "list[Route]":
    """Return the routes of all endpoints, for an `Application` or as `extra_patterns`."""
    from app.api.base import NotFound
    from app.api.operations import pattern_of
    from app.auth.gate import Gate

    given = {"services": services, "gate": gate or Gate.of(services)}
    found: list[Route] = [(pattern_of(path), handler, given) for path, handler in resources()]
    return [*found, (OURS, NotFound, given)]


def install(
    application: "Application", services: "Services", gate: "Gate | None" = None
) -> "Realtime":
    """Set up what belongs to the application as a whole; call once, on its loop.

    What no route answers becomes a 404 with problem details, and the stream begins to read the
    hub. Await the result's `close()` before the server stops.
    """
    from tornado.httputil import ParseBodyConfig, ParseMultipartConfig, set_parse_body_config

    from app.api.base import NotFound
    from app.api.broadcast import Realtime
    from app.auth.gate import Gate
    from app.auth.headers import SecureAnswers
    from app.observing.observing import Observing
    from app.observing.paths import Paths

    application.add_transform(SecureAnswers)
    set_parse_body_config(ParseBodyConfig(multipart=ParseMultipartConfig(enabled=False)))
    application.settings["default_handler_class"] = NotFound
    application.settings["default_handler_args"] = {
        "services": services, "gate": gate or Gate.of(services),
    }
    realtime = Realtime.of(application, services)
    Observing.install(application, services, realtime, Paths(resources()))
    return realtime
