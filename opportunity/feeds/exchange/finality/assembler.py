"""Put the bars of a venue together from its stream and from REST: final ones only, in order.

No input or output, no clock: frames and answers come in with their times, questions and batches
go out when asked for at a time. All times are feed time, ms UTC.

The rules
---------
Final
    A bar is final if the stream calls it closed, or if a valid REST row for it was asked for at
    or after its close plus `grace_ms`. A later bar proves nothing. What the stream calls closed
    more than `grace_ms` before its close is refused. A stream bar that jumps, that the stream
    told twice and differently, or that has nothing before it to compare with waits for REST.
Order
    The bars of a row leave in order of time, without a hole, never before their close. A hole
    ends when its bar comes, or when three valid answers lacked it and either a later final row
    was among them or two base lengths and the grace have passed since its close: then it is
    confirmed empty. An answer that lacks bars which are known to exist proves nothing (except
    after eight of them), one with refused rows counts half, and the end of one that brought
    bars may have been cut and does not count.
Empty, and there after all
    A bar that comes after it was confirmed empty never leaves: REST decides, the note is `late`,
    and the row is in `corrected`, because history says otherwise now.
Corrections
    REST is right. What differs before a bar left is put right in place, what differs afterwards
    is a revision; both are noted. A closed stream bar that differs from a final one only makes
    REST decide. An answer that was asked for earlier never undoes one asked for later.
Dropped rows
    Bars that are ready still leave, bars behind a hole do not. A restored row goes on where the
    batches meanwhile have claimed it settled; what lies between is never given, and the row is
    in `corrected`.

Bounds, a row: 256 bars (128 behind the cursor, 128 ahead of it; what comes farther ahead is
asked for again when the cursor is near), 16 claims, one range in flight. In all: 16 ranges of
at most 1000 bars in flight, 8000 notes, 256 batches a call.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from opportunity.feeds.base import Closed, Forming
from opportunity.feeds.exchange.finality.barrier import Barrier
from opportunity.feeds.exchange.finality.forming import FormingBars
from opportunity.feeds.exchange.finality.gaps import Gaps
from opportunity.feeds.exchange.finality.journal import Journal
from opportunity.feeds.exchange.finality.ledger import Evidence, Ledger
from opportunity.feeds.exchange.finality.outlet import Outlet
from opportunity.feeds.exchange.finality.recent import KNOWN, REACH
from opportunity.feeds.exchange.finality.timing import Timing
from opportunity.feeds.exchange.finality.validation import (
    is_bar,
    latest_open,
    sound,
    time_fault,
    value_fault,
)
from opportunity.feeds.exchange.records import Answer, Frame, Rows, Want
from opportunity.market.bars import FloatArray
from opportunity.market.notes import BarNote, Values
from opportunity.market.timeframe import EARLIEST_MS, TimeArray, Timeframe, timeframe
from opportunity.market.trust import Faults

_PATIENCE = 8
_MOST_REFUSED = 3


class Assembler:
    """Assemble the final bars of many symbols; see the rules above.

    Parameters
    ----------
    symbols : sequence of str
        Names of the rows.
    base : str
        Timeframe of the bars.
    start : int
        All bars that have closed by then are history already.
    grace_ms : int
        After its close, how long a bar may still change at the venue, >= 0.
    hold_ms : int
        After their close, how long bars wait for those of other symbols, >= 0.

    Raises
    ------
    ValueError
        If a length is negative.

    Notes
    -----
    A frame costs O(1), `take` and `wanted` O(1) when nothing is due. Not thread-safe.
    """

    def __init__(
        self, symbols: Sequence[str], base: Timeframe, start: int, grace_ms: int, hold_ms: int
    ) -> None:
        n_symbols = len(symbols)
        self._timing = timing = Timing(timeframe(base), grace_ms, hold_ms)
        self._length, self._offset = timing.length, timing.offset
        self._ahead = latest_open(0, timing)
        self._n = n_symbols
        first = timing.floor(start)
        self._journal = Journal(tuple(symbols), base)
        self._barrier = Barrier(n_symbols, hold_ms)
        self._ledger = Ledger(n_symbols, timing, first, self._barrier, self._journal)
        self._gaps = Gaps(self._ledger, timing, n_symbols)
        self._forming = FormingBars()
        self._outlet = Outlet(self._ledger, self._barrier, self._journal, timing.length)
        self._dropped: set[int] = set()
        self._doubted: set[int] = set()
        self._judged = [-1] * n_symbols

    @property
    def budget(self) -> int:
        """Ranges that may be in flight at once, >= 1."""
        return self._gaps.budget

    @budget.setter
    def budget(self, budget: int) -> None:
        if budget < 1:
            raise ValueError(f"budget must be >= 1, was {budget}")
        self._gaps.budget = budget

    @property
    def n_refused(self) -> int:
        """Frames and rows refused since the start."""
        return self._journal.n_refused

    @property
    def n_corrections(self) -> int:
        """Bars that were changed after they had left, since the start."""
        return self._journal.n_corrections

    @property
    def released(self) -> TimeArray:
        """Opening time of the newest bar of each row that has left, shape (n_symbols,)."""
        return self._outlet.released.copy()

    @property
    def dropped(self) -> frozenset[int]:
        """Rows that nobody waits for, because they are not traded."""
        return frozenset(self._dropped)

    def last_price(self, row: int) -> float | None:
        """Return the close of the newest final bar of a row, None while there is none."""
        return self._ledger.close[row] or None

    def history(self, row: int, times: TimeArray, values: FloatArray) -> None:
        """Take the newest bars of a row's history, in order, to compare the stream with.

        Optional; without it the first bar waits for REST, unless the answer to `connected` tells
        of bars before it. Bars at or after the start are left out.
        """
        for time, bar in zip(times.tolist(), values.tolist(), strict=True):
            numbers: Values = (bar[0], bar[1], bar[2], bar[3], bar[4])
            if is_bar(numbers) and (time - self._offset) % self._length == 0:
                self._ledger.remember(row, time, numbers)

    def frame(self, frame: Frame) -> None:
        """Take an update from the stream."""
        row, time = frame.row, frame.time
        if self._dropped and row in self._dropped:
            return
        length = self._length
        if (
            (time - self._offset) % length
            or not EARLIEST_MS <= time <= frame.at + self._ahead
            or not is_bar(frame.values)
        ):
            self._refuse(frame)
        elif not frame.closed:
            if not self._ledger.far(row, time, frame.values):  # nobody vouches for it yet
                self._forming.put(row, time, frame.values)
        elif frame.at + self._timing.grace_ms < time + length:
            self._refuse(frame)
        elif self._ledger.stream(row, time, frame.values, frame.at):
            self._gaps.progress(row)
            if time > self._ledger.next[row]:  # a hole before it
                self._gaps.plan(row)
        elif row in self._ledger.claims:
            self._gaps.plan(row)

    def answer(self, answer: Answer) -> None:
        """Take what REST gave for a question."""
        want, row, asked_at = answer.want, answer.want.row, answer.rows.asked_at
        self._gaps.landed(want)
        if row in self._dropped:
            return
        ledger = self._ledger
        newest, before = ledger.newest[row], ledger.next[row]
        expects = want.since <= newest and bool(ledger.recent.marks(row, newest) & KNOWN)
        times, values, refused = self._final(want, answer.rows)
        brought = False
        for time, bar in zip(times.tolist(), values.tolist(), strict=True):
            numbers = (bar[0], bar[1], bar[2], bar[3], bar[4])
            brought = ledger.rest(row, time, numbers, asked_at) or brought
        last = int(times[-1]) if times.size else -1
        weight = 1 if refused else 2
        if expects and not times.size and self._gaps.in_vain(row) < _PATIENCE:
            weight = 0
        if asked_at <= self._judged[row]:  # the same answer again, or one that was overtaken
            weight = 0
        self._judged[row] = max(self._judged[row], asked_at)
        evidence = Evidence(asked_at, last, weight, brought)
        lacking = ledger.lack(row, want.since, want.until, evidence)
        alive = brought or (ledger.next[row] > before and last >= ledger.next[row])
        self._gaps.answered(want, asked_at, alive, lacking)

    def failed(self, want: Want, now: int) -> None:
        """Take note that REST gave no answer; the row waits longer each time."""
        self._gaps.failed(want, now)

    def connected(self, rows: NDArray[np.int64], now: int) -> None:
        """Want everything of these rows since their last final bars: the stream was away."""
        self._barrier.outage(now)
        for row in rows.tolist():
            if row not in self._dropped:
                self._gaps.connected(row, now)

    def audit(self, row: int, now: int) -> None:
        """Have the last bars of a row asked for again: a venue may have corrected them."""
        if row not in self._dropped:
            self._gaps.audit(row, now)

    def drop(self, row: int) -> None:
        """Stop waiting for a row: it is not traded any more."""
        if row not in self._dropped:
            self._dropped.add(row)
            self._gaps.drop(row)
            self._forming.drop(row)
            self._ledger.forget(row)
            self._barrier.forget(row)
            self._recount()

    def restore(self, row: int) -> None:
        """Wait for a row again that was dropped."""
        if row in self._dropped:
            self._dropped.discard(row)
            self._ledger.resume(row, int(self._outlet.settled[row]))
            self._gaps.restore(row)
            self._recount()

    def doubt(self, row: int, on: bool, why: str) -> None:
        """Say from outside that the prices of a row are not to be believed, or are again."""
        if not on:
            self._doubted.discard(row)
        elif row not in self._doubted:
            self._doubted.add(row)
            newest = self._ledger.newest[row]
            self._journal.note("spike", row, newest, newest + self._length, why)

    def wanted(self, now: int) -> list[Want]:
        """Return the ranges to ask REST for now; each must end in `answer` or `failed`."""
        return self._gaps.wanted(now)

    def take(self, now: int) -> list[Closed]:
        """Return the bars that may go out now, by close time, at most 256 batches."""
        return self._outlet.take(now, self._dropped)

    def corrected(self) -> NDArray[np.int64]:
        """Return the rows whose given bars have changed materially since the last call."""
        rows = np.array(sorted(self._ledger.changed), np.int64)
        self._ledger.changed.clear()
        return rows

    def forming(self, now: int) -> Forming | None:
        """Return the newest open bar of each row that changed since the last call."""
        return self._forming.take(now, self._length, self._ledger.next)

    def notes(self) -> list[BarNote]:
        """Return what happened to single bars since the last call."""
        return self._journal.drain()

    def next_at(self, now: int) -> int:
        """Return from when on `take` or `wanted` may have something new, >= `now`."""
        batch_at, want_at = self._barrier.next_at(), self._gaps.next_at()
        return max(now, want_at if batch_at is None else min(batch_at, want_at))

    def faults(self, now: int) -> Faults:
        """Return what is wrong with each row at `now`; `skew_ms` is left to the caller."""
        timing, ledger, length = self._timing, self._ledger, self._length
        patience = max(timing.grace_ms, timing.hold_ms)
        live = np.ones(self._n, np.bool_)
        live[sorted(self._dropped)] = False
        late = now - patience - (np.array(ledger.next, np.int64) + length)
        shares = ledger.recent.shares(
            timing.floor(now - patience) - length, np.array(ledger.since, np.int64)
        )
        suspicious = np.array(ledger.jumped, np.bool_)
        suspicious[sorted(self._doubted)] = True
        return Faults(
            overdue=np.where(live, np.maximum(late / length, 0.0), 0.0),
            missing=np.where(live, shares.missing, 0.0),
            pending=live & (late >= 0),
            mismatch=shares.mismatch,
            revised=shares.revised,
            suspicious=suspicious,
            ended=~live,
        )

    def _recount(self) -> None:
        cursors = self._ledger.next
        self._barrier.recount(cursors[row] for row in range(self._n) if row not in self._dropped)

    def _final(self, want: Want, rows: Rows) -> tuple[TimeArray, FloatArray, int]:
        """Return the final rows of an answer in order, and how many rows were refused."""
        row, reach = want.row, REACH * self._length
        fits = sound(rows.times, rows.values, rows.asked_at, self._timing)
        for i in np.flatnonzero(~fits)[:_MOST_REFUSED].tolist():
            time = int(rows.times[i])
            o, h, low, c, v = rows.values[i].tolist()
            fault = time_fault(time, rows.asked_at, self._timing) or value_fault((o, h, low, c, v))
            self._journal.note("refused", row, time, rows.asked_at, f"REST: {fault}")
        final = fits & (rows.times + self._length + self._timing.grace_ms <= rows.asked_at)
        # however many rows a venue sends, those far from what was asked for are left
        final &= (rows.times >= want.since - reach) & (rows.times < want.until + reach)
        chosen = np.flatnonzero(final)
        chosen = chosen[np.argsort(rows.times[chosen], kind="stable")]
        return rows.times[chosen], rows.values[chosen], int((~fits).sum())

    def _refuse(self, frame: Frame) -> None:
        fault = time_fault(frame.time, frame.at, self._timing) or value_fault(frame.values)
        fault = fault or "a bar must not be called closed before its close"
        text = f"{fault}: {frame.raw or frame.values}"
        self._journal.note("refused", frame.row, frame.time, frame.at, text)
