"""Rules and guidelines of corrections: zigzags, flats and triangles.

Points as in `elliott_rules`, with wave A (or leg a) written as a rise. A correction that fits two
types is the one that it fits better.

Source: Frost and Prechter, *Elliott Wave Principle*; ideal ratios as they give them, bounds ours.
"""

from typing import Any, Final

from opportunity.detectors.elliott_kinds import (
    BARRIER,
    EXPANDED,
    EXPANDING,
    FLAT,
    RUNNING,
    TRIANGLE,
    WAVE_C,
    WAVE_C_FLAT,
    ZIGZAG,
)
from opportunity.detectors.elliott_rules import band, wave
from opportunity.kernels import kernel

NONE: Final = -1
"""No correction of any type."""

FLAT_LIMIT: Final = 1.382
"""Wave B of a flat goes no farther, in A."""

LEVEL: Final = 0.25
"""Ends of legs b and d of a barrier triangle are no farther apart, in ATR."""


@kernel
def _within(x: Any, low: Any, high: Any) -> Any:
    return (low <= x) & (x <= high)


@kernel
def _zigzag_b(b: Any) -> Any:
    return band(b, 0.382, 0.5, 0.618, 0.786)


@kernel
def _regular_b(b: Any) -> Any:
    return band(b, 0.90, 1.0, 1.0, 1.05)


@kernel
def _beyond_b(b: Any, least: Any) -> Any:
    """Value wave B of a flat that goes beyond the start of A, best at 1.236."""
    return band(b, least, 1.236, 1.236, FLAT_LIMIT)


@kernel
def wave_c(p: Any) -> Any:
    """Tell what wave C may be under way after A and B (3 points); return kind and fit."""
    b = wave(p, 2) / wave(p, 1)
    if _within(b, 0.382, 0.786):
        return WAVE_C, _zigzag_b(b)
    if _within(b, 0.90, FLAT_LIMIT):
        return WAVE_C_FLAT, max(_regular_b(b), _beyond_b(b, 1.0))
    return NONE, 0.0


@kernel
def correction(p: Any) -> Any:
    """Tell what correction 4 points make; return kind (or NONE) and fit in [0, 1]."""
    a = wave(p, 1)
    b = wave(p, 2) / a
    c = wave(p, 3) / a
    past = p.price[3] > p.price[1]
    kind = NONE
    best = 0.0
    if _within(b, 0.382, 0.786) & past & _within(c, 0.618, 1.618):
        kind = ZIGZAG
        best = 0.5 * (_zigzag_b(b) + band(c, 0.618, 1.0, 1.0, 1.618))
    if _within(b, 0.90, 1.05) & _within(c, 0.9, 1.382):
        kind = FLAT
        best = 0.5 * (_regular_b(b) + band(c, 0.9, 1.0, 1.0, 1.382))
    if _within(b, 1.05, FLAT_LIMIT) & past & _within(c, 1.0, 2.0):
        fit = 0.5 * (_beyond_b(b, 1.05) + band(c, 1.0, 1.618, 1.618, 2.0))
        if fit > best:
            kind = EXPANDED
            best = fit
    if _within(b, 1.0, FLAT_LIMIT) & (p.price[3] < p.price[1]) & (c >= 0.618):
        fit = 0.5 * (_beyond_b(b, 1.0) + band(c, 0.618, 0.786, 1.0, FLAT_LIMIT))
        if fit > best:
            kind = RUNNING
            best = fit
    return kind, best


@kernel
def triangle(p: Any, atr: Any) -> Any:
    """Tell what triangle 6 points make; return kind (or NONE) and fit in [0, 1].

    Legs that shrink by 0.5 to 0.90 each make lines that converge. Where the ends of b and d are
    level the line is a barrier, and d is nearly as long as c. Growing legs: 1.05 to 1.618.
    """
    gap = abs(p.price[4] - p.price[2])
    level = gap <= LEVEL * atr
    shrinks = True
    barred = level
    grows = True
    total = 0.0
    widening = 0.0
    for i in range(2, 6):
        ratio = wave(p, i) / wave(p, i - 1)
        fits = _within(ratio, 0.5, 0.90)
        shrinks &= fits
        barred &= fits | (i == 4)
        grows &= _within(ratio, 1.05, 1.618)
        if (i == 4) & level:
            total += 0.25 * (1.0 - gap / (LEVEL * atr))
        else:
            total += 0.25 * band(ratio, 0.5, 0.618, 0.786, 0.90)
        widening += 0.25 * band(ratio, 1.05, 1.236, 1.382, 1.618)
    if barred:
        return BARRIER, total
    if shrinks:
        return TRIANGLE, total
    if grows:
        return EXPANDING, widening
    return NONE, 0.0
