"""Challengers: weights that trade on paper beside those in force, on the same bars.

Each has an account of its own under the same rules, costs, size and limits, and is told the same
batches in the same order; only the weights by which its candidates are judged are others. So one
with the champion's own weights has the champion's account, bit for bit.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import structlog

from opportunity.feeds.base import Closed
from opportunity.live.account import Decided
from opportunity.live.config import AgentConfig, Challenger
from opportunity.live.judged import Judged
from opportunity.live.trader import Trader
from opportunity.market.timeframe import TimeArray
from opportunity.storage.books import Book, Posting, shadow_book
from opportunity.storage.events import Event
from opportunity.storage.failures import DatabaseError
from opportunity.storage.lease import Lease, LeaseLost
from opportunity.storage.ledger import Ledger
from opportunity.storage.shadows import KIND, MOST_SHADOWS, Chapter, ShadowRepository
from opportunity.strategy import evaluate
from opportunity.trading.records import CLOSED

logger = structlog.get_logger(__name__)

INLINE_MS: Final = 2.5
"""A batch of all challengers that takes longer is worked out off the loop."""

BEGAN: Final = "it began"
OTHER_WEIGHTS: Final = "the champion has other weights"
OTHER_ACCOUNT: Final = "the champion's account began anew"


class Batch(NamedTuple):
    """What the champion was told of a batch; see `Trader.follow`."""

    event: Closed
    number: int
    time: int
    judged: Judged | None
    stale: int = CLOSED


class Opened(NamedTuple):
    """What is stored of a challenger; both None where no ledger is kept or nothing yet."""

    book: Book | None
    chapter: Chapter | None


@dataclass(slots=True, eq=False)
class Runner:
    """A challenger that trades, and the chapter of its comparison."""

    challenger: Challenger
    trader: Trader
    chapter: Chapter | None


class Shadows:
    """The challengers of a desk.

    Parameters
    ----------
    ledger : Ledger, optional
        Where their books are; without one they begin anew at every start and are not compared.
    lease : Lease, optional
        The right to trade.
    """

    def __init__(self, ledger: Ledger | None = None, lease: Lease | None = None) -> None:
        self._ledger, self._lease = ledger, lease
        self.opener: Callable[[str, float, int, Lease | None], Book] | None = None
        """Opens books once all is stored that was put before; by default the ledger itself."""
        self._running: dict[str, Runner] = {}
        self._opening: dict[str, tuple[Challenger, Future[Opened]]] = {}
        self._failed: set[str] = set()  # names that could not be opened, which was said
        self._closed: TimeArray | None = None  # newest closes that were seen, of all streams
        self._threads: ThreadPoolExecutor | None = None
        self._ended = False

    @property
    def accounts(self) -> tuple[Trader, ...]:
        """Their accounts, in the order in which they came."""
        return tuple(runner.trader for runner in self._running.values())

    def begin(self, champion: Trader, judged: Judged, start: int) -> list[Posting]:
        """Open the books of all challengers as they were left. Blocks.

        What they missed is not gone through: that is done with the champion's, see `accounts`.

        Parameters
        ----------
        champion : Trader
            Open.
        judged : Judged
            The first ranking.
        start : int
            Feed time from which on batches will come, ms UTC.

        Returns
        -------
        list of Posting
            Of positions in symbols that are not watched any more.

        Raises
        ------
        LeaseLost
            If another server holds the lease.
        DatabaseError
            If a book cannot be opened.
        """
        self._running, self._opening, postings = {}, {}, []
        self._ended = False
        self._closed = judged.evaluation.snapshot.closed
        for challenger in _first(judged.config):
            opened = self._open(challenger, champion.start_cash, start)
            trader = self._run(challenger, opened, champion, judged, start)
            postings += [] if trader.opening is None else [trader.opening]
        return postings

    async def follow(self, champion: Trader, batch: Batch) -> list[Posting]:
        """Have all challengers trade on a batch, on a thread where it would hold the loop.

        Parameters
        ----------
        champion : Trader
            May have traded on the batch or not.
        batch : Batch
            What the champion is told of it.

        Returns
        -------
        list of Posting
            To be stored with the champion's.
        """
        if self._cost_ms(batch.judged) > INLINE_MS:
            return await asyncio.to_thread(self._follow, champion, batch)
        return self._follow(champion, batch)

    def close(self) -> None:
        """Let go of the thread that opens books; blocks until it is done."""
        self._ended = True
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)
            self._threads = None

    # -- one batch -----------------------------------------------------------------------------

    def _cost_ms(self, judged: Judged | None) -> float:
        """Return about how long a batch takes, wall ms; measured on one core of 2024."""
        if judged is None or not self._running:
            return 0.15 * len(self._running)
        n_symbols = len(judged.evaluation.snapshot.symbols)
        each = 0.6 + 0.006 * n_symbols if self._due(judged) else 0.15 + 0.0005 * n_symbols
        return each * len(self._running)

    def _follow(self, champion: Trader, batch: Batch) -> list[Posting]:
        judged, postings = batch.judged, list[Posting]()
        due = judged is not None and self._due(judged)
        for runner in self._running.values():
            own = judged
            if judged is not None:
                postings += self._turn(runner, champion, batch.time, judged.config)
                own = _judge(runner.challenger, judged) if due else judged
            postings += _posted(runner.trader.follow(
                batch.event, batch.number, batch.time, own, batch.stale
            ))  # fmt: skip
        if judged is not None:
            closed = judged.evaluation.snapshot.closed
            self._closed = closed if self._closed is None else np.maximum(self._closed, closed)
            self._swap(champion, judged, batch.time)
        return postings

    # -- coming and going ----------------------------------------------------------------------

    def _swap(self, champion: Trader, judged: Judged, time: int) -> None:
        """Let those go that are not wanted any more, and those in that are; they begin after."""
        wanted = {challenger.name: challenger for challenger in _first(judged.config)}
        self._failed &= wanted.keys()
        for name in [n for n in self._running if n not in wanted]:
            del self._running[name]
        for name in [n for n in wanted if n not in self._running and n not in self._opening]:
            self._ask(wanted[name], champion, time)
        for name in [n for n, known in self._opening.items() if known[1].done()]:
            challenger, future = self._opening.pop(name)
            if name in wanted:
                self._join((challenger, future), champion, judged, time)

    def _ask(self, challenger: Challenger, champion: Trader, time: int) -> None:
        """Have a book opened on a thread: the loop waits for no database."""
        if self._ended:
            return
        if self._ledger is None:
            future: Future[Opened] = Future()
            future.set_result(Opened(None, None))
        else:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(1, "challengers")
            future = self._threads.submit(self._open, challenger, champion.start_cash, time)
        self._opening[challenger.name] = challenger, future

    def _join(
        self, asked: "tuple[Challenger, Future[Opened]]", champion: Trader, judged: Judged,
        time: int,
    ) -> None:
        challenger, future = asked
        try:
            opened = future.result()
        except (DatabaseError, LeaseLost) as error:  # asked again at the next batch
            if challenger.name not in self._failed:
                logger.warning("challenger not opened", name=challenger.name, error=str(error))
            self._failed.add(challenger.name)
            return
        self._failed.discard(challenger.name)
        trader = self._run(challenger, opened, champion, judged, time)
        trader.mark(judged.evaluation.snapshot.price)
        logger.info("challenger runs", name=challenger.name)

    def _open(self, challenger: Challenger, cash: float, time: int) -> Opened:
        if self._ledger is None:
            return Opened(None, None)
        opened = self.opener or self._ledger.open_book
        book = opened(shadow_book(challenger.name), cash, time, self._lease)
        chapters = ShadowRepository.beside(self._ledger).chapters(challenger.name)
        return Opened(book, chapters[-1] if chapters else None)

    def _run(
        self, challenger: Challenger, opened: Opened, champion: Trader, judged: Judged, start: int
    ) -> Trader:
        snapshot = judged.evaluation.snapshot
        trader = Trader(
            champion.broker.symbols, snapshot.timeframes, champion.decision,
            replace(champion.setup, cash=champion.start_cash), shadow_book(challenger.name),
            opened.book, champion.source,
        )  # fmt: skip
        trader.begin(start)
        trader.start(snapshot.closed)
        self._running[challenger.name] = Runner(challenger, trader, opened.chapter)
        return trader

    def _due(self, judged: Judged) -> bool:
        """Whether a bar closed that anybody decides on."""
        if not self._running or self._closed is None:
            return False
        snapshot = judged.evaluation.snapshot
        decision = next(iter(self._running.values())).trader.decision
        column = snapshot.timeframes.index(decision)
        return bool((snapshot.closed[:, column] > self._closed[:, column]).any())

    def _turn(
        self, runner: Runner, champion: Trader, time: int, config: AgentConfig
    ) -> list[Posting]:
        """Begin a new chapter of a comparison where the champion is another one."""
        before, weights = runner.chapter, tuple(config.weights.tolist())
        if before is None:
            why = BEGAN
        elif before.weights != weights:
            why = OTHER_WEIGHTS
        elif before.against != champion.epoch:
            why = OTHER_ACCOUNT
        else:
            return []
        trader, name = runner.trader, runner.challenger.name
        chapter = Chapter(max(time, trader.time), trader.epoch, champion.epoch, why, weights)
        event = Event(chapter.key(name), chapter.time, KIND, chapter.body(name))
        runner.chapter = chapter
        return _posted(trader.settle(Decided.none(), events=(event,)))


def _first(config: AgentConfig) -> Sequence[Challenger]:
    """Return as many challengers as may run."""
    return config.challengers[:MOST_SHADOWS]


def _judge(challenger: Challenger, judged: Judged) -> Judged:
    """Judge what the champion judged by other weights."""
    found = evaluate(judged.evaluation.snapshot, challenger.weights, judged.config.rules)
    return Judged(found, judged.config, judged.faults)


def _posted(decided: Decided) -> list[Posting]:
    return [] if decided.posting is None else [decided.posting]
