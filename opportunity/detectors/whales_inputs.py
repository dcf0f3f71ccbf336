"""What the whales detector reads besides bars: prints, books and transfers, as of any close."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.detectors.book_flow import COLUMNS as BOOK_COLUMNS
from opportunity.detectors.book_tape import BookTape
from opportunity.detectors.print_flow import COLUMNS as FLOW_COLUMNS
from opportunity.detectors.print_tape import HOURS_MS, PrintTape
from opportunity.detectors.transfers import COLUMNS as TRANSFER_COLUMNS
from opportunity.detectors.transfers import MEMORY_MS, TransferLog
from opportunity.market.bars import FloatArray
from opportunity.market.observations import (
    Heartbeat,
    OrderBook,
    PrintMinute,
    Record,
    Trade,
    Trades,
    Transfer,
)
from opportunity.market.timeframe import TimeArray

NEEDS: Final[Mapping[type[Record], int]] = MappingProxyType(
    dict.fromkeys((Trade, Trades, PrintMinute, OrderBook, Heartbeat), HOURS_MS)
    | {Transfer: MEMORY_MS}
)
"""Kinds of records, and for how long one of each matters, ms."""

_KINDS: Final = tuple(NEEDS)
COLUMNS: Final = (*FLOW_COLUMNS, *BOOK_COLUMNS, *TRANSFER_COLUMNS)
"""Names of a row's numbers; see the modules that they come from."""

OF: Final = ("trade", "trades", "order_book", "transfer")
"""Heartbeats that concern the detector."""

__all__ = ["COLUMNS", "MEMORY_MS", "NEEDS", "WhalesInputs"]


class WhalesInputs:
    """Minutes of prints and books, and transfers, of a universe; see `Inputs`.

    Room for a symbol is made when its first record comes: 100 kB, and 300 kB for two days of
    prints. A transfer concerns all symbols whose base it is.

    Parameters
    ----------
    symbols : tuple of str
        The universe; records of others are passed over.
    """

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self._places = {symbol: i for i, symbol in enumerate(symbols)}
        self._assets = [symbol.partition("/")[0] for symbol in symbols]
        self._prints: dict[int, PrintTape] = {}
        self._books: dict[int, BookTape] = {}
        self._transfers: dict[str, TransferLog] = {}
        self._beats = False
        self._now = 0

    @property
    def connected(self) -> bool:
        """Whether any record has come that the detector can read."""
        return bool(self._prints or self._books or self._transfers or self._beats)

    def take(self, records: Sequence[Record]) -> None:
        """Add records in the order of their availability; other kinds are passed over.

        Raises
        ------
        ValueError
            If a record became known before one of its kind and symbol that was taken earlier,
            or an amount or a price is not > 0.
        """
        for record in _blocks(records):
            if isinstance(record, Heartbeat):  # first, because a long past has many
                self._now = max(self._now, record.available_at)
                self._beats |= record.of in OF
            elif isinstance(record, Trades):
                tape = self._tape(record.symbol) if len(record) else None
                if tape is not None:
                    self._now = max(self._now, int(record.time[-1]))
                    tape.take(record)
            elif isinstance(record, _KINDS):
                self._now = max(self._now, record.available_at)
                self._take_one(record)

    def _take_one(self, record: Record) -> None:
        if isinstance(record, PrintMinute):
            tape = self._tape(record.symbol)
            if tape is not None:
                tape.restore(record)
        elif isinstance(record, OrderBook):
            place = self._places.get(record.symbol)
            if place is not None:
                self._books.setdefault(place, BookTape()).take(record)
        elif isinstance(record, Transfer) and record.asset in self._assets:
            self._transfers.setdefault(record.asset, TransferLog()).take(record)

    def _tape(self, symbol: str) -> PrintTape | None:
        place = self._places.get(symbol)
        if place is None:
            return None
        tape = self._prints.get(place)
        if tape is None:
            tape = self._prints[place] = PrintTape(symbol)
        return tape

    def rows(self, symbols: NDArray[np.int64], opened: TimeArray, closed: TimeArray) -> FloatArray:
        """Return what was known at the close of each bar; see `Inputs.rows` and `COLUMNS`."""
        rows = np.full((symbols.size, len(COLUMNS)), np.nan)
        for place, which in _by_symbol(symbols):
            tape = self._prints.get(place)
            if tape is not None:
                tape.fill(opened, closed, which, rows)
            books = self._books.get(place)
            if books is not None:
                books.fill(opened, closed, which, len(FLOW_COLUMNS), rows)
            transfers = self._transfers.get(self._assets[place])
            if transfers is not None:
                transfers.fill(opened, closed, which, rows)
        return rows

    def drain(self) -> list[PrintMinute]:
        """Return the minutes of prints completed since the last call, to be stored."""
        return [minute for tape in self._prints.values() for minute in tape.drain(self._now)]

    def forget(self, before: int) -> None:
        """Let go of what no close from `before` on can need, the memory taken into account."""
        for part in (self._prints, self._books, self._transfers):
            for kept in part.values():
                kept.forget(before)


def _by_symbol(symbols: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Give each symbol with the places of its bars, in their order."""
    if not symbols.size:
        return
    order = np.argsort(symbols, kind="stable")
    cuts = np.flatnonzero(np.diff(symbols[order])) + 1
    places = symbols[order[np.concatenate(([0], cuts))]].tolist()
    for place, a, b in zip(places, [0, *cuts.tolist()], [*cuts.tolist(), order.size], strict=True):
        yield place, order[a:b]


def _blocks(records: Sequence[Record]) -> Iterator[Record]:
    """Make one block of the single prints of each symbol; pass on the rest in its order.

    Single prints count from when they were known, as blocks do.
    """
    single: dict[tuple[str, str], list[Trade]] = {}
    for record in records:
        if isinstance(record, Trade):
            single.setdefault((record.symbol, record.source), []).append(record)
        else:
            yield record
    for (symbol, source), trades in single.items():
        yield Trades(
            source, symbol,
            np.array([t.available_at for t in trades], dtype=np.int64),
            np.array([t.price for t in trades]),
            np.array([t.amount for t in trades]),
            np.array([1 if t.side == "buy" else -1 for t in trades], dtype=np.int8),
        )  # fmt: skip
