"""Point-in-time records: what was known besides bars, and from when on.

Every record carries `event_time` (when it happened), `available_at` (from when on anybody could
know it) and `source`. A decision at time t may use what has `available_at` <= t, whatever its
`event_time`: a joined table keyed by event time would read the future.

All times are int64 milliseconds UTC; prices and amounts as in `Bars`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray

Side = Literal["buy", "sell"]


@dataclass(frozen=True, slots=True)
class Trade:
    """One print; `side` is the aggressor's (the taker's)."""

    event_time: int
    available_at: int
    source: str
    symbol: str
    price: float
    amount: float
    side: Side


@dataclass(frozen=True, slots=True, eq=False)  # arrays have no single truth value to compare by
class Trades:
    """The prints of one symbol as columns, oldest first; iterating gives `Trade` records.

    Parameters
    ----------
    source, symbol : str
        Of every print.
    time : ndarray of int64, shape (n_trades,)
        When they happened, which is also when they became known.
    price, amount : ndarray of shape (n_trades,)
        Quote currency; base currency.
    side : ndarray of int8, shape (n_trades,)
        +1 where the buyer was the aggressor, -1 where the seller was.
    """

    source: str
    symbol: str
    time: TimeArray
    price: FloatArray
    amount: FloatArray
    side: NDArray[np.int8]

    def __len__(self) -> int:
        return self.time.size

    def __iter__(self) -> Iterator[Trade]:
        columns = (self.time, self.price, self.amount, self.side)
        for t, price, amount, side in zip(*(c.tolist() for c in columns), strict=True):
            yield Trade(
                t, t, self.source, self.symbol, price, amount, "buy" if side > 0 else "sell"
            )


@dataclass(frozen=True, slots=True)
class OrderBook:
    """A snapshot of the book: (price, amount) of each level, best first."""

    event_time: int
    available_at: int
    source: str
    symbol: str
    bids: tuple[tuple[float, float], ...]
    asks: tuple[tuple[float, float], ...]

    @property
    def mid(self) -> float:
        """Mean of the best bid and the best ask."""
        return 0.5 * (self.bids[0][0] + self.asks[0][0])


@dataclass(frozen=True, slots=True)
class Headline:
    """A news title; `symbols` is empty when it concerns the whole market or is not linked."""

    event_time: int
    available_at: int
    source: str
    title: str
    publisher: str
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Funding:
    """A settlement of perpetual funding; `rate` is a fraction of the position per 8 hours."""

    event_time: int
    available_at: int
    source: str
    symbol: str
    rate: float


@dataclass(frozen=True, slots=True)
class FearGreed:
    """The market's mood of one day, 0 (fear) to 100 (greed); `event_time` is the day's opening.

    The value describes the day, so it becomes known when the day is over.
    """

    event_time: int
    available_at: int
    source: str
    value: int


Observation = Trade | OrderBook | Headline | Funding | FearGreed
Kind = TypeVar("Kind", Trade, OrderBook, Headline, Funding, FearGreed)


class ObservationStore(Protocol):
    """Where observations are kept so that a backtest sees each when it could be seen."""

    def append(self, records: Iterable[Observation]) -> int:
        """Keep records; those already kept are skipped. Return how many were new."""
        ...

    def known(
        self, kind: type[Kind], since: int, until: int, symbol: str | None = None
    ) -> list[Kind]:
        """Return the records with since <= available_at < until, in the order of availability."""
        ...


def by_availability(records: Iterable[Kind]) -> list[Kind]:
    """Sort records by the time from which they were known, then by when they happened."""
    return sorted(records, key=lambda r: (r.available_at, r.event_time))
