"""What ccxt made of an answer, as our records: types checked, sizes bounded, values as told."""

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from opportunity.feeds.exchange.records import Rows
from opportunity.feeds.exchange.venue.failures import VenueError
from opportunity.market.observations import OrderBook, Trades

MOST_ROWS: Final = 20_000
"""Rows of one answer; no venue sends more than some thousands."""

_FARTHEST: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Ticker:
    """The last 24 hours of a market.

    Parameters
    ----------
    symbol : str
        Our spelling.
    last : float
        Price of the last trade; NaN where it is not told.
    quote_volume : float
        Turnover of 24 hours in quote currency; NaN where it is not told.
    time : int
        When that was so, ms UTC of the feed.
    """

    symbol: str
    last: float
    quote_volume: float
    time: int


def number(value: Any) -> float:
    """Return a number as a float, NaN for everything else."""
    if isinstance(value, bool) or value is None:
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def whole(value: Any) -> int:
    """Return a whole number, 0 for everything else."""
    told = number(value)
    return int(told) if math.isfinite(told) and abs(told) < _FARTHEST else 0


def listed(answer: Any, what: str) -> list[Any]:
    """Check that an answer is a list of a sane length.

    Raises
    ------
    VenueError
        Of kind ``garbled``.
    """
    if not isinstance(answer, list):
        raise VenueError(f"{what} must come as a list, was {type(answer).__name__}", "garbled")
    if len(answer) > MOST_ROWS:
        raise VenueError(f"{what} must be <= {MOST_ROWS} rows, was {len(answer)}", "garbled")
    return answer


def as_rows(answer: Any, asked_at: int, most: int = MOST_ROWS) -> Rows:
    """Return the first bars in the order told; time 0 and NaN stand for what is no number."""
    told = listed(answer, "bars")[:most]
    rows = [r if isinstance(r, list | tuple) else () for r in told]
    times = np.array([whole(r[0]) if r else 0 for r in rows], np.int64)
    values = np.array(
        [[number(r[i]) if len(r) > i else math.nan for i in range(1, 6)] for r in rows], np.float64
    )
    return Rows(times, values.reshape(len(rows), 5), asked_at)


def as_trades(answer: Any, symbol: str, source: str) -> Trades:
    """Return prints, oldest first; those without a side, or with nonsense, are left out."""
    told = []
    for trade in listed(answer, "prints"):
        if not isinstance(trade, Mapping):
            continue
        row = whole(trade.get("timestamp")), number(trade.get("price")), number(trade.get("amount"))
        side = {"buy": 1, "sell": -1}.get(str(trade.get("side")), 0)
        if row[0] > 0 and side and 0 < row[1] < math.inf and 0 < row[2] < math.inf:
            told.append((*row, side))
    told.sort(key=lambda row: row[0])
    columns: Any = zip(*told, strict=True) if told else ((), (), (), ())
    time, price, amount, sides = columns
    return Trades(
        source, symbol, np.array(time, np.int64), np.array(price, np.float64),
        np.array(amount, np.float64), np.array(sides, np.int8),
    )  # fmt: skip


def as_book(answer: Any, at: tuple[str, str, int], depth: int) -> OrderBook:
    """Return a snapshot of the book; `at` is its source, its symbol and the feed's time.

    Raises
    ------
    VenueError
        Of kind ``garbled`` if a side is empty, out of order or crosses the other.
    """
    source, symbol, now = at
    if not isinstance(answer, Mapping):
        raise VenueError(f"a book must come as a record, was {type(answer).__name__}", "garbled")
    bids, asks = (_levels(answer.get(side), depth) for side in ("bids", "asks"))
    prices = [p for p, _ in reversed(bids)] + [p for p, _ in asks]
    if not bids or not asks or any(a >= b for a, b in itertools.pairwise(prices)):
        raise VenueError(f"the book of {symbol} must have two sides in order", "garbled")
    return OrderBook(whole(answer.get("timestamp")) or now, now, source, symbol, bids, asks)


def as_tickers(answer: Any, known: Iterable[str]) -> dict[str, Ticker]:
    """Return the tickers of known symbols.

    Raises
    ------
    VenueError
        Of kind ``garbled`` if the answer is no record of records.
    """
    if not isinstance(answer, Mapping):
        raise VenueError(f"tickers must come as a record, was {type(answer).__name__}", "garbled")
    found = {}
    for symbol in known:
        told = answer.get(symbol)
        if isinstance(told, Mapping):
            last, turnover = number(told.get("last")), number(told.get("quoteVolume"))
            if math.isnan(turnover):
                turnover = number(told.get("baseVolume")) * last
            found[symbol] = Ticker(symbol, last, turnover, whole(told.get("timestamp")))
    return found


def _levels(side: Any, depth: int) -> tuple[tuple[float, float], ...]:
    found = []
    for level in side if isinstance(side, list) else []:
        if isinstance(level, list | tuple) and len(level) >= 2:
            price, amount = number(level[0]), number(level[1])
            if 0 < price < math.inf and 0 < amount < math.inf:
                found.append((price, amount))
        if len(found) == depth:
            break
    return tuple(found)
