"""A process that the supervisor starts: `python -P -m app.edge.child`.

The first line on its standard input is an `Order`; further lines say where the agent's process is
now, and when the input ends the supervisor has gone, so the child goes, too. Once it serves, an
edge writes a line to its standard output.

The input is never read by a buffer: that would swallow lines behind the order, and Python aborts
when it ends while a thread waits in one.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from io import FileIO
from typing import Any, Final, Literal

import orjson
import structlog

from opportunity.config import Settings, load_settings

logger = structlog.get_logger(__name__)

READY: Final = b"ready\n"
SWITCH_S: Final = 0.001
MOST_READ: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Order:
    """What a child is told to be.

    Parameters
    ----------
    kind : str
    flags : dict
        Of the command line, as `load_settings` takes them; the environment is inherited.
    agent_url : str
        Where the agent's process is; '' while nobody knows.
    listening : int, optional
        Number of an inherited descriptor: the socket that it shall serve, bound already.
    """

    kind: Literal["agent", "edge"]
    flags: dict[str, Any] = field(default_factory=dict)
    agent_url: str = ""
    listening: int | None = None

    def line(self) -> bytes:
        """Return the order as a line."""
        return orjson.dumps(asdict(self)) + b"\n"


def whereabouts(agent_url: str) -> bytes:
    """Return the line that says where the agent's process is; '' for nowhere."""
    return orjson.dumps({"agent_url": agent_url}) + b"\n"


def main() -> int:
    """Be what the first line says, until told to stop."""
    with FileIO(sys.stdin.fileno(), closefd=False) as given:
        order = Order(**orjson.loads(given.readline()))
    settings = load_settings(order.flags)
    if order.kind == "agent":
        return _agent(settings, _inherited(order.listening))
    return asyncio.run(_edge(settings, order.agent_url))


def _inherited(number: int | None) -> socket.socket | None:
    """Return an inherited socket, which our own children do not get."""
    if number is None:
        return None
    found = socket.socket(fileno=number)
    found.set_inheritable(False)
    found.setblocking(False)
    return found


def _agent(settings: Settings, listening: socket.socket | None) -> int:
    import threading

    from app.commands.arguments import BAD_USAGE, complain
    from app.server import serve
    from opportunity.config import SettingsError
    from opportunity.errors import OpportunityError

    def watch() -> None:
        while os.read(sys.stdin.fileno(), MOST_READ):
            pass  # where the agent's process is, it knows
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
    try:
        return asyncio.run(serve(settings, listening=listening))
    except SettingsError as error:
        complain(str(error))
        return BAD_USAGE
    except OpportunityError as error:
        complain(str(error))
        return 1


async def _edge(settings: Settings, agent_url: str) -> int:
    from tornado.netutil import bind_sockets

    from app.auth.tls import tls_context
    from app.edge.worker import Edge
    from app.logs import configure_logs

    configure_logs(settings.log_level, settings.log_format)
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    edge = Edge(settings, agent_url, tls_context(settings))

    def told(line: bytes) -> None:
        edge.upstream.url = str(orjson.loads(line)["agent_url"]).rstrip("/")

    listening = asyncio.ensure_future(_lines(told, stop))
    try:
        edge.start(bind_sockets(settings.port, settings.host, reuse_port=True))
        sys.stdout.buffer.write(READY)
        sys.stdout.buffer.flush()
        await _either(stop, edge.failed)
    finally:
        listening.cancel()
        await edge.close()
    return int(edge.failed.is_set())


async def _either(*events: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(one.wait()) for one in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for one in waiting:
        one.cancel()


async def _lines(told: Callable[[bytes], None], stop: asyncio.Event) -> None:
    """Pass on what the supervisor says; stop when it says nothing ever more."""
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: protocol, sys.stdin.buffer
    )
    try:
        while line := await reader.readline():
            told(line)
        stop.set()
    finally:
        transport.close()


if __name__ == "__main__":
    sys.exit(main())
