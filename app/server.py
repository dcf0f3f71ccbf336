"""One process, two loops: the server's (Tornado, Panel) and the agent's, on its own thread."""

import asyncio
import gc
import secrets
import signal
import sys
from collections.abc import Callable
from typing import Any

import structlog
from tornado.netutil import bind_sockets

from app.feed import make_feed
from app.logs import configure_logs
from app.services import Services, time_key, wall_ms
from opportunity.config import Settings, SettingsError
from opportunity.storage.database import open_database
from opportunity.storage.repositories import Memory

logger = structlog.get_logger(__name__)

SWITCH_S = 0.001
"""How long a Python thread may keep the GIL: the agent's thread waits at most this long for the
page that is being built (5 ms by default)."""


async def serve(settings: Settings, on_ready: Callable[[int], None] | None = None) -> int:
    """Serve until SIGINT or SIGTERM.

    Parameters
    ----------
    settings : Settings
        Where to listen, what to watch.
    on_ready : callable, optional
        Called with the port once pages are served.

    Raises
    ------
    SettingsError
        If the address can be reached from outside, which needs a login, or is taken.
    """
    _check_address(settings)
    configure_logs(settings.log_level)
    sys.setswitchinterval(SWITCH_S)
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    _obey(loop, stop)
    memory = Memory(open_database(settings.database), wall_ms)
    resume = memory.settings.read().get(time_key(settings.feed))
    services = Services(settings, make_feed(settings, resume, wall_ms()), memory, loop)
    warming = asyncio.ensure_future(services.start())
    try:
        server = _listen(settings, services)
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
    return 0


def _check_address(settings: Settings) -> None:
    """Refuse an address before the agent begins to warm up for it."""
    if not settings.loopback:
        raise SettingsError(
            "host must be a loopback address as long as no login is set up, "
            f"was {settings.host!r}"
        )
    try:
        for tried in bind_sockets(settings.port, settings.host):
            tried.close()
    except OSError as error:
        raise SettingsError(
            f"port must be free on {settings.host}, was {settings.port} ({error.strerror})"
        ) from error


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
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    sys.stdout.write(
        f"opportunity {services.version}: {len(services.symbols)} symbols, "
        f"{services.source} market, at http://{host}:{port}\n"
    )
    sys.stdout.flush()


def _listen(settings: Settings, services: Services) -> Any:
    # Imported here, while the agent's thread warms up: Panel takes two seconds to import.
    from app.site import Site

    return Site(settings, services, secrets.token_urlsafe(32))


def quiet_collector() -> None:
    """Leave what the start-up made out of every later collection: a full one stalls both loops."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
