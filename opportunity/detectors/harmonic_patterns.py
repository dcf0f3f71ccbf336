"""The ten harmonic patterns as ratios, and what a finished X A B C says about where D may be.

X A B C are four turns in a row. With XA, AB, BC as lengths, a bullish pattern has C as a high:

- `b = AB / XA`, `c = BC / AB`, and for Cypher `x = XC / XA` in the place of `c`;
- D is told by one ratio: `r = (A - D) / XA` (above 1 beyond X), `m = CD / BC`, `e = CD / AB` or
  `y = CD / XC`.

Everything here is a distance, never a price: D is measured as its depth below C (above it for a
bearish pattern), so both sides give the same numbers bit for bit.

Source: Gartley, *Profits in the Stock Market* (1935), the shape; Pesavento, *Fibonacci Ratios
with Pattern Recognition* (1997); Carney, *The Harmonic Trader* (1998) and *Harmonic Trading* 1-3;
Oglesbee for Cypher. Where they differ: Carney's number is the ideal, the widest published limit
is the window, and closeness to the ideal counts in the quality.
"""

from typing import Any, Final

import numpy as np

from opportunity.kernels import kernel

N_PATTERNS: Final = 10
(
    GARTLEY, BAT, ALTERNATE_BAT, BUTTERFLY, CRAB, DEEP_CRAB, SHARK, CYPHER, FIVE_O, AB_CD,
) = range(N_PATTERNS)  # fmt: skip

R, M, E, Y = range(4)
"""The ratio that tells D."""

SHAPE: Final = np.dtype(
    [
        ("b", "f8", (2,)),  # window of b, both ends inside
        ("b_ideal", "f8"),
        ("b_reach", "f8"),  # distance from the ideal at which nothing is left of the quality
        ("c", "f8", (2,)),  # window of c (Cypher: of x)
        ("c_ideal", "f8"),
        ("c_reach", "f8"),
        ("measure", "i8"),  # R, M, E or Y: the unit of the next five
        ("d", "f8", (2,)),  # nearest and farthest ideal of D; equal unless D is a range
        ("d_ideal", "f8"),  # NaN: the nearer end of the range
        ("d_reach", "f8"),  # as `b_reach`; 0: the slack of the zone
        ("stop", "f8"),
        ("m", "f8", (2,)),  # window of the BC projection, 0 to infinity where there is none
        ("weight", "f8"),
    ],
    align=True,
)
"""One pattern: a row of `SHAPES`."""

Window = tuple[float, float]
_ANY: Final[Window] = (0.0, np.inf)
_COMMON: Final[Window] = (0.382, 0.886)


def _reach(window: Window, ideal: float, point: bool) -> float:
    """Return the distance at which a ratio is worth 0: a range's farther end is worth a half."""
    farther = max(ideal - window[0], window[1] - ideal)
    return farther if point else 2.0 * farther


def _around(ideal: float, tolerance: float = 0.04) -> Window:
    return ideal - tolerance, ideal + tolerance


def _row(
    b: Window, b_ideal: float, c: Window, measure: int, d: Window, d_ideal: float, stop: float,
    m: Window = _ANY, c_ideal: float = np.nan, weight: float = 1.0,
) -> tuple[Any, ...]:  # fmt: skip
    """Write a row; a window of `_around` its ideal is a point, a c without an ideal its middle."""
    c_ideal = (c[0] + c[1]) / 2 if np.isnan(c_ideal) else c_ideal
    b_reach = _reach(b, b_ideal, b == _around(b_ideal))
    return (
        b, b_ideal, b_reach, c, c_ideal, _reach(c, c_ideal, False), measure, d, d_ideal,
        2.0 * (d[1] - d[0]), stop, m, weight,
    )  # fmt: skip


def _at(level: float) -> tuple[Window, float]:
    return (level, level), level


SHAPES: Final = np.array(
    [
        _row(_around(0.618), 0.618, _COMMON, R, *_at(0.786), 1.0, (1.13, 1.618)),
        _row((0.382, 0.55), 0.50, _COMMON, R, *_at(0.886), 1.0, (1.618, 2.618)),
        _row(_around(0.382), 0.382, _COMMON, R, *_at(1.13), 1.27, (2.0, 3.618)),
        _row(_around(0.786), 0.786, _COMMON, R, *_at(1.272), 1.414, (1.618, 2.24)),
        _row((0.382, 0.658), 0.618, _COMMON, R, *_at(1.618), 2.0, (2.24, 3.618)),
        _row((0.846, 0.98), 0.886, _COMMON, R, *_at(1.618), 2.0, (2.0, 3.618)),
        _row((0.382, 0.786), 0.584, (1.13, 1.618), R, (0.886, 1.13), np.nan, 1.27, (1.618, 2.24)),
        _row((0.382, 0.618), 0.50, (1.232, 1.454), Y, *_at(0.786), 1.0),
        _row((1.13, 1.618), 1.374, (1.618, 2.24), M, (0.50, 0.568), 0.50, 0.886),
        _row(_ANY, 1.0, _COMMON, E, *_at(1.0), 1.27, c_ideal=0.618, weight=0.5),
    ],
    SHAPE,
)
"""The patterns in the order of their numbers.

AB=CD has no X: its b and m are free. With its slack of 0.05 the zone of 5-0 is 0.45 to 0.618. The
ideal b of Crab, 0.618, is also the limit that its author gives; a limit needs the tolerance of an
ideal, or half of the drawn ones would miss it by a hair.
"""

