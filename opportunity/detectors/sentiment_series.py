"""One kind of records, for many symbols and sources, as what was known of it at any close."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from opportunity.detectors.sentiment_windows import absorb
from opportunity.kernels import kernel
from opportunity.market.asof import AsOf
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import HOUR_MS, TimeArray

STALE: Final = 4.0
"""Half-lives after which a value counts for nothing."""

_FIRST_ROOM = 32
_NEVER = -1


@kernel
def look_up(known: Any, values: Any, times: Any, rows: Any, found: Any) -> None:
    """Write the newest row known at each time and when it became known; NaN and -1 before all.

    As `AsOf.at`; times in ascending order cost a step each.
    """
    i = 0  # rows known so far
    for k in range(times.size):
        if i > 0 and known[i - 1] > times[k]:
            i = np.searchsorted(known, times[k], side="right")
        while i < known.size and known[i] <= times[k]:
            i += 1
        found[k] = known[i - 1] if i > 0 else _NEVER
        for j in range(rows.shape[1]):
            rows[k, j] = values[i - 1, j] if i > 0 else np.nan


@kernel
def _write(
    rows: Any, known: Any, closed: Any, half_life: Any, memory: Any, n_values: Any, out: Any
) -> None:
    for k in range(closed.size):
        for j in range(n_values + 1):
            out[k, j] = np.nan
        if known[k] >= 0 and closed[k] - known[k] <= memory:
            factor = freshness(closed[k] - rows[k, 2], half_life)
            out[k, n_values] = factor
            if factor > 0.0:
                for j in range(n_values):
                    out[k, j] = rows[k, j]


@kernel
def freshness(age: Any, half_life: Any) -> Any:
    """Return 2^(-age / half-life), 1 for what is not old yet, 0 beyond `STALE` half-lives."""
    old = max(age, 0.0) / half_life
    return np.exp2(-old) if old <= STALE else 0.0


class Latest:
    """Rows by key, each as of any instant; quick where the newest is asked for.

    Parameters
    ----------
    n_keys, width : int
        Number of keys; numbers in a row.
    """

    def __init__(self, n_keys: int, width: int) -> None:
        self._series: dict[int, AsOf] = {}
        self._width = width
        self._rows = np.full((n_keys, width), np.nan)
        self._known = np.full(n_keys, _NEVER, np.int64)

    def append(self, key: int, known: TimeArray, rows: FloatArray) -> None:
        """Add rows of one key in the order in which they became known."""
        if known.size:
            self._series.setdefault(key, AsOf(self._width)).append(known, rows)
            self._rows[key] = rows[-1]
            self._known[key] = known[-1]

    def at(self, keys: NDArray[np.int64], closed: TimeArray) -> tuple[FloatArray, TimeArray]:
        """Return the newest row of each key at each instant, and when it became known.

        NaN and -1 where nothing was known.
        """
        known = self._known[keys]
        past = closed < known
        if not past.any():  # live, all ask for the newest
            return self._rows[keys], known
        # The past is asked for one symbol after the other.
        rows = np.empty((keys.size, self._width))
        edges = np.flatnonzero(keys[1:] != keys[:-1]) + 1
        edges = np.concatenate(([0], edges, [keys.size]))
        needed = np.logical_or.reduceat(past, edges[:-1])
        for i, searched in enumerate(needed.tolist()):
            run = slice(int(edges[i]), int(edges[i + 1]))
            key = int(keys[run.start])
            if searched:
                series = self._series[key]
                look_up(series.known, series.values, closed[run], rows[run], known[run])
            else:
                rows[run] = self._rows[key]
        return rows, known

    def forget(self, before: int) -> None:
        """Drop the rows that no instant from `before` on can ask for."""
        for series in self._series.values():
            series.forget(before)


class Batch(NamedTuple):
    """New records of one key and source, in the order in which they became known."""

    key: int
    source: str
    known: TimeArray
    events: TimeArray
    values: FloatArray


class _History:
    """Records of one key and source, and what was measured of the newest."""

    def __init__(self) -> None:
        self.n = 0
        self.events = np.empty(_FIRST_ROOM, np.int64)
        self.valid = np.empty(_FIRST_ROOM, np.int64)
        self.values = np.empty(_FIRST_ROOM)
        self.newest: FloatArray = np.full(3, np.nan)

    def new(self, events: TimeArray, values: FloatArray) -> NDArray[np.bool_]:
        if self.n and events[0] // HOUR_MS > self.events[self.n - 1] // HOUR_MS and (
            events.size == 1  # live, one comes after the other
        ):
            return np.ones(1, np.bool_)
        at = np.searchsorted(self.events[: self.n] // HOUR_MS, events // HOUR_MS)
        inside = at < self.n
        place = np.where(inside, at, 0)
        held, value = self.events[place], self.values[place]
        same_hour = inside & (held // HOUR_MS == events // HOUR_MS)
        # Of an hour only the last counts, so an older one of the same hour tells nothing either.
        told = (held > events) | ((held == events) & (value == values))
        new: NDArray[np.bool_] = ~(same_hour & told)
        return new

    def take(
        self, what: int, events: TimeArray, valid: TimeArray, values: FloatArray
    ) -> FloatArray:
        self._reserve(events.size)
        rows = np.empty((events.size, 3))
        scratch = np.empty(self.events.size)
        self.n = absorb(
            what, self.events, self.valid, self.values, scratch, self.n, events, valid, values, rows
        )
        self.newest = rows[-1]
        return rows

    def forget(self, before: int) -> None:
        first = int(np.searchsorted(self.events[: self.n], before))
        first = min(first, max(0, self.n - 1))  # the newest stays: it says which records are late
        if first:
            for name in ("events", "valid", "values"):
                setattr(self, name, getattr(self, name)[first : self.n].copy())
            self.n -= first

    def _reserve(self, n: int) -> None:
        if self.n + n > self.events.size:
            room = 2 * (self.n + n)
            for name in ("events", "valid", "values"):
                grown = np.empty(room, getattr(self, name).dtype)
                grown[: self.n] = getattr(self, name)[: self.n]
                setattr(self, name, grown)


class Series:
    """What records of one kind say of each key, and how fresh it is.

    Parameters
    ----------
    what : int
        The measure, of `sentiment_windows`.
    n_keys : int
        Number of keys.
    half_life_ms : float
        Age at which a value counts half; after `STALE` of them it counts for nothing.
    lag_ms : int
        Time after an event until which its value does not age, unless it was known earlier: a
        day's value is new when the day ends.

    Notes
    -----
    Each source is measured against its own past. Where several speak of one key the one with
    the newest value counts, of equally new ones the first by name.
    """

    def __init__(self, what: int, n_keys: int, half_life_ms: float, lag_ms: int = 0) -> None:
        self._what, self._half_life, self._lag = what, half_life_ms, lag_ms
        self._histories: dict[int, dict[str, _History]] = {}
        self._latest = Latest(n_keys, 3)

    def new(self, batch: Batch) -> NDArray[np.bool_]:
        """Tell which records of a batch are no repetition of what was taken already."""
        history = self._histories.get(batch.key, {}).get(batch.source)
        if history is None:
            return np.ones(batch.events.size, np.bool_)
        return history.new(batch.events, batch.values)

    def take(self, batches: list[Batch]) -> None:
        """Take new records: at most one batch for each key and source."""
        by_key: dict[int, list[Batch]] = {}
        for batch in batches:
            by_key.setdefault(batch.key, []).append(batch)
        for key, several in by_key.items():
            histories = self._histories.setdefault(key, {})
            before = {source: h.newest for source, h in histories.items()}
            parts = [self._measure(histories, batch) for batch in several]
            if len(histories) == 1:
                self._latest.append(key, several[0].known, parts[0])
            else:
                self._latest.append(key, *_newest_source(before, several, parts))

    def _measure(self, histories: dict[str, _History], batch: Batch) -> FloatArray:
        if batch.source not in histories:
            histories[batch.source] = _History()
        history = histories[batch.source]
        valid = np.minimum(batch.known, batch.events + self._lag)
        return history.take(self._what, batch.events, valid, batch.values)

    def write(
        self, keys: NDArray[np.int64], closed: TimeArray, memory_ms: int, out: FloatArray
    ) -> None:
        """Write what was known at each close.

        Parameters
        ----------
        keys, closed : ndarray of int64, shape (n,)
            What is asked about, and when, ms UTC.
        memory_ms : int
            Time after its last record from which on an input counts as not connected.
        out : ndarray of shape (n, 2) or (n, 3)
            Filled with the measure, the change where there is room for it, and the freshness:
            1 when new, halving with age, 0 when stale. Values are NaN where unknown or stale,
            the freshness where no record came within `memory_ms`.
        """
        rows, known = self._latest.at(keys, closed)
        _write(rows, known, closed, self._half_life, memory_ms, out.shape[1] - 1, out)

    def forget(self, before: int, memory_ms: int) -> None:
        """Drop what no close from `before` on can need."""
        self._latest.forget(before)
        for histories in self._histories.values():
            for history in histories.values():
                history.forget(before - memory_ms)


def _newest_source(
    newest: dict[str, FloatArray], batches: list[Batch], parts: list[FloatArray]
) -> tuple[TimeArray, FloatArray]:
    """Merge several sources of one key: after each record, what the newest of them says."""
    known = np.concatenate([b.known for b in batches])
    sources = [b.source for b in batches for _ in range(b.known.size)]
    measured = np.concatenate(parts)
    order = np.argsort(known, kind="stable")
    rows = np.empty_like(measured)
    for place, i in enumerate(order.tolist()):
        newest[sources[i]] = measured[i]
        best = max(
            sorted(newest),
            key=lambda s: (bool(np.isfinite(newest[s][0])), float(newest[s][2])),
        )
        rows[place] = newest[best]
    return known[order], rows
