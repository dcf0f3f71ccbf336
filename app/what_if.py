"""What if the weights were others: recent history of all watched symbols, shared by all pages.

It is prepared once, on a thread, when somebody first asks, made anew as the market goes on, and let
go when nobody has asked for a while. A question takes some tens of milliseconds on a thread.
"""

import asyncio
import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from app.bar_source import BarSource
from opportunity.errors import CoverageError, OpportunityError
from opportunity.feeds.clock import wall_ms
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import DAY_MS, Timeframe, divides, length_ms
from opportunity.storage.judged import Judged
from opportunity.trading.setup import TradeSetup

if TYPE_CHECKING:
    from opportunity.backtest.sleeves import Chance, Sleeves, SleevesRun
    from opportunity.backtest.trials import TrialCounter

logger = structlog.get_logger(__name__)

BASE: Final[Timeframe] = "1h"
"""Bars that are traded, where timeframes of that length or longer are watched."""

MOST_BARS: Final = 90 * 24
"""Bars that are traded: 90 days of 1h."""

WARM_BARS: Final = 105
"""Of the longest timeframe, before the first that is traded; detectors want 100."""

RENEW_S: Final = 300.0
IDLE_S: Final = 900.0
KIND: Final = "what_if"


class ClosedError(OpportunityError):
    """Raised when the server stops while history is prepared."""


