"""The local exchange as a whole: start it, point ccxt at its address, stop it."""

import asyncio
import contextlib
import socket
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from tornado.httpserver import HTTPServer
from tornado.web import Application

from app.exchange.control import FaultsControl, StateControl
from app.exchange.core import Core
from app.exchange.endpoints import ENDPOINTS
from app.exchange.injector import Faults
from app.exchange.market import Market, SimulatedSource
from app.exchange.rest import Call, Nothing
from app.exchange.sockets import Hub, Socket
from app.exchange.streams import Streams
from opportunity.feeds.clock import Clock
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.market.timeframe import open_ms

HOST: Final = "127.0.0.1"


class LocalExchange:
    """An exchange on this machine that speaks Binance's public spot format.

    Parameters
    ----------
    market : int, iterable of str, SimulatedMarket or Market
        What is traded: so many coins of the simulated market, or these, or a market at hand.
    port : int
        Port on loopback; 0: a free one.
    speed : float
        The exchange's seconds a real second, in [0.1, 1e7].
    start_ms : int or None
        Its time at the start, ms UTC; None: what the market proposes.
    seed : int
        Of a simulated market that is made here.
    clock : Clock or None
        A clock to test with; `speed` and `start_ms` are then its own.

    Attributes
    ----------
    faults : Faults
        Orders to misbehave, and the record of what was done.

    Notes
    -----
    What it says is a pure function of (seed, symbol, time), changed only by the faults that
    were ordered. 200 symbols at 60x cost about a tenth of a core.
    """

    def __init__(
        self,
        market: int | Iterable[str] | SimulatedMarket | Market = 40,
        port: int = 0,
        speed: float = 60.0,
        start_ms: int | None = None,
        seed: int = 7,
        clock: Clock | None = None,
    ) -> None:
        self.market = _market(market, seed)
        self.clock = clock or Clock(self.market.start_ms if start_ms is None else start_ms, speed)
        self.core = Core(self.market, self.clock)
        self.hub = Hub(self.core)
        self._port = port
        self._server: HTTPServer | None = None
        self._streaming: asyncio.Future[None] | None = None

    @property
    def faults(self) -> Faults:
        """Orders to misbehave, and the record of what was done."""
        return self.core.faults

    @property
    def port(self) -> int:
        """The port that it listens on; 0 before the start unless one was chosen."""
        return self._port

    @property
    def url(self) -> str:
        """Its address for REST, e.g. ``http://127.0.0.1:9000``."""
        return f"http://{HOST}:{self._port}"

    @property
    def socket_url(self) -> str:
        """Its address for WebSockets."""
        return f"ws://{HOST}:{self._port}"

    def now(self) -> int:
        """Return its true time, ms UTC."""
        return self.clock.now()

    async def start(self) -> None:
        """Listen, and let time run; raises OSError when the port is taken."""
        if self._server is not None:
            return
        listening = socket.create_server((HOST, self._port))
        listening.setblocking(False)
        try:
            await asyncio.get_running_loop().run_in_executor(None, self._prepare)
        except BaseException:
            listening.close()
            raise
        self._port = listening.getsockname()[1]
        self._server = HTTPServer(self._application(), max_body_size=2**20)
        self._server.add_sockets([listening])
        self.clock.start()
        self._streaming = asyncio.ensure_future(Streams(self.core, self.hub).run())

    def _prepare(self) -> None:
        """Draw the first bars, which compiles the kernels when it is done for the first time."""
        now = self.clock.now()
        self.core.view.klines(0, self.market.base, now, None, None, 3)
        self.core.view.day(0, now)
        self.core.books.at(0, self.core.books.number(now))
        self.market.trades(0, open_ms(now, self.market.base))
        self.market.base_bars(open_ms(now, self.market.base))
        self.market.forming(np.arange(1), open_ms(now, self.market.base), now)

    def _application(self) -> Application:
        here: dict[str, Any] = {"core": self.core}
        plain, wrapped = ({"hub": self.hub, "plain": value} for value in (True, False))
        return Application(
            [
                *((path, Call, here) for path in ENDPOINTS),
                (r"/control/faults", FaultsControl, here),
                (r"/control/state", StateControl, here),
                (r"/(?:stream/)?ws(?:/(.*))?", Socket, plain),
                (r"/stream", Socket, wrapped),
            ],
            default_handler_class=Nothing,
            default_handler_args=here,
            log_function=_silent,
        )

    async def stop(self) -> None:
        """Cut all connections and stop to listen; may be called twice."""
        streaming, self._streaming = self._streaming, None
        if streaming is not None:
            streaming.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await streaming
        server, self._server = self._server, None
        if server is not None:
            server.stop()
            for line in list(self.hub.sockets):
                line.cut()
            await server.close_all_connections()
            self.market.close()

    async def __aenter__(self) -> "LocalExchange":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


def _market(wanted: int | Iterable[str] | SimulatedMarket | Market, seed: int) -> Market:
    if isinstance(wanted, Market):
        return wanted
    if isinstance(wanted, int | SimulatedMarket):
        return SimulatedSource(wanted, seed)
    return SimulatedSource(tuple(wanted), seed)


def _silent(_: object) -> None:
    """Write no line for each call."""
