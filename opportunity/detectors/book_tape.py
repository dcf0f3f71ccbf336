"""The order books of one symbol: minutes of the last days."""

from typing import Final

import numpy as np

from opportunity.detectors.book_flow import BOOK, BOOK_MINUTE, fill_books, fold_book, is_sane
from opportunity.detectors.records import Rows, place_of
from opportunity.market.bars import FloatArray
from opportunity.market.observations import OrderBook
from opportunity.market.timeframe import DAY_MS, HOUR_MS, TimeArray

KEPT_MS: Final = DAY_MS + HOUR_MS
"""How far before a close minutes matter: a day, and the hour that says how far depth counts."""


class BookTape:
    """Takes snapshots of one symbol."""

    def __init__(self) -> None:
        self._book = np.zeros(1, BOOK)
        self._minutes = Rows(BOOK_MINUTE)
        self._last: OrderBook | None = None

    def take(self, book: OrderBook) -> None:
        """Fold a snapshot; one with an empty side or crossed, or the newest again, is passed over.

        Raises
        ------
        ValueError
            If it became known before the one taken last, a price is not > 0 or an amount not
            >= 0, or one is above `MOST_AMOUNT`.
        """
        if book == self._last or not book.bids or not book.asks:
            return
        if self._last is not None and book.available_at < self._last.available_at:
            raise ValueError(
                f"available_at of books of {book.symbol} must be >= {self._last.available_at}, "
                f"was {book.available_at}"
            )
        bids, asks = np.array(book.bids), np.array(book.asks)
        for side, levels in (("bids", bids), ("asks", asks)):
            if not is_sane(levels):
                raise ValueError(
                    f"{side} of {book.symbol} must have prices > 0 and amounts >= 0, "
                    f"was {levels.tolist()}"
                )
        if bids[0, 0] > asks[0, 0]:  # two moments in one: no flow can be read from it
            return
        self._last = book
        n = fold_book(
            self._book[0], self._minutes.room(1), len(self._minutes), book.available_at, bids, asks
        )
        self._minutes.grow(n)

    def fill(
        self, opened: TimeArray, closed: TimeArray, which: TimeArray, first: int, rows: FloatArray
    ) -> None:
        """Write the columns of the bars of this symbol; see `fill_books`."""
        fill_books(self._minutes.view, opened, closed, which, first, rows)

    def forget(self, before: int) -> None:
        """Let go of what no close from `before` on needs."""
        self._minutes.forget(place_of(self._minutes.view, before - KEPT_MS))
