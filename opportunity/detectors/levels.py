"""Support and resistance: bands of prices at which swings turned before.

A new pivot joins the nearest band within `join` ATR or opens one. A band's strength is the sum
of its pivots, a large swing counting twice, each halved every 300 bars. A close through a band
exchanges its role: broken resistance is support from then on.

Sources: Edwards and Magee, *Technical Analysis of Stock Trends* (1948), on the exchange of
roles; Osler, *Support for Resistance* (FRBNY Economic Policy Review, 2000).
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.events import ACTIVE, EXPIRED, N_EVENTS, TOUCHED
from opportunity.detectors.evidence import drop
from opportunity.detectors.marks import mark, mark_number, mark_point, mark_zone
from opportunity.detectors.slots import put
from opportunity.kernels import kernel

LEVEL: Final = 13
LEVEL_WEIGHT: Final = 0.15
N_BANDS: Final = 16
STRONG: Final = 2.0
"""From this strength on a band counts as support or resistance."""

FADED: Final = 0.3
HALF_LIFE: Final = 300.0
KEPT_FREE: Final = 4
"""Event records of a bar that levels leave to what matters more: one move may cross many."""

AWAY: Final = 1.5
"""Price must have been this far away, in ATR, for its return to be a test of the band."""

BAND: Final = np.dtype(
    [
        ("serial", "i8"),
        ("price", "f8"),  # of the first pivot
        ("offset", "f8"),  # centre - price; kept apart because differences mirror exactly
        ("weight", "f8"),  # of all pivots, undecayed
        ("strength", "f8"),  # at bar `stamp`; see `_strength`
        ("stamp", "i8"),
        ("until", "f8"),  # bar number at which it has faded
        ("time", "i8"),  # opening time of the first pivot's bar
        ("role", "i1"),  # +1 support, -1 resistance
        ("away", "i1"),  # price has been far enough on the band's own side
        ("tested", "i1"),  # an item of this band may be live
        ("shown", "i1"),  # was strong once, so charts know it
    ],
    align=True,
)


PRICE, OFFSET, BELOW, ABOVE, UNTIL = range(5)
"""Rows of a state's `watch`: something happens to band `i` only when the close, less price and
offset, leaves the open interval between `BELOW` and `ABOVE` ATR, or on bar `UNTIL`. One pass over
short rows is much cheaper than one over the bands, of which a bar concerns one or none."""

N_WATCHED: Final = 5


@kernel
def _watch(s: Any, p: Any, i: Any) -> None:
    """Bring column `i` of the watch up to the state of band `i`."""
    b = s.bands[i]
    least = -p.near
    most = AWAY
    if b.tested != 0:
        most = p.near
    elif b.away != 0:
        least = p.near
        most = np.inf
    s.watch[PRICE, i] = b.price
    s.watch[OFFSET, i] = b.offset
    s.watch[UNTIL, i] = b.until
    s.watch[BELOW, i] = least if b.role > 0 else -most
    s.watch[ABOVE, i] = most if b.role > 0 else -least


@kernel
def _strength(b: Any, n: Any) -> Any:
    return b.strength * np.exp2((b.stamp - n) / HALF_LIFE)


@kernel
def _strengthen(b: Any, weight: Any, n: Any) -> None:
    """Bring the strength up to bar `n` and add a pivot's weight."""
    b.strength = _strength(b, n) + weight
    b.stamp = n
    b.until = n + HALF_LIFE * np.log2(b.strength / FADED)


@kernel
def is_supported(s: Any, d: Any, price: Any, reach: Any, n: Any) -> Any:
    """Tell whether a band with role `d`, strong on bar `n`, lies within `reach` of `price`."""
    for i in range(s.n_bands):
        near = abs((price - s.watch[PRICE, i]) - s.watch[OFFSET, i]) <= reach
        if near and s.bands[i].role == d and _strength(s.bands[i], n) >= STRONG:
            return True
    return False


@kernel
def bands_step(s: Any, p: Any, n: Any, t: Any, c: Any, a: Any) -> None:
    """Exchange the roles of bands closed through and note where price came back to one.

    Parameters
    ----------
    s : record
        State with `bands`, `n_bands`, `watch`, `items` and `serial`.
    p : record
        Parameters `near` and `join`, in ATR.
    n, t : int
        Number and opening time of the bar.
    c, a : float
        Its close and the ATR, > 0.
    """
    w = s.watch
    left = 0
    for i in range(s.n_bands):
        x = (c - w[PRICE, i]) - w[OFFSET, i]
        left += (x <= w[BELOW, i] * a) | (x >= w[ABOVE, i] * a)
    if left == 0:
        return
    for i in range(s.n_bands):
        x = (c - w[PRICE, i]) - w[OFFSET, i]
        if (x <= w[BELOW, i] * a) | (x >= w[ABOVE, i] * a):
            b = s.bands[i]
            _change(s, p, b, n, t, b.role * x, a)
            _watch(s, p, i)


