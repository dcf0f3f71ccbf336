"""The books of the news detector: what headlines add to a symbol, and the sums at any close.

Every strength decays with one of two half-lives, so there are two books. A row is the sum over
the entries that live at a close, always in the order in which they became known: the same in
batch and live, and the same whatever older entries are still kept.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.detectors.news_repeats import WINDOW_MS
from opportunity.kernels import kernel
from opportunity.market.asof import AsOf
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import HOUR_MS, TimeArray

HALF_LIFE_MS: Final = 6 * HOUR_MS
LONG_HALF_LIFE_MS: Final = 24 * HOUR_MS
"""Half-life of stories with impact 1."""

LIVES: Final = 4
"""Half-lives after which a story is gone: what is left of it then is 1/16."""

N_PINS: Final = 2
PIN: Final = ("serial", "tone", "what", "quality")
COLUMNS: Final = (
    "balance", "strength", "items", *(f"pin_{name}_{i}" for i in range(N_PINS) for name in PIN)
)  # fmt: skip
"""A row: the sums of p and of |p|, the living headlines, and the strongest that are new on the bar.

`what` is 0, 1 or 2 by impact, and 4 more where another publisher repeats what was known. All
NaN while no source is alive; a pin's columns are NaN where there is none.
"""

BALANCE, STRENGTH, ITEMS, FIRST_PIN = range(4)
PIN_WIDTH: Final = len(PIN)
REPEATED: Final = 4
MINOR, COMMON, MAJOR = range(3)

# Columns of an entry: one for each story and symbol, one more for each repeat.
_ROW, _BORN, _GRID, _WEIGHT, _WHAT, _SERIAL, _TONE, _QUALITY = range(8)
_WIDTH: Final = 8
EVERY: Final = -1
"""Row of what is about the whole market."""

_GRID_LIVES: Final = 32


class Book:
    """Entries that share a half-life, in the order in which they became known."""

    def __init__(self, half_life: int) -> None:
        self._half_life = half_life
        self._grid = _GRID_LIVES * half_life
        self._entries = AsOf(_WIDTH)

    def __len__(self) -> int:
        return len(self._entries)

    def add(
        self, known: int, row: int, born: int, strength: float, repeat: bool, serial: int,
        tone: float, impact: float, quality: float,
    ) -> None:  # fmt: skip
        """Write what counts for one symbol (or `EVERY` one) from `known` on.

        Parameters
        ----------
        known, born : int
            From when on it counts, and from when on it decays; ms UTC. They differ for what a
            repeat adds.
        strength : float
            Signed, at `born`.
        serial, tone, impact, quality
            Of its pin; `repeat` says that a story was known before.

        Notes
        -----
        What is kept is the strength as it would stand at an instant of a fixed grid: at a close
        the sum needs one power of two, and no number that grows with time is ever stored.
        """
        grid = born // self._grid * self._grid
        lifted = strength * 2.0 ** ((born - grid) / self._half_life)
        what = MAJOR if impact >= 1.0 else (COMMON if impact >= 0.6 else MINOR)
        self._entries.append(
            known,
            [row, born, grid, lifted, what + REPEATED * repeat, serial, tone, quality],
        )

    def write(
        self, out: FloatArray, alive: NDArray[np.bool_], symbols: NDArray[np.int64],
        opened: TimeArray, closed: TimeArray,
    ) -> None:  # fmt: skip
        """Add this book to the rows `out`, (n, n_columns), of the bars that are `alive`."""
        known = self._entries.known
        oldest = closed - (LIVES * self._half_life + WINDOW_MS)
        first, new, end = (np.searchsorted(known, t, "right") for t in (oldest, opened, closed))
        _sum_up(
            out, alive, symbols, closed, self._entries.values, first, new, end, self._half_life
        )

    def forget(self, before: int) -> None:
        """Drop entries that became known before an instant."""
        self._entries.forget(before)


def empty_rows(alive: NDArray[np.bool_]) -> FloatArray:
    """Return rows without news: NaN where nothing is alive, else sums of 0 and no pin."""
    out = np.empty((alive.size, len(COLUMNS)))
    _clear(out, alive)
    return out


@kernel
def _clear(out: Any, alive: Any) -> None:
    for k in range(alive.size):
        for j in range(out.shape[1]):
            out[k, j] = 0.0 if alive[k] & (j < FIRST_PIN) else np.nan


@kernel
def _sum_up(
    out: Any, alive: Any, symbols: Any, closed: Any, entries: Any, first: Any, new: Any, end: Any,
    half_life: Any,
) -> None:  # fmt: skip
    """Add the entries of one book to the rows, and pin those that are new on a bar."""
    for k in range(symbols.size):
        if (not alive[k]) | (first[k] >= end[k]):
            continue
        t = closed[k]
        grid = t // (_GRID_LIVES * half_life) * (_GRID_LIVES * half_life)
        now = 0.0  # of this interval of the grid: the sum, and the sum of sizes
        now_size = 0.0
        before = 0.0  # of the interval before
        before_size = 0.0
        n = 0
        for i in range(first[k], end[k]):
            entry = entries[i]
            mine = (entry[_ROW] == EVERY) | (entry[_ROW] == symbols[k])
            if mine & (t < entry[_BORN] + LIVES * half_life):
                weight = entry[_WEIGHT]
                n += entry[_WHAT] < REPEATED
                if entry[_GRID] == grid:
                    now += weight
                    now_size += abs(weight)
                else:
                    before += weight
                    before_size += abs(weight)
                if i >= new[k]:
                    _pin(out[k], entry)
        fade = np.exp2(-(t - grid) / half_life)
        further = fade * 2.0**-_GRID_LIVES
        out[k, BALANCE] += now * fade + before * further
        out[k, STRENGTH] += now_size * fade + before_size * further
        out[k, ITEMS] += n


@kernel
def _pin(row: Any, entry: Any) -> None:
    """Keep an entry among the pins of a row, strongest first, the earlier one of equals."""
    at = FIRST_PIN + N_PINS * PIN_WIDTH
    while at > FIRST_PIN and _weaker(row, at - PIN_WIDTH, entry):
        at -= PIN_WIDTH
        if at < FIRST_PIN + (N_PINS - 1) * PIN_WIDTH:
            for j in range(at, at + PIN_WIDTH):
                row[j + PIN_WIDTH] = row[j]
    if at < FIRST_PIN + N_PINS * PIN_WIDTH:
        row[at] = entry[_SERIAL]
        row[at + 1] = entry[_TONE]
        row[at + 2] = entry[_WHAT]
        row[at + 3] = entry[_QUALITY]


@kernel
def _weaker(row: Any, at: Any, entry: Any) -> Any:
    """Whether there is no pin at a place, or a weaker one."""
    quality = row[at + 3]
    same = (quality == entry[_QUALITY]) & (row[at] > entry[_SERIAL])
    return np.isnan(quality) | (quality < entry[_QUALITY]) | same
