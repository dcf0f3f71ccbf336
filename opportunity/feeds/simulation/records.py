"""All that the simulated market tells besides bars, in the order in which it becomes known."""

from itertools import pairwise
from typing import Final

import numpy as np

from opportunity.feeds.simulation.context import Context
from opportunity.feeds.simulation.weeks import MARKET_START
from opportunity.market.observations import (
    FearGreed,
    Funding,
    Headline,
    Heartbeat,
    Record,
    Trades,
    by_availability,
)
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS

HEARTBEAT_MS: Final = 10 * MINUTE_MS
"""How often the simulated news desk says that it is there."""

_PIECE_MS: Final = 15 * MINUTE_MS  # prints are drawn a piece ahead: a minute costs as much


class ContextRecords:
    """Records of `Context` by kind and span.

    Prints come as one block a symbol and day at most; the newest pieces drawn are kept, because
    a live reader asks for them second by second.
    """

    def __init__(self, context: Context, symbols: tuple[str, ...]) -> None:
        self._context, self._symbols = context, symbols
        self._piece: tuple[int, int, list[Trades]] = (0, 0, [])

    def between(self, kinds: tuple[type[Record], ...], since: int, until: int) -> list[Record]:
        """Return the records with since <= `available_at` < until; see `Feed.observations`."""
        since = max(since, MARKET_START)
        if until <= since:
            return []
        found: list[Record] = []
        if Headline in kinds:
            found += self._context.headlines(since, until)
        if Heartbeat in kinds:
            first = -(-since // HEARTBEAT_MS) * HEARTBEAT_MS
            found += [
                Heartbeat(t, t, "simulated", "headline") for t in range(first, until, HEARTBEAT_MS)
            ]
        if FearGreed in kinds:
            found += self._context.fear_greed(since, until)
        if Funding in kinds:
            for symbol in self._symbols:
                found += self._context.funding(symbol, since, until)
        if Trades in kinds:
            found += self._prints(since, until)
        return by_availability(found)

    def _prints(self, since: int, until: int) -> list[Trades]:
        if until - since > HOUR_MS:
            edges = [*range(since, until, DAY_MS), until]
            return [
                self._context.trades(symbol, a, b)
                for a, b in pairwise(edges) for symbol in self._symbols
            ]
        first, end, _ = self._piece
        if not first <= since < until <= end:
            end = max(until, since + _PIECE_MS)
            drawn = [self._context.trades(symbol, since, end) for symbol in self._symbols]
            self._piece = since, end, drawn
        return [block for whole in self._piece[2] if len(block := _cut(whole, since, until))]


def _cut(trades: Trades, since: int, until: int) -> Trades:
    a, b = np.searchsorted(trades.time, (since, until))
    part = slice(int(a), int(b))
    return Trades(trades.source, trades.symbol, trades.time[part], trades.price[part],
                  trades.amount[part], trades.side[part])
