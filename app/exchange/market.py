"""Where the local exchange's bars come from: the simulated market, as a pure function of time."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from opportunity.feeds.simulation.context import Context
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.feeds.simulation.tape import MOST, forming_bars
from opportunity.feeds.simulation.weeks import MARKET_START
from opportunity.market.bars import FloatArray
from opportunity.market.observations import Funding, OrderBook, Trades
from opportunity.market.timeframe import HOUR_MS, MINUTE_MS, TimeArray, Timeframe, length_ms

DEFAULT_START_MS: Final = 1_748_865_600_000
"""Monday 2025-06-02 12:00 UTC, as the simulated feed."""

_BLOCKS: Final = 4  # hours of minutes of all symbols that are kept


@runtime_checkable
class Market(Protocol):
    """What the local exchange trades.

    Attributes
    ----------
    source : str
        Stamped on every symbol: ``simulated`` or ``replay:NAME``.
    symbols : tuple of str
        Rows of every other method index it.
    base : Timeframe
        Shortest bars that it has.
    start_ms : int
        Where the exchange's time begins unless told otherwise, ms UTC.
    most_prints : int
        More prints than a base bar ever has; print k of a bar is numbered with it.
    """

    source: str
    symbols: tuple[str, ...]
    base: Timeframe
    start_ms: int
    most_prints: int

    def steps(self, row: int) -> tuple[float, float]:
        """Return the price step and the amount step of a symbol."""
        ...

    def base_bars(self, opened: int) -> FloatArray:
        """Return the base bars of all symbols that open at an instant, NaN where there is none.

        The shape is (n_symbols, 5); what is returned must not be written to.
        """
        ...

    def bars(
        self, row: int, timeframe: Timeframe, since: int, until: int, limit: int, newest: bool
    ) -> tuple[TimeArray, FloatArray]:
        """Return whole bars of a symbol that open in [since, until), at most `limit` of them."""
        ...

    def forming(self, rows: NDArray[np.int64], opened: int, now: int) -> FloatArray:
        """Return what the base bars that opened at `opened` look like at `now`; NaN: no print."""
        ...

    def trades(self, row: int, opened: int) -> Trades | None:
        """Return the prints of one base bar; None where prints are not known."""
        ...

    def book(self, row: int, at: int) -> OrderBook | None:
        """Return the book at an instant; None where books are not known."""
        ...

    def funding(self, row: int, start: int, end: int) -> list[Funding]:
        """Return the funding settlements in [start, end); empty where there are none."""
        ...

    def close(self) -> None:
        """Let go of threads; may be called twice."""
        ...


class SimulatedSource:
    """The simulated market: bars, prints, books and funding of invented trading.

    Parameters
    ----------
    symbols : int or iterable of str or SimulatedMarket
        How many coins, or which, or a market that is there already.
    seed : int
        Another seed is another history; a market that is there has its own.
    """

    source = "simulated"
    base: Timeframe = "1m"
    start_ms = DEFAULT_START_MS
    most_prints = MOST

    def __init__(self, symbols: int | Iterable[str] | SimulatedMarket = 40, seed: int = 7) -> None:
        self.market = (
            symbols if isinstance(symbols, SimulatedMarket) else SimulatedMarket(symbols, seed)
        )
        self.symbols = self.market.symbols
        self._context = Context(self.market)
        self._rows = np.arange(len(self.symbols))
        self._coins = self.market.coins
        self._blocks: OrderedDict[int, FloatArray] = OrderedDict()
        self._prints: OrderedDict[tuple[int, int], Trades] = OrderedDict()

    def steps(self, row: int) -> tuple[float, float]:
        """Return the price step and the amount step of a symbol."""
        coin = self._coins[row]
        return float(1.0 / coin["ticks"]), float(1.0 / coin["lots"])

    def base_bars(self, opened: int) -> FloatArray:
        """Return the minute of all symbols, out of an hour that is drawn at once."""
        hour = opened // HOUR_MS * HOUR_MS
        block = self._blocks.get(hour)
        if block is None:
            grid = hour + MINUTE_MS * np.arange(60, dtype=np.int64)
            block = self.market.bars(self._rows, "1m", grid).transpose(1, 0, 2).copy()
            self._blocks[hour] = block
            while len(self._blocks) > _BLOCKS:
                self._blocks.popitem(last=False)
        minute: FloatArray = block[(opened - hour) // MINUTE_MS]
        return minute

    def bars(
        self, row: int, timeframe: Timeframe, since: int, until: int, limit: int, newest: bool
    ) -> tuple[TimeArray, FloatArray]:
        """Return bars of a symbol, drawn from the same (seed, symbol, time) as all else."""
        length = length_ms(timeframe)
        first = max(since, MARKET_START)
        first = MARKET_START - (MARKET_START - first) // length * length  # up, to the grid
        n = max(0, -(-(until - first) // length))
        if n > limit:
            first, n = (first + (n - limit) * length if newest else first), limit
        grid = first + length * np.arange(n, dtype=np.int64)
        return grid, self.market.bars(np.array([row]), timeframe, grid)[0]

    def forming(self, rows: NDArray[np.int64], opened: int, now: int) -> FloatArray:
        """Return the fold of the minute's prints so far."""
        out = np.empty((rows.size, 5))
        minute = (opened - MARKET_START) // MINUTE_MS
        values = self.base_bars(opened)[rows]
        forming_bars(self._coins[rows], minute, values, float(now - opened), out)
        return out

    def trades(self, row: int, opened: int) -> Trades:
        """Return the prints of one minute; they add up to its bar."""
        key = row, opened
        if key not in self._prints:
            self._prints[key] = self._context.trades(self.symbols[row], opened, opened + MINUTE_MS)
            while len(self._prints) > 2 * len(self.symbols) + 100:
                self._prints.popitem(last=False)
        return self._prints[key]

    def book(self, row: int, at: int) -> OrderBook:
        """Return twenty levels around the last print."""
        return self._context.order_book(self.symbols[row], at)

    def funding(self, row: int, start: int, end: int) -> list[Funding]:
        """Return the settlements, one each eight hours."""
        return self._context.funding(self.symbols[row], max(start, MARKET_START), end)

    def close(self) -> None:
        """Do nothing: there is nothing to let go of."""
