"""What leaves the assembler: batches, and up to where each row is complete with them."""

import numpy as np

from opportunity.feeds.base import Closed
from opportunity.feeds.exchange.finality.barrier import Barrier, Batch
from opportunity.feeds.exchange.finality.journal import Journal
from opportunity.feeds.exchange.finality.ledger import Ledger
from opportunity.market.timeframe import TimeArray


class Outlet:
    """Make batches of what the barrier lets go.

    Parameters
    ----------
    ledger : Ledger
        Knows what is complete.
    barrier : Barrier
        Holds the bars.
    journal : Journal
        Takes a note of each late bar.
    length : int
        Length of a bar, ms.

    Attributes
    ----------
    released : ndarray of int64, shape (n_rows,)
        Opening time of the newest bar of each row that has left.
    settled : ndarray of int64, shape (n_rows,)
        Close time up to which each row is complete in what has left: its bars left or are
        confirmed empty; for a dropped row the time of the last batch. Never goes back.
    """

    def __init__(self, ledger: Ledger, barrier: Barrier, journal: Journal, length: int) -> None:
        self._ledger, self._barrier, self._journal = ledger, barrier, journal
        self._length = length
        self.released: TimeArray = np.array(ledger.newest, np.int64)
        self.settled: TimeArray = np.array(ledger.next, np.int64)

    def take(self, now: int, dropped: set[int]) -> list[Closed]:
        """Return the batches that leave at `now`, in order of close."""
        return [self._close(batch, now, dropped) for batch in self._barrier.take(now)]

    def _close(self, batch: Batch, now: int, dropped: set[int]) -> Closed:
        rows = sorted(batch.bars)
        opened = batch.close - self._length
        for row in rows:
            self.released[row] = opened
            if self._barrier.waiting(row):  # more of it is to come, perhaps in this very call
                self.settled[row] = max(batch.close, self.settled.item(row))
            else:
                self._settle(row, self._ledger.next[row])
            if batch.late:
                self._journal.note("late", row, opened, now)
        for row in self._ledger.skipped:
            self._settle(row, self._ledger.next[row])
        self._ledger.skipped.clear()
        for row in dropped:
            self._settle(row, now)
        return Closed(
            time=batch.close,
            rows=np.array(rows, np.int64),
            times=np.full(len(rows), opened),
            values=np.array([batch.bars[row] for row in rows]),
            late=np.full(len(rows), batch.late),
            settled=self.settled.copy(),
        )

    def _settle(self, row: int, time: int) -> None:
        if not self._barrier.waiting(row):  # else the last of its bars that wait settles it
            self.settled[row] = max(time, self.settled.item(row))
