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
Flow = Literal["in", "out", "between", "unknown"]


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
class PrintMinute:
    """The prints of one symbol and minute, kept in their place; `available_at` is its end.

    Prints of one side and millisecond count as one. Amounts are in base currency.

    Parameters
    ----------
    buy, sell : float
        Taken by buyers and by sellers.
    large_buy, large_sell : float
        Of that, in prints above `threshold`.
    count : int
        Prints.
    largest : float
        Amount of the largest print, > 0 if a buyer's, < 0 if a seller's.
    price : float
        Its price.
    threshold : float
        Amount that 1 % of the prints of the 24 hours before exceeded; 0 while unknown.
    sizes : tuple of (bin, count)
        How large the prints were, so that the thresholds to come can be worked out; see
        `detectors.print_sizes`.
    """

    event_time: int
    available_at: int
    source: str
    symbol: str
    buy: float
    sell: float
    large_buy: float
    large_sell: float
    count: int
    largest: float
    price: float
    threshold: float
    sizes: tuple[tuple[int, int], ...]


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


@dataclass(frozen=True, slots=True)
class OpenInterest:
    """Open contracts of a perpetual; `amount` in base currency."""

    event_time: int
    available_at: int
    source: str
    symbol: str
    amount: float


@dataclass(frozen=True, slots=True)
class LongShort:
    """Accounts that are long divided by accounts that are short, > 0."""

    event_time: int
    available_at: int
    source: str
    symbol: str
    ratio: float


@dataclass(frozen=True, slots=True)
class SocialVolume:
    """Posts that name a symbol in the time since the record before."""

    event_time: int
    available_at: int
    source: str
    symbol: str
    count: float


@dataclass(frozen=True, slots=True)
class Transfer:
    """A large transfer on a chain; `asset` is a base code, `amount` in that coin.

    `flow` is seen from the exchanges: ``in`` to one, ``out`` of one, ``between`` two of them,
    ``unknown`` when neither end is known to be one.
    """

    event_time: int
    available_at: int
    source: str
    asset: str
    amount: float
    flow: Flow
    exchange: str = ""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A source was asked and answered, whether or not there was anything new.

    `of` names the kind of records it gives, e.g. ``headline``. Without heartbeats silence could
    not be told from a dead source.
    """

    event_time: int
    available_at: int
    source: str
    of: str


Observation = (
    Trade | PrintMinute | OrderBook | Headline | Funding | FearGreed | OpenInterest | LongShort
    | SocialVolume | Transfer | Heartbeat
)  # fmt: skip
Record = Observation | Trades
"""What a source hands over: single records, and prints by the block."""

Kind = TypeVar("Kind", bound=Observation)


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

    def forget(self, before: int) -> int:
        """Let go of records that were known before a time, ms UTC; return how many."""
        ...


R = TypeVar("R", bound=Record)


def by_availability(records: Iterable[R]) -> list[R]:
    """Sort records by the time from which they were known, then by when they happened.

    A block of prints counts as of its last one.
    """
    return sorted(records, key=_moment)


def _moment(record: Record) -> tuple[int, int]:
    if isinstance(record, Trades):
        newest = int(record.time[-1]) if len(record) else 0
        return newest, newest
    return record.available_at, record.event_time
