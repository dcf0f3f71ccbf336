"""`serve --workers N`: one process with the agent, N edges before it, and who keeps them alive.

The supervisor serves nobody itself. It starts the others, starts again whoever dies, tells the
edges where the agent is, and at the end stops the edges first, so that requests under way still
find an agent.
"""

import asyncio
import os
import secrets
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final

import aiohttp
import structlog

from app.auth.origins import Origins
from app.auth.tls import tls_context
from app.edge.child import Order
from app.edge.forwarding import MARK
from app.edge.process import Process
from opportunity.config import Settings, SettingsError
from opportunity.errors import OpportunityError

logger = structlog.get_logger(__name__)

AGAIN_S: Final = (0.2, 10.0)
STABLE_S: Final = 20.0
"""Who lived so long is started again at once."""

EDGE_STOP_S: Final = 6.0
AGENT_STOP_S: Final = 8.0
LOOK_S: Final = 0.1
BACKLOG: Final = 128
"""Connections to the agent's process that wait, as Tornado has it."""
SECRET: Final = "OPPORTUNITY_EDGE_SECRET"
OWN_TLS: Final = ("OPPORTUNITY_TLS_CERT", "OPPORTUNITY_TLS_KEY")


def check(settings: Settings) -> None:
    """Refuse settings with which several processes cannot work.

    Raises
    ------
    SettingsError
        Without a bus for several processes of one host, or a secret for further hosts; or if a
        certificate or an origin is wrong.
    """
    tls_context(settings)
    Origins(settings)
    if not settings.redis_url and not settings.agent_url:
        raise SettingsError("redis_url must be set for workers > 1, was empty")
    if settings.agent_url and not settings.edge_secret.get_secret_value():
        raise SettingsError(
            "edge_secret must be set with agent_url, the same as on the agent's host, was empty"
        )


