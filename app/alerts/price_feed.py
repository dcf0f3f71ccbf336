"""Brings prices to the price alerts, also those between two looks, and tells what was touched."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from app.alerts.prices import PriceWatch, Running, Touch, running
from opportunity.bus.memory import States
from opportunity.errors import OpportunityError
from opportunity.market.bars import Bars
from opportunity.storage.events import Event, StoredEvent
from opportunity.storage.failures import DatabaseError
from opportunity.storage.price_alerts import PriceAlert, PriceAlertRepository, Rule

logger = structlog.get_logger(__name__)

MOST_MISSED: Final = 1_000
"""Bars between two looks that are looked at; a longer gap begins anew."""

MOST_OWED: Final = 1_000
"""Touches that wait for a database in trouble; beyond it the oldest are let go."""

AGAIN_S: Final = 5.0
"""Until what is owed is tried again, though no price came."""

ASK_S: Final = 1.0
"""Between two questions for the bars of a symbol; what has just closed may not be there yet."""

History = Callable[[str, int, int], Awaitable[Bars]]
"""Symbol, number of base bars and their end in ms UTC; the newest ones that have closed."""


class Log(Protocol):
    """Where touches are kept."""

    def append(self, events: tuple[Event, ...]) -> tuple[StoredEvent, ...]:
        """Keep events and return them as they are in the log."""


@dataclass(frozen=True, slots=True)
class Market:
    """What is known of the market: its name in keys, its stamp and the length of its bars."""

    name: str
    source: str
    base_ms: int
    history: History


class PriceFeed:
    """Looks at every batch of prices that the hub delivers; lives on the server's loop.

    Parameters
    ----------
    market : Market
    store : PriceAlertRepository
    log : Log
    tell : callable
        Given the stored events.
    """

    def __init__(
        self, market: Market, store: PriceAlertRepository, log: Log,
        tell: Callable[[tuple[StoredEvent, ...]], None],
    ) -> None:  # fmt: skip
        self._market, self._store, self._log, self._tell = market, store, log, tell
        self._watch = PriceWatch(market.base_ms, store.read())
        self._newest: dict[str, Running] = {}
        self._asked: dict[str, float] = {}
        self._owed: list[Event] = []  # touched, and not in the log yet
        self._unmarked: dict[int, PriceAlert] = {}  # changed, and not in the table yet
        self._symbols = self._watch.symbols()
        self._came = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def all(self) -> list[PriceAlert]:
        """Return the alerts, newest first."""
        return sorted(self._watch.alerts.values(), key=lambda alert: -alert.id)

    async def add(
        self, symbol: str, rule: Rule, price: float, note: str, again: bool
    ) -> PriceAlert:
        """Keep an alert and watch it; see `PriceAlertRepository.add`."""
        made = await asyncio.to_thread(self._store.add, symbol, rule, price, note, again)
        self._watch.add(made)
        self._symbols = self._watch.symbols()
        return made

    async def remove(self, id: int) -> bool:
        """Delete an alert; return whether it was there."""
        there = await asyncio.to_thread(self._store.delete, id)
        self._watch.remove(id)
        self._symbols = self._watch.symbols()
        return there

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.ensure_future(self._run())

    async def close(self) -> None:
        """Look no more; what is owed is tried once again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._behind:
            await self._keep([], [])

    @property
    def _behind(self) -> bool:
        return bool(self._owed or self._unmarked)

    def hear(self, states: States) -> None:
        """Take prices from the hub; on the loop, and quick."""
        if not self._symbols:
            return
        for (topic, symbol), bar in states.items():
            if topic == "price" and symbol in self._symbols:
                self._newest[symbol] = bar
                self._came.set()

    async def look(self) -> None:
        """Work in what came since the last look, and keep what could not be kept before."""
        if self._behind:
            await self._keep([], [])
        newest, self._newest = self._newest, {}
        for symbol, bar in newest.items():
            touches, changed = self._watch.see(symbol, await self._ended(symbol, bar), closed=True)
            more, again = self._watch.see(symbol, [bar])
            if changed or again:
                await self._keep(touches + more, changed + again)
                self._symbols = self._watch.symbols()

    async def _ended(self, symbol: str, bar: Running) -> list[Running]:
        """Return the bars that have closed since the last ones that did, if they can be had yet."""
        time, base = int(bar[0]), self._market.base_ms
        first = self._watch.due(symbol, time)
        n = min(-(-(time - first) // base), MOST_MISSED)
        now = asyncio.get_running_loop().time()
        if not n or now - self._asked.get(symbol, -ASK_S) < ASK_S:
            return []
        self._asked[symbol] = now
        try:
            bars = await self._market.history(symbol, n, time)
        except (OpportunityError, ValueError, OSError) as error:
            logger.warning("bars for price alerts missing", symbol=symbol, error=str(error))
            return []
        found = running(bars.time.tolist(), bars.values.tolist())
        return [old for old in found if first <= old[0] < time]

    async def _keep(self, touches: list[Touch], changed: list[PriceAlert]) -> None:
        """Keep what happened, event first: cut off in between it is told again, never lost.

        What the database does not take is owed: the price may never come back to it.
        """
        self._owed += [t.event(self._market.name, self._market.source) for t in touches]
        del self._owed[:-MOST_OWED]
        self._unmarked |= {alert.id: alert for alert in changed}
        events, alerts = tuple(self._owed), tuple(self._unmarked.values())

        def keep() -> tuple[StoredEvent, ...]:
            stored = self._log.append(events) if events else ()
            for alert in alerts:
                self._store.mark(alert)
            return stored

        try:
            stored = await asyncio.to_thread(keep)
        except DatabaseError as error:
            logger.error("price alert not kept", n=len(events), error=str(error))
            return
        self._owed, self._unmarked = [], {}
        self._tell(stored)

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):  # no price may come of what is owed
                async with asyncio.timeout(AGAIN_S if self._behind else None):
                    await self._came.wait()
            self._came.clear()
            try:
                await self.look()
            except Exception:  # one odd bar must not end every price alert
                logger.exception("price alerts not looked at")
