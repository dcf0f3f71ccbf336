"""What a line is about: how it is asked for through ccxt, and how its messages are read."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from opportunity.feeds.exchange.lines.ports import Sink, Stream, StreamVenue
from opportunity.feeds.exchange.lines.prints import Prints, parsed_print
from opportunity.feeds.exchange.lines.taps import TAPS, BarSaid, moment, number
from opportunity.feeds.exchange.records import Frame
from opportunity.market.timeframe import Timeframe, length_ms

UNREAD: Final = -1
"""A message that is not of the subject: ccxt is to read it."""

MOST_SYMBOLS: Final = 200
"""Symbols of one connection."""

NEWEST: Final = 2
"""Rows that are read of what ccxt parsed: they prove nothing, and some venues begin with 720."""

_RAW: Final = 500  # characters kept of a payload that looks odd


class Subject(Protocol):
    """What the connections of one line have in common.

    Attributes
    ----------
    batch : int
        Most symbols in one call of `watch`.
    lasts : bool
        Whether `watch` comes back only when something went wrong: messages are read by `hear`.
    any_message : bool
        Whether any message shows that the line is alive.
    """

    batch: int
    lasts: bool
    any_message: bool

    def begin(self, stream: Stream) -> None:
        """Get ready for a new ccxt.pro object."""
        ...

    async def watch(self, stream: Stream, symbols: Sequence[str]) -> object:
        """Subscribe where that is not done yet, and wait for something."""
        ...

    def hear(self, message: object) -> int:
        """Read a message as it came; return how many frames it held, or `UNREAD`."""
        ...

    def take(self, stream: Stream, symbols: Sequence[str], result: Any) -> int:
        """Read what `watch` gave; return how many frames it held."""
        ...


def market_rows(venue: StreamVenue, symbols: Sequence[str], rows: Iterable[int]) -> dict[str, int]:
    """Return the rows by the venue's own names of the markets."""
    return {venue.markets[symbols[row]].id: row for row in rows if symbols[row] in venue.markets}


class BarSubject:
    """Bars of the base timeframe: by tap, with the closed flag, or as ccxt parsed them.

    Parameters
    ----------
    venue : StreamVenue
        Whose bars.
    symbols : sequence of str
        Of the feed, by row.
    rows : sequence of int
        Rows of this line.
    base : Timeframe
        Timeframe of the bars.
    sink : Sink
        Takes the frames.
    """

    any_message = False

    def __init__(
        self,
        venue: StreamVenue,
        symbols: Sequence[str],
        rows: Sequence[int],
        base: Timeframe,
        sink: Sink,
    ) -> None:
        self._tap = TAPS.get(venue.name)
        self._base, self._length, self._interval = base, length_ms(base), str(base)
        self._clock, self._sink = venue.clock, sink
        self._by_id = market_rows(venue, symbols, rows)
        self._by_symbol = {symbols[row]: row for row in rows}
        self.lasts = self._tap is not None
        self.batch = self._tap.batch if self._tap else 1

    def begin(self, stream: Stream) -> None:
        """Learn the venue's name of the timeframe."""
        self._interval = str((stream.timeframes or {}).get(self._base, self._base))

    async def watch(self, stream: Stream, symbols: Sequence[str]) -> object:
        """Wait for a bar of one symbol; with a tap for an error of all of them."""
        if self.lasts:
            return await stream.watch_ohlcv_for_symbols([[s, self._base] for s in symbols])
        return await stream.watch_ohlcv(symbols[0], self._base)

    def hear(self, message: object) -> int:
        """Turn the bars in a message into frames, before ccxt sees it."""
        if self._tap is None or not isinstance(message, Mapping):
            return UNREAD
        said = self._tap.bars(message, self._interval)
        if said is None:
            return UNREAD
        at = self._clock.now()
        n = 0
        for bar in said:
            row = self._by_id.get(bar.market)
            if row is not None:
                raw = str(message)[:_RAW] if self._odd(bar) else ""
                self._sink.frame(Frame(row, bar.time, bar.values, bar.closed, at, raw))
                n += 1
        return n

    def _odd(self, bar: BarSaid) -> bool:
        # no judgement: it only says whether the payload may be needed for a note
        o, h, l, c, v = bar.values  # noqa: E741 - the usual letters of a bar
        on_grid = bar.time > 0 and bar.time % self._length == 0
        return not (on_grid and 0.0 < l <= o <= h and l <= c <= h and v >= 0.0)

    def take(self, stream: Stream, symbols: Sequence[str], result: Any) -> int:
        """Copy the rows that ccxt parsed, at once: they are its own and will change."""
        if self.lasts:
            return 0
        at = self._clock.now()
        n = 0
        for row in result[-NEWEST:]:
            time, o, h, l, c, v = row[:6]  # noqa: E741 - the usual letters of a bar
            values = number(o), number(h), number(l), number(c), number(v)
            bar = BarSaid(symbols[0], moment(time), values, None)
            raw = str(row)[:_RAW] if self._odd(bar) else ""
            frame = Frame(self._by_symbol[symbols[0]], bar.time, values, None, at, raw)
            self._sink.frame(frame)
            n += 1
        return n


class PrintSubject:
    """Prints: by tap, or as ccxt parsed them.

    Parameters
    ----------
    venue : StreamVenue
        Whose prints.
    symbols : sequence of str
        Of the feed, by row.
    rows : sequence of int
        Rows of this line.
    prints : Prints
        Takes them.
    """

    any_message = False

    def __init__(
        self, venue: StreamVenue, symbols: Sequence[str], rows: Sequence[int], prints: Prints
    ) -> None:
        self._tap = TAPS.get(venue.name)
        self._prints = prints
        self._by_id = market_rows(venue, symbols, rows)
        self._by_symbol = {symbols[row]: row for row in rows}
        self.lasts = self._tap is not None
        self.batch = self._tap.batch if self._tap else 1

    def begin(self, stream: Stream) -> None:
        """Nothing to learn."""

    async def watch(self, stream: Stream, symbols: Sequence[str]) -> object:
        """Wait for prints of one symbol; with a tap for an error of all of them."""
        if self._tap is None:
            return await stream.watch_trades(symbols[0])
        options = dict(self._tap.print_options)
        return await stream.watch_trades_for_symbols(list(symbols), None, None, options)

    def hear(self, message: object) -> int:
        """Take the prints in a message, before ccxt sees it."""
        if self._tap is None or not isinstance(message, Mapping):
            return UNREAD
        said = self._tap.prints(message)
        if said is None:
            return UNREAD
        n = 0
        for one in said:
            row = self._by_id.get(one.market)
            if row is not None:
                self._prints.add(row, one)
                n += 1
        return n

    def take(self, stream: Stream, symbols: Sequence[str], result: Any) -> int:
        """Take what ccxt parsed."""
        if self.lasts:
            return 0
        row = self._by_symbol[symbols[0]]
        for trade in result:
            self._prints.add(row, parsed_print(trade))
        return len(result)
