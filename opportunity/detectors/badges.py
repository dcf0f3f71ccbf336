"""Patterns beside a symbol: what was seen on its streams lately, and the few that are shown."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.detectors.base import Detector
from opportunity.detectors.events import ACTIVE, DONE, EXPIRED, INVALID
from opportunity.kernels import kernel
from opportunity.market.timeframe import TimeArray, Timeframe, length_ms

BADGE_BARS: Final = 6
"""Bars for which a badge stays beside its symbol."""

N_BADGES: Final = 3

MOST_WORDS: Final = 4_096
"""Sets of names that are known again, each as a tuple of words."""

N_DETECTORS: Final = 16
"""More than there are: serials of several detectors in one number."""

NEVER: Final = np.iinfo(np.int64).min // 2
"""When a pattern became known that was not seen yet."""


@kernel
def _note(
    known: Any, things: Any, columns: Any, lasting: Any, detector: Any, states: Any, rows: Any,
    counts: Any,
) -> None:  # fmt: skip
    for k in range(rows.size):
        for i in range(counts[k]):
            event = states[rows[k]].events[i]
            column = columns[event.kind]
            if column < 0:
                continue
            row = rows[k]
            thing = event.serial * N_DETECTORS + detector
            done = event.state == DONE
            if (done and lasting[event.kind]) or event.state == INVALID or event.state == EXPIRED:
                if things[row, column] == thing:
                    known[row, column] = NEVER
            elif event.side != 0 and (done or event.state == ACTIVE):
                known[row, column] = event.known
                things[row, column] = thing


@kernel
def _newest(known: Any, since: Any, chosen: Any) -> Any:
    """Return the column seen last, after `since`, that is not among the chosen ones; else -1."""
    best = -1
    for j in range(known.size):
        if known[j] > since:
            taken = False
            for k in range(chosen.size):
                taken |= chosen[k] == j
            if not taken:
                best = j
                since = known[j]
    return best


@kernel
def _choose(known: Any, lengths: Any, longest: Any, now: Any, chosen: Any) -> None:
    """Fill `chosen` (n_symbols, N_BADGES) with columns; -1 where there are fewer."""
    for s in range(chosen.shape[0]):
        chosen[s] = -1
        n = 0
        for f in longest:
            since = now - (1 + BADGE_BARS) * lengths[f]
            best = 0
            while n < chosen.shape[1] and best >= 0:
                best = _newest(known[s * lengths.size + f], since, chosen[s])
                if best >= 0:
                    chosen[s, n] = best
                    n += 1


class Badges:
    """When each pattern was last seen on each stream; what has ended since is not shown.

    Parameters
    ----------
    detectors : sequence of Detector
        Those whose kinds of events name the badges.
    n_symbols : int
        Symbols; stream = symbol * n_timeframes + timeframe.
    timeframes : sequence of str
        Those of the streams.
    """

    def __init__(
        self, detectors: Sequence[Detector], n_symbols: int, timeframes: Sequence[Timeframe]
    ) -> None:
        names = {kind.badge for d in detectors for kind in d.kinds}
        self._names = tuple(sorted(names - {""}))
        place = {name: i for i, name in enumerate(self._names)} | {"": -1}
        self._columns = [
            np.array([place[kind.badge] for kind in d.kinds], np.int64) for d in detectors
        ]
        self._lasting = [np.array([kind.lasting for kind in d.kinds]) for d in detectors]
        self._lengths = np.array([length_ms(t) for t in timeframes], np.int64)
        self._longest = np.argsort(-self._lengths, kind="stable")
        self._words: dict[tuple[int, ...], tuple[str, ...]] = {}
        self.known: TimeArray = np.full(
            (n_symbols * len(timeframes), len(self._names)), NEVER, np.int64
        )
        self.things: NDArray[np.int64] = np.zeros(self.known.shape, np.int64)

    def note(
        self, detector: int, states: NDArray[Any], rows: TimeArray, counts: TimeArray
    ) -> None:
        """Take the events that a detector's streams saw on the bar they have just been given.

        Parameters
        ----------
        detector : int
            Its place in the sequence that this object was made with.
        states : structured array, shape (n_streams,)
            States of that detector.
        rows : ndarray of int64, shape (k,)
            Streams that were given a bar.
        counts : ndarray of int64, shape (k,)
            Events that each of them saw on it.
        """
        _note(
            self.known, self.things, self._columns[detector], self._lasting[detector], detector,
            states, rows, counts,
        )  # fmt: skip

    def shown(self, now: int) -> tuple[tuple[str, ...], ...]:
        """Return up to three names per symbol: longest timeframe first, then newest, by name."""
        n_symbols = len(self.known) // self._lengths.size
        chosen = np.empty((n_symbols, N_BADGES), np.int64)
        _choose(self.known, self._lengths, self._longest, now, chosen)
        return tuple([self._read(c) for c in map(tuple, chosen.tolist())])

    def _read(self, columns: tuple[int, ...]) -> tuple[str, ...]:
        # Kept: a large universe shows the same few sets of names again and again.
        words = self._words.get(columns)
        if words is None:
            words = tuple(self._names[c] for c in columns if c >= 0)
            if len(self._words) >= MOST_WORDS:  # rare ones add up over months
                self._words.clear()
            self._words[columns] = words
        return words
