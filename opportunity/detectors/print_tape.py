"""The prints of one symbol: minutes of the last days, hours of the last weeks."""

from operator import attrgetter
from typing import Final

import numpy as np

from opportunity.detectors.print_flow import SCRATCH, close_hours, fill_flow
from opportunity.detectors.prints import MINUTE, TAPE, first_bad, fold_prints, restore_minute
from opportunity.detectors.records import Rows, place_of
from opportunity.detectors.vpin import HISTORY_MS, REACH_MS
from opportunity.market.bars import FloatArray
from opportunity.market.observations import PrintMinute, Trades
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS, TimeArray

MINUTES_MS: Final = REACH_MS
"""How far before a close minutes matter."""

HOURS_MS: Final = max(HISTORY_MS, 14 * DAY_MS)
"""How far before a close hours matter, and with them the prints themselves."""

_BIN: Final = np.dtype(np.uint16)
_FIELDS: Final = (
    "buy", "sell", "large_buy", "large_sell", "count", "largest", "price", "threshold",
)  # fmt: skip
_NUMBERS: Final = attrgetter(*_FIELDS)  # in the order of `restore_minute`

N_HOURS: Final = 448
"""Hours for which there is room from the first print on, 43 kB: two weeks and a bit are kept."""

N_BLOCKS: Final = 500
"""Blocks that are known again when they come twice; a live market gives one a second."""


