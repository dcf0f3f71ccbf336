"""When to ask REST for which bars: holes, audits after a connect, and what it must decide.

Every row has one range in flight at most, all rows together `budget`. A row that was asked for
in vain waits longer each time, up to five minutes (quiet symbols at venues that leave out empty
minutes); one that failed waits up to one minute, and not at all once its stream is back. Looking
for work costs O(1) when none is due: the rows lie in a heap by the time when they are due.
"""

import heapq
from typing import Final

from opportunity.feeds.exchange.finality.ledger import Ledger
from opportunity.feeds.exchange.finality.recent import KNOWN, REACH
from opportunity.feeds.exchange.finality.timing import Timing
from opportunity.feeds.exchange.records import Want
from opportunity.market.timeframe import MINUTE_MS

BUDGET: Final = 16
MOST_BARS: Final = 1_000
OVERLAP: Final = 3
"""Bars before the newest final one that are asked for again after a connect."""

AUDITED: Final = 60
"""Bars that an audit in turn asks for again: venues correct some of them later."""

LONGEST_WAIT_MS: Final = 5 * MINUTE_MS
LONGEST_FAILURE_MS: Final = MINUTE_MS
_LOST_MS: Final = 10 * MINUTE_MS
_NEVER: Final = 1 << 62
_MOST_DOUBLINGS: Final = 20


