"""What lines need of a venue, and where they put what they hear."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from opportunity.feeds.clock import Clock
from opportunity.feeds.exchange.records import Frame
from opportunity.market.observations import OrderBook, Trades

Stream = Any
"""A ccxt.pro object: it has no types of its own."""

OnMessage = Callable[[Any, Any], object]
"""Gets the connection and the message, parsed but untouched; something true hides it from ccxt."""

OnEvent = Callable[..., object]
"""Gets the connection, and whatever else ccxt passes."""


class Listed(Protocol):
    """A market of a venue."""

    @property
    def id(self) -> str:
        """The venue's own name of it."""
        ...


class StreamVenue(Protocol):
    """What is asked of a venue; `Venue` is one."""

    @property
    def name(self) -> str:
        """Its name in ccxt."""
        ...

    @property
    def stamp(self) -> str:
        """Source of its records."""
        ...

    @property
    def clock(self) -> Clock:
        """Its time."""
        ...

    @property
    def markets(self) -> Mapping[str, Listed]:
        """By symbol."""
        ...

    def has(self, what: str) -> bool:
        """Whether it can do something, as ccxt words it."""
        ...

    async def may_connect(self) -> None:
        """Wait until a connection may be opened, or raise an OpportunityError."""
        ...

    def stream(
        self,
        on_message: OnMessage | None = None,
        on_connected: OnEvent | None = None,
        on_closed: OnEvent | None = None,
    ) -> Stream:
        """Return a new ccxt.pro object; the caller awaits its close."""
        ...

    async def book(self, symbol: str, depth: int) -> OrderBook:
        """Ask for an order book over REST."""
        ...


class Sink(Protocol):
    """Where lines put what they hear; called on their loop, must not wait."""

    def frame(self, frame: Frame) -> None:
        """Take an update of a bar."""
        ...

    def connected(self, rows: NDArray[np.int64]) -> None:
        """Hear that the bars of some symbols stream from now on: what came before is missing."""
        ...

    def lost(self, rows: NDArray[np.int64], why: str) -> None:
        """Hear that the bars of some symbols stream no more."""
        ...

    def prints(self, trades: Trades) -> None:
        """Take prints of one symbol that were not heard before, in the order of their time."""
        ...

    def book(self, book: OrderBook) -> None:
        """Take an order book."""
        ...
