"""Wave counts of one scale: what a count is, how it lives, and what the counts say together.

Until the next pivot a count lives as long as no bar closes beyond its invalidation price, and
says less the farther the running leg has come of what it forecast.

Source: Frost and Prechter, *Elliott Wave Principle*; weights and values are ours.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.elliott_corrections import FLAT_LIMIT
from opportunity.detectors.elliott_kinds import BEYOND, FAMILY, HALF_LIFE, WAVE_3, WAVE_B_FLAT
from opportunity.detectors.events import ACTIVE
from opportunity.detectors.swings import extreme, pivot
from opportunity.kernels import kernel

N_COUNTS: Final = 5
N_SHOWN: Final = 3

FADE: Final = 2.0 ** (-1.0 / HALF_LIFE)

COUNT: Final = np.dtype(
    [
        # Every bar reads what comes first: it is one line of memory.
        ("stop", "f8"),  # a close beyond it by more than `slack` ends the count
        ("slack", "f8"),
        ("worth", "f8"),
        ("fade", "f8"),  # what a bar leaves of `worth`
        ("fall", "f8"),  # part of `worth` that goes for a unit of price the leg has come
        ("edge", "f8"),  # length of the leg at which something happens: see `advance`
        ("omega", "f8"),  # weight among the counts of the scale, [0, 1)
        ("side", "i1"),  # of the expected next move
        ("kind", "i1"),
        ("state", "i1"),  # of its newest event
        ("shown", "i1"),
        ("told", "i1"),  # its newest state has been reported
        ("g", "f8"),  # guideline score, (0, 1]
        ("serial", "i8"),
        ("first", "i8"),  # number of its first pivot on this scale, from 0
    ],
    align=True,
)

BOOK: Final = np.dtype(
    [
        ("used", "i4"),  # living counts, best first
        ("untold", "i4"),  # some of them have something to report
        ("motive", "f8"),  # fit of the five waves that the newest pivot ended; 0 if none
        ("counts", COUNT, (N_COUNTS,)),
    ],
    align=True,
)
"""Counts of one scale."""

@kernel
def run_length(swings: Any) -> Any:
    """Return how far the running leg has come from the newest pivot, >= 0."""
    price, _, _ = extreme(swings)
    return swings.direction * (price - swings.pivots[pivot(swings, 0)].price)


@kernel
def is_broken(count: Any, c: Any) -> Any:
    """Tell whether a close is beyond the invalidation price."""
    return count.side * (count.stop - c) > count.slack


@kernel
def weigh_counts(book: Any, doubt: Any) -> None:
    """Share the weight out among the living counts; `doubt` is the mass of "none applies"."""
    total = doubt
    for i in range(book.used):
        total += book.counts[i].g * book.counts[i].g
    for i in range(book.used):
        book.counts[i].omega = book.counts[i].g * book.counts[i].g / total


@kernel
def advance(count: Any, reach: Any) -> Any:
    """Follow the running leg to the length `reach`; return False when a hard rule breaks.

    Wave 3 is worth more once it is beyond wave 1. A fifth that outgrows a third shorter than the
    first makes that third the shortest of the three.
    """
    if reach <= count.edge:
        return True
    count.edge = np.inf
    if count.kind == WAVE_3:
        count.worth = BEYOND
        count.state = ACTIVE
        count.told = 0
        return True
    return False


@kernel
def remove(book: Any, i: Any) -> None:
    """Take a count out, keeping the order of the others."""
    for k in range(i, book.used - 1):
        book.counts[k] = book.counts[k + 1]
    book.used -= 1


@kernel
def widen(count: Any, swings: Any) -> None:
    """Read wave B as that of a flat, which may go beyond the start of A."""
    a = abs(swings.pivots[pivot(swings, 0)].price - swings.pivots[pivot(swings, 1)].price)
    count.kind = WAVE_B_FLAT
    count.slack = (FLAT_LIMIT - 1.0) * a
    count.told = 0


@kernel
def is_same(a: Any, b: Any) -> Any:
    """Tell whether one count is the other with more waves known."""
    return (a.first == b.first) & (FAMILY[a.kind] == FAMILY[b.kind])


@kernel
def add_up(book: Any, swings: Any, c_max: Any) -> Any:
    """Return score and confidence of one scale, both 0 without a living count."""
    mass = 0.0
    signed = 0.0
    total = 0.0
    reach = run_length(swings)
    for i in range(book.used):
        count = book.counts[i]
        value = count.omega * count.worth * max(1.0 - count.fall * reach, 0.0)
        mass += count.omega
        signed += count.side * value
        total += value
    if total <= 0.0:
        return 0.0, 0.0
    return signed, c_max * mass * (abs(signed) / total)