class PrintTape:
    """Takes prints, or minutes of prints that were stored, of one symbol.

    Parameters
    ----------
    symbol : str
        Whose prints they are.
    """

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self._tape = np.zeros(1, TAPE)
        self._minutes, self._hours, self._bins = Rows(MINUTE), Rows(MINUTE, N_HOURS), Rows(_BIN)
        self._until = 0  # hours are complete up to here
        self._stored_until = 0  # prints before this are in minutes that came from the store
        self._drained = 0  # number of the minute to hand over next, counted from the first ever
        self._source = ""
        self._known = np.zeros(N_BLOCKS, np.int64)  # hashes, the oldest written over
        self._n_known = 0

    def take(self, prints: Trades) -> None:
        """Fold prints that are newer than those taken before, or of the same millisecond.

        A block taken before is passed over, and so are prints of minutes that `restore` gave.

        Raises
        ------
        ValueError
            If prints are not in the order of their time, an amount or price is not > 0, or an
            amount is above `MOST_AMOUNT`.
        """
        first = int(np.searchsorted(prints.time, self._stored_until))
        columns = [
            np.ascontiguousarray(c[first:])
            for c in (prints.time, prints.price, prints.amount, prints.side)
        ]
        time, price, amount, side = columns
        if not time.size:
            return
        said = hash((
            prints.source, int(time[0]), int(time[-1]), time.size, float(amount[0]),
            float(amount[-1]),
        ))  # fmt: skip
        if said in self._known:
            return
        tape = self._tape[0]
        bad = first_bad(tape, time, price, amount)
        if bad >= 0:
            raise ValueError(
                f"prints of {self.symbol} must go on from available_at "
                f"{int(time[bad - 1]) if bad else int(tape['time'])} with price and amount > 0, "
                f"was {int(time[bad])}, {price[bad]}, {amount[bad]}"
            )
        self._known[self._n_known % N_BLOCKS] = said
        self._n_known += 1
        self._source = prints.source
        most = min(time.size, int(time[-1] - time[0]) // MINUTE_MS + 2)
        n, n_prints = fold_prints(
            tape, self._minutes.room(most), len(self._minutes),
            self._bins.room(time.size), self._bins.forgotten, self._prints,
            time, price, amount, side,
        )  # fmt: skip
        self._minutes.grow(n)
        self._bins.grow(n_prints - self._bins.forgotten)
        self._close_hours()

    @property
    def _prints(self) -> int:
        return self._bins.forgotten + len(self._bins)

    def restore(self, minute: PrintMinute) -> None:
        """Take a minute that was stored; one that is known already is passed over.

        Raises
        ------
        ValueError
            If it is older than the newest minute and not known.
        """
        known = self._minutes.view
        start = minute.event_time
        if known.size and start <= known["time"][-1]:
            place = place_of(known, start)
            if known["time"][place] != start:
                raise ValueError(
                    f"minutes of {self.symbol} must go on from event_time "
                    f"{int(known['time'][-1])}, was {start}"
                )
            return
        if start + MINUTE_MS <= self._until:  # forgotten since
            return
        restore_minute(
            self._tape, self._minutes.room(1), known.size, start, self._prints,
            np.array(_NUMBERS(minute), dtype=np.float64),
            np.array(minute.sizes, dtype=np.int64).reshape(-1, 2),
        )  # fmt: skip
        self._stored_until = start + MINUTE_MS
        self._source = minute.source
        self._minutes.grow(known.size + 1)
        self._close_hours()

    def _close_hours(self) -> None:
        minutes = self._minutes.view
        newest = int(minutes["time"][-1])
        over = newest - newest % HOUR_MS
        if over <= self._until:
            return
        n = len(self._hours)
        room = self._hours.room(min(minutes.size, (over - int(minutes["time"][0])) // HOUR_MS + 1))
        self._hours.grow(close_hours(minutes, room, n, self._until))
        self._until = over

    def fill(
        self, opened: TimeArray, closed: TimeArray, which: TimeArray, rows: FloatArray
    ) -> None:
        """Write the columns `print_flow.COLUMNS` of the bars of this symbol; see `fill_flow`."""
        fill_flow(
            self._minutes.view, self._hours.view, self._until, opened, closed, which,
            np.zeros(1, SCRATCH), rows,
        )  # fmt: skip

    def drain(self, now: int) -> list[PrintMinute]:
        """Return the minutes that were over a minute ago, or have one after them, once each.

        Parameters
        ----------
        now : int
            Up to when records were taken, ms UTC. Prints of one symbol may come a little after
            another's: hence the minute of patience.
        """
        minutes = self._minutes.view
        n = int(np.searchsorted(minutes["time"], now - 2 * MINUTE_MS, side="right"))
        n = max(n, minutes.size - 1)
        first = max(0, self._drained - self._minutes.forgotten)
        fresh = np.flatnonzero(minutes["kept"][first:n] == 0) + first
        found = [self._minute(minutes, i) for i in fresh.tolist()]
        minutes["kept"][first:n] = 1
        self._drained = self._minutes.forgotten + max(first, n)
        self._forget_bins()
        return found

    def _minute(self, minutes: np.ndarray, i: int) -> PrintMinute:
        row = minutes[i]
        first = int(row["first"]) - self._bins.forgotten
        counts = np.bincount(self._bins.view[first : first + int(row["count"])])
        bins = np.flatnonzero(counts)
        start = int(row["time"])
        fields = {name: row[name].item() for name in _FIELDS}
        sizes = tuple(zip(bins.tolist(), counts[bins].tolist(), strict=True))
        return PrintMinute(
            start, start + MINUTE_MS, self._source, self.symbol, sizes=sizes, **fields
        )

    def _forget_bins(self) -> None:
        """Let go of the sizes of prints in minutes that were handed over."""
        left = self._minutes.view[max(0, self._drained - self._minutes.forgotten) :]
        first = int(left["first"][0]) if left.size else self._prints
        tape = self._tape[0]
        growing = tape["place"][tape["amount"] > 0]  # prints of the newest millisecond
        first = min(first, *growing.tolist(), first)
        self._bins.forget(first - self._bins.forgotten)

    def forget(self, before: int) -> None:
        """Let go of what no close from `before` on needs."""
        minutes, hours = self._minutes.view, self._hours.view
        self._minutes.forget(place_of(minutes, min(before - MINUTES_MS, self._until)))
        self._hours.forget(place_of(hours, before - HOURS_MS))
        self._drained = max(self._drained, self._minutes.forgotten)
        self._forget_bins()