PROJECTIONS: Final = (1.13, 1.272, 1.414, 1.618, 2.0, 2.24, 2.618, 3.14, 3.618)
"""Multiples of BC that make a zone stronger."""

EQUALS: Final = (1.0, 1.27, 1.618)
"""Multiples of AB that do."""

QB, QC, QD, QK = 0.35, 0.15, 0.30, 0.20
"""Shares of the quality: the ratios b and c, the place of D, and confluence."""

LEAST_ZONE: Final = 0.25
"""Half of the narrowest zone, in ATR."""


@kernel
def closeness(value: Any, ideal: Any, reach: Any) -> Any:
    """Return how near a ratio is to its ideal: 1 at it, falling to 0 at `reach` from it."""
    return max(0.0, 1.0 - abs(value - ideal) / reach)


@kernel
def fits(pattern: Any, b: Any, c: Any, x: Any) -> Any:
    """Tell whether the turns X A B C may be those of a pattern.

    Parameters
    ----------
    pattern : int
        One of the numbers above.
    b, c, x : float
        AB / XA, BC / AB, XC / XA; `b` and `x` are not read for AB=CD.
    """
    shape = SHAPES[pattern]
    third = x if pattern == CYPHER else c
    right = (shape.c[0] <= third) & (third <= shape.c[1])
    return right & ((pattern == AB_CD) | ((shape.b[0] <= b) & (b <= shape.b[1])))


@kernel
def unit(pattern: Any, xa: Any, ab: Any, bc: Any) -> Any:
    """Return the length that the ratio of D is a multiple of, and where its 0 lies above C.

    A depth is `ratio * length - above`.
    """
    measure = SHAPES[pattern].measure
    if measure == R:
        return xa, ab - bc
    if measure == M:
        return bc, 0.0
    if measure == E:
        return ab, 0.0
    return xa - ab + bc, 0.0


@kernel
def project(pattern: Any, xa: Any, ab: Any, bc: Any, atr: Any, tolerance: Any) -> Any:
    """Say where D should be: nearest and farthest depth, and the slack on each side of the ideal.

    Parameters
    ----------
    pattern : int
        A pattern that X A B C fit.
    xa, ab, bc : float
        Lengths of the legs, > 0; `xa` is not read for AB=CD.
    atr : float
        Average true range when C was confirmed, > 0.
    tolerance : float
        Half-width of the zone as a fraction of XA.

    Returns
    -------
    near, far, slack : float
        In price; `near > far` where the BC projection leaves no room.
    """
    shape = SHAPES[pattern]
    length, above = unit(pattern, xa, ab, bc)
    wide = tolerance * xa
    if pattern in (AB_CD, FIVE_O):
        wide = 1.25 * tolerance * length
    slack = max(wide, LEAST_ZONE * atr)
    near = max(shape.d[0] * length - above - slack, shape.m[0] * bc - slack)
    far = min(shape.d[1] * length - above + slack, shape.m[1] * bc + slack)
    return near, far, slack


@kernel
def confluence(near: Any, far: Any, ab: Any, bc: Any) -> Any:
    """Count what agrees on a zone, 1 to 3: the pattern, a projection of BC, one of AB."""
    count = 1
    for multiple in PROJECTIONS:
        if near <= multiple * bc <= far:
            count += 1
            break
    for multiple in EQUALS:
        if near <= multiple * ab <= far:
            count += 1
            break
    return count


@kernel
def share_of_end(pattern: Any) -> Any:
    """Return the share of D in the quality; without X that of b goes to the others."""
    return QD / (1.0 - QB) if pattern == AB_CD else QD


@kernel
def worth_of_turns(pattern: Any, b: Any, c: Any, x: Any, agreeing: Any) -> Any:
    """Return what X A B C and the zone's confluence give to the quality, in [0, 0.7]."""
    shape = SHAPES[pattern]
    qc = QC * closeness(x if pattern == CYPHER else c, shape.c_ideal, shape.c_reach)
    qk = QK * (agreeing / 3.0)
    if pattern == AB_CD:
        return (qc + qk) / (1.0 - QB)
    return QB * closeness(b, shape.b_ideal, shape.b_reach) + qc + qk


@kernel
def worth_of_end(pattern: Any, ratio: Any, slack: Any) -> Any:
    """Return what the place of D gives to the quality.

    Parameters
    ----------
    pattern : int
        Number of the pattern.
    ratio : float
        Where D is, in the pattern's own measure.
    slack : float
        Tolerance in the same measure.
    """
    shape = SHAPES[pattern]
    reach = shape.d_reach if shape.d_reach > 0.0 else slack
    ideal = shape.d_ideal
    if np.isnan(ideal):
        ideal = shape.d[0] if ratio <= 0.5 * (shape.d[0] + shape.d[1]) else shape.d[1]
        reach *= 0.5
    return share_of_end(pattern) * closeness(ratio, ideal, reach)
