"""Prints as they come, from one connection or from two at once: each goes on once."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from opportunity.feeds.exchange.lines.ports import Sink
from opportunity.feeds.exchange.lines.taps import PrintSaid, moment, number
from opportunity.market.observations import Trades
from opportunity.market.timeframe import DAY_MS, EARLIEST_MS

N_KNOWN: Final = 256
"""Prints of a symbol that are known again."""

N_WAITING: Final = 2000
"""Prints of a symbol that may wait to be given out; then they go at once."""

MOST_AMOUNT: Final = 1e18
"""Coins in a print; more is no amount."""


class Prints:
    """Collects the prints of some symbols and gives them out by the block.

    Parameters
    ----------
    symbols : sequence of str
        By row.
    source : str
        Stamped on the blocks.
    now : callable
        The feed's time, ms UTC.
    sink : Sink
        Takes the blocks.

    Attributes
    ----------
    n_refused : int
        Prints with a number that cannot be, or without a side.
    """

    def __init__(
        self, symbols: Sequence[str], source: str, now: Callable[[], int], sink: Sink
    ) -> None:
        self._symbols, self._source, self._now, self._sink = symbols, source, now, sink
        self._known: dict[int, dict[object, None]] = {}
        self._waiting: dict[int, list[tuple[int, float, float, int]]] = {}
        self.n_refused = 0

    def add(self, row: int, said: PrintSaid) -> None:
        """Take a print of a symbol; one that is known already is passed over."""
        _, name, time, price, amount, side = said
        fine = 0.0 < price < math.inf and 0.0 < amount <= MOST_AMOUNT and side
        if not fine or not EARLIEST_MS <= time <= self._now() + DAY_MS:
            self.n_refused += 1
            return
        known = self._known.setdefault(row, {})
        key = name or (time, price, amount, side)
        if key in known:
            return
        known[key] = None
        if len(known) > N_KNOWN:
            del known[next(iter(known))]
        waiting = self._waiting.setdefault(row, [])
        waiting.append((time, price, amount, side))
        if len(waiting) >= N_WAITING:
            self._give(row, self._waiting.pop(row))

    def flush(self) -> None:
        """Give out what waits."""
        waiting, self._waiting = self._waiting, {}
        for row, prints in waiting.items():
            self._give(row, prints)

    def _give(self, row: int, prints: list[tuple[int, float, float, int]]) -> None:
        prints.sort(key=_time)
        time, price, amount, side = zip(*prints, strict=True)
        columns = np.array(time, np.int64), np.array(price), np.array(amount)
        self._sink.prints(
            Trades(self._source, self._symbols[row], *columns, np.array(side, np.int8))
        )


def _time(row: tuple[int, float, float, int]) -> int:
    return row[0]


def parsed_print(trade: dict[str, Any]) -> PrintSaid:
    """Read a print as ccxt gives it."""
    return PrintSaid(
        "", str(trade.get("id") or ""), moment(trade.get("timestamp")),
        number(trade.get("price")), number(trade.get("amount")),
        {"buy": 1, "sell": -1}.get(str(trade.get("side")), 0),
    )  # fmt: skip
