"""One exchange over REST: markets, clock, bars, prints, books, funding; and objects to stream.

All calls go through one `Gate` and one token bucket. What comes back is typed but not validated:
what a bar has to fulfil is judged where bars become final.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import structlog

from opportunity.errors import unknown
from opportunity.feeds.clock import Clock
from opportunity.feeds.exchange.lines.taps import TAPS
from opportunity.feeds.exchange.records import Rows
from opportunity.feeds.exchange.venue.answers import (
    Ticker,
    as_book,
    as_rows,
    as_tickers,
    as_trades,
    listed,
    whole,
)
from opportunity.feeds.exchange.venue.asking import Asker
from opportunity.feeds.exchange.venue.bans import Bans
from opportunity.feeds.exchange.venue.client import venue_names
from opportunity.feeds.exchange.venue.connection import Connection
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.feeds.exchange.venue.gate import Gate, Patience, Timing
from opportunity.feeds.exchange.venue.gated import Hooks, Plan
from opportunity.feeds.exchange.venue.markets import (
    Market,
    known_timeframes,
    spot_markets,
    told_source,
)
from opportunity.feeds.exchange.venue.perpetuals import Perpetuals
from opportunity.feeds.exchange.venue.sampling import Sampler
from opportunity.feeds.exchange.venue.skew import Sample, jumps, skew_ms, steer
from opportunity.feeds.exchange.venue.transport import MARKETS_BYTES, Trip, body_limit, trip
from opportunity.market.observations import Funding, OrderBook, Trades
from opportunity.market.timeframe import Timeframe, length_ms

logger = structlog.get_logger(__name__)

CLOCK_S: Final = 600.0
"""Wall seconds between two measurements of the clock at real speed."""

FASTEST: Final = 10.0
"""By how much more often a venue is looked at where time runs faster: looks cost calls."""

STRAY_MS: Final = 2_000
"""What the clock may be behind the wall clock, before it is measured anew."""

NAMED_TICKERS: Final = 100
"""Tickers that are asked for by name; for more, all are asked for."""

FEW_TICKERS: Final = frozenset({"binance"})
"""Venues that send but the named ones, however many there are: they are asked for a few at a time,
because ccxt reads those of one answer in one go, 45 us each, and the loop stands still."""

AT_ONCE: Final = 50

DEFAULT_PAGE: Final = 300
T = TypeVar("T")


class Venue:
    """One exchange.

    Parameters
    ----------
    name : str
        ccxt's id, e.g. ``binance``.
    url : str
        ``http://host:port`` of a local exchange that speaks its format; empty for the real one.
        No request goes anywhere else then.
    folder : Path or None
        Where bans are remembered, in ``bans/``; None forgets them.
    wall_ms : callable
        Wall time of this machine, ms UTC.
    rate : bool
        Whether calls are spaced as the venue asks.
    timeout_s : float
        Of one call, > 0.
    options : mapping, optional
        ccxt's `options`, on top of ours.
    patience : Patience, optional
        How often and how long it is tried.

    Attributes
    ----------
    stamp : str
        Source of the data: the name, or what a local exchange says that it is.
    speed : float
        Exchange seconds a wall second: 1, or what a local exchange says.
    clock : Clock
        The exchange's time.
    skew_ms : int
        The exchange's clock minus this machine's, ms; means something at speed 1 only.
    markets : dict
        Spot markets by symbol.
    n_left_out : int
        Markets whose names cannot be written in our spelling.
    timeframes : tuple
        Those of ours that the venue has.

    Raises
    ------
    ValueError
        If the name is unknown.
    """

    def __init__(
        self,
        name: str,
        *,
        url: str = "",
        folder: Path | None = None,
        wall_ms: Callable[[], int],
        rate: bool = True,
        timeout_s: float = 10.0,
        options: Mapping[str, Any] | None = None,
        patience: Patience | None = None,
    ) -> None:
        if name not in venue_names():
            raise ValueError(unknown("exchange", name, venue_names()))
        if not timeout_s > 0:
            raise ValueError(f"timeout_s must be > 0, was {timeout_s}")
        self.name = self.stamp = name
        self.speed = 1.0
        self.clock = Clock(wall_ms())
        self.skew_ms = 0
        self.markets: dict[str, Market] = {}
        self.n_left_out = 0
        self.timeframes: tuple[Timeframe, ...] = ()
        self._plan = Plan(name, url, rate, timeout_s, wall_ms, options or {})
        patience = patience or Patience()
        self.gate = Gate(name, Bans(_ban_file(folder, name, url)), Timing(wall_ms), patience)
        self._line = Connection(self._plan, self.gate)
        self._asked = Asker(name, patience, wall_ms)
        self._sampler = Sampler(name, self.clock, wall_ms)
        self._perpetuals: Perpetuals | None = None
        self._whole_books = False

    # -- life --------------------------------------------------------------------------------

    async def open(self) -> None:
        """Import ccxt in a thread, load the markets and measure the clock.

        Raises
        ------
        VenueError
            If the venue does not answer, or not with markets.
        ValueError
            If an address of the venue would point elsewhere than `url`.
        """
        if self._line.is_open:
            return
        await self._line.open()
        try:
            await self.refresh()
            await self.resync()
        except BaseException:
            await self.close()
            raise
        logger.info("exchange open", venue=self.name, source=self.stamp, markets=len(self.markets))

    async def close(self) -> None:
        """Let go of all connections; streams are closed by who asked for them."""
        perpetuals, self._perpetuals = self._perpetuals, None
        if perpetuals is not None:
            await perpetuals.close()
        await self._line.close()

    async def may_connect(self) -> None:
        """Return when a WebSocket may be dialled; ask before every dial.

        Raises
        ------
        VenueError
            If the venue asked to be left alone for longer than the patience allows.
        """
        await self.gate.wait_unpaused()

    def stream(
        self,
        on_message: Callable[[Any, Any], object] | None = None,
        on_connected: Callable[[Any], object] | None = None,
        on_closed: Callable[[Any, object], object] | None = None,
    ) -> Any:
        """Return a new object of ccxt.pro that knows the markets; the caller awaits its `close`.

        Parameters
        ----------
        on_message : callable, optional
            (client, message) of ccxt's WebSocket client, before ccxt sees the message; if it
            returns something true, ccxt never does. What it raises is logged, never more.
        on_connected : callable, optional
            (client) after a connection was made.
        on_closed : callable, optional
            (client, reason) after a connection was lost or could not be made.
        """
        client = self._line.more()
        client.hooks = Hooks(on_message, on_connected, on_closed)
        client.set_markets_from_exchange(self._line.client)
        return client

    # -- what it is ---------------------------------------------------------------------------

    @property
    def stamp_name(self) -> str:
        """The stamp as the name of a folder."""
        return self.stamp.replace(":", "-")

    @property
    def tells_closed(self) -> bool:
        """Whether its stream says when a bar is final."""
        return self.name in TAPS and self.has("watchOHLCV")

    @property
    def page(self) -> int:
        """Most bars that one answer holds."""
        client = self._line.client
        told = (client.features or {}).get("spot") or {}
        return whole((told.get("fetchOHLCV") or {}).get("limit")) or DEFAULT_PAGE

    def has(self, what: str) -> bool:
        """Tell whether ccxt knows how to do something here, e.g. ``watchOHLCV``."""
        return bool(self._line.client.has.get(what))

    # -- what is asked of it ---------------------------------------------------------------------

    async def refresh(self) -> None:
        """Load the markets again; the old ones stay if that fails."""
        told = await self._ask(self._list_markets)
        client = self._line.client
        self.markets, self.n_left_out = spot_markets(told, client.precisionMode)
        client.set_markets([m for m in told if m.get("spot")])
        self.timeframes = known_timeframes(client.timeframes)
        if self._plan.url:
            self.stamp, self.speed = told_source(told)

    async def resync(self) -> None:
        """Measure the exchange's clock and put ours right; it never goes back."""
        samples = await self._samples()
        if jumps(self.clock, samples, self.speed):
            samples = await self._samples()  # far ahead: only if it says so twice
        self.skew_ms = skew_ms(samples)
        steer(self.clock, samples, self.speed, steered_s(self.speed))

    @property
    def astray(self) -> bool:
        """Whether the clock fell behind since it was measured, e.g. because the machine slept."""
        told = self._plan.wall_ms() + self.skew_ms
        return self.speed == 1.0 and told - self.clock.now() > STRAY_MS

    async def bars(self, symbol: str, timeframe: Timeframe, since: int, limit: int) -> Rows:
        """Return one page of bars from `since` on, at most `limit` and `page`, as told.

        The newest may be open still. Times are opening times in ms UTC; nothing is validated.
        """
        client, wanted = self._line.client, min(limit, self.page)
        # some venues take no `since` and give the newest: then as many that it is reached
        reach = (self.clock.now() - since) // length_ms(timeframe) + 2
        n = max(wanted, reach) if reach <= self.page else wanted

        async def ask() -> Rows:
            seen = Trip()
            trip.set(seen)
            answer = await client.fetch_ohlcv(symbol, timeframe, since, n)
            ago = 0.0 if seen.first_at is None else self.clock.real() - seen.first_at
            return as_rows(answer, self.clock.now() - round(ago * 1000.0 * self.speed), wanted)

        return await self._ask(ask, symbol)

    async def tickers(self, symbols: Sequence[str] | None = None) -> dict[str, Ticker]:
        """Return the last 24 hours of the symbols, of all markets for None."""
        client = self._needs("fetchTickers")

        async def ask(named: list[str] | None) -> dict[str, Ticker]:
            answer = await client.fetch_tickers(named)
            return as_tickers(answer, named or symbols or self.markets)

        if symbols is None or (len(symbols) > NAMED_TICKERS and self.name not in FEW_TICKERS):
            return await self._ask(partial(ask, None))
        size = AT_ONCE if self.name in FEW_TICKERS else NAMED_TICKERS
        found: dict[str, Ticker] = {}
        for first in range(0, len(symbols), size):
            found |= await self._ask(partial(ask, list(symbols[first : first + size])))
        return found

    async def prints(self, symbol: str, since: int, limit: int) -> Trades:
        """Return prints from `since` on, at most `limit`, oldest first."""
        client = self._needs("fetchTrades")

        async def ask() -> Trades:
            return as_trades(await client.fetch_trades(symbol, since, limit), symbol, self.stamp)

        return await self._ask(ask, symbol)

    async def book(self, symbol: str, depth: int) -> OrderBook:
        """Return the best `depth` levels of both sides."""
        client = self._needs("fetchOrderBook")

        async def ask() -> OrderBook:
            answer = await client.fetch_order_book(symbol, None if self._whole_books else depth)
            return as_book(answer, (self.stamp, symbol, self.clock.now()), depth)

        try:
            return await self._ask(ask, symbol)
        except VenueError as error:
            if error.kind in ("unreachable", "limited", "banned") or self._whole_books:
                raise
            self._whole_books = True  # some venues know certain depths only
            return await self._ask(ask, symbol)

    async def funding(self, symbols: Sequence[str]) -> list[Funding]:
        """Return the newest known rate of each symbol's perpetual, per 8 hours."""
        return await self._perpetual().rates(symbols, (self.stamp, self.clock.now()))

    async def funding_history(self, symbol: str, since: int, until: int) -> list[Funding]:
        """Return the settlements of a symbol's perpetual in [since, until), per 8 hours."""
        return await self._perpetual().history(symbol, (since, until), self.stamp)

    # -- inside -----------------------------------------------------------------------------------

    def _needs(self, what: str) -> Any:
        client = self._line.client
        if not self.has(what):
            raise VenueError(f"{self.name} does not offer {what}", "unsupported")
        return client

    def _perpetual(self) -> Perpetuals:
        if self._perpetuals is None:
            make = partial(self._line.more, "perpetual")
            self._perpetuals = Perpetuals(self.name, make, self._asked)
        return self._perpetuals

    async def _ask(self, ask: Callable[[], Awaitable[T]], symbol: str = "") -> T:
        if symbol and symbol not in self.markets:
            raise VenueError(unknown(f"symbol of {self.name}", symbol, self.markets), "refused")
        return await self._asked(ask)

    async def _list_markets(self) -> list[Any]:
        client, seen = self._line.client, Trip()
        trip.set(seen)
        token = body_limit.set(MARKETS_BYTES)
        try:
            told = listed(await client.fetch_markets(), "markets")
        finally:
            body_limit.reset(token)
        if not spot_markets(told, client.precisionMode)[0]:
            raise VenueError(f"{self.name} gave no spot markets", "garbled")
        self._sampler.note_date(seen)
        return told

    async def _samples(self) -> list[Sample]:
        if not self.has("fetchTime"):
            return self._sampler.by_date()
        return await self._sampler.by_asking(self._asked, self._line.client.fetch_time)


def steered_s(speed: float) -> float:
    """Return for how many wall seconds a clock is steered: until it is measured again."""
    return CLOCK_S / min(max(speed, 1.0), FASTEST)


def _ban_file(folder: Path | None, name: str, url: str) -> Path | None:
    if folder is None:
        return None
    host = urlsplit(url).netloc.replace(":", "-").strip("[]")
    return folder / "bans" / f"{name}{'-' if host else ''}{host}.json"
