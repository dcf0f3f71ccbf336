"""Order books on a grid of real tenths of a second: a numbered snapshot and what changed since."""

import math
from typing import Final

from app.exchange.market import Market

_MOST_STEPS: Final = 20  # of one update; a reader further behind gets only the newest levels

Levels = dict[float, float]
Sides = tuple[Levels, Levels]


class Books:
    """Books of all symbols.

    Parameters
    ----------
    market : Market
        Where they come from.
    speed : float
        The exchange's seconds a real second: the grid is 100 ms of real time wide.

    Notes
    -----
    The book of a step and its number depend on the time alone, so a snapshot fits into the
    updates wherever it was taken.
    """

    def __init__(self, market: Market, speed: float) -> None:
        self._market = market
        self.step_ms = max(100, math.ceil(speed) * 100)
        self._kept: dict[int, tuple[int, Sides]] = {}

    def number(self, now: int) -> int:
        """Return the number of the book that holds at an instant."""
        return now // self.step_ms

    def at(self, row: int, number: int) -> Sides | None:
        """Return bids and asks, price to amount, best first; None where there are no books."""
        kept = self._kept.get(row)
        if kept is not None and kept[0] == number:
            return kept[1]
        book = self._market.book(row, number * self.step_ms)
        if book is None:
            return None
        sides = dict(book.bids), dict(book.asks)
        self._kept[row] = number, sides
        return sides

    def changes(self, row: int, since: int, until: int) -> Sides | None:
        """Return the levels that changed in the steps (since, until]; amount 0: gone."""
        first = max(since, until - _MOST_STEPS)
        before = self.at(row, first)
        if before is None:
            return None
        changed: Sides = ({}, {})
        for number in range(first + 1, until + 1):
            after = self.at(row, number)
            if after is None:
                return None
            for k in (0, 1):
                changed[k].update((p, 0.0) for p in before[k] if p not in after[k])
                changed[k].update((p, a) for p, a in after[k].items() if before[k].get(p) != a)
            before = after
        return changed
