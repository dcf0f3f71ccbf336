"""The site: pages, REST and WebSocket on one Tornado server."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import bokeh.server.server
import panel as pn

from app.api import install, resources, routes
from app.api.base import MAX_DRAIN
from app.api.hot import Hot
from app.api.hot_stream import put_before
from app.auth import login
from app.auth.doors import KEPT_COOKIES, KEPT_HEADERS, MAX_MESSAGE, Doors
from app.auth.gate import Gate
from app.auth.oauth import oauth_routes
from app.auth.tls import tls_context
from app.edge.outbound import Outbound
from app.logs import adopt_libraries
from app.observing.observing import Observing
from app.pages import PAGES
from app.services import Services
from opportunity.config import Settings

UNUSED_SESSION_MS: Final = 15_000
CHECK_SESSIONS_MS: Final = 5_000
MAX_HEADER: Final = 128 * 1024
"""Bytes of headers that are read at all; of more than `guard.MAX_HEADER_BYTES` we say so."""
IDLE_S: Final = 300.0
BODY_S: Final = 60.0
"""How long a connection may stay open unused, and take to send a body."""


class Site:
    """A running server.

    Parameters
    ----------
    settings : Settings
        Where to listen; port 0 takes a free one.
    services : Services
        What handlers and pages use.
    cookie_secret : str
        Signs the cookies of this run.
    listening : socket, optional
        Bound already, and listened on instead of one of our own; it is closed with the site.
    """

    def __init__(
        self, settings: Settings, services: Services, cookie_secret: str,
        listening: socket.socket | None = None,
    ) -> None:
        adopt_libraries()
        gate = Gate.of(services)
        with _bound(listening):
            self._server = self._make(settings, services, gate, cookie_secret)
        application = self._server._tornado
        self._doors = Doors(gate, services, cookie_secret)
        self._doors.close_off(application)
        self._realtime = install(application, services, gate)
        self._outbound = Outbound(application, services)
        if not settings.otlp_url:  # spans are made on the long way
            answered = Observing.of(application).instruments.answered
            put_before(self._server._http, Hot(services, gate, dict(resources()), answered))
        self._server.start()

    def _make(
        self, settings: Settings, services: Services, gate: Gate, cookie_secret: str
    ) -> Any:
        return pn.io.server.get_server(
            {page.PATH: _builder(page, services) for page in PAGES},
            port=settings.port,
            address=settings.host,
            start=False,
            show=False,
            title={page.PATH: page.TITLE for page in PAGES},
            extra_patterns=[*_forms(services, gate), *routes(services, gate)],
            cookie_secret=cookie_secret,
            secret_key=cookie_secret.encode(),
            sign_sessions=True,
            include_headers=KEPT_HEADERS,
            include_cookies=KEPT_COOKIES,
            websocket_max_message_size=MAX_MESSAGE,
            unused_session_lifetime_milliseconds=UNUSED_SESSION_MS,
            check_unused_sessions_milliseconds=CHECK_SESSIONS_MS,
            log_function=_silent,
            http_server_kwargs=_bounds(settings),
        )

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.port)

    async def close(self) -> None:
        """Take no new connection, tell WebSocket clients to come back later, close the rest."""
        self._server._http.stop()
        self._doors.close()
        await self._outbound.close()
        await self._realtime.close()
        await Observing.of(self._server._tornado).close()
        self._server.stop()
        await self._server._http.close_all_connections()


@contextmanager
def _bound(listening: socket.socket | None) -> Iterator[None]:
    """Let Bokeh, which only listens on what it binds itself, take a socket for what it binds."""
    module: Any = bokeh.server.server
    own = module.bind_sockets
    if listening is not None:
        port = listening.getsockname()[1]
        module.bind_sockets = lambda *_: ([listening], port)
    try:
        yield
    finally:
        module.bind_sockets = own


def _forms(services: Services, gate: Gate) -> list[Any]:
    given = {"services": services, "gate": gate}
    forms = [*login.routes, *oauth_routes(services.settings)]
    return [(path, handler, given) for path, handler in forms]


def _bounds(settings: Settings) -> dict[str, Any]:
    """Return what Tornado's server is told of sizes, times and TLS."""
    return {
        "max_header_size": MAX_HEADER, "max_body_size": MAX_DRAIN, "body_timeout": BODY_S,
        "idle_connection_timeout": IDLE_S, "ssl_options": tls_context(settings),
    }


def _builder(page: Any, services: Services) -> Any:
    def build() -> Any:
        return page.page(services)

    return build


def _silent(handler: Any) -> None:
    """Say nothing per request: errors are logged where they are handled."""