class Supervisor:
    """Keeps the processes of one host alive.

    Parameters
    ----------
    settings : Settings
    flags : mapping
        Of the command line; children read them, and the same environment.
    """

    def __init__(self, settings: Settings, flags: Mapping[str, Any]) -> None:
        check(settings)
        self._settings, self._flags = settings, dict(flags)
        self._secret = settings.edge_secret.get_secret_value() or secrets.token_urlsafe(32)
        self._held, self.port = _hold(settings.host, settings.port)
        self._inner: socket.socket | None = None
        self._agent_url = settings.agent_url.rstrip("/")
        self._reached = self._agent_url
        self.agent: Process | None = None
        self.edges: list[Process] = []
        self._stopping = False

    async def run(self, stop: asyncio.Event) -> int:
        """Serve until `stop` is set; return the exit code."""
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        keepers = [asyncio.ensure_future(self._keep_edge(i)) for i in range(self._settings.workers)]
        if not self._agent_url:
            self._inner = _listen_inside()
            keepers.append(asyncio.ensure_future(self._keep_agent(self._inner, ended)))
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait((ended, stopping), return_when=asyncio.FIRST_COMPLETED)
            return int(ended.result()) if ended.done() else 0
        finally:
            self._stopping = True
            stopping.cancel()
            for one in keepers:
                one.cancel()
            await asyncio.wait([*keepers, stopping])
            await self._stop()

    # -- the agent ---------------------------------------------------------------------------

    async def _keep_agent(self, inner: socket.socket, ended: "asyncio.Future[int]") -> None:
        """Start the agent's process again whenever it dies; one that never began ends all.

        All of them serve the same socket, which is ours: nobody else ever gets its port, and
        with that what edges and callers send there.
        """
        wait_s, began = AGAIN_S[0], False
        port = int(inner.getsockname()[1])
        url = f"http://127.0.0.1:{port}"
        order = Order("agent", self._agent_flags(port), listening=inner.fileno())
        while True:
            self.agent = Process(order, self._environment(False))
            await self.agent.start(partial(self._print, url))
            born = asyncio.get_running_loop().time()
            if await self._comes_up(self.agent, url):
                began = True
                self._tell(url)
                await self.agent.wait()
            code = await self.agent.wait()
            self._tell("")
            if not began or code == 0:
                ended.set_result(code if code >= 0 else 1)
                return
            logger.error("agent's process died", code=code)
            wait_s = self._next_wait(born, wait_s)
            await asyncio.sleep(wait_s)

    async def _comes_up(self, agent: Process, url: str) -> bool:
        """Wait until it answers; False when it died before."""
        async with aiohttp.ClientSession(headers={MARK: self._secret}) as http:
            while agent.alive:
                with suppress(aiohttp.ClientError, OSError, TimeoutError):
                    async with http.get(
                        f"{url}/health/live", timeout=aiohttp.ClientTimeout(total=2)
                    ) as answer:
                        if answer.status == 200:
                            return True
                await asyncio.sleep(LOOK_S)
        return False

    def _tell(self, url: str) -> None:
        self._reached = url
        for edge in self.edges:
            edge.tell(url)

    def _print(self, url: str, line: bytes) -> None:
        """Pass on what the agent's process says, with the address that the public knows."""
        public = self.address.encode()
        sys.stdout.buffer.write(line.replace(url.encode(), public))
        sys.stdout.buffer.flush()

    @property
    def address(self) -> str:
        """Where the public finds the server."""
        host = self._settings.host
        scheme = "http" if self._settings.tls_cert is None else "https"
        return f"{scheme}://{_name(host)}:{self.port}"

    # -- the edges ---------------------------------------------------------------------------

    async def _keep_edge(self, place: int) -> None:
        """Start an edge again whenever it dies."""
        wait_s = AGAIN_S[0]
        while True:
            flags = {**self._flags, "port": self.port, "workers": self._settings.workers}
            edge = Process(Order("edge", flags, self._reached), self._environment(True))
            born = asyncio.get_running_loop().time()
            await edge.start(None)
            self.edges.append(edge)
            if edge.told != self._reached:
                edge.tell(self._reached)
            code = await edge.wait()
            self.edges.remove(edge)
            logger.error("edge died", place=place, code=code)
            wait_s = self._next_wait(born, wait_s)
            await asyncio.sleep(wait_s)

    # -- both --------------------------------------------------------------------------------

    def _agent_flags(self, port: int) -> dict[str, Any]:
        settings = self._settings
        names = {"localhost", "127.0.0.1", "[::1]", _name(settings.host)}
        scheme = self.address.partition(":")[0]
        origins = {f"{scheme}://{name}:{self.port}" for name in names} | set(settings.origins)
        return {
            **{k: v for k, v in self._flags.items() if k not in ("tls_cert", "tls_key")},
            "host": "127.0.0.1", "port": port, "workers": max(2, settings.workers), "auth": True,
            "origins": ",".join(sorted(origins)),
        }  # fmt: skip

    def _environment(self, public: bool) -> dict[str, str]:
        given = dict(os.environ) | {SECRET: self._secret}
        if not public:
            for name in OWN_TLS:
                given.pop(name, None)
        return given

    @staticmethod
    def _next_wait(born: float, wait_s: float) -> float:
        lived = asyncio.get_running_loop().time() - born
        return AGAIN_S[0] if lived > STABLE_S else min(2 * wait_s, AGAIN_S[1])

    async def _stop(self) -> None:
        """Stop the edges, then the agent; kill who does not obey."""
        await asyncio.gather(*(edge.stop(EDGE_STOP_S) for edge in tuple(self.edges)))
        if self.agent is not None:
            await self.agent.stop(AGENT_STOP_S)
        for one in (self._held, self._inner):
            if one is not None:
                one.close()


async def supervise(settings: Settings, flags: Mapping[str, Any]) -> int:
    """Serve with several processes until SIGINT or SIGTERM; see `Supervisor` for errors."""
    from app.logs import configure_logs

    configure_logs(settings.log_level, settings.log_format)
    if not settings.loopback and settings.tls_cert is None and not settings.trusted_proxies:
        logger.warning("reachable without TLS", host=settings.host)
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return await Supervisor(settings, flags).run(stop)


def _hold(host: str, port: int) -> tuple[socket.socket, int]:
    """Bind, and never listen: the port stays ours while edges come and go.

    Raises
    ------
    OpportunityError
        If somebody else has it.
    """
    place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    try:
        if port:  # alone, for others that share their port would let us share it, too
            with socket.socket(place[0], place[1]) as tried:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind(place[4])
        held = socket.socket(place[0], place[1])
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(place[4])
        # Needed to bind beside lines that are closing; kept, it would let any user of this
        # machine bind and listen as long as no edge does.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    except OSError as error:
        raise OpportunityError(
            f"port must be free on {host}, was {port} ({error.strerror}; "
            "or --port 0 for a free one)"
        ) from error
    return held, int(held.getsockname()[1])


def _name(host: str) -> str:
    """Return how the public writes a host that is listened on."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}
    return everywhere.get(host, f"[{host}]" if ":" in host else host)


def _listen_inside() -> socket.socket:
    """Listen on a free port of loopback; what connects waits until an agent's process accepts."""
    made = socket.socket()
    made.bind(("127.0.0.1", 0))
    made.listen(BACKLOG)
    return made
