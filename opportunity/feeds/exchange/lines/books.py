"""Order books: a snapshot of each symbol now and then, by stream or in turns over REST."""

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import structlog

from opportunity.errors import OpportunityError
from opportunity.feeds.clock import Clock
from opportunity.feeds.exchange.lines.ports import Sink, Stream, StreamVenue
from opportunity.feeds.exchange.lines.prints import MOST_AMOUNT
from opportunity.feeds.exchange.lines.subjects import UNREAD
from opportunity.feeds.exchange.lines.taps import TAPS, moment, number
from opportunity.market.observations import OrderBook

logger = structlog.get_logger(__name__)

EACH_S: Final = 10.0
"""Wall seconds between two snapshots of a symbol, where there is room for as many."""

DEPTH: Final = 20
"""Levels of each side."""

MOST_STREAMED: Final = 50
"""Symbols whose books are streamed; of more, each change would cost too much to follow."""

REST_GAP_S: Final = 0.5
"""Least wall seconds between two requests for books: the venue has other things to answer."""

REFUSED_S: Final = 30.0
"""Pause after a request that failed, wall seconds."""

Levels = tuple[tuple[float, float], ...]


def levels(said: object, depth: int = DEPTH) -> Levels:
    """Read one side of a book, best first, without what was taken back."""
    if not isinstance(said, Sequence):
        return ()
    found = ((number(level[0]), number(level[1])) for level in said[: 2 * depth])
    return tuple(pair for pair in found if pair[1] != 0.0)[:depth]


def sane(book: OrderBook) -> bool:
    """Whether both sides are there, prices are > 0, amounts can be, and bids lie below asks."""
    if not book.bids or not book.asks or book.bids[0][0] > book.asks[0][0]:
        return False
    return all(
        0.0 < price < math.inf and 0.0 <= amount <= MOST_AMOUNT
        for price, amount in (*book.bids, *book.asks)
    )


def parsed_book(said: Mapping[str, Any], symbol: str, source: str, at: int) -> OrderBook:
    """Copy a book as ccxt keeps it; `at` is the feed's time, which also stands in for its own."""
    time = moment(said.get("timestamp")) or at
    bids, asks = levels(said.get("bids")), levels(said.get("asks"))
    return OrderBook(min(time, at), at, source, symbol, bids, asks)


class BookSubject:
    """Books of a few symbols by stream, looked at each `EACH_S`.

    Parameters
    ----------
    venue : StreamVenue
        Whose books.
    sink : Sink
        Takes the snapshots.
    each_s : float
        Wall seconds between two snapshots.
    """

    any_message = True  # changes are read by ccxt: that there are any is enough
    lasts = False

    def __init__(self, venue: StreamVenue, sink: Sink, each_s: float = EACH_S) -> None:
        self._clock: Clock = venue.clock
        self._source, self._sink, self._each_s = venue.stamp, sink, each_s
        # binance asks REST for the first snapshot: this many levels are a cheap request
        self._limit = 100 if venue.name.startswith("binance") else None
        tap = TAPS.get(venue.name)
        self.batch = min(MOST_STREAMED, tap.batch) if tap else MOST_STREAMED
        self._seen: dict[str, object] = {}

    def begin(self, stream: Stream) -> None:
        """Forget what was seen of the object before."""
        self._seen.clear()

    async def watch(self, stream: Stream, symbols: Sequence[str]) -> object:
        """Wait for a change of any book, not too soon after the last."""
        if self._seen:
            await asyncio.sleep(self._each_s)
        return await stream.watch_order_book_for_symbols(list(symbols), self._limit)

    def hear(self, message: object) -> int:
        """Leave all messages to ccxt."""
        return UNREAD

    def take(self, stream: Stream, symbols: Sequence[str], result: Any) -> int:
        """Copy the books that have changed since the last look."""
        at = self._clock.now()
        books = stream.orderbooks
        n = 0
        for symbol in symbols:
            said = books.get(symbol)
            if said is None:
                continue
            book = parsed_book(said, symbol, self._source, at)
            mark = said.get("nonce")  # changes with each change of the book, where there is one
            if mark is None:
                mark = (said.get("timestamp"), book.bids, book.asks)
            if sane(book) and self._seen.get(symbol) != mark:
                self._seen[symbol] = mark
                self._sink.book(book)
                n += 1
        return n


class BookTurns:
    """Books of many symbols over REST, one after the other.

    Parameters
    ----------
    venue : StreamVenue
        Is asked.
    symbols : iterable of str
        In turns.
    sink : Sink
        Takes the snapshots.
    each_s : float
        Wall seconds between two snapshots of a symbol, if `REST_GAP_S` leaves room for that.
    """

    def __init__(
        self, venue: StreamVenue, symbols: Iterable[str], sink: Sink, each_s: float = EACH_S
    ) -> None:
        self._venue, self._symbols, self._sink = venue, tuple(symbols), sink
        self._gap_s = max(each_s / max(1, len(self._symbols)), min(REST_GAP_S, each_s))

    async def run(self) -> None:
        """Ask until cancelled; what a venue does never ends it."""
        while self._symbols:
            for symbol in self._symbols:
                try:
                    book = await self._venue.book(symbol, DEPTH)
                except OpportunityError as error:
                    logger.debug("book not had", symbol=symbol, error=str(error))
                    await asyncio.sleep(max(REFUSED_S, self._gap_s))
                    continue
                at = self._venue.clock.now()
                heard = replace(book, event_time=min(book.event_time, at), available_at=at)
                if sane(heard):
                    self._sink.book(heard)
                await asyncio.sleep(self._gap_s)
