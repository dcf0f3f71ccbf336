"""How long things take and how often they happen, counted where they are done.

One `Measured` a process, `MEASURED`, as the interpreter has one collector of garbage: whoever does
something worth knowing says so here in one line, and whoever shows numbers reads them. Nothing
here knows how they are shown.
"""

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, perf_counter
from typing import Final

BOUNDS_S: Final = (
    5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
)  # fmt: skip
"""Upper bounds of the bins of durations, seconds; what is longer is in the bin of +Inf."""

MOST: Final = 500
"""Names with labels that are kept; more would be a label that is not bounded."""

Key = tuple[str, str]
Listener = Callable[[str, str, float], None]


@dataclass(frozen=True, slots=True)
class Durations:
    """What was measured of one thing.

    Parameters
    ----------
    counts : tuple of int
        By the bins of `BOUNDS_S`, the one of +Inf last; not cumulative.
    total_s : float
        Sum, seconds.
    """

    counts: tuple[int, ...]
    total_s: float

    @property
    def n(self) -> int:
        """How many were measured."""
        return sum(self.counts)


class Measured:
    """Counts and durations by name and label; from any thread.

    Parameters
    ----------
    now : callable
        Monotonic seconds.
    """

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._bins: dict[Key, list[int]] = {}
        self._totals: dict[Key, float] = {}
        self._counts: dict[Key, float] = {}
        self._at: dict[str, float] = {}
        self._listeners: tuple[Listener, ...] = ()

    def took(self, name: str, seconds: float, label: str = "") -> None:
        """Note that something took so long, seconds."""
        place = bisect_left(BOUNDS_S, seconds)
        with self._lock:
            key = self._bounded(self._bins, (name, label))
            if key not in self._bins:
                self._bins[key], self._totals[key] = [0] * (len(BOUNDS_S) + 1), 0.0
            self._bins[key][place] += 1
            self._totals[key] += seconds
        for listener in self._listeners:
            listener(name, label, seconds)

    @contextmanager
    def timed(self, name: str, label: str = "") -> Iterator[None]:
        """Measure a block, also one that raises."""
        began = perf_counter()
        try:
            yield
        finally:
            self.took(name, perf_counter() - began, label)

    def count(self, name: str, n: float = 1, label: str = "") -> None:
        """Note that something happened, `n` times."""
        with self._lock:
            key = self._bounded(self._counts, (name, label))
            self._counts[key] = self._counts.get(key, 0) + n
            self._at[name] = self._now()

    def age_s(self, name: str) -> float | None:
        """Return for how many seconds a thing has not happened; None before the first."""
        with self._lock:
            at = self._at.get(name)
        return None if at is None else max(0.0, self._now() - at)

    def durations(self) -> dict[Key, Durations]:
        """Return all durations by name and label."""
        with self._lock:
            return {k: Durations(tuple(b), self._totals[k]) for k, b in self._bins.items()}

    def counts(self) -> dict[Key, float]:
        """Return all counts by name and label."""
        with self._lock:
            return dict(self._counts)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener(name, label, seconds)` after each duration, on its thread.

        Returns
        -------
        callable
            Ends it.
        """
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def leave() -> None:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

        return leave

    @staticmethod
    def _bounded(there: dict[Key, list[int]] | dict[Key, float], key: Key) -> Key:
        return key if key in there or len(there) < MOST else (key[0], "other")


MEASURED: Final = Measured()
"""Of this process."""
