"""An edge: one of several processes that serve clients.

It serves the stream itself, out of the bus, and passes everything else on to the agent's process.
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import structlog
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import Router
from tornado.web import Application

from app.api.broadcast import Realtime
from app.api.limits import Limits
from app.api.realtime import RealtimeHandler
from app.auth.headers import SecureAnswers
from app.auth.origins import is_forwarded
from app.auth.roles import Caller, Role
from app.edge.forwarding import Forwarding
from app.edge.proxy import Proxy
from app.edge.source import BusSource, Unavailable
from app.edge.tap import Tap
from app.edge.upstream import Upstream, away
from opportunity.config import Settings

logger = structlog.get_logger(__name__)

STREAM: Final = "/ws/realtime"
MAX_HEADER: Final = 128 * 1024
MAX_BODY: Final = 8 << 20
IDLE_S: Final = 300.0
BODY_S: Final = 60.0
GRACE_S: Final = 4.0
"""For how long requests under way may take when the edge stops."""

AGAIN_S: Final = 1.0


class Edge:
    """Serves clients beside others like it.

    Parameters
    ----------
    settings : Settings
        With `edge_secret`, `workers` and, where there is a bus, `redis_url`.
    agent_url : str
        Where the agent's process is; '' while nobody knows. See `upstream.url`.
    tls : SSLContext, optional
        With which the public is served.
    """

    def __init__(
        self, settings: Settings, agent_url: str, tls: ssl.SSLContext | None = None
    ) -> None:
        loop = asyncio.get_running_loop()
        secret = settings.edge_secret.get_secret_value()
        limits = Limits.of(settings)
        share = -(-limits.max_connections // settings.workers)
        self.upstream = Upstream(
            agent_url, Forwarding(secret, settings.trusted_proxies), loop.time
        )
        self.source = BusSource(self.upstream, limits.n_events, self._send_away)
        self.realtime = Realtime(self.source, replace(limits, max_connections=share))
        self.tap = Tap(self.source, self.upstream, settings.redis_url, secret, self._ended)
        self.proxy = Proxy(self.upstream)
        application = Application(
            [(STREAM, EdgeRealtimeHandler, {"edge": self})],
            transforms=[SecureAnswers], log_function=_silent,
        )  # fmt: skip
        self._server = HTTPServer(
            _Ways(application, self.proxy), max_header_size=MAX_HEADER, max_body_size=MAX_BODY,
            body_timeout=BODY_S, idle_connection_timeout=IDLE_S, ssl_options=tls,
        )  # fmt: skip
        self._running: set[asyncio.Future[None]] = set()
        self.failed = asyncio.Event()
        """Set when a part of it has ended that never should: better to start anew."""

    def start(self, sockets: Sequence[socket.socket]) -> None:
        """Begin to serve on listening sockets."""
        self._run(self.tap.run())
        self._run(self._count())
        self._server.add_sockets(sockets)

    async def close(self) -> None:
        """Take no new connection, send the stream's clients away, let requests come to an end."""
        self._server.stop()
        await self.realtime.close()
        await self.proxy.close(GRACE_S)
        for one in tuple(self._running):
            one.cancel()
        if self._running:
            await asyncio.wait(self._running)
        await self._server.close_all_connections()
        await self.upstream.close()

    def _run(self, work: Any) -> None:
        made: asyncio.Future[None] = asyncio.ensure_future(work)
        self._running.add(made)
        made.add_done_callback(self._finished)

    def _finished(self, done: "asyncio.Future[None]") -> None:
        self._running.discard(done)
        error = None if done.cancelled() else done.exception()
        if error is not None:
            logger.error("edge failed", exc_info=error)
            self.failed.set()

    async def _count(self) -> None:
        while True:
            self.upstream.n_connections = len(self.realtime.clients)
            await asyncio.sleep(AGAIN_S)

    def _ended(self, who: str) -> None:
        if who:
            self.upstream.forget(who)
            self.realtime.revoked(who)
        else:
            self.upstream.forget_all()
            self._run(self._look_again())

    async def _look_again(self) -> None:
        """Ask whether those who are connected may still be, until there is an answer."""
        while True:
            callers = {client.caller for client in self.realtime.clients if client.caller.token}
            try:
                ended = await self.upstream.held(callers) if callers else []
            except Unavailable:
                await asyncio.sleep(AGAIN_S)
                continue
            for token in ended:
                self.realtime.revoked(token)
            return

    def _send_away(self) -> None:
        """Have all clients come back and start anew."""
        logger.warning("stream starts anew", clients=len(self.realtime.clients))
        for client in tuple(self.realtime.clients):
            client.close(1012, "stream starts anew")


def _silent(handler: Any) -> None:
    """Say nothing per request: errors are logged where they are handled."""


class _Ways(Router):
    """Which request is served here, and which is passed on."""

    def __init__(self, application: Application, proxy: Proxy) -> None:
        self._application, self._proxy = application, proxy

    def find_handler(
        self, request: HTTPServerRequest, **kwargs: Any
    ) -> HTTPMessageDelegate | None:
        """Return what takes a request in."""
        if request.path == STREAM:
            return self._application.find_handler(request, **kwargs)
        return self._proxy.carry(request)


class EdgeRealtimeHandler(RealtimeHandler):
    """The stream of an edge: the agent's process says who may open it, the bus brings it."""

    def initialize(self, edge: Edge) -> None:  # type: ignore[override]  # no services here
        """Take what the route was made with."""
        self.edge = edge

    async def prepare(self) -> None:  # type: ignore[override]  # it has to ask
        """Refuse strangers, in the words of the agent's process."""
        edge = self.edge
        self.realtime = edge.realtime
        if not edge.source.ready:
            raise away()
        told = await edge.upstream.caller(self.request)
        self.caller = Caller(
            told.name, Role[told.role.upper()], told.how,  # type: ignore[arg-type]  # one of How
            told.expires, told.token,
        )  # fmt: skip
        near = told.address in ("127.0.0.1", "::1") and not is_forwarded(self.request)
        self._whence = "" if near else told.address

    def whence(self) -> str:
        """Return the address of the caller; '' for this machine."""
        return self._whence


