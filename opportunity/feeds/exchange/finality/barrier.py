"""Bars of different symbols that closed at the same instant leave together.

They wait until every live symbol has its bar, is known to have none or was asked for it in vain,
at most `hold_ms` after the close; after an outage a little longer, so that bars which are asked for
one by one leave together. Who comes later leaves alone and is late. Closes leave in ascending
order, so the bars of one symbol do as well.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from opportunity.market.notes import Values

MOST_BATCHES: Final = 256
"""Batches given at once; after a long repair the rest follows in the next call."""

OUTAGE_HOLDS: Final = 2
"""Holds that all bars wait after an outage, so that those asked for one by one leave together."""

REST_HOLDS: Final = 8
"""Holds between two such waits: lines that fail over and over must not stop the market."""

_MOST_COUNTS: Final = 4_096


@dataclass(frozen=True, slots=True)
class Batch:
    """Bars by row that closed at `close`; late: others of that close or later ones were out."""

    close: int
    bars: dict[int, Values]
    late: bool


class Barrier:
    """Hold bars back until their close is complete or has waited long enough.

    Parameters
    ----------
    n_rows : int
        Number of symbols, all live.
    hold_ms : int
        Longest wait after a close, ms.
    """

    def __init__(self, n_rows: int, hold_ms: int) -> None:
        self._hold = hold_ms
        self._live = n_rows
        self._ready: dict[int, dict[int, Values]] = {}
        self._closes: list[int] = []
        self._passed: dict[int, int] = {}
        self._front = -1
        self._waiting = [0] * n_rows
        self._absent: dict[int, int] = {}
        self._patient = self._patient_again = -1

    def outage(self, now: int) -> None:
        """Take note that bars were missed and are asked for from now on."""
        if now >= self._patient_again:
            self._patient = now + OUTAGE_HOLDS * self._hold
            self._patient_again = self._patient + REST_HOLDS * self._hold

    def push(self, row: int, close: int, values: Values) -> None:
        """Take the bar of a row; its bars must be pushed in order of time."""
        self._absent.pop(row, None)
        bars = self._ready.get(close)
        if bars is None:
            bars = self._ready[close] = {}
            heapq.heappush(self._closes, close)
        bars[row] = values
        self._waiting[row] += 1
        if close > self._front:
            self._passed[close] = self._passed.get(close, 0) + 1

    def skip(self, row: int, close: int) -> None:
        """Take note that a row has no bar that closes then."""
        self._absent.pop(row, None)
        if close > self._front:
            self._passed[close] = self._passed.get(close, 0) + 1
            if len(self._passed) > _MOST_COUNTS:  # a market without any bar for days
                del self._passed[min(self._passed)]

    def excuse(self, row: int, close: int) -> None:
        """Wait no more for what a row has from this close on, until it comes: it was asked for.

        Nothing of the row has been pushed or skipped from there on.
        """
        self._absent.setdefault(row, close)

    def forget(self, row: int) -> None:
        """Take note that a row is not live any more; `recount` follows."""
        self._absent.pop(row, None)

    def replace(self, row: int, close: int, values: Values) -> bool:
        """Change a bar that has not left; return whether it was still here."""
        bars = self._ready.get(close)
        if bars is None or row not in bars:
            return False
        bars[row] = values
        return True

    def waiting(self, row: int) -> int:
        """Return how many bars of a row have not left."""
        return self._waiting[row]

    def recount(self, cursors: Iterable[int]) -> None:
        """Count anew who is live, after a row went or came back.

        Parameters
        ----------
        cursors : iterable of int
            For each live row the close up to which its bars were pushed or skipped.
        """
        reached = list(cursors)
        self._live = len(reached)
        for close in self._passed:
            self._passed[close] = sum(cursor >= close for cursor in reached)

    def take(self, now: int) -> Iterator[Batch]:
        """Let go the batches that may leave at `now`, in order of close, at most 256.

        One by one, so that `waiting` tells for each what is still to come after it.
        """
        for _ in range(MOST_BATCHES):
            if not self._closes or self._leaves_at() > now:
                return
            close = heapq.heappop(self._closes)
            late = close <= self._front
            bars = self._ready.pop(close)
            for row in bars:
                self._waiting[row] -= 1
            if not late:
                self._front = close
                self._passed = {c: n for c, n in self._passed.items() if c > close}
            yield Batch(close, bars, late)

    def next_at(self) -> int | None:
        """Return when the next batch may leave as things are, None where there is none."""
        return self._leaves_at() if self._closes else None

    def _leaves_at(self) -> int:
        close = self._closes[0]
        absent = sum(since <= close for since in self._absent.values())
        whole = close <= self._front or self._passed.get(close, 0) + absent >= self._live
        return close if whole else max(close + self._hold, self._patient)
