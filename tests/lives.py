"""A server's whole life in one process: a market by hand, a disk that fails, a death at any moment.

Everything is made of the product's own parts. What a test adds is around them: bars come when it
says so, the database fails when it says so, and a process "dies" by never again reaching its disk.
"""

import asyncio
import inspect
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import pysqlite3
import sqlalchemy as sa

from app.names import state_name
from app.services import Services
from opportunity.config import Settings
from opportunity.errors import OpportunityError
from opportunity.feeds.base import Closed, Corrected, Feed, pad
from opportunity.feeds.clock import Clock, wall_ms
from opportunity.market.bars import Bars
from opportunity.market.resample import resample
from opportunity.market.timeframe import DAY_MS, MINUTE_MS
from opportunity.storage.database import open_database
from opportunity.storage.engines import make_engine, parse_url
from opportunity.storage.ledger import Ledger
from opportunity.storage.repositories import Memory

QUARTER: Final = 15 * MINUTE_MS
START: Final = 1_700_000_000_000 // DAY_MS * DAY_MS
WARM: Final = 1_200
N_BARS: Final = 3_000
NAMES: Final = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT")
FRAMES: Final = ("15m", "1h")
WAIT_S: Final = 30.0
COUNTED: Final = ("bookkeeper", "server")
"""Threads whose statements come in the same order whenever the same is done."""

EAGER: Final = {
    "min_score": 0.5, "min_confidence": 0.0, "min_trust": 0.0, "max_disagreement": 1.0,
    "stop_atr": 1.0, "targets_r": [0.5, 1.0], "shares": [0.5, 0.5], "trail_atr": 1.0,
    "time_stop": 6,
}  # fmt: skip
"""Rules under which a walk that means nothing is traded all the time."""

T = TypeVar("T")


class Market:
    """Quarters of an hour of seeded walks, of which some never come and some come late.

    Attributes
    ----------
    next : int
        The first bar that nobody was given yet.
    missing, held : set of (row, bar)
        Bars that never come, and those that come later.
    released : list of (row, bar)
        Those that came later.
    corrected : dict of (row, bar) to ndarray
        Bars as they were before they were corrected.
    """

    def __init__(self, seed: int = 1) -> None:
        self.values = np.stack([_walk(100 * seed + i) for i in range(len(NAMES))])
        self.next = WARM
        self.missing: set[tuple[int, int]] = set()
        self.held: set[tuple[int, int]] = set()
        self.released: list[tuple[int, int]] = []
        self.corrected: dict[tuple[int, int], Any] = {}

    @staticmethod
    def opened(bar: int) -> int:
        return START + bar * QUARTER

    @property
    def time(self) -> int:
        """Up to when all bars are given."""
        return self.opened(self.next)

    def advance(self, missing: set[int] = frozenset(), held: set[int] = frozenset()) -> Closed:
        """Close a bar: of all symbols but those that miss it, and those that get it later.

        Who waits for a bar gets none after it before; one symbol at least gets its own.
        """
        waiting = {row for row, _ in self.held}
        held = held | waiting if len(missing | held | waiting) < len(NAMES) else waiting
        missing = missing if len(missing | held) < len(NAMES) else set()
        bar, rows = self.next, [r for r in range(len(NAMES)) if r not in missing | held]
        self.missing |= {(r, bar) for r in missing}
        self.held |= {(r, bar) for r in held - missing}
        self.next += 1
        return self.closed(bar, rows)

    def closed(self, bar: int, rows: list[int], late: bool = False) -> Closed:
        opened = self.opened(bar)
        waits = {r: min(b for s, b in self.held if s == r) for r, _ in self.held}
        settled = [
            min(self.opened(waits.get(r, self.next)), self.time - QUARTER)
            for r in range(len(NAMES))
        ]
        return Closed(
            opened + QUARTER, np.array(rows, np.int64), np.full(len(rows), opened),
            self.values[rows, bar].copy(), np.full(len(rows), late), np.array(settled, np.int64),
        )  # fmt: skip

    def release(self) -> list[Closed]:
        """Give what was held back, oldest first."""
        found = []
        for row, bar in sorted(self.held, key=lambda key: key[1]):
            self.held.discard((row, bar))
            self.released.append((row, bar))
            found.append(self.closed(bar, [row], late=True))
        return found

    def correct(self, row: int, bar: int) -> Corrected:
        """Say from now on that a bar was wilder."""
        self.corrected.setdefault((row, bar), self.values[row, bar].copy())
        self.values[row, bar] *= [1.0, 1.02, 0.98, 1.005, 3.0]
        return Corrected(self.opened(bar), np.array([row]))

    def history(self, row: int, timeframe: str, n: int, end: int) -> Bars:
        last = min(self.next, (end - START) // QUARTER)
        off = {b for r, b in self.missing | self.held if r == row}
        bars = np.array([b for b in range(last) if b not in off], np.int64)
        found = Bars(self.opened(bars), self.values[row, bars], "15m", NAMES[row], "simulated")
        return resample(found, timeframe)[-n:].label(symbol=NAMES[row])

    def within(self, row: int, time: int, price: float) -> bool:
        """Say whether a price was seen in a bar that opened or closed at a time, or came late."""
        near = (time - START) // QUARTER
        late = [b for r, b in self.released if r == row and b < near]
        for bar in (near, near - 1, *late):
            for values in (self.values[row, bar], self.corrected.get((row, bar))):
                if values is not None and values[2] * (1 - 1e-9) <= price <= values[1] * (1 + 1e-9):
                    return True
        return False

    def catch_up(self) -> None:
        """Make history of what was held back."""
        self.released += sorted(self.held)
        self.held.clear()


def _walk(seed: int) -> Any:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.004, N_BARS)))
    opened = np.r_[100.0, close[:-1]] * (1 + rng.normal(0, 3e-4, N_BARS))
    high = np.maximum(opened, close) * (1 + np.abs(rng.normal(0, 0.002, N_BARS)))
    low = np.minimum(opened, close) * (1 - np.abs(rng.normal(0, 0.002, N_BARS)))
    return np.column_stack([opened, high, low, close, rng.lognormal(8, 1, N_BARS)])


