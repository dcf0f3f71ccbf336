"""Decides, as each base bar opens, whether and how it will be wrong."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from app.exchange.bar_faults import BarFault, Case
from app.exchange.injector import Armed, Faults
from app.exchange.view import Change, View
from opportunity.market.timeframe import open_ms

_KEPT: Final = 100_000  # changed bars that are remembered, of all symbols


@dataclass(frozen=True, slots=True)
class Due:
    """A corrected bar, when its correction begins to hold; `frame`: the stream says so too."""

    at: int
    row: int
    opened: int
    frame: bool


class Planner:
    """Fills `View.changes` in the order of time, so that no answer depends on who asks when.

    A bar that is open when a fault is ordered stays as it is; the next one is the first.
    """

    def __init__(self, view: View, faults: Faults, start_ms: int) -> None:
        self._view, self._faults = view, faults
        self._planned = open_ms(start_ms, view.base)
        self._pending: list[tuple[int, str, str]] = []
        self._due: list[Due] = []
        self._order: deque[tuple[int, int]] = deque()
        self._seen: set[int] = set()

    def advance(self, now: int) -> list[Due]:
        """Plan the bars that have opened by `now`; return the corrections that begin to hold."""
        length, current = self._view.length, open_ms(now, self._view.base)
        if self._faults.of_bars():
            self._past(now)
            first = max(self._planned + length, current - 2_000 * length)
            for opened in range(first, current + 1, length):
                self._open(opened)
        self._planned = max(self._planned, current)
        happened = [p for p in self._pending if p[0] <= now]
        if happened:
            self._pending = [p for p in self._pending if p[0] > now]
            for _, kind, what in happened:
                self._faults.note(kind, what)
        ripe = sorted((d for d in self._due if d.at <= now), key=lambda d: (d.at, d.row))
        if ripe:
            self._due = [d for d in self._due if d.at > now]
            for due in ripe:
                self._view.touch(due.row)
                self._faults.note("correction", f"{self._name(due.row)} {due.opened}")
        return ripe

    def _name(self, row: int) -> str:
        return self._view.market.symbols[row]

    def _open(self, opened: int) -> None:
        for armed, fault in self._faults.of(BarFault):
            if fault.bars and opened not in fault.bars:
                continue
            for row, symbol in enumerate(self._view.market.symbols):
                if fault.concerns(symbol):
                    self._plan(armed, fault, row, opened)

    def _past(self, now: int) -> None:
        """Change the past bars that a newly ordered fault names."""
        for armed, fault in self._faults.of(BarFault):
            if armed.id in self._seen:
                continue
            self._seen.add(armed.id)
            for opened in (t for t in fault.bars if t <= self._planned):
                for row, symbol in enumerate(self._view.market.symbols):
                    if fault.concerns(symbol):
                        self._plan(armed, fault, row, opened)

    def _plan(self, armed: Armed, fault: BarFault, row: int, opened: int) -> None:
        values = self._view.closed(row, opened, opened)
        if values is None or opened in self._view.changes[row]:
            return
        if not armed.strikes(self._faults.real(), (self._name(row), opened)):
            return
        length = self._view.length
        earlier = self._view.closed(row, opened - length, opened)
        before = values[0] if earlier is None else earlier[3]
        change = fault.change(Case(opened, length, values, before))
        self._view.changes[row][opened] = change
        self._view.touch(row)
        self._order.append((row, opened))
        if len(self._order) > _KEPT:
            old_row, old = self._order.popleft()
            self._view.changes[old_row].pop(old, None)
        self._schedule(fault, change, row, opened)

    def _schedule(self, fault: BarFault, change: Change, row: int, opened: int) -> None:
        if change.at:
            frame = bool(getattr(fault, "frame", False))
            self._due.append(Due(change.at, row, opened, frame))
        else:
            closes = opened + self._view.length
            self._pending.append((closes, fault.kind, f"{self._name(row)} {opened}"))
