"""What the exchange says of its market at an instant: closed bars, the open one, the last day."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from app.exchange.market import Market
from opportunity.market.timeframe import DAY_MS, HOUR_MS, Timeframe, length_ms, open_ms

Values = tuple[float, float, float, float, float]
Where = Literal["rest", "stream"]

_BOTH: Final[frozenset[Where]] = frozenset({"rest", "stream"})


@dataclass(slots=True)
class Change:
    """How one base bar differs from what the market says; see the faults that make it.

    Parameters
    ----------
    first, then : tuple of 5 floats or None
        What the bar is before and from the instant `at` on; None: what the market says.
    missing, shifted, garbled : set of {"rest", "stream"}
        Where it is left out, where its times are moved by `shift_ms`, where `tokens` stand in
        place of its five numbers.
    scale, nudge : float
        Factor on all prices, and on the close alone, in the stream.
    lost : bool
        Whether its closing frame is not sent.
    """

    first: Values | None = None
    then: Values | None = None
    at: int = 0
    missing: frozenset[Where] = frozenset()
    shifted: frozenset[Where] = frozenset()
    shift_ms: int = 0
    garbled: frozenset[Where] = frozenset()
    tokens: tuple[str, ...] = ()
    scale: float = 1.0
    nudge: float = 1.0
    lost: bool = False

    def said(self, values: Values, now: int) -> Values:
        """Return what the bar is at an instant, given what the market says."""
        own = self.then if now >= self.at else self.first
        return values if own is None else own

    def streamed(self, values: Values) -> Values:
        """Return what the stream says of a bar."""
        o, h, low, c, v = (x * self.scale for x in values)
        c *= self.nudge
        return o, max(h, c), min(low, c), c, v / self.scale


@dataclass(frozen=True, slots=True)
class Row:
    """One bar as it goes out; `tokens` replace the numbers where they are not empty."""

    time: int
    close_time: int
    values: Values
    tokens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """Figures of the last 24 whole hours and of the hour since then."""

    open_time: int
    open: float
    high: float
    low: float
    last: float
    volume: float
    quote: float


def fold(bars: list[Values]) -> Values | None:
    """Add consecutive bars up to one; None for no bars."""
    if not bars:
        return None
    o, h, low, c, v = bars[0]
    for bar in bars[1:]:
        h, low, c, v = max(h, bar[1]), min(low, bar[2]), bar[3], v + bar[4]
    return o, h, low, c, v


class View:
    """The market with its changes, asked at instants that never go back.

    Parameters
    ----------
    market : Market
        What is traded.

    Attributes
    ----------
    changes : dict of row to dict of opening time to Change
        Base bars that differ from the market's.
    """

    def __init__(self, market: Market) -> None:
        self.market = market
        self.base = market.base
        self.length = length_ms(market.base)
        self.changes: defaultdict[int, dict[int, Change]] = defaultdict(dict)
        self._parts: dict[tuple[int, Timeframe], tuple[int, int, list[Values]]] = {}
        self._days: dict[int, tuple[int, Day]] = {}

    def touch(self, row: int) -> None:
        """Forget what was added up of a symbol, because a bar of it has changed."""
        for key in [k for k in self._parts if k[0] == row]:
            del self._parts[key]

    def closed(self, row: int, opened: int, now: int) -> Values | None:
        """Return a closed base bar as it is now; None where there is none."""
        values = self._whole(row, opened)
        change = self.changes[row].get(opened) if row in self.changes else None
        if change is None or values is None:
            return values
        return None if change.missing == _BOTH else change.said(values, now)

    def bar(self, row: int, timeframe: Timeframe, opened: int, now: int) -> Values | None:
        """Return the bar of any timeframe that opened at `opened`, as far as it has come."""
        closes = opened + length_ms(timeframe)
        current = open_ms(now, self.base)
        if timeframe == self.base:
            return self.closed(row, opened, now) if closes <= now else self.forming(row, now)
        parts = self._closed_part(row, timeframe, opened, min(current, closes), now)
        if closes > now and (last := self.forming(row, now)) is not None:
            parts = [*parts, last]
        return fold(parts)

    def forming(self, row: int, now: int) -> Values | None:
        """Return the open base bar; None before its first print."""
        opened = open_ms(now, self.base)
        change = self.changes[row].get(opened) if row in self.changes else None
        if change is not None:
            if change.missing == _BOTH:
                return None
            if change.first is not None and change.first[4] == 0:
                return change.first
        return _values(self.market.forming(np.array([row]), opened, now)[0])

    def klines(
        self,
        row: int,
        timeframe: Timeframe,
        now: int,
        since: int | None,
        until: int | None,
        limit: int,
    ) -> list[Row]:
        """Return bars as REST does: opening in [since, until], the last one may be open.

        Without `since` the newest `limit` of them, else the oldest; ascending.
        """
        length, current = length_ms(timeframe), open_ms(now, timeframe)
        last = current if until is None else min(current, open_ms(until, timeframe))
        lacking = sum("rest" in c.missing for c in self.changes[row].values())
        times, table = self.market.bars(
            row, timeframe, since or 0, min(last + length, current), limit + lacking, since is None
        )
        if self.changes[row]:
            rows = self._changed(row, timeframe, now, times.tolist(), table.tolist())
        else:
            rows = [
                Row(t, t + length - 1, _bar(v))
                for t, v in zip(times.tolist(), table.tolist(), strict=True)
            ]
        if last == current and (since is None or since <= current):
            rows += self._open_row(row, timeframe, current, now)
        return rows[-limit:] if since is None else rows[:limit]

    def day(self, row: int, now: int) -> Day:
        """Return the figures of the last day; without changes: a ticker is not made of bars."""
        hour = now // HOUR_MS * HOUR_MS
        kept = self._days.get(row)
        if kept is None or kept[0] != hour:
            unit: Timeframe = "1h" if self.length <= HOUR_MS else self.base
            kept = hour, self._sum(row, unit, hour - DAY_MS, hour)
            self._days[row] = kept
        whole = kept[1]
        step = max(hour, open_ms(now, self.base) // self.length * self.length)
        here = self._sum(row, self.base, hour, step) if step > hour else None
        parts = [whole] if here is None or here.last != here.last else [whole, here]
        partial = self.market.forming(np.array([row]), open_ms(now, self.base), now)[0]
        if partial[3] == partial[3]:
            o, h, low, c, v = partial.tolist()
            parts.append(Day(step, o, h, low, c, v, v * c))
        return _add(parts)

    def _sum(self, row: int, timeframe: Timeframe, since: int, until: int) -> Day:
        _, table = self.market.bars(row, timeframe, since, until, 2_000, True)
        if not len(table):
            return Day(since, np.nan, np.nan, np.nan, np.nan, 0.0, 0.0)
        quote = float((table[:, 3] * table[:, 4]).sum())
        return Day(
            since,
            float(table[0, 0]),
            float(table[:, 1].max()),
            float(table[:, 2].min()),
            float(table[-1, 3]),
            float(table[:, 4].sum()),
            quote,
        )

    def _whole(self, row: int, opened: int) -> Values | None:
        return _values(self.market.base_bars(opened)[row])

    def _open_row(self, row: int, timeframe: Timeframe, opened: int, now: int) -> list[Row]:
        values = self.bar(row, timeframe, opened, now)
        return [] if values is None else [Row(opened, opened + length_ms(timeframe) - 1, values)]

    def _closed_part(
        self, row: int, timeframe: Timeframe, opened: int, until: int, now: int
    ) -> list[Values]:
        """Return the fold (at most one bar) of the closed base bars in [opened, until)."""
        began, upto, parts = self._parts.get((row, timeframe), (-1, 0, []))
        if began != opened or upto > until:
            upto, parts = opened, []
        if upto < until:
            times, table = self.market.bars(row, self.base, upto, until, 100_000, True)
            for t, v in zip(times.tolist(), table.tolist(), strict=True):
                change = self.changes[row].get(t)
                if change is None:
                    parts = [*parts, _bar(v)]
                elif change.missing != _BOTH:
                    parts = [*parts, change.said(_bar(v), now)]
                if (one := fold(parts)) is not None:
                    parts = [one]
            self._parts[row, timeframe] = opened, until, parts
        return parts

    def _changed(
        self, row: int, timeframe: Timeframe, now: int, times: list[int], table: list[list[float]]
    ) -> list[Row]:
        length, changes, rows = length_ms(timeframe), self.changes[row], []
        spans = {open_ms(t, timeframe) for t in changes}
        for t, v in zip(times, table, strict=True):
            values: Values | None = _bar(v)
            tokens: tuple[str, ...] = ()
            shift = 0
            if t in spans and timeframe != self.base:
                self._parts.pop((row, timeframe), None)
                values = self.bar(row, timeframe, t, now)
            elif t in spans and values is not None:
                change = changes[t]
                values = None if "rest" in change.missing else change.said(values, now)
                tokens = change.tokens if "rest" in change.garbled else ()
                shift = change.shift_ms if "rest" in change.shifted else 0
            if values is not None:
                rows.append(Row(t + shift, t + shift + length - 1, values, tokens))
        return rows


def _bar(numbers: list[float]) -> Values:
    o, h, low, c, v = numbers
    return o, h, low, c, v


def _values(row: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Values | None:
    o, h, low, c, v = row.tolist()
    return None if c != c else (o, h, low, c, v)


def _add(parts: list[Day]) -> Day:
    real = [p for p in parts if p.last == p.last]
    if not real:  # nothing has traded yet: zeros, as Binance says it
        return Day(parts[0].open_time, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return Day(
        real[0].open_time,
        real[0].open,
        max(p.high for p in real),
        min(p.low for p in real),
        real[-1].last,
        sum(p.volume for p in real),
        sum(p.quote for p in real),
    )