@dataclass(frozen=True, slots=True)
class Market:
    """What history is of.

    Parameters
    ----------
    symbols : tuple of str
    timeframes : tuple of Timeframe
        That are watched.
    setup : TradeSetup
        Of the paper account.
    timeframe_weights : tuple of (str, float)
        Those that people turned.
    """

    symbols: tuple[str, ...]
    timeframes: tuple[Timeframe, ...]
    setup: TradeSetup
    timeframe_weights: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A draft beside the weights in force.

    Parameters
    ----------
    sleeves : Sleeves
        The history.
    now : SleevesRun
        Under the weights in force.
    draft : SleevesRun or None
        Under others; None where there are none.
    chance : Chance or None
        Of the difference.
    tried : int
        Weight sets that were ever tried on these symbols.
    """

    sleeves: "Sleeves"
    now: "SleevesRun"
    draft: "SleevesRun | None"
    chance: "Chance | None"
    tried: int


class WhatIfs:
    """Answers what other weights would have earned. All methods belong to the server's loop.

    Parameters
    ----------
    market : callable
        Returns what is watched now, and under what is traded.
    source : callable
        Returns where the bars come from; CoverageError where there are none.
    clock : callable
        Returns feed time, ms UTC.
    trials : TrialCounter
        Counts the sets that were tried.
    """

    def __init__(
        self,
        market: Callable[[], Market],
        source: Callable[[], BarSource],
        clock: Callable[[], int],
        trials: "TrialCounter",
    ) -> None:
        self._market, self._source, self._clock, self._trials = market, source, clock, trials
        self._made: tuple[Market, Sleeves, int, float] | None = None
        self._making, self._counting = asyncio.Lock(), asyncio.Lock()
        self._tried: dict[str, int] = {}
        self._letting_go: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def ready(self) -> bool:
        """Whether an answer takes no longer than a run."""
        return self._made is not None

    async def compare(
        self, now: FloatArray, draft: FloatArray | None = None, counts: bool = False
    ) -> Compared:
        """Run weights in force and a draft over the same history.

        Parameters
        ----------
        now, draft : ndarray, shape (n_detectors,)
            Weights, >= 0.
        counts : bool
            Whether the draft counts as tried: the sets that a slider only passes do not.

        Raises
        ------
        CoverageError
            If there is no history.
        OpportunityError, ValueError
            If it cannot be used, or a weight is out of bounds.
        """
        sleeves = await self._sleeves(hurried=draft is not None)
        self._stay()
        name = _dataset(sleeves)
        ran, other = await asyncio.to_thread(_run, sleeves, now, draft)
        tried = await self._count(name, draft, other if counts else None)
        found = None
        if other is not None:
            found = await asyncio.to_thread(_chance, ran, other, tried)
        return Compared(sleeves, ran, other, found, tried)

    def close(self) -> None:
        """Begin nothing more and let go of what is held."""
        self._closed = True
        self._let_go()

    async def _sleeves(self, hurried: bool) -> "Sleeves":
        """Return the history; who drags a slider is given one of some minutes ago at once."""
        market, made = self._market(), self._made
        if made is not None and made[0] == market and (hurried or not self._old(made)):
            return made[1]
        async with self._making:
            made = self._made
            if made is None or made[0] != market or self._old(made):
                at = self._clock()
                began = asyncio.get_running_loop().time()
                sleeves = await asyncio.to_thread(self._prepare, market, at)
                made = market, sleeves, at, began
                if not self._closed:
                    self._made = made
        return made[1]

    def _old(self, made: tuple[Market, "Sleeves", int, float]) -> bool:
        _, _, at, began = made
        waited = asyncio.get_running_loop().time() - began > RENEW_S
        return waited and self._clock() // DAY_MS > at // DAY_MS

    def _stay(self) -> None:
        if self._letting_go is not None:
            self._letting_go.cancel()
        if not self._closed:
            self._letting_go = asyncio.get_running_loop().call_later(IDLE_S, self._let_go)

    def _let_go(self) -> None:
        if self._letting_go is not None:
            self._letting_go.cancel()
        self._letting_go = self._made = None

    def _prepare(self, market: Market, now: int) -> "Sleeves":
        """Read bars and run the detectors over them; on a thread."""
        from opportunity.backtest.history import prepare
        from opportunity.backtest.sleeves import Sleeves

        source, frames = self._source(), frames_of(market.timeframes)
        base = frames[0]
        start = now - MOST_BARS * length_ms(base)
        first = start - WARM_BARS * length_ms(frames[-1])
        made, refused = [], []
        for symbol in market.symbols:
            if self._closed:
                raise ClosedError("the server must run, was stopped")
            try:
                bars = source.load(symbol, base, first, now)
                enough = len(bars) > 0 and bars.time[0] <= first + DAY_MS
                made.append(prepare(
                    bars, timeframes=frames if enough else None,
                    start=start if enough else None, partial=True,
                ))
            except (OpportunityError, ValueError) as error:
                refused.append(f"{symbol}: {error}")
        if not made:
            raise CoverageError(refused[0] if refused else "symbols must be watched, were none")
        if refused:
            logger.info("what-if leaves symbols out", n=len(refused), first=refused[0])
        turned = dict(market.timeframe_weights)
        silent = all(turned.get(name) == 0 for name in frames)  # then they count as by default
        return Sleeves(made, market.setup, None if silent else turned)

    async def _count(
        self, name: str, draft: FloatArray | None, ran: "SleevesRun | None"
    ) -> int:
        """Count a draft where it is to be, and return how many sets were ever tried."""
        async with self._counting:
            if ran is not None or name not in self._tried:
                self._tried = {name: await asyncio.to_thread(self._add, name, draft, ran)}
            return self._tried[name]

    def _add(self, name: str, draft: FloatArray | None, ran: "SleevesRun | None") -> int:
        from opportunity.backtest.sleeves import tried_of

        if ran is not None and draft is not None:
            key, ratio = tried_of(draft, ran)
            known = math.isfinite(ratio)
            self._trials.add(Judged(
                name, key, KIND, wall_ms(), 1, ran.days.size, int(known), ratio, ratio, 0.0
            ))
        return self._trials.count(name).n


def frames_of(watched: Sequence[Timeframe]) -> tuple[Timeframe, ...]:
    """Return the timeframes that are scored, the shortest of them that of the bars.

    Those of 1h to 1d that are watched; where none is, the longest that is watched.
    """
    long = [t for t in watched if divides(BASE, t) and length_ms(t) <= DAY_MS]
    found = sorted(long or [max(watched, key=length_ms)], key=length_ms)
    return tuple(found)


def _run(
    sleeves: "Sleeves", now: FloatArray, draft: FloatArray | None
) -> tuple["SleevesRun", "SleevesRun | None"]:
    return sleeves.run(now), None if draft is None else sleeves.run(draft)


def _chance(now: "SleevesRun", other: "SleevesRun", tried: int) -> "Chance":
    from opportunity.backtest.sleeves import chance

    return chance(now, other, tried)


def _dataset(sleeves: "Sleeves") -> str:
    """Name the symbols: history goes on day by day, what was tried on it stays tried."""
    told = repr((KIND, sleeves.source, sleeves.symbols))
    return hashlib.sha256(told.encode()).hexdigest()
