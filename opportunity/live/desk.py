"""What runs beside the agent's loop: trading on paper, the books of it, and the session's log."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

import structlog

from opportunity.feeds.base import Closed, Feed
from opportunity.live.account import Account, Decided
from opportunity.live.hand import Hand
from opportunity.live.judged import Judged
from opportunity.live.keeping import Books, Keeping
from opportunity.live.missed import walk
from opportunity.live.paper_trading import PaperTrading
from opportunity.live.portfolio import PortfolioState
from opportunity.live.recording import Recorder
from opportunity.live.session_frames import SessionFrames
from opportunity.live.shadows import Batch, Shadows
from opportunity.live.staleness import FRESH, Freshness, Staleness
from opportunity.live.standing import Setting, state_of
from opportunity.live.streams import Streams
from opportunity.live.trader import Trader
from opportunity.market.observations import Record
from opportunity.market.timeframe import Timeframe, length_ms
from opportunity.storage.books import PAPER, Posting

__all__ = ["Books", "Desk"]

logger = structlog.get_logger(__name__)

TICK_S: Final = 1.0
"""Wall time between two looks at a feed that may be silent, and at the storage."""

SHOW_EVERY_S: Final = 0.1
"""Least wall time between two states of the account that differ by marks only."""


class Desk:
    """Trades, keeps and records what an agent sees; without trading it does nothing.

    Parameters
    ----------
    trading : PaperTrading, optional
        Trades on paper by it.
    folder : Path, optional
        Where the log of the session is made.
    books : Books, optional
        Where the account is kept.
    """

    def __init__(
        self,
        trading: PaperTrading | None = None,
        folder: Path | None = None,
        books: Books | None = None,
    ) -> None:
        self.trading = trading
        self.frames = SessionFrames(folder)
        self.keeping = Keeping(Books() if books is None else books)
        self.hand = Hand(self)
        self.trader: Trader | None = None
        self.shadows = Shadows(self.keeping.books.ledger, self.keeping.books.lease)
        self.turn = asyncio.Lock()
        """Held while a batch, or a command by hand, is worked in."""
        self.halted = ""
        """Why nothing is traded any more; empty while it is."""
        self._feed: Feed | None = None
        self._streams: Streams | None = None
        self._staleness = Staleness(1, on_wall_time=False)
        self._fresh: Freshness = FRESH
        self._enabled, self._closed = True, False
        self._looked: Closed | None = None
        self._shown = -SHOW_EVERY_S
        self._ticker: asyncio.TimerHandle | None = None
        self.shadows.opener = self.keeping.open_book

    @property
    def trades(self) -> bool:
        """Whether it trades now."""
        return self.trader is not None and not (self.halted or self._closed)

    @property
    def recorder(self) -> Recorder | None:
        """Writer of the session's log; None without one."""
        return self.frames.recorder

    @property
    def error(self) -> str:
        """Why the log of the session ended early; empty while all is well, or without one."""
        return self.frames.error

    @property
    def storage_error(self) -> str:
        """Why the account cannot be stored now; empty while all is well."""
        return self.keeping.lost or self.keeping.storage

    def tell(
        self, on_state: Callable[[PortfolioState], None], on_error: Callable[[str], None]
    ) -> None:
        """Have states of the account, and why trading ended, told; from any thread."""
        self.keeping.on_state, self.keeping.on_error = on_state, on_error

    async def hold(self) -> None:
        """Take the lease and begin to keep books, before the market is asked for anything.

        Raises
        ------
        LeaseTaken
            If another live server holds the lease.
        DatabaseError
            If the database cannot be reached.
        """
        self._closed = False
        if self.trading is not None:
            await self.keeping.open()

    def open(self, feed: Feed, timeframes: Sequence[Timeframe]) -> None:
        """Begin the log; a folder that cannot be made costs the log, not the agent."""
        if self.trading is not None:
            self.frames.open(feed, timeframes, self.trading)

    def watch(self, streams: Streams) -> Streams:
        """Have streams tell the log what they are given; return them."""
        return self.frames.watch(streams)

    def heard(self, records: Sequence[Record]) -> None:
        """Take records that became known, before the bars that see them."""
        self.frames.heard(records)

    async def begin(self, feed: Feed, streams: Streams, judged: Judged, start: int) -> None:
        """Trade from the next batch on; what closed before is not decided on.

        A stored account goes on: it is taken through the base bars that it missed first.

        Parameters
        ----------
        feed : Feed
            Open.
        streams : Streams
        judged : Judged
            The first ranking.
        start : int
            Feed time from which on batches will come, ms UTC.

        Raises
        ------
        DatabaseError, LeaseLost
            If the account cannot be opened.
        """
        config = judged.config
        if self.trading is None or config.trade is None:
            return
        self._feed, self._streams = feed, streams
        self._staleness = Staleness(length_ms(feed.base), feed.on_wall_time)
        await self.keeping.flush()
        if feed.starts_over:
            await self.keeping.rewind(start)
        stored = await self.keeping.book(PAPER, config.trade.cash, start)
        trader = Trader(
            streams.symbols, streams.timeframes, self.trading.decision_timeframe, config.trade,
            PAPER, stored, streams.source,
        )
        trader.begin(start)
        await asyncio.to_thread(trader.start, judged.evaluation.snapshot.closed)
        postings = [] if trader.opening is None else [trader.opening]
        postings += await asyncio.to_thread(self.shadows.begin, trader, judged, start)
        accounts: list[Account] = [trader, *self.shadows.accounts]
        self.keeping.put(postings)
        await walk(feed, accounts, start, self.keeping.put)
        for account in accounts:
            account.mark(judged.evaluation.snapshot.price)
        self.trader, self._enabled = trader, config.enabled
        if trader.resumed <= start:
            self.frames.ready(streams, judged.evaluation.snapshot.time, config, trader)
        self.show()
        self._tick()

    async def take(self, event: Closed, time: int, judged: Judged | None) -> None:
        """Trade on a batch, the challengers too; see `follow`."""
        async with self.turn:  # a command by hand is stored before the next batch counts
            shadowed = await self.shadow(event, time, judged)
            self.follow(event, time, judged, shadowed)

    async def shadow(
        self, event: Closed, time: int, judged: Judged | None
    ) -> Sequence[Posting]:
        """Have the challengers trade on a batch, before `follow`; return what is to be stored."""
        if self.trader is None or self.halted or self._closed or self.keeping.lost:
            return ()
        self._look(event)
        batch = Batch(event, self.frames.n_batches, time, judged, self._fresh.state)
        return await self.shadows.follow(self.trader, batch)

    def follow(
        self, event: Closed, time: int, judged: Judged | None, shadowed: Sequence[Posting] = ()
    ) -> None:
        """Trade on a batch, hand on what is to be stored, and log what came of it.

        Parameters
        ----------
        event : Closed
        time : int
            Up to which bars are known, ms UTC.
        judged : Judged or None
            The ranking that it led to; None where no bar of any stream closed.
        shadowed : sequence of Posting
            What the challengers did on it: stored together with the rest.
        """
        trader = self.trader
        if trader is None or self.halted or self._closed:
            return
        if self.keeping.lost:
            self.halt(self.keeping.lost)
            return
        self._look(event)
        if judged is not None:
            self._enabled = judged.config.enabled
        decided = trader.follow(event, self.frames.n_batches, time, judged, self._fresh.state)
        postings = [] if decided.posting is None else [decided.posting]
        postings += shadowed
        stored = self.keeping.put(postings)
        if decided.skipped:
            if time >= trader.resumed and judged is not None and self._streams is not None:
                self.frames.ready(self._streams, time, judged.config, trader)
            return
        self.frames.batch(event, time, judged, decided, trader)
        self._show(trader, stored, at_once=bool(postings))

    def _look(self, event: Closed) -> None:
        """Look whether data is fresh and the account can be stored; once for each batch."""
        if event is self._looked:
            return
        self._looked = event
        assert self._feed is not None
        assert self.trader is not None
        self._staleness.storage = self.keeping.storage
        bars = self.trader.setup.risk.stale_bars
        self._fresh = self._staleness.heard(event.time, self._feed.clock.now(), bars)

    def _tick(self) -> None:
        """Look whether anything is wrong between two batches, again and again."""
        if not self._closed:
            self._ticker = asyncio.get_running_loop().call_later(TICK_S, self._tick)
            self.look()

    def look(self) -> None:
        """Tell at once of data that became stale, and of storage that fails or is lost."""
        trader, feed = self.trader, self._feed
        if trader is None or feed is None or self.halted or self.turn.locked():
            return
        if self.keeping.lost:
            self.halt(self.keeping.lost)
            return
        self._staleness.storage = self.keeping.storage
        found = self._staleness.now(feed.clock.now(), trader.setup.risk.stale_bars)
        before, self._fresh = self._fresh, found
        if found.state != before.state:
            trader.broker.set_stale(found.state, trader.time)
            posting = trader.settle(Decided.none(), reason=found.text).posting
            self.keeping.put([] if posting is None else [posting])
        if found != before:
            self.show()

    def show(self) -> None:
        """Show the account as it is now: all of it is stored."""
        if self.trader is not None:
            self._show(self.trader, None, at_once=True)

    def halt(self, why: str) -> None:
        """Trade no more, and say why."""
        if not self.halted:
            self.halted = why
            logger.error("trading stopped", why=why)
            self.keeping.on_error(why)
            self.show()

    async def close(self) -> None:
        """Store and write what waits."""
        await self.hand.close()
        async with self.turn:
            if self.trader is not None and not (self._closed or self.halted or self.keeping.lost):
                accounts: list[Account] = [self.trader, *self.shadows.accounts]
                self.keeping.put([a.note() for a in accounts if a.time > a.noted])
            self._closed = True
        if self._ticker is not None:
            self._ticker.cancel()
        await asyncio.to_thread(self.shadows.close)
        await asyncio.to_thread(self.keeping.close)
        await asyncio.to_thread(self.frames.close)

    def _show(self, trader: Trader, stored: "Future[Any] | None", at_once: bool) -> None:
        now = asyncio.get_running_loop().time()
        if not at_once and now - self._shown < SHOW_EVERY_S:
            return
        self._shown = now
        setting = Setting(
            self._enabled, self._fresh.text, self.keeping.storage, self.halted
        )
        self.keeping.show(state_of(trader, setting), stored)
