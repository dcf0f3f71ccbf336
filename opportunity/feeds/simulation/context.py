"""What the simulated market gives besides bars, as point-in-time records."""

import numpy as np

from opportunity.feeds.simulation import sentiment
from opportunity.feeds.simulation.market import SimulatedMarket
from opportunity.feeds.simulation.news import News
from opportunity.feeds.simulation.tape import (
    LEVELS,
    MOST,
    draw_book,
    forming_bars,
    minute_prints,
    to_integers,
)
from opportunity.feeds.simulation.weeks import MARKET_START
from opportunity.market.bars import FloatArray
from opportunity.market.observations import FearGreed, Funding, Headline, OrderBook, Trades
from opportunity.market.timeframe import DAY_MS, MINUTE_MS

_LONGEST_MS = DAY_MS


class Context:
    """Prints, book, headlines, funding and Fear & Greed; pure functions of (seed, time)."""

    def __init__(self, market: SimulatedMarket) -> None:
        self._market = market
        self._news = News(market)

    def trades(self, symbol: str, start: int, end: int) -> Trades:
        """Return the prints of one symbol in [start, end), at most a day of them.

        The amounts of a minute add up to its bar's volume exactly, and its prices visit the
        bar's open, high, low and close.
        """
        if not 0 < end - start <= _LONGEST_MS:
            raise ValueError(f"trades must be asked for (0, 24] hours, was {end - start} ms")
        row = self._market.row(symbol)
        coin = self._market.coins[row]
        first, bars = self._minutes(row, start, end)
        prints = np.zeros((len(bars), MOST, 4))
        counts = np.zeros(len(bars), np.int64)
        minute_prints(coin, (first - MARKET_START) // MINUTE_MS, bars, prints, counts)
        kept = np.arange(MOST) < counts[:, None]
        opened = first + MINUTE_MS * np.arange(len(bars), dtype=np.int64)
        time = (opened[:, None] + prints[:, :, 0].astype(np.int64, casting="unsafe"))[kept]
        inside = (time >= start) & (time < end)
        columns = prints[kept][inside]
        return Trades(
            source="simulated",
            symbol=symbol,
            time=time[inside],
            price=columns[:, 1] / coin["ticks"],
            amount=columns[:, 2] / coin["lots"],
            side=columns[:, 3].astype(np.int8),
        )

    def order_book(self, symbol: str, at: int) -> OrderBook:
        """Return the book of one symbol at an instant: twenty levels around the last print."""
        row = self._market.row(symbol)
        coin = self._market.coins[row]
        first, bars = self._minutes(row, at, at + 1)
        partial, bar = np.empty((1, 5)), np.empty(5, np.int64)
        minute = (first - MARKET_START) // MINUTE_MS
        forming_bars(self._market.coins[row : row + 1], minute, bars, float(at - first), partial)
        to_integers(coin, bars[0], bar)
        last = bar[0] if np.isnan(partial[0, 3]) else round(partial[0, 3] * coin["ticks"])
        drift = float(bar[3] - last) / max(1.0, float(bar[1] - bar[2]))
        sides = np.empty((2, LEVELS, 2))
        draw_book(coin, at - MARKET_START, int(last), drift, float(bar[4]), sides)
        sides[:, :, 0] /= coin["ticks"]
        sides[:, :, 1] /= coin["lots"]
        bids, asks = (tuple((float(p), float(a)) for p, a in side) for side in sides)
        return OrderBook(at, at, "simulated", symbol, bids, asks)

    def headlines(self, start: int, end: int) -> list[Headline]:
        """Return the headlines that became known in [start, end)."""
        return self._news.between(start, end)

    def funding(self, symbol: str, start: int, end: int) -> list[Funding]:
        """Return the funding settlements of one symbol in [start, end)."""
        return sentiment.funding(self._market, symbol, start, end)

    def fear_greed(self, start: int, end: int) -> list[FearGreed]:
        """Return the daily Fear & Greed values that became known in [start, end)."""
        return sentiment.fear_greed(self._market, start, end)

    def _minutes(self, row: int, start: int, end: int) -> tuple[int, FloatArray]:
        first = start // MINUTE_MS * MINUTE_MS
        if first < MARKET_START:
            raise ValueError(f"start must be >= {MARKET_START}, was {start}")
        grid = np.arange(first, end, MINUTE_MS, dtype=np.int64)
        return first, self._market.bars(np.array([row]), "1m", grid)[0]
