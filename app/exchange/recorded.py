"""Recorded bars as the exchange's market: what was stored happens again."""

from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.errors import CoverageError
from opportunity.feeds.span import HISTORY, common_timeframe, symbols_in
from opportunity.market.bars import FloatArray
from opportunity.market.observations import Funding, OrderBook, Trades
from opportunity.market.store import BarStore
from opportunity.market.timeframe import (
    TIMEFRAMES,
    TimeArray,
    Timeframe,
    length_ms,
    offset_ms,
    open_ms,
)

_BLOCK: Final = 1_440  # base bars that are read at once
_KEPT: Final = 3
_WIDER: Final = 8


class RecordedSource:
    """Bars of a store; there are no prints, books or funding.

    Parameters
    ----------
    store : BarStore
        Where the bars are.
    symbols : iterable of str or None
        Which symbols; None: all that share the timeframe that most of them have.
    start : int or None
        Where the exchange's time begins, ms UTC; None: where half of the symbols have 1,000
        base bars behind them, or a fifth into the bars if there are fewer.
    top : int or None
        Only so many symbols, those with the largest turnover of the day before the start.

    Raises
    ------
    CoverageError
        If the symbols have no timeframe in common.

    Notes
    -----
    An open bar stands at its recorded open with volume 0: what happened inside of it is not
    known, and no path is invented.
    """

    most_prints = 1

    def __init__(
        self,
        store: BarStore,
        symbols: Iterable[str] | None = None,
        start: int | None = None,
        top: int | None = None,
    ) -> None:
        if top is not None and top < 1:
            raise ValueError(f"top must be >= 1, was {top}")
        self.store = store
        self.source = f"replay:{store.exchange}"
        self.symbols = symbols_in(store, symbols)
        self.base: Timeframe = common_timeframe(store, self.symbols, TIMEFRAMES, start, None)
        self._length = length_ms(self.base)
        self.start_ms = self._default_start() if start is None else start
        if top is not None:
            self.symbols = self._largest(top)
        self._blocks: OrderedDict[int, Future[FloatArray]] = OrderedDict()
        self._pool = ThreadPoolExecutor(1, "recorded-market")
        self._steps: dict[int, tuple[float, float]] = {}

    def _default_start(self) -> int:
        held = [self.store.coverage(s, self.base) for s in self.symbols]
        firsts = sorted(c.first + min(HISTORY, c.n_bars // 5) * self._length for c in held)
        return open_ms(firsts[len(firsts) // 2], self.base)

    def _largest(self, top: int) -> tuple[str, ...]:
        day = max(1, length_ms("1d") // self._length)

        def turnover(symbol: str) -> float:
            bars = self.store.read(symbol, self.base, None, self.start_ms, day)
            return float((bars.close * bars.volume).sum())

        ranked = sorted(self.symbols, key=lambda s: (-turnover(s), s))
        return tuple(ranked[:top])

    def steps(self, row: int) -> tuple[float, float]:
        """Return steps that the newest recorded bars fit: prices and amounts of 1e-8 at least."""
        if row not in self._steps:
            bars = self.store.read(self.symbols[row], self.base, None, None, 200)
            self._steps[row] = _step(bars.values[:, :4]), _step(bars.volume)
        return self._steps[row]

    def base_bars(self, opened: int) -> FloatArray:
        """Return the bars that open at an instant; the next block is read ahead."""
        span = _BLOCK * self._length
        shift = offset_ms(self.base)
        first = (opened - shift) // span * span + shift
        block = self._block(first).result()
        k = (opened - first) // self._length
        if k > _BLOCK // 4:
            self._block(first + span)
        found: FloatArray = block[:, k]
        return found

    def _block(self, first: int) -> "Future[FloatArray]":
        if first not in self._blocks:
            self._blocks[first] = self._pool.submit(self._read, first)
            while len(self._blocks) > _KEPT:
                self._blocks.popitem(last=False)
        return self._blocks[first]

    def _read(self, first: int) -> FloatArray:
        out = np.full((len(self.symbols), _BLOCK, 5), np.nan)
        end = first + _BLOCK * self._length
        for row, symbol in enumerate(self.symbols):
            bars = self.store.read(symbol, self.base, first, end)
            out[row, (bars.time - first) // self._length] = bars.values
        return out

    def bars(
        self, row: int, timeframe: Timeframe, since: int, until: int, limit: int, newest: bool
    ) -> tuple[TimeArray, FloatArray]:
        """Return stored bars, resampled where the timeframe is not stored."""
        symbol, end = self.symbols[row], until
        span = limit * length_ms(timeframe)
        try:
            if newest:
                bars = self.store.load(symbol, timeframe, since, until, limit)
            else:
                while True:  # a hole may be longer than a page
                    end = min(until, since + span)
                    bars = self.store.load(symbol, timeframe, since, end)
                    if len(bars) >= limit or end >= until:
                        break
                    span *= _WIDER
                bars = bars[:limit]
        except CoverageError:
            return np.empty(0, np.int64), np.empty((0, 5))
        return bars.time, bars.values

    def forming(self, rows: NDArray[np.int64], opened: int, now: int) -> FloatArray:
        """Return the opens of the bars, flat."""
        out = np.repeat(self.base_bars(opened)[rows, :1], 5, axis=1)
        out[:, 4] = 0.0 * out[:, 4]
        return out

    def trades(self, row: int, opened: int) -> Trades | None:
        """Return nothing: prints are not recorded here."""
        return None

    def book(self, row: int, at: int) -> OrderBook | None:
        """Return nothing: books are not recorded here."""
        return None

    def funding(self, row: int, start: int, end: int) -> list[Funding]:
        """Return nothing: funding is not recorded here."""
        return []

    def close(self) -> None:
        """Let the reading thread go."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _step(values: FloatArray) -> float:
    """Return the largest power of ten, 1 to 1e-8, that all values are multiples of."""
    for digits in range(9):
        if np.allclose(values, np.round(values, digits), rtol=1e-12, atol=0.0):
            return float(10.0**-digits)
    return 1e-8
