"""Past returns of what is held: read from the feed, joined, and kept until a bar closes."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import structlog

from opportunity.errors import OpportunityError
from opportunity.market.bars import Bars
from opportunity.market.timeframe import Timeframe, open_ms
from opportunity.measured import MEASURED
from opportunity.risk.returns import LEAST_ROWS, Returns, returns_of
from opportunity.risk.stress import LEADER

logger = structlog.get_logger(__name__)

HISTORY: Final[tuple[tuple[Timeframe, int], ...]] = (("1d", 500), ("1h", 1_000))
"""Timeframes and bars, best first: days, unless a market is too young for them."""

ENOUGH: Final = 120
"""Rows from which a timeframe is taken without looking at the next."""

PATIENCE_S: Final = 10.0
"""How long one symbol's history is waited for."""

AGAIN_S: Final = 30.0
"""How long a market that gave nothing is left alone, so that questions do not queue up for it."""

MOST_KEPT: Final = 256

AT_ONCE: Final = 8


class Market(Protocol):
    """What gives bars; `opportunity.feeds.base.Feed` does."""

    symbols: tuple[str, ...]

    async def history(self, symbol: str, timeframe: str, n_bars: int, end_ms: int) -> Bars:
        """Return the newest closed bars of a symbol."""


@dataclass(frozen=True, slots=True)
class Past:
    """Returns of some symbols, and why others have none."""

    returns: Returns | None = None
    missing: dict[str, str] = field(default_factory=dict)


class RiskHistory:
    """Reads and keeps bars of what is held.

    Parameters
    ----------
    agent : Agent
        Its `ask` runs a coroutine of the feed where the feed lives.
    feed : Market
    """

    def __init__(self, agent: Any, feed: Market) -> None:
        self._agent, self._feed = agent, feed
        self._kept: OrderedDict[tuple[str, Timeframe], tuple[int, Bars]] = OrderedDict()
        self._pasts: OrderedDict[tuple[Any, ...], tuple[float, Past]] = OrderedDict()
        self._turn, self._line = asyncio.Lock(), asyncio.Semaphore(AT_ONCE)

    async def past(self, symbols: Sequence[str], now: int) -> Past:
        """Return joined returns of some symbols, with those of the leader where there is one.

        Parameters
        ----------
        symbols : sequence of str
        now : int
            Bars that have closed by then, ms UTC of the feed.
        """
        names = tuple(sorted({*symbols, *self._leader()}))
        key = (names, *(open_ms(now, frame) for frame, _ in HISTORY[-1:]))
        clock = asyncio.get_running_loop().time
        async with self._turn:  # many pages ask at once; one reads
            until, found = self._pasts.get(key, (0.0, Past()))
            old = clock() >= until
            MEASURED.count("cache_misses" if old else "cache_hits", label="risk_history")
            if old:
                found = await self._read(names, set(symbols), now)
                until = clock() + AGAIN_S if found.missing else math.inf
                self._pasts[key] = until, found
                while len(self._pasts) > MOST_KEPT // 32:
                    self._pasts.popitem(last=False)
            return found

    async def bars(self, symbols: Sequence[str], now: int) -> dict[str, Bars]:
        """Return bars of each symbol that has enough of them, all of one timeframe."""
        best: dict[str, Bars] = {}
        for frame, n_bars in HISTORY:
            found, _ = await self._frame(symbols, frame, n_bars, now)
            long = {symbol: bars for symbol, bars in found.items() if len(bars) > LEAST_ROWS}
            if len(long) > len(best):
                best = long
            if len(best) == len(set(symbols)):
                break
        return best

    async def _read(self, names: Sequence[str], needed: set[str], now: int) -> Past:
        best, missing = None, dict[str, str]()
        for frame, n_bars in HISTORY:
            found, errors = await self._frame(names, frame, n_bars, now)
            kept = [bars for symbol, bars in found.items() if symbol not in errors]
            joined = await asyncio.to_thread(_joined, kept, needed)
            lacking = {symbol: why for symbol, why in errors.items() if symbol in needed}
            better = best is None or len(lacking) < len(missing)
            longer = len(lacking) == len(missing) and len(joined or ()) > len(best or ())
            if joined is not None and (better or longer):
                best, missing = joined, lacking
            if joined is None and best is None:
                missing = lacking
            if best is not None and not missing and len(best) >= ENOUGH:
                break
        return Past(best, missing)

    async def _frame(
        self, names: Sequence[str], frame: Timeframe, n_bars: int, now: int
    ) -> tuple[dict[str, Bars], dict[str, str]]:
        errors: dict[str, str] = {}
        found: dict[str, Bars] = {}

        async def read(symbol: str) -> None:
            try:
                bars = await self._one(symbol, frame, n_bars, now)
            except (OpportunityError, ValueError, TimeoutError) as error:
                logger.debug("history not read", symbol=symbol, timeframe=frame, error=repr(error))
                told = isinstance(error, OpportunityError)
                errors[symbol] = str(error) if told else "the market gave no history"
                return
            found[symbol] = bars
            if len(bars) <= LEAST_ROWS:
                errors[symbol] = (
                    f"history must have more than {LEAST_ROWS} bars of {frame}, had {len(bars)}"
                )

        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(read(name))
        return {name: found[name] for name in names if name in found}, errors

    async def _one(self, symbol: str, frame: Timeframe, n_bars: int, now: int) -> Bars:
        opened = open_ms(now, frame)
        kept = self._kept.get((symbol, frame))
        if kept is not None and kept[0] == opened:
            self._kept.move_to_end((symbol, frame))
            return kept[1]
        async with self._line, asyncio.timeout(PATIENCE_S):
            bars: Bars = await self._agent.ask(self._feed.history(symbol, frame, n_bars, now))
        self._kept[symbol, frame] = (opened, bars)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return bars

    def _leader(self) -> tuple[str, ...]:
        found = (s for s in self._feed.symbols if s.partition("/")[0] == LEADER)
        return tuple(found)[:1]


def _joined(bars: list[Bars], needed: set[str]) -> Returns | None:
    """Join what is there; the leader only where it leaves enough rows of what is needed."""
    held = [one for one in bars if one.symbol in needed]
    if not held:
        return None
    found = returns_of(held)
    if len(held) == len(bars):
        return found
    wider = returns_of(bars)
    return wider if len(wider) >= min(ENOUGH, len(found)) else found