@kernel
def _change(s: Any, p: Any, b: Any, n: Any, t: Any, distance: Any, a: Any) -> None:
    """Change the band's state after a close `distance` away from it, > 0 on its own side."""
    if distance > p.near * a:
        if b.tested != 0:
            _release(s, b)
        if distance >= AWAY * a:
            b.away = 1
    elif distance <= -p.near * a:
        if b.tested != 0:
            _release(s, b)
        b.role = -b.role
        b.away = 0
        if b.shown != 0:
            _show(s, p, b, ACTIVE, n, t, a)
    elif b.away != 0:
        b.away = 0
        if _strength(b, n) >= STRONG:
            put(s, b.role, LEVEL_WEIGHT, 1.0, 0.0, LEVEL, n, t, b.serial)
            b.tested = 1
            _show(s, p, b, TOUCHED, n, t, a)


@kernel
def add_pivot(s: Any, p: Any, pivot: Any, weight: Any, n: Any, t: Any, c: Any, a: Any) -> None:
    """Let a pivot that was confirmed on bar `n` join a band or open one.

    Parameters
    ----------
    s, p : record
        State and parameters as for `bands_step`.
    pivot : PIVOT record
        The new pivot.
    weight : float
        1 for the internal scale, 2 for swings.
    n, t, c, a
        Number, opening time and close of the bar, and the ATR, > 0.
    """
    i = 0
    while i < s.n_bands:
        if n >= s.watch[UNTIL, i]:
            _remove(s, p, i, n, t, a)
        else:
            i += 1
    best = -1
    nearest = p.join * a
    for i in range(s.n_bands):
        gap = abs((pivot.price - s.watch[PRICE, i]) - s.watch[OFFSET, i])
        if gap < nearest or (gap == nearest and best < 0):
            best = i
            nearest = gap
    if best >= 0:
        b = s.bands[best]
        b.weight += weight
        b.offset += ((pivot.price - b.price) - b.offset) * (weight / b.weight)
    else:
        best = _open(s, p, n, t, c, a)
        b = s.bands[best]
        s.serial += 1
        b.serial = s.serial
        b.price = pivot.price
        b.offset = 0.0
        b.weight = weight
        b.strength = 0.0
        b.stamp = n
        b.time = pivot.time
        b.role = -pivot.side
        b.away = 1  # a pivot is confirmed by a close at least this far from it
        b.tested = 0
        b.shown = 0
    _strengthen(b, weight, n)
    if b.shown == 0 and b.strength >= STRONG:
        b.shown = 1
        _show(s, p, b, ACTIVE, n, t, a)
    _watch(s, p, best)


@kernel
def _open(s: Any, p: Any, n: Any, t: Any, c: Any, a: Any) -> Any:
    """Return a free band; if there is none, that with the shortest life for its distance goes."""
    if s.n_bands == N_BANDS:
        worst = 0
        least = np.inf
        for i in range(N_BANDS):
            away = abs((c - s.watch[PRICE, i]) - s.watch[OFFSET, i])
            worth = (s.watch[UNTIL, i] - n) / (1.0 + away / a)
            if worth < least:
                worst = i
                least = worth
        _remove(s, p, worst, n, t, a)
    s.n_bands += 1
    return s.n_bands - 1


@kernel
def _remove(s: Any, p: Any, i: Any, n: Any, t: Any, a: Any) -> None:
    if s.bands[i].tested != 0:
        _release(s, s.bands[i])
    if s.bands[i].shown != 0:
        _show(s, p, s.bands[i], EXPIRED, n, t, a)
    s.n_bands -= 1
    for j in range(i, s.n_bands):
        s.bands[j] = s.bands[j + 1]
        for k in range(N_WATCHED):
            s.watch[k, j] = s.watch[k, j + 1]


@kernel
def _release(s: Any, b: Any) -> None:
    """End the band's item: price has left the band, to whichever side."""
    b.tested = 0
    for i in range(1, s.used):
        item = s.items[i]
        if item.alive != 0 and item.kind == LEVEL and item.serial == b.serial:
            drop(s.items, i)


@kernel
def _show(s: Any, p: Any, b: Any, state: Any, n: Any, t: Any, a: Any) -> None:
    if s.n_events >= N_EVENTS - KEPT_FREE:
        return
    centre = b.price + b.offset
    strength = _strength(b, n)
    quality = strength / (strength + STRONG)
    i = mark(s, LEVEL, b.role, state, b.serial, n, t, quality)
    mark_point(s, i, b.time, centre)
    mark_point(s, i, t, centre)
    mark_zone(s, i, centre + p.join * a, centre - p.join * a)
    mark_number(s, i, strength, 0.0)