class HandFeed(Feed):
    """Gives the events that it is told to, one after the other.

    Parameters
    ----------
    market : Market
    """

    name = "simulated"

    def __init__(self, market: Market) -> None:
        self.market, self.source, self.base = market, "simulated", "15m"
        self.symbols = NAMES
        self.clock = Clock(market.time)
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open(self) -> int:
        self._loop, self._queue = asyncio.get_running_loop(), asyncio.Queue()
        self.market.catch_up()  # what had closed by now is history
        return self.market.time

    def give(self, event: Closed | Corrected) -> threading.Event:
        """Hand an event to the agent; what is returned is set once it is worked in."""
        done = threading.Event()
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._queue.put_nowait, (event, done))
        return done

    async def stream(self) -> AsyncIterator[Closed | Corrected]:
        while True:
            event, done = await self._queue.get()
            yield event
            done.set()

    async def close(self) -> None:
        pass

    async def history(self, symbol: str, timeframe: str, n_bars: int, end_ms: int) -> Bars:
        return self.market.history(NAMES.index(symbol), timeframe, n_bars, end_ms)

    async def histories(self, timeframe: str, n_bars: int, end_ms: int):
        several = [await self.history(s, timeframe, n_bars, end_ms) for s in NAMES]
        return pad(several, n_bars)


class Power:
    """What stands between an engine and its disk.

    Attributes
    ----------
    failing : bool
        The disk takes no writes; reads go on.
    dead : bool
        Nothing reaches the disk any more.
    left : int or None
        Statements of `COUNTED` threads until it dies by itself; None: it does not.

    Parameters
    ----------
    on_death : callable
        Called once, at that moment.
    """

    def __init__(self, on_death: Callable[[], None] = lambda: None) -> None:
        self.failing = self.dead = False
        self.left: int | None = None
        self._on_death = on_death
        self._lock = threading.Lock()

    def wire(self, engine: sa.Engine) -> sa.Engine:
        sa.event.listen(engine, "before_cursor_execute", self._statement)
        sa.event.listen(engine, "commit", self._commit)
        return engine

    def _statement(self, connection, cursor, statement, *_: Any) -> None:
        self._count()
        if self.failing and statement.startswith("BEGIN"):
            raise _broken()

    def _commit(self, connection: sa.Connection) -> None:
        self._count()

    def _count(self) -> None:
        with self._lock:
            if self.left is not None and threading.current_thread().name in COUNTED:
                self.left -= 1
                if self.left < 0 and not self.dead:
                    self.dead = True
                    self._on_death()
        if self.dead:
            raise _broken()


