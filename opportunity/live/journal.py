"""The journal beside the agent: gives every candidate its outcome once its bars are there.

It begins with what a restart left open, so that nothing is asked twice and nothing forgotten; an
outcome that is kept never changes, also when its bars are corrected later.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final, TypeVar

import numpy as np
import structlog

from opportunity.errors import CoverageError, OpportunityError
from opportunity.market.bars import Bars
from opportunity.market.timeframe import Timeframe, length_ms
from opportunity.market.timeframe import timeframe as checked
from opportunity.scoring.aftermath import BARRIERS, HORIZONS, KNOWN, Aftermath, aftermath
from opportunity.storage.outcomes import Due, Outcome, OutcomeRepository, unknown_outcome

logger = structlog.get_logger(__name__)

PATIENCE_BARS: Final = 48
"""Decision bars that are waited, beyond the horizon, for bars that are missing."""

LAST_BARS: Final = 1_000
"""After so many more an idea is given up even where the market did not answer."""

MOST_BARS: Final = 1_500
"""Bars of one question to the feed."""

PAGE: Final = 500
"""Candidates of one step."""

AGAIN_S: Final = 60.0
"""Wall time after which is looked again though no decision bar closed."""

T = TypeVar("T")

Ask = Callable[[str, Timeframe, int, int], Awaitable[Bars]]
"""Gives the newest n closed bars of a symbol and timeframe up to a time: `Feed.history`."""


class Journal:
    """Judges candidates; one task, its work on threads.

    Parameters
    ----------
    store : OutcomeRepository
    ask : callable
        `ask(symbol, timeframe, n_bars, end_ms)`.
    now : callable
        Feed time up to which bars are worked in, ms UTC; 0 while it is not known.
    timeframe : Timeframe
        Of decisions: at whose closes it is looked again.
    """

    def __init__(
        self, store: OutcomeRepository, ask: Ask, now: Callable[[], int], timeframe: Timeframe
    ) -> None:
        self._store, self._ask, self._now = store, ask, now
        self._length = length_ms(timeframe)
        self._wake = asyncio.Event()
        self._closed = -1  # the newest decision close that was heard of
        self._since = 0  # nothing older is open; found anew at every start
        self.error = ""
        """Why the newest pass failed; empty while all is well."""
        self.n_judged = 0
        """Outcomes that were found since the start."""

    def heard(self, time: int) -> None:
        """Hear of the feed's time; wakes at decision closes. Call it on the task's loop."""
        closed = time // self._length
        if closed > self._closed:
            self._closed = closed
            self._wake.set()

    async def run(self, told: Callable[[int], Awaitable[None]] | None = None) -> None:
        """Judge what is due, then wait for the next decision close, until cancelled.

        Parameters
        ----------
        told : callable, optional
            Awaited with the number of new outcomes after each pass that found any.
        """
        while True:
            self._wake.clear()
            try:
                found = await self.catch_up()
                self.error = ""
                if found and told is not None:
                    await told(found)
            except (OpportunityError, OSError) as error:
                self.error = str(error)
                logger.warning("journal waits", error=self.error)
            try:
                async with asyncio.timeout(AGAIN_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def catch_up(self) -> int:
        """Judge everything that is due now; return the number of new outcomes.

        Raises
        ------
        DatabaseError
            If the database cannot be read or written; what was kept before stays.
        """
        now = self._now()
        if not now:
            return 0
        total, after, oldest = 0, (-1, -1), now
        while True:
            due = await whole(self._store.due, now, self._since, PAGE, after)
            if not due:
                break
            after = due[-1].time, due[-1].id
            kept, opened = await self._judge(due, now)
            total, oldest = total + kept, min(oldest, opened)
        # What is not over yet is younger than this; the slack is for rows that are written late.
        self._since = max(0, oldest - 2 * (max(HORIZONS) + PATIENCE_BARS) * self._length)
        self.n_judged += total
        return total

    async def _judge(self, due: Sequence[Due], now: int) -> tuple[int, int]:
        """Judge a page; return how many outcomes were kept, and since when something is open."""
        kept, oldest = 0, now
        for several in _streams(due):
            bars = await self._bars(several, now)
            found = await whole(judged, several, bars, now)
            await whole(self._store.add, found)
            kept += len(found)
            told = {(one.candidate, one.horizon) for one in found}
            left = [one.time for one in several if (one.id, one.horizon) not in told]
            oldest = min([oldest, *left])
        return kept, oldest

    async def _bars(self, several: Sequence[Due], now: int) -> Bars | None:
        """Return the bars from the first idea on; None where the market did not answer."""
        frame = checked(several[0].timeframe)
        length = length_ms(frame)
        first = min(one.time for one in several) - length  # the opening of its decision bar
        end = min(now, first + MOST_BARS * length)
        try:
            bars = await self._ask(several[0].symbol, frame, (end - first) // length, end)
        except (ValueError, CoverageError):  # not a symbol of this market any more
            return Bars(np.empty(0, np.int64), np.empty((0, 5)), frame)
        except (OpportunityError, OSError) as error:
            logger.debug("journal without bars", symbol=several[0].symbol, error=str(error))
            return None
        return bars if bars.timeframe is not None else bars.label(timeframe=frame)


async def whole(function: Callable[..., T], *args: Any) -> T:
    """Call a function on a thread; who cancels waits until it has ended."""
    work = asyncio.ensure_future(asyncio.to_thread(function, *args))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        if (error := work.exception()) is not None:  # whoever cancels does not want to hear it
            logger.warning("journal stopped in the middle", error=str(error))
        raise


def judged(several: Sequence[Due], bars: Bars | None, now: int) -> list[Outcome]:
    """Return the outcomes that bars can tell, and those that nothing will tell any more.

    Parameters
    ----------
    several : sequence of Due
        Of one symbol and timeframe.
    bars : Bars or None
        Closed bars from the first idea on; None where the market did not answer.
    now : int
        Feed time, ms UTC.
    """
    found: list[Outcome] = []
    length = length_ms(several[0].timeframe)
    for horizon in sorted({one.horizon for one in several}):
        due = [one for one in several if one.horizon == horizon]
        known = None
        if bars is not None:
            known = aftermath(
                bars, np.array([one.time for one in due], np.int64),
                np.array([one.side for one in due], np.int64),
                np.array([one.atr for one in due], np.float64), horizon,
            )  # fmt: skip
        patience = PATIENCE_BARS if bars is not None else LAST_BARS
        for i, one in enumerate(due):
            if known is not None and known.state[i] == KNOWN:
                found.append(_outcome(one, known, i))
            elif not one.atr > 0 or now > one.time + (horizon + patience) * length:
                found.append(unknown_outcome(one, now))
    return found


def _outcome(due: Due, known: Aftermath, i: int) -> Outcome:
    return Outcome(
        due.id, due.horizon, int(known.known[i]), BARRIERS[known.barrier[i]], int(known.right[i]),
        float(known.move[i]), float(known.move_atr[i]), float(known.best[i]),
        float(known.worst[i]),
    )  # fmt: skip


def _streams(due: Sequence[Due]) -> Iterator[list[Due]]:
    """Part what is due by symbol and timeframe, and by what one question to the feed spans."""
    ordered = sorted(due, key=lambda one: (one.symbol, one.timeframe, one.time, one.id))
    for (_, frame), stream in groupby(ordered, key=lambda one: (one.symbol, one.timeframe)):
        span = (MOST_BARS - max(HORIZONS) - PATIENCE_BARS) * length_ms(frame)
        part: list[Due] = []
        for one in stream:
            if part and one.time - part[0].time > span:
                yield part
                part = []
            part.append(one)
        yield part
