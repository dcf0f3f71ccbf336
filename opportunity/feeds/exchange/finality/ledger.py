"""Which bar of each symbol comes next, and what is known of the bars around it.

A row's cursor is the opening time of the first bar that is neither final nor confirmed empty.
It moves only over such bars, so the bars of a row leave in order and without a hole. Whether a
bar jumps is judged when the cursor reaches it, with everything before it known: the order of
arrival makes no difference.
"""

from dataclasses import dataclass
from typing import Final

from opportunity.feeds.exchange.finality.barrier import Barrier
from opportunity.feeds.exchange.finality.claims import Claims
from opportunity.feeds.exchange.finality.comparing import material, same
from opportunity.feeds.exchange.finality.journal import Change, Journal
from opportunity.feeds.exchange.finality.recent import (
    DIFFERS,
    EMPTY,
    HELD,
    JUMPED,
    KNOWN,
    REACH,
    REST,
    REVISED,
    STREAM,
    Recent,
)
from opportunity.feeds.exchange.finality.suspicion import jumps, typical_move
from opportunity.feeds.exchange.finality.timing import Timing
from opportunity.market.notes import Values

ENOUGH: Final = 6
"""Weight of answers without a bar that makes it empty: three whole answers of weight 2."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """An answer, as far as it tells that bars do not exist.

    Parameters
    ----------
    asked_at : int
        When it was asked for.
    last : int
        Opening time of its last final bar, -1 without one.
    weight : int
        What a lacking bar counts: 2, 1 where rows of the answer were refused, 0 where it does
        not even have the bars that are known.
    brought : bool
        Whether it had a new bar; then it may have been cut, and its end tells nothing.
    """

    asked_at: int
    last: int
    weight: int
    brought: bool


class Ledger:
    """Final bars by row; pushes them into the barrier in order.

    The first bar of a row of which no history is known waits for REST: nothing tells whether it
    jumps.

    Parameters
    ----------
    n_rows : int
        Number of symbols.
    timing : Timing
        Grid and grace.
    first : int
        Opening time of the first bar that is not history.
    barrier : Barrier
        Takes the bars.
    journal : Journal
        Takes the notes.

    Attributes
    ----------
    next : list of int
        Cursor of each row.
    newest : list of int
        Opening time of the newest bar that the cursor passed; one before `first` at the start.
    close : list of float
        Close of that bar, 0 while there is none.
    since : list of int
        Opening time of the first bar of each row that was ever expected.
    oldest : list of int
        Opening time of the oldest bar of each row that history told; what history lacks since
        then, and REST tells later, is a correction.
    jumped : list of bool
        Whether the newest bar jumps and no bar after it agreed yet.
    claims : Claims
        What REST must decide on.
    changed : set of int
        Rows of which a bar that was given has changed materially; the reader clears it.
    skipped : set of int
        Rows whose cursor passed an empty bar; the reader clears it.
    """

    def __init__(
        self, n_rows: int, timing: Timing, first: int, barrier: Barrier, journal: Journal
    ) -> None:
        self._length = timing.length
        self._timing = timing
        self._barrier = barrier
        self._journal = journal
        self._reach = REACH * timing.length
        self.recent = Recent(n_rows, timing.length)
        self.next = [first] * n_rows
        self.newest = [first - timing.length] * n_rows
        self.since = [first] * n_rows
        self.oldest = [first] * n_rows
        self.jumped = [False] * n_rows
        self.close = [0.0] * n_rows
        self.claims = Claims()
        self.changed: set[int] = set()
        self.skipped: set[int] = set()

    def remember(self, row: int, time: int, values: Values) -> None:
        """Take a bar of history, in order of time, to compare the next ones with."""
        if self.next[row] - self._reach <= time < self.next[row]:
            self.recent.put(row, time, values, REST)
            self.close[row] = values[3]
            self.oldest[row] = min(time, self.oldest[row])

    def stream(self, row: int, time: int, values: Values, at: int) -> bool:
        """Take a valid bar that the stream calls closed; return whether it was not known."""
        ahead = time - self.next[row]
        if not -self._reach <= ahead < self._reach:
            return False
        marks = self.recent.marks(row, time)
        if marks & KNOWN:
            self._again(row, time, values, marks)
            return False
        if ahead < 0:
            if marks & EMPTY:
                self.claims.add(row, time, values)
            return False
        self.recent.put(row, time, values, STREAM)
        if ahead == 0 and self._pass(row, time, values, STREAM, at):
            self.next[row] = time + self._length
            self.advance(row, at)
        return True

    def rest(self, row: int, time: int, values: Values, asked_at: int) -> bool:
        """Take a valid bar of REST that is final; return whether the cursor was short of it."""
        ahead = time - self.next[row]
        if not -self._reach <= ahead < self._reach:
            return False
        recent = self.recent
        marks = recent.marks(row, time)
        if not marks & KNOWN and (ahead >= 0 or not marks & EMPTY):
            if self.oldest[row] < time < self.next[row]:
                self._came_late(row, time, values, asked_at, "history lacked it")
            else:
                recent.put(row, time, values, REST, asked_at)
            fresh = ahead >= 0
            if time == self.newest[row] or not (fresh or self.close[row]):
                self.close[row] = values[3]  # history that was not given before
        elif asked_at < recent.asked(row, time):
            return False  # overtaken by an answer that was asked for later
        elif marks & EMPTY:
            self._came_late(row, time, values, asked_at, "came after it was confirmed empty")
            return False
        else:
            self._judge(row, time, values, asked_at)
            fresh = ahead >= 0 and bool(marks & HELD)
        if ahead == 0:
            self.advance(row, asked_at)
        return fresh

    def lack(self, row: int, since: int, until: int, evidence: Evidence) -> bool:
        """Count the bars in [since, until) that an answer lacks; confirm them empty in the end.

        Returns
        -------
        bool
            Whether it lacked any bar that is needed.
        """
        self.claims.lack(row, since, until, self.next[row] - self._reach)
        lacking = False
        recent, patience = self.recent, 2 * self._length
        first = max(since, self.next[row])
        for time in range(first, min(until, self.next[row] + self._reach), self._length):
            marks = recent.marks(row, time)
            if marks & (REST | EMPTY) or (marks & STREAM and not marks & HELD):
                continue
            lacking = True
            later = evidence.last > time
            if not evidence.weight or not (later or not evidence.brought):
                continue
            count = recent.lack(row, time, evidence.weight)
            waited = evidence.asked_at >= self._timing.askable(time) + patience
            if count >= ENOUGH and (later or waited):
                if marks & HELD:
                    self._journal.note(
                        "refused", row, time, evidence.asked_at, "REST has no such bar"
                    )
                recent.empty(row, time, evidence.asked_at)
        self.advance(row, evidence.asked_at)
        now_first = self.next[row]
        if evidence.weight and since <= now_first < until:  # the others need not wait for it
            self._barrier.excuse(row, now_first + self._length)
        return lacking

    def advance(self, row: int, at: int) -> None:
        """Move the cursor over what is final or empty and push the bars."""
        recent, time = self.recent, self.next[row]
        while marks := recent.marks(row, time):
            if marks & EMPTY:
                self._barrier.skip(row, time + self._length)
                self.skipped.add(row)
                self._journal.note("empty", row, time, at)
            elif not self._pass(row, time, recent.values(row, time), marks, at):
                break
            time += self._length
        self.next[row] = time

    def far(self, row: int, time: int, values: Values) -> bool:
        """Tell whether a bar jumps away from the newest one that the cursor passed."""
        return jumps(
            values[1], values[2], self.close[row],
            lambda: typical_move(self.recent.closes(row, time)),
        )  # fmt: skip

    def forget(self, row: int) -> None:
        """Give up the bars of a row that wait for others before them."""
        self.recent.forget(row, self.next[row])
        self.claims.forget(row)
        self.jumped[row] = False

    def resume(self, row: int, settled: int) -> None:
        """Go on with the first bar that closes after `settled`, if it is ahead of the cursor."""
        first = self._timing.floor(settled)
        if first > self.next[row]:
            self.next[row] = self.since[row] = self.oldest[row] = first
            self.changed.add(row)

    def _pass(self, row: int, time: int, values: Values, marks: int, at: int) -> bool:
        jumped = self.far(row, time, values)
        if not marks & REST and (jumped or marks & HELD or not self.close[row]):
            self.recent.mark(row, time, HELD | (JUMPED if jumped else 0))
            if jumped and not marks & JUMPED:
                self._journal.note("spike", row, time, at, f"from {self.close[row]} to {values}")
            self.jumped[row] = self.jumped[row] or jumped
            return False
        self.jumped[row] = jumped
        self.close[row] = values[3]
        self.newest[row] = time
        self._barrier.push(row, time + self._length, values)
        if not marks & STREAM:
            self._journal.note("rest", row, time, at)
        return True

    def _again(self, row: int, time: int, values: Values, marks: int) -> None:
        if same(self.recent.values(row, time), values):
            self.recent.mark(row, time, STREAM)
            return
        self.claims.add(row, time, values)
        if time >= self.next[row] and not marks & REST:
            self.recent.mark(row, time, HELD)

    def _came_late(self, row: int, time: int, values: Values, asked_at: int, why: str) -> None:
        self.claims.settle(row, time)
        self.recent.put(row, time, values, REST | REVISED, asked_at)
        revision = self.recent.revise(row, time, values)
        change = Change(time, None, values, revision, why)
        self._journal.change("late", row, asked_at, change)
        self._journal.n_corrections += 1
        self.changed.add(row)

    def _judge(self, row: int, time: int, values: Values, asked_at: int) -> None:
        """Compare what REST tells of a bar with what is known of it; REST is right."""
        recent = self.recent
        marks, before = recent.marks(row, time), recent.values(row, time)
        claim = self.claims.settle(row, time)
        agrees = same(before, values)
        differs = not agrees and marks & KNOWN == STREAM
        if claim is not None:
            recent.mark(row, time, STREAM)
            differs = differs or not same(claim, values)
        if differs:
            recent.mark(row, time, DIFFERS)
        if not agrees:
            self._correct(row, asked_at, Change(time, before, values, 0, _reason(marks)))
        elif claim is not None and differs:
            text = "the stream told it again and differently, REST did not"
            self._journal.change("corrected", row, asked_at, Change(time, claim, values, 0, text))
        recent.told(row, time, asked_at)

    def _correct(self, row: int, asked_at: int, change: Change) -> None:
        time, before, values = change.time, change.before, change.after
        revision = self.recent.revise(row, time, values)
        change = Change(time, before, values, revision, change.text)
        self._journal.change("corrected", row, asked_at, change)
        given = time < self.next[row]
        if given and time == self.newest[row]:
            self.close[row] = values[3]
            closes = self.recent.closes(row, time)
            self.jumped[row] = bool(closes.size) and jumps(
                values[1], values[2], closes[-1], lambda: typical_move(closes)
            )
        if not given or self._barrier.replace(row, time + self._length, values):
            return  # nobody has seen it
        self.recent.mark(row, time, REVISED)
        self._journal.n_corrections += 1
        if before is not None and material(before, values):
            self.changed.add(row)


def _reason(marks: int) -> str:
    return "REST revised it" if marks & REST else "REST differs from the stream"