def _broken() -> sa.exc.OperationalError:
    return sa.exc.OperationalError("", {}, pysqlite3.OperationalError("disk I/O error"))


class Server:
    """A loop on a thread of its own, which a test steps."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="server", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Await something on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(WAIT_S)

    def do(self, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """Call a function on the loop, and await what it returns if it can be awaited."""

        async def call() -> Any:
            found = function(*args, **named)
            return await found if inspect.isawaitable(found) else found

        return self.run(call())

    def close(self) -> None:
        self.run(self.loop.shutdown_default_executor())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(WAIT_S)
        self.loop.close()


class Life:
    """Services over one folder that start, stop and die again and again.

    Parameters
    ----------
    folder : Path
        Data folder.
    market : Market
    server : Server
    """

    def __init__(self, folder: Path, market: Market, server: Server) -> None:
        self.folder, self.market, self.server = folder, market, server
        self.settings = Settings(
            home=folder, symbols=NAMES, timeframes=FRAMES, scan_interval_ms=60_000
        )
        self.power, self.services = Power(), None
        self._reader = make_engine(parse_url(self.settings.database))
        self.ledger = Ledger(self._reader, state_name(self.settings), wall_ms)
        self.heard: list[Any] = []
        """Events that came out of the hub: each is a promise."""
        self.shown: list[Any] = []
        """States of the account that people were shown."""

    @property
    def reader(self) -> sa.Engine:
        return self._reader

    @property
    def keeper(self) -> Any:
        return self.services.agent._desk.keeping.keeper

    @property
    def trader(self) -> Any:
        return self.services.agent._desk.trader

    def start(self) -> None:
        self.power, self._last = Power(self._note_death), None
        self.server.run(self._start())

    def _note_death(self) -> None:
        self._last = len(self.shown)

    async def _start(self) -> None:
        engine = self.power.wire(open_database(self.settings.database))
        self.feed = HandFeed(self.market)
        memory, loop = Memory(engine, wall_ms), asyncio.get_running_loop()
        made = Services(self.settings, self.feed, memory, loop)
        made.paper.trading.decision_timeframe = "15m"
        made.hub.subscribe(self._hear)
        made.agent.portfolio.param.watch(lambda event: self.shown.append(event.new), "state")
        self.services = made
        await made.start()

    def _hear(self, states: Any, events: Any) -> None:
        self.heard += [event for topic, event in events if topic == "event"]

    def stop(self) -> None:
        services, self.services = self.services, None
        self.server.run(services.stop())

    def die(self) -> None:
        """Be gone: neither the database nor the state of the streams gets anything any more."""
        if not self.power.dead:
            self._note_death()
        self.power.dead = True
        state, aside = self.folder / "state", self.folder / "aside"
        if state.exists():
            shutil.copytree(state, aside, ignore=shutil.ignore_patterns("*.new"))
        with suppress(OpportunityError):
            self.stop()
        shutil.rmtree(state, ignore_errors=True)
        if aside.exists():
            aside.rename(state)
        del self.shown[self._last :]

    def give(self, event: Closed | Corrected) -> None:
        """Give the agent an event and wait until it is worked in."""
        done = self.feed.give(event)
        self.wait(lambda: done.is_set() or not self.services.agent.running)
        assert done.is_set(), self.services.agent.last_error

    def settle(self) -> None:
        """Wait until all that was done is stored and told."""
        self.server.run(self.keeper.flush())
        self.server.run(asyncio.sleep(0))

    def wait(self, condition: Callable[[], bool]) -> None:
        for _ in range(int(WAIT_S / 0.002)):
            if condition():
                return
            self._pause.wait(0.002)
        raise AssertionError("nothing happened in time")

    _pause = threading.Event()

    def close(self) -> None:
        if self.services is not None:
            self.power.dead, self.power.failing, self.power.left = False, False, None
            self.stop()
        self._reader.dispose()