class Gaps:
    """Plan the questions to REST.

    Parameters
    ----------
    ledger : Ledger
        Knows what is missing.
    timing : Timing
        Grid and grace.
    n_rows : int
        Number of symbols.

    Attributes
    ----------
    budget : int
        Ranges in flight at once, >= 1; may be changed at any time.
    """

    def __init__(self, ledger: Ledger, timing: Timing, n_rows: int) -> None:
        self._ledger = ledger
        self._timing = timing
        self._shortest = max(timing.grace_ms, timing.length // 60)
        self._lost = max(_LOST_MS, 10 * timing.length)
        self.budget = BUDGET
        first = timing.askable(ledger.next[0]) if n_rows else 0
        self._heap = [(first, row) for row in range(n_rows)]
        self._entry = [first] * n_rows
        self._not_before = [0] * n_rows
        self._in_vain = [0] * n_rows
        self._failures = [0] * n_rows
        self._flights: dict[int, tuple[Want, int]] = {}
        self._audits: dict[int, tuple[int, int]] = {}
        self._dropped: set[int] = set()

    def wanted(self, now: int) -> list[Want]:
        """Return the ranges that are due, and hold them for in flight."""
        wants: list[Want] = []
        if self._flights:
            self._expire(now)
        while len(self._flights) < self.budget and self._sift() <= now:
            row = heapq.heappop(self._heap)[1]
            self._entry[row] = _NEVER
            want = self._range(row, now)
            if want.since >= want.until:
                self._push(row, self._timing.askable(want.since))
                continue
            self._flights[row] = (want, now)
            wants.append(want)
        return wants

    def plan(self, row: int) -> None:
        """Put a row where it belongs; to be called when it may be due earlier than before."""
        if row not in self._flights and row not in self._dropped:
            self._push(row, self._due(row))

    def landed(self, want: Want) -> None:
        """Take note that a question was answered, in whatever way."""
        flight = self._flights.get(want.row)
        if flight is not None and flight[0] == want:
            del self._flights[want.row]

    def failed(self, want: Want, now: int) -> None:
        """Take note that a question found no answer."""
        self.landed(want)
        row = want.row
        self._failures[row] += 1
        self._not_before[row] = now + min(LONGEST_FAILURE_MS, self._wait(self._failures[row]))
        self.plan(row)

    def connected(self, row: int, now: int) -> None:
        """Ask for everything of a row since a few bars before its newest final one."""
        self._not_before[row] = self._failures[row] = 0
        self._audit(row, OVERLAP, now)

    def audit(self, row: int, now: int) -> None:
        """Ask again for bars of a row that are final, to see whether they still hold."""
        self._audit(row, AUDITED, now)

    def _audit(self, row: int, n_bars: int, now: int) -> None:
        since = self._ledger.newest[row] - n_bars * self._timing.length
        old = self._audits.get(row)
        self._audits[row] = (since if old is None else min(since, old[0]), now)
        self.plan(row)

    def progress(self, row: int) -> None:
        """Take note that the stream brought a new bar: the symbol is alive, ask without delay."""
        self._in_vain[row] = 0
        if not self._failures[row]:
            self._not_before[row] = 0

    def answered(self, want: Want, asked_at: int, brought: bool, lacking: bool) -> None:
        """Plan a row anew after an answer: at once if it brought bars, later if it lacked some."""
        row = want.row
        self._failures[row] = 0
        audit = self._audits.get(row)
        if audit is not None and want.since <= audit[0] and asked_at >= audit[1]:
            del self._audits[row]
        if brought:
            self._in_vain[row] = 0
            self._not_before[row] = 0
        elif lacking or row in self._ledger.claims:
            self._in_vain[row] += 1
            self._not_before[row] = asked_at + self._wait(self._in_vain[row])
        self.plan(row)

    def in_vain(self, row: int) -> int:
        """Return how many answers in a row brought nothing."""
        return self._in_vain[row]

    def drop(self, row: int) -> None:
        """Want nothing more of a row."""
        self._dropped.add(row)
        self._flights.pop(row, None)
        self._audits.pop(row, None)

    def restore(self, row: int) -> None:
        """Want the bars of a row again."""
        self._dropped.discard(row)
        self._in_vain[row] = self._failures[row] = self._not_before[row] = 0
        self.plan(row)

    def next_at(self) -> int:
        """Return when `wanted` may have something; far away while the budget is used up."""
        self._sift()
        if not self._heap or len(self._flights) >= self.budget:
            return min((at + self._lost for _, at in self._flights.values()), default=_NEVER)
        return self._heap[0][0]

    def _sift(self) -> int:
        """Bring the row that is due first to the top of the heap; return when it is due.

        A row that became due later than it was planned for, which bars in time make of all of
        them once a bar, is moved here.
        """
        heap, entry = self._heap, self._entry
        while heap:
            at, row = heap[0]
            if at != entry[row]:  # an earlier time took its place
                heapq.heappop(heap)
            elif row in self._dropped or row in self._flights:  # planned when it comes back
                heapq.heappop(heap)
                entry[row] = _NEVER
            elif (due := self._due(row)) > at:
                heapq.heapreplace(heap, (due, row))
                entry[row] = due
            else:
                return at
        return _NEVER

    def _due(self, row: int) -> int:
        ledger = self._ledger
        due = self._timing.askable(ledger.next[row])
        if row in self._audits:
            due = min(due, self._audits[row][1])
        if row in ledger.claims:
            due = min(due, self._timing.askable(ledger.claims.first(row)))
        return max(due, self._not_before[row])

    def _range(self, row: int, now: int) -> Want:
        ledger, length = self._ledger, self._timing.length
        since, newest = ledger.next[row], ledger.newest[row]
        # a bar that is known goes along: an answer without it proves nothing
        if since - newest <= REACH * length and ledger.recent.marks(row, newest) & KNOWN:
            since = newest
        if row in self._audits:
            since = min(since, self._audits[row][0])
        if row in ledger.claims:
            since = min(since, ledger.claims.first(row))
        until = self._timing.floor(now - self._timing.grace_ms)
        return Want(row, since, min(until, since + MOST_BARS * length))

    def _wait(self, times: int) -> int:
        doubled = self._shortest << min(times - 1, _MOST_DOUBLINGS)
        return min(LONGEST_WAIT_MS, doubled)

    def _push(self, row: int, at: int) -> None:
        if at < self._entry[row]:
            self._entry[row] = at
            heapq.heappush(self._heap, (at, row))

    def _expire(self, now: int) -> None:
        """Let go of questions whose answer was lost on the way."""
        for want, at in list(self._flights.values()):
            if now >= at + self._lost:
                self.failed(want, now)
