"""One line to a venue: dialled again whenever it fails, replaced before the venue cuts it."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import structlog

from opportunity.errors import OpportunityError
from opportunity.feeds.exchange.lines.ports import StreamVenue
from opportunity.feeds.exchange.lines.session import End, Session
from opportunity.feeds.exchange.lines.subjects import Subject
from opportunity.feeds.exchange.lines.waits import Backoff, Silence

logger = structlog.get_logger(__name__)

LineState = Literal["connecting", "live", "recovering"]

SILENCE_S: Final = 10.0
"""Silence of a busy line that is a fault, wall seconds."""

STEADY_S: Final = 10.0
"""A session that lasted for this long was a good one: the next dial waits the shortest time."""

PAUSED_S: Final = 5.0
"""Longest wait between two looks whether a venue that asked to be left alone may be dialled."""

STRIKES: Final = 3
"""Refusals in a row after which fewer symbols go into one request."""

FEWER: Final = 4
"""By how much fewer."""


@dataclass(frozen=True, slots=True)
class LineSettings:
    """How patient lines are; all of it in wall seconds.

    Parameters
    ----------
    silence_s : float
        Silence of a busy line that is a fault.
    longest_silence_s : float
        Silence of a line with few frames that is one.
    recycle_s : float
        Age at which a line is replaced by a new one, a little less for some; venues cut at 24 h.
    first_s, longest_s : float
        Bounds of the wait before a dial.
    seed : int
        Of the jitter.
    """

    silence_s: float = SILENCE_S
    longest_silence_s: float = 75.0
    recycle_s: float = 85_800.0
    first_s: float = 0.5
    longest_s: float = 30.0
    seed: int = 0


class Hearer(Protocol):
    """Who is told how a line fares."""

    def connected(self, line: "Line") -> None:
        """Hear that a connection was opened."""
        ...

    def lost(self, line: "Line", end: End) -> None:
        """Hear that nothing streams any more."""
        ...


class Line:
    """Keeps up to 200 symbols of one subject streaming, whatever the venue does.

    Parameters
    ----------
    venue : StreamVenue
        Is dialled, when it may be.
    subject : Subject
        What is asked for.
    rows : sequence of int
        Rows of the symbols.
    symbols : sequence of str
        The symbols.
    settings : LineSettings
        How patient it is.
    hearer : Hearer
        Is told of what happens.

    Attributes
    ----------
    state : str
        See `LineState`.
    n_connects : int
        Connections opened so far.
    """

    def __init__(
        self,
        venue: StreamVenue,
        subject: Subject,
        rows: Sequence[int],
        symbols: Sequence[str],
        settings: LineSettings,
        hearer: Hearer,
    ) -> None:
        self.rows, self.symbols = tuple(rows), tuple(symbols)
        self._venue, self._subject, self._hearer = venue, subject, hearer
        self._settings = settings
        seed = settings.seed * 1009 + (self.rows[0] if self.rows else 0)
        self._random = random.Random(seed)
        self._backoff = Backoff(seed, settings.first_s, settings.longest_s)
        self._silence = Silence(settings.silence_s, settings.longest_silence_s)
        self._batch = subject.batch
        self._refusals = 0
        self.state: LineState = "connecting"
        self.n_connects = 0

    async def run(self) -> None:
        """Stream until cancelled; what a venue does never ends it."""
        async with asyncio.TaskGroup() as group:  # also holds what is being closed
            old: Session | None = None
            while True:
                await self._permit()
                fresh = self._begin(group)
                await fresh.settled.wait()
                if fresh.end is not None and not fresh.flowing:
                    self._failed(fresh.end, old)
                    await asyncio.sleep(self._backoff.draw(fresh.end.wait_s))
                    continue
                began = asyncio.get_running_loop().time()
                self.state, self._refusals = "live", 0
                if old is not None:
                    old.stop("stopped", "replaced")
                    old = None  # its ccxt object is as large as a thousand bars of 40 symbols
                old = await self._hold(fresh)
                if old is None and fresh.end is not None:
                    if asyncio.get_running_loop().time() - began >= STEADY_S:
                        self._backoff.reset()
                    self._failed(fresh.end, None)
                    await asyncio.sleep(self._backoff.draw(fresh.end.wait_s))

    def _begin(self, group: asyncio.TaskGroup) -> Session:
        n = self._batch
        batches = [self.symbols[i : i + n] for i in range(0, len(self.symbols), n)]
        session = Session(
            self._venue, self._subject, batches, self._silence, self._told(self._hearer.connected)
        )
        group.create_task(session.run(), name="exchange: session")
        return session

    def _told(self, tell: Callable[["Line"], None]) -> Callable[[], None]:
        def told() -> None:
            self.n_connects += 1
            tell(self)

        return told

    async def _hold(self, session: Session) -> Session | None:
        """Wait for the end of a session; return it if it goes on and is to be replaced."""
        age_s = self._settings.recycle_s * self._random.uniform(0.97, 1.0)
        with suppress(TimeoutError):
            async with asyncio.timeout(age_s):
                await session.over.wait()
        return session if session.end is None else None

    def _failed(self, end: End, old: Session | None) -> None:
        """Note the end of a session; as long as an older one goes on nothing is lost."""
        if end.why == "refused":
            self._refusals += 1
            if self._refusals >= STRIKES:
                self._refusals, self._batch = 0, max(1, self._batch // FEWER)
        if old is None or old.end is not None:
            if self.state == "live":
                self.state = "recovering"
            self._hearer.lost(self, end)

    async def _permit(self) -> None:
        """Wait until the venue may be dialled, for as long as a ban lasts."""
        while True:
            try:
                await self._venue.may_connect()
            except OpportunityError as error:
                logger.debug("not dialled", venue=self._venue.name, error=str(error))
                await asyncio.sleep(self._random.uniform(0.2, 1.0) * PAUSED_S)
            else:
                return
