"""For tests of lines: a sink that remembers, ccxt objects on strings, a local market."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.exchange.server import LocalExchange
from opportunity.feeds.clock import Clock
from opportunity.feeds.exchange.lines.line import LineSettings
from opportunity.feeds.exchange.lines.lines import Lines
from opportunity.feeds.exchange.records import Frame
from opportunity.feeds.exchange.venue.venue import Venue
from opportunity.market.observations import OrderBook, Trades

START = 1_748_865_600_000
HURRY = LineSettings(
    silence_s=0.8, longest_silence_s=2.0, recycle_s=60.0, first_s=0.05, longest_s=0.4
)


class Heard:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.connects: list[list[int]] = []
        self.losses: list[str] = []
        self.blocks: list[Trades] = []
        self.books: list[OrderBook] = []
        self._news = asyncio.Event()

    def frame(self, frame: Frame) -> None:
        self.frames.append(frame)
        self._news.set()

    def connected(self, rows: NDArray[np.int64]) -> None:
        self.connects.append(rows.tolist())
        self._news.set()

    def lost(self, rows: NDArray[np.int64], why: str) -> None:
        self.losses.append(why)
        self._news.set()

    def prints(self, trades: Trades) -> None:
        self.blocks.append(trades)
        self._news.set()

    def book(self, book: OrderBook) -> None:
        self.books.append(book)
        self._news.set()

    async def until(self, true: Callable[[], bool], within_s: float = 8.0) -> None:
        """Wait until something that was heard makes a condition true."""
        async with asyncio.timeout(within_s):
            while not true():
                self._news.clear()
                try:
                    await asyncio.wait_for(self._news.wait(), 0.1)
                except TimeoutError:
                    continue

    def closed(self) -> set[tuple[int, int]]:
        """Return row and opening time of all bars that were said to be closed."""
        return {(f.row, f.time) for f in self.frames if f.closed}


@asynccontextmanager
async def local(n: int = 3, speed: float = 480.0) -> AsyncIterator[tuple[LocalExchange, Venue]]:
    """Run a local exchange, and a venue that is open on it."""
    exchange = LocalExchange(n, speed=speed, start_ms=START)
    await exchange.start()
    try:
        venue = Venue("binance", url=exchange.url, wall_ms=exchange.now, rate=False, timeout_s=3.0)
        await venue.open()
        try:
            yield exchange, venue
        finally:
            await venue.close()
    finally:
        await exchange.stop()


@asynccontextmanager
async def running(lines: Lines) -> AsyncIterator[Lines]:
    """Run lines, and see to it that they leave nothing behind."""
    before = asyncio.all_tasks()
    async with asyncio.TaskGroup() as group:
        group.create_task(lines.run())
        try:
            yield lines
        finally:
            await lines.close()
    left = {t for t in asyncio.all_tasks() - before if not _serves(t)}
    if left:  # ccxt's own, on their way out
        await asyncio.wait(left, timeout=3.0)
    assert not [t for t in left if not t.done()]


def _serves(task: "asyncio.Task[Any]") -> bool:
    code: Any = getattr(task.get_coro(), "cr_code", None)
    return code is not None and "tornado" in code.co_filename


@dataclass
class ListedMarket:
    id: str


class NetworkError(Exception):
    """Named as ccxt's."""


class BadSymbol(Exception):
    """Named as ccxt's."""


class InvalidNonce(NetworkError):
    """Named as ccxt's."""


Step = Callable[[], Awaitable[Any]] | Exception | list[Any]


class Puppet:
    """What `Venue.stream` gives, on strings."""

    timeframes: Mapping[str, str] = {"1m": "1m"}

    def __init__(self, hooks: tuple[Any, Any, Any], script: "Script") -> None:
        self.on_message, self.on_connected, self.on_closed = hooks
        self.script = script
        self.clients: dict[str, Any] = {}
        self.orderbooks: dict[str, Any] = {}
        self.asked: list[tuple[str, ...]] = []
        self.closed = False

    async def _next(self, symbols: Sequence[str]) -> Any:
        self.asked.append(tuple(symbols))
        self.script.news.set()
        step = self.script.next(symbols)
        if step is None:
            return await asyncio.get_running_loop().create_future()
        if isinstance(step, Exception):
            raise step
        return await step() if callable(step) else step

    async def watch_ohlcv(self, symbol: str, timeframe: str) -> Any:
        return await self._next([symbol])

    async def watch_ohlcv_for_symbols(self, pairs: list[list[str]]) -> Any:
        return await self._next([p[0] for p in pairs])

    async def watch_trades(self, symbol: str) -> Any:
        return await self._next([symbol])

    async def watch_trades_for_symbols(self, symbols: list[str], *_: Any) -> Any:
        return await self._next(symbols)

    async def watch_order_book_for_symbols(self, symbols: list[str], limit: int | None) -> Any:
        return await self._next(symbols)

    def kline(self, market: str, time: int, closed: bool = False) -> bool:
        """Give a bar as binance does; return whether it was taken before ccxt."""
        k = {"t": time, "s": market, "i": "1m", "o": "1", "h": "3", "l": "0.5", "c": "2",
             "v": "5", "x": closed}  # fmt: skip
        return bool(self.on_message(None, {"e": "kline", "s": market, "k": k}))

    async def close(self) -> None:
        await asyncio.sleep(0)
        self.closed = True


@dataclass
class Script:
    """What each watch of a symbol does in turn; nothing left: it waits for ever."""

    steps: dict[str, list[Step]] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def next(self, symbols: Sequence[str]) -> Step | None:
        left = self.steps.get(symbols[0], [])
        return left.pop(0) if left else None


class PuppetVenue:
    """A venue without a network."""

    def __init__(
        self,
        symbols: Sequence[str],
        name: str = "binance",
        speed: float = 1.0,
        lacks: Sequence[str] = (),
    ) -> None:
        self.name, self.stamp, self.lacks = name, "testing", set(lacks)
        self.clock = Clock(START, speed)
        self.markets = {s: ListedMarket(s.replace("/", "")) for s in symbols}
        self.script = Script()
        self.streams: list[Puppet] = []
        self.dials = 0
        self.refusals: list[Exception] = []
        self.book_answers: list[OrderBook | Exception] = []
        self.books_asked: list[str] = []

    def has(self, what: str) -> bool:
        return what not in self.lacks

    async def may_connect(self) -> None:
        self.dials += 1
        if self.refusals:
            raise self.refusals.pop(0)

    def stream(
        self, on_message: Any = None, on_connected: Any = None, on_closed: Any = None
    ) -> Any:
        made = Puppet((on_message, on_connected, on_closed), self.script)
        self.streams.append(made)
        self.script.news.set()
        return made

    async def book(self, symbol: str, depth: int) -> OrderBook:
        self.books_asked.append(symbol)
        self.script.news.set()
        answer = self.book_answers.pop(0) if self.book_answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer or OrderBook(START, START, "testing", symbol, ((1.0, 1.0),), ((2.0, 1.0),))

    async def until(self, true: Callable[[], bool], within_s: float = 5.0) -> None:
        """Wait until something that was asked of the venue makes a condition true."""
        async with asyncio.timeout(within_s):
            while not true():
                self.script.news.clear()
                try:
                    await asyncio.wait_for(self.script.news.wait(), 0.02)
                except TimeoutError:
                    continue
