"""The simulated market as a whole: bars of any coin, timeframe and time, drawn when asked for."""

import threading
from collections.abc import Iterable
from concurrent.futures import Executor

import numpy as np
from numpy.typing import NDArray

from opportunity.errors import unknown
from opportunity.feeds.simulation.randomness import key_of
from opportunity.feeds.simulation.series import hour_bars, minute_bars
from opportunity.feeds.simulation.universe import COINS, coins, exists, symbols_of
from opportunity.feeds.simulation.weeks import (
    DAY_HOURS,
    HOURS,
    MARKET_START,
    grow_coin,
    grow_factor,
)
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS, WEEK_MS, TimeArray, length_ms

_SPARE_WEEKS = 26
_THREADS = 2


class SimulatedMarket:
    """Forty coins and more, as a pure function of (seed, symbol, time).

    Parameters
    ----------
    symbols : int or iterable of str
        How many coins, or which.
    seed : int
        Another seed is another history of the same coins.

    Notes
    -----
    Weeks are drawn once, in order, and kept; hours and minutes are drawn when asked for and not
    kept. Every method may be called from any thread. A coin's history does not depend on which
    other coins are asked for. The model and its measured facts: docs/simulated-market.md.
    """

    def __init__(self, symbols: int | Iterable[str] = 40, seed: int = 7) -> None:
        self.symbols = symbols_of(symbols)
        self.seed = seed
        self._row = {symbol: i for i, symbol in enumerate(self.symbols)}
        self.coins = coins(self.symbols, seed)
        self._key = key_of(seed, "FACTOR")
        self._lock = threading.Lock()
        self._openings = np.zeros(1)
        self._regimes = np.zeros(0, np.int64)
        self._mood = self._variance = self._path = np.zeros((0, HOURS))
        self._levels = np.zeros((len(self.symbols), 1))

    def row(self, symbol: str) -> int:
        """Return the row of `symbol`; one that exists but was not listed joins the market.

        Raises
        ------
        ValueError
            If the simulated market has no such symbol.
        """
        if symbol not in self._row:
            if not exists(symbol):
                raise ValueError(unknown("symbol", symbol, COINS))
            self._join(symbol)
        return self._row[symbol]

    def _join(self, symbol: str) -> None:
        with self._lock:
            if symbol in self._row:
                return
            coin = coins((symbol,), self.seed)
            level = np.zeros((1, self._levels.shape[1]))
            if self._regimes.size:
                grow_coin(coin[0], 0, self._mood, level[0])
            self.coins = np.concatenate([self.coins, coin])
            self._levels = np.concatenate([self._levels, level])
            self._row[symbol] = len(self._row)

    def regime(self, time: int) -> int:
        """Return the regime of the week that holds `time`: 0 range, 1 bull, 2 bear, 3 crisis."""
        self.reach(time)
        return int(self._regimes[(time - MARKET_START) // WEEK_MS])

    def reach(self, time: int, pool: Executor | None = None) -> None:
        """Draw the weeks up to the one that holds `time`, and some more."""
        wanted = (time - MARKET_START) // WEEK_MS + 2
        if wanted <= self._regimes.size:
            return
        with self._lock:
            have, need = self._regimes.size, wanted + _SPARE_WEEKS
            if wanted <= have:
                return
            openings, regimes = np.zeros(need + 1), np.zeros(need, np.int64)
            mood, variance, path = (np.zeros((need, HOURS)) for _ in range(3))
            openings[: have + 1], regimes[:have] = self._openings, self._regimes
            mood[:have], variance[:have], path[:have] = self._mood, self._variance, self._path
            grow_factor(self._key, have, openings, regimes, mood, variance, path)
            levels = np.zeros((len(self._row), need + 1))
            levels[:, : have + 1] = self._levels

            def grow(row: int) -> None:
                grow_coin(self.coins[row], have, mood, levels[row])

            list(pool.map(grow, range(len(levels))) if pool else map(grow, range(len(levels))))
            self._openings, self._mood, self._variance = openings, mood, variance
            self._path, self._levels = path, levels
            self._regimes = regimes  # last: its size tells the other threads that all is there

    def factor_days(self, last: int) -> FloatArray:
        """Return the market factor's log level at the close of each day up to number `last`."""
        self.reach(MARKET_START + (last + 1) * DAY_MS)
        days: FloatArray = self._path.reshape(-1)[DAY_HOURS - 1 :: DAY_HOURS][: last + 1]
        return days

    def grid(self, timeframe: str, n_bars: int, end: int) -> TimeArray:
        """Return the opening times of the newest `n_bars` bars that have closed by `end`."""
        length = length_ms(timeframe)
        last = MARKET_START + ((end - MARKET_START) // length - 1) * length
        first = max(MARKET_START, last - (n_bars - 1) * length)
        return np.arange(first, last + 1, length, dtype=np.int64)

    def bars(
        self, rows: NDArray[np.int64], timeframe: str, time: TimeArray, pool: Executor | None = None
    ) -> FloatArray:
        """Draw the bars of some coins.

        Parameters
        ----------
        rows : ndarray of int64, shape (n_coins,)
            Rows of the coins, see `row`.
        timeframe : str
            Any timeframe.
        time : ndarray of int64, shape (n_bars,)
            Consecutive opening times, as `grid` gives them.
        pool : Executor or None
            Threads to share long work among.

        Returns
        -------
        ndarray of shape (n_coins, n_bars, 5)
            Open, high, low, close, volume.

        Notes
        -----
        About 0.35 us an hour and 10 us for the sixty minutes of an hour, on one core.
        """
        out = np.empty((rows.size, time.size, 5))
        if time.size == 0:
            return out
        self.reach(int(time[-1]), pool)
        unit = HOUR_MS if length_ms(timeframe) >= HOUR_MS else MINUTE_MS
        draw = hour_bars if unit == HOUR_MS else minute_bars
        first = (int(time[0]) - MARKET_START) // unit
        ratio = length_ms(timeframe) // unit
        with self._lock:
            table, levels = self.coins[rows], self._levels[rows]
            shared = self._openings, self._path, self._mood, self._variance

        def fill(part: slice) -> None:
            draw(table[part], first, ratio, *shared, levels[part], out[part])

        work = rows.size * time.size * ratio
        if pool is None or work < 20_000 or rows.size < 2:
            fill(slice(None))
        else:
            size = -(-rows.size // (4 * _THREADS))
            list(pool.map(fill, [slice(i, i + size) for i in range(0, rows.size, size)]))
        return out

