"""One process, two loops: the server's (Tornado, Panel) and the agent's, on its own thread."""

import asyncio
import ctypes
import gc
import secrets
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from tornado.netutil import bind_sockets

from app.auth.origins import Origins
from app.auth.tls import tls_context
from app.feed import make_feed
from app.logs import configure_logs
from app.names import state_name, symbols_key, time_key, universe_key
from app.services import Services
from app.universe import Choice
from opportunity.config import Settings, SettingsError
from opportunity.errors import OpportunityError
from opportunity.feeds.base import Feed
from opportunity.feeds.clock import wall_ms
from opportunity.market.timeframe import timeframe
from opportunity.storage.books import PAPER, Book
from opportunity.storage.database import open_database
from opportunity.storage.lease import LeaseTaken
from opportunity.storage.repositories import Memory

logger = structlog.get_logger(__name__)

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # of glibc's malloc.h

EVERYWHERE = ("", "0.0.0.0", "::")

SWITCH_S = 0.001
"""How long a Python thread may keep the GIL: the agent's thread waits at most this long for the
page that is being built (5 ms by default)."""


async def serve(
    settings: Settings, on_ready: Callable[[int], None] | None = None,
    listening: socket.socket | None = None,
) -> int:
    """Serve until SIGINT or SIGTERM.

    Parameters
    ----------
    settings : Settings
        Where to listen, what to watch.
    on_ready : callable, optional
        Called with the port once pages are served.
    listening : socket, optional
        Serve this one, which is bound to the settings' host and port, instead of binding one.

    Raises
    ------
    SettingsError
        If a setting names what is not there.
    OpportunityError
        If the port is taken, or the feed has nothing for the agent.
    """
    _check_address(settings, bind=listening is None)
    configure_logs(settings.log_level, settings.log_format)
    sys.setswitchinterval(SWITCH_S)
    steady_allocator()
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    _obey(loop, stop)
    memory = Memory(open_database(settings.database, settings.home / "backups"), wall_ms)
    try:
        services = Services(settings, _feed(settings, memory), memory, loop)
    except LeaseTaken:
        memory.close()
        raise
    warming = asyncio.ensure_future(services.start())
    try:
        server = _listen(settings, services, listening)
        logger.info("page served", address=_address(settings, server.port))
        _obey(loop, stop)  # again: Panel takes SIGINT for itself
        try:
            await _either(warming, stop)
            if not stop.is_set():
                quiet_collector()
                _announce(settings, services, server.port)
                if on_ready is not None:
                    on_ready(server.port)
                await stop.wait()
        finally:
            await server.close()
    finally:
        warming.cancel()
        await asyncio.wait([warming])
        await services.stop()
        if services.session is not None and services.session.is_dir():
            sys.stdout.write("verify with: opportunity verify\n")
            sys.stdout.flush()
    return 0


def _check_address(settings: Settings, bind: bool) -> None:
    """Refuse an address, certificate or origin before the agent begins to warm up for it."""
    tls_context(settings)
    Origins(settings)
    if not bind:
        return
    try:
        for tried in bind_sockets(settings.port, settings.host):
            tried.close()
    except OSError as error:
        raise OpportunityError(
            f"port must be free on {settings.host}, was {settings.port} ({error.strerror}; "
            "or --port 0 for a free one)"
        ) from error


def _feed(settings: Settings, memory: Memory) -> Feed:
    """Make the feed, and see that nothing in the settings is wrong: the agent starts after."""
    stored = memory.settings.read()
    book = memory.ledger(state_name(settings)).read_book(PAPER)
    try:
        for name in settings.timeframes:
            timeframe(name)
        return make_feed(
            settings, resume_time(stored.get(time_key(settings.feed)), book), wall_ms(),
            stored.get(symbols_key(settings), ()),
            Choice.of(memory.turned.read(universe_key(settings)).values),
            () if book is None else tuple(book.positions),
        )
    except ValueError as error:
        memory.close()
        raise SettingsError(str(error)) from error


def resume_time(kept: int | None, book: Book | None) -> int | None:
    """Return where a feed goes on that has a time of its own, ms UTC; None at the first start.

    A crash may have come after bars that are in the account, and before their time was kept.
    """
    known = [time for time in (kept, None if book is None else book.time) if time is not None]
    return max(known, default=None)


def _obey(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)


async def _either(warming: asyncio.Future[None], stop: asyncio.Event) -> None:
    """Wait until the agent is warm or somebody has had enough."""
    stopping = asyncio.ensure_future(stop.wait())
    both: list[asyncio.Future[Any]] = [warming, stopping]
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if warming.done():
            warming.result()
    finally:
        stopping.cancel()


def _announce(settings: Settings, services: Services, port: int) -> None:
    if settings.login_required:  # before the line that says that all is ready
        _announce_login(settings, services, port)
    sys.stdout.write(
        f"opportunity {services.version}: {len(services.symbols)} symbols, "
        f"{services.source} market, at {_address(settings, port)}\n"
    )
    if services.session is not None:
        sys.stdout.write(f"recording to {services.session}\n")
    sys.stdout.flush()


def _announce_login(settings: Settings, services: Services, port: int) -> None:
    """Say who may come in; the link of the first start goes to the terminal, never to a log."""
    sys.stdout.write("everybody must log in\n")
    if not settings.loopback and settings.tls_cert is None and not settings.trusted_proxies:
        sys.stdout.write(
            f"WARNING: others can reach {settings.host} and nothing is encrypted: passwords and "
            "tokens travel in the clear. Give --tls-cert and --tls-key, or listen on loopback "
            "behind a proxy that does it.\n"
        )
        logger.warning("reachable without TLS", host=settings.host)
    token = services.accounts.first_link()
    if token is not None:
        sys.stdout.write(
            "no user has a password yet; within 15 minutes, once, this sets the first one:\n"
            f"  {_address(settings, port)}/login?token={token}\n"
        )


def _address(settings: Settings, port: int) -> str:
    host = "127.0.0.1" if settings.host in EVERYWHERE else settings.host
    host = f"[{host}]" if ":" in host else host
    return f"http{'s' if settings.tls_cert else ''}://{host}:{port}"


def _listen(settings: Settings, services: Services, listening: socket.socket | None) -> Any:
    # Imported here, while the agent's thread warms up: Panel takes two seconds to import.
    from app.site import Site

    return Site(settings, services, secrets.token_urlsafe(32), listening)


def quiet_collector() -> None:
    """Leave what the start-up made out of every later collection: a full one stalls both loops."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def steady_allocator() -> None:
    """Keep the gaps between what is allocated few, over weeks: call it before threads begin.

    glibc gives each thread a heap of its own, and takes ever larger pieces out of them instead
    of asking the system for them; neither comes back. Elsewhere nothing is done.
    """
    with suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_ARENA_MAX, 2)
        libc.mallopt(M_MMAP_THRESHOLD, 1 << 20)
