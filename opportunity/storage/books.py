"""Books: accounts with all that belongs to them, and the postings that change them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.errors import OpportunityError
from opportunity.storage.candidates import Candidate
from opportunity.storage.events import Event
from opportunity.trading.records import FILL, ORDER, TRADE

Records = NDArray[Any]

PAPER: Final = "paper"
"""The book of the agent itself."""

SHADOW: Final = "shadow:"
"""What names of challengers' books begin with."""


class BookError(OpportunityError):
    """Raised when a posting does not follow what its book holds; nothing was written."""


def shadow_book(name: str) -> str:
    """Return the name of a challenger's book."""
    return SHADOW + name


def no_numbers() -> tuple[NDArray[np.int64], Records]:
    """Return no orders, as a posting has them."""
    return np.empty(0, np.int64), np.empty(0, ORDER)


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """An account as it is stored.

    Parameters
    ----------
    name, market : str
    epoch : int
        Rises when it begins anew.
    cash : float
        At the start of the epoch, quote currency.
    begun : int
        Feed time of that start, ms UTC.
    time : int
        Feed time up to which bars are worked in, ms UTC.
    version : int
        Rises by one with every posting.
    account : ndarray of ACCOUNT, shape (1,)
    tally : ndarray of TALLY, shape (1,)
    positions : mapping of str to ndarray of POSITION, shape (1,)
        By symbol: what is held or waits.
    seen : mapping of str to int
        By symbol: when the newest bar closed that was worked in, ms UTC.
    """

    name: str
    market: str
    epoch: int
    cash: float
    begun: int
    time: int
    version: int
    account: Records
    tally: Records
    positions: Mapping[str, Records] = field(default_factory=dict)
    seen: Mapping[str, int] = field(default_factory=dict)

    @property
    def fresh(self) -> bool:
        """Whether nothing was ever posted in this epoch."""
        return self.time == self.begun and not self.positions and not self.account["n_orders"][0]


@dataclass(frozen=True, slots=True, eq=False)
class Posting:
    """What a batch, or a command by hand, changed in a book; arrays are copies.

    Parameters
    ----------
    book : str
    epoch : int
    version : int
        Of the book once it is in; a posting whose version is in already is skipped whole.
    time : int
        Feed time up to which bars are worked in, ms UTC.
    symbols : tuple of str
        What `symbol` in the rows numbers.
    account : ndarray of ACCOUNT, shape (1,)
    tally : ndarray of TALLY, shape (1,)
    positions : mapping of str to ndarray of POSITION, shape (1,), or None
        Those that changed; None: flat now, and waits for nothing.
    orders : tuple of arrays
        Numbers and ORDER rows of those that are new or became something else.
    fills, trades : tuple of int and array
        Number of the first, and the rows.
    marked : bool
        Whether a point of the equity curve is kept.
    gross : float
        Notional of all positions, quote currency.
    candidates : tuple of Candidate
    events : tuple of Event
    seen : mapping of str to int
        See `Book.seen`; of what `positions` holds.
    since : int
        Version after which its changes begin; by default the one before its own.
    """

    book: str
    epoch: int
    version: int
    time: int
    symbols: tuple[str, ...]
    account: Records
    tally: Records
    positions: Mapping[str, Records | None] = field(default_factory=dict)
    orders: tuple[NDArray[np.int64], Records] = field(default_factory=no_numbers)
    fills: tuple[int, Records] = field(default_factory=lambda: (0, np.empty(0, FILL)))
    trades: tuple[int, Records] = field(default_factory=lambda: (0, np.empty(0, TRADE)))
    marked: bool = False
    gross: float = 0.0
    candidates: tuple[Candidate, ...] = ()
    events: tuple[Event, ...] = ()
    seen: Mapping[str, int] = field(default_factory=dict)
    since: int = -1

    @property
    def after(self) -> int:
        """Version that the book must have before it."""
        return self.version - 1 if self.since < 0 else self.since


@dataclass(frozen=True, slots=True)
class Identity:
    """Whether what a book holds is what its fills come to.

    Parameters
    ----------
    cash, replayed : float
        Cash as the account says, and as start, fills, fees and funding give it.
    positions : mapping of str to (float, float)
        By symbol where they differ: signed quantity as held, and as fills give it.
    worth : float
        Cash and positions at their marks, quote currency.
    equity : float
        As the account says.
    n_fills : int
        Fills that were added up; `missing` of them are not there.
    """

    cash: float
    replayed: float
    positions: Mapping[str, tuple[float, float]]
    worth: float
    equity: float
    n_fills: int
    missing: int

    @property
    def holds(self) -> bool:
        """Whether all agrees, to 1e-9 of the money that is in it."""
        size = max(1.0, abs(self.cash), abs(self.replayed))
        return (
            not self.positions and not self.missing
            and abs(self.cash - self.replayed) <= 1e-9 * size
        )
