"""What was heard besides bars and not asked for yet: prints, order books, funding."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from opportunity.feeds.exchange.lines.funding import (
    POLL_S,
    FundingVenue,
    load_funding,
    poll_funding,
)
from opportunity.feeds.exchange.lines.rings import Ring, Table
from opportunity.market.observations import (
    Funding,
    Heartbeat,
    OrderBook,
    Record,
    Trades,
    by_availability,
)
from opportunity.market.timeframe import HOUR_MS

N_PRINTS: Final = 1 << 18
"""Prints kept, of all symbols: ten minutes of 400 a second, 12 MB."""

N_BOOKS: Final = 1 << 13
"""Books kept: nearly seven minutes of 200 symbols each 10 s, 6 MB."""

N_FUNDING: Final = 1 << 14
"""Settlements kept: a quarter of 60 symbols, 0.6 MB."""

N_BEATS: Final = 1 << 10
"""Heartbeats kept: three days and a half of one each ten minutes for prints and for books."""

DEPTH: Final = 20
"""Levels of each side of a book."""

SETTLED_MS: Final = 8 * HOUR_MS
"""Funding is kept once for each of these spans, as it is settled on most venues."""

MOVED: Final = 5e-5
"""Change of a rate within such a span that is kept as well, fraction of the position per 8 h."""

_PRINT: Final = np.dtype([
    ("heard", np.int64), ("row", np.int32), ("time", np.int64), ("price", np.float64),
    ("amount", np.float64), ("side", np.int8),
])  # fmt: skip
_BOOK: Final = np.dtype([
    ("heard", np.int64), ("row", np.int32), ("time", np.int64), ("n_bids", np.int16),
    ("n_asks", np.int16), ("bids", np.float64, (DEPTH, 2)), ("asks", np.float64, (DEPTH, 2)),
])  # fmt: skip
_FUNDING: Final = np.dtype([
    ("heard", np.int64), ("row", np.int32), ("time", np.int64), ("rate", np.float64),
])  # fmt: skip


class Tape:
    """Bounded memory of what a venue told; what was heard counts from when it was heard.

    Parameters
    ----------
    symbols : tuple of str
        The universe; records of others are passed over.
    source : str
        Stamped on what is given out.
    now : callable, optional
        The feed's time, ms UTC. Without it a block of prints counts from its last print on, or
        from the end of the span asked for last, whichever is later.
    n_prints, n_books : int
        Most that is kept, of all symbols together; the oldest are let go.

    Attributes
    ----------
    n_dropped : int
        Records let go of before anybody asked for them.
    """

    def __init__(
        self,
        symbols: tuple[str, ...],
        source: str,
        now: Callable[[], int] | None = None,
        n_prints: int = N_PRINTS,
        n_books: int = N_BOOKS,
    ) -> None:
        self._symbols, self._source, self._now = symbols, source, now
        self._rows = {symbol: row for row, symbol in enumerate(symbols)}
        self._prints = Ring(_PRINT, n_prints)
        self._books = Ring(_BOOK, n_books)
        self._funding = Ring(_FUNDING, N_FUNDING)
        self._beats: deque[Heartbeat] = deque(maxlen=N_BEATS)
        self._rates: dict[str, Funding] = {}
        self._asked: dict[type[Record], int] = {}
        self.n_dropped = 0

    def add(self, record: Record) -> None:
        """Take what was heard just now; kinds that no exchange tells are passed over."""
        if isinstance(record, Trades):
            self._add_prints(record)
        elif isinstance(record, OrderBook):
            self._add_book(record)
        elif isinstance(record, Funding):
            self._add_funding(record)
        elif isinstance(record, Heartbeat):
            self._add_beat(record)

    def _heard(self, ring: Ring, kind: type[Record], said: int) -> int:
        """Return when something counts as heard: never before what was given out already."""
        now = said if self._now is None else self._now()
        return max(now, ring.last, self._asked.get(kind, 0))

    def _add_prints(self, prints: Trades) -> None:
        row = self._rows.get(prints.symbol)
        if row is None or not len(prints):
            return
        heard = self._heard(self._prints, Trades, int(prints.time.max()))
        rows = np.zeros(len(prints), _PRINT)
        rows["heard"], rows["row"] = heard, row
        rows["time"] = np.minimum(prints.time, heard)  # a clock may be ahead of ours
        rows["price"], rows["amount"], rows["side"] = prints.price, prints.amount, prints.side
        self.n_dropped += self._prints.extend(rows, self._asked.get(Trades, 0))

    def _add_book(self, book: OrderBook) -> None:
        row = self._rows.get(book.symbol)
        if row is None:
            return
        rows = np.zeros(1, _BOOK)
        rows["heard"] = self._heard(self._books, OrderBook, book.available_at)
        rows["row"], rows["time"] = row, book.event_time
        for side, levels in (("bids", book.bids[:DEPTH]), ("asks", book.asks[:DEPTH])):
            rows[f"n_{side}"] = len(levels)
            if levels:
                rows[side][0, : len(levels)] = levels
        self.n_dropped += self._books.extend(rows, self._asked.get(OrderBook, 0))

    def _add_funding(self, record: Funding) -> None:
        row = self._rows.get(record.symbol)
        if row is None or not self._new_rate(record):
            return
        self._rates[record.symbol] = record
        rows = np.zeros(1, _FUNDING)
        rows["heard"] = max(record.available_at, self._asked.get(Funding, 0), self._funding.last)
        rows["row"], rows["time"], rows["rate"] = row, record.event_time, record.rate
        self.n_dropped += self._funding.extend(rows, self._asked.get(Funding, 0))

    def _add_beat(self, record: Heartbeat) -> None:
        last = self._beats[-1].available_at if self._beats else 0  # it was heard before this one
        known = max(record.available_at, self._asked.get(Heartbeat, 0), last)
        self._beats.append(replace(record, available_at=known))

    def _new_rate(self, record: Funding) -> bool:
        """Whether a rate is news: venues tell the one to come over and over between settlements."""
        last = self._rates.get(record.symbol)
        if last is None or record.event_time // SETTLED_MS > last.event_time // SETTLED_MS:
            return True
        moved = abs(record.rate - last.rate) > MOVED
        return record.event_time >= last.event_time and moved

    def between(self, kinds: tuple[type[Record], ...], since: int, until: int) -> list[Record]:
        """Return what was heard in [since, until), ms UTC; see `Feed.observations`.

        Prints come as one block a symbol, in the order of their time, which may lie before
        `since` where they were heard late.
        """
        found: list[Record] = []
        if Trades in kinds:
            found += self._blocks(self._prints.between(since, until))
        if OrderBook in kinds:
            found += self._snapshots(self._books.between(since, until))
        if Funding in kinds:
            found += self._settlements(self._funding.between(since, until))
        if Heartbeat in kinds:
            found += [b for b in self._beats if since <= b.available_at < until]
        for kind in kinds:
            self._asked[kind] = max(self._asked.get(kind, 0), until)
        return by_availability(found)

    def asked(self, kind: type[Record]) -> bool:
        """Whether anybody has asked for a kind, so that its past comes too late."""
        return kind in self._asked

    def _blocks(self, rows: Table) -> Iterator[Trades]:
        order = np.lexsort((rows["time"], rows["row"]))  # stable: of one ms as they were heard
        rows = rows[order]
        cuts = np.flatnonzero(np.diff(rows["row"])) + 1
        for part in np.split(rows, cuts) if rows.size else ():
            columns = (np.ascontiguousarray(part[c]) for c in ("time", "price", "amount", "side"))
            yield Trades(self._source, self._symbols[int(part["row"][0])], *columns)

    def _snapshots(self, rows: Table) -> Iterator[OrderBook]:
        heads = zip(*(rows[name].tolist() for name in ("heard", "row", "time")), strict=True)
        counts = zip(rows["n_bids"].tolist(), rows["n_asks"].tolist(), strict=True)
        sides = zip(rows["bids"].tolist(), rows["asks"].tolist(), strict=True)
        for (heard, row, time), (n, m), (bids, asks) in zip(heads, counts, sides, strict=True):
            best = tuple(map(tuple, bids[:n])), tuple(map(tuple, asks[:m]))
            yield OrderBook(time, heard, self._source, self._symbols[row], *best)

    def _settlements(self, rows: Table) -> Iterator[Funding]:
        columns = (rows[name].tolist() for name in ("time", "heard", "row", "rate"))
        for time, heard, row, rate in zip(*columns, strict=True):
            yield Funding(time, heard, self._source, self._symbols[row], rate)

    async def load(self, venue: FundingVenue) -> None:
        """Ask for the funding of the last 90 days, before anybody asks for it here."""
        await load_funding(venue, self._symbols, self)

    async def poll(self, venue: FundingVenue) -> None:
        """Ask for funding, and say what is still heard, each ten minutes until cancelled."""
        while True:
            heard = self._prints.n_heard, self._books.n_heard
            await poll_funding(venue, self._symbols, self)
            await asyncio.sleep(POLL_S / max(1.0, venue.clock.speed))
            now = venue.clock.now()
            for n, before, of in zip(
                (self._prints.n_heard, self._books.n_heard), heard, ("trades", "order_book"),
                strict=True,
            ):  # fmt: skip
                if n > before:
                    self.add(Heartbeat(now, now, self._source, of))
