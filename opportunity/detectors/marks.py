"""Kernels that write chart events into a detector's state.

`mark` opens a record, the others fill it. When the records of a bar are used up (`N_EVENTS` in
most states) `mark` returns -1 and the others do nothing, so what matters most has to be marked
first.
"""

from typing import Any

import numpy as np

from opportunity.detectors.events import N_POINTS
from opportunity.kernels import kernel


@kernel
def mark(
    s: Any, kind: Any, side: Any, state: Any, serial: Any, n: Any, t: Any, quality: Any
) -> Any:
    """Open an event record without points, zone and levels; return its place or -1.

    Parameters
    ----------
    s : record
        A detector's state with `n_events` and `events`.
    kind, side, state, serial : int
        As in `EVENT`.
    n, t : int
        Number and opening time of the bar on which this became known.
    quality : float
        In [0, 1].
    """
    if s.n_events >= s.events.size:
        return -1
    i = s.n_events
    s.n_events += 1
    event = s.events[i]
    event.serial = serial
    event.kind = kind
    event.side = side
    event.state = state
    event.n_points = 0
    event.scale = 0.0
    event.bar = n
    event.known = t
    event.quality = quality
    event.top = np.nan
    event.bottom = np.nan
    event.entry = np.nan
    event.stop = np.nan
    for k in range(3):
        event.target[k] = np.nan
    event.x = 0.0
    return i


@kernel
def mark_point(s: Any, i: Any, time: Any, price: Any) -> None:
    """Append a point to record `i`."""
    if i >= 0 and s.events[i].n_points < N_POINTS:
        event = s.events[i]
        event.time[event.n_points] = time
        event.price[event.n_points] = price
        event.n_points += 1


@kernel
def mark_zone(s: Any, i: Any, top: Any, bottom: Any) -> None:
    """Give record `i` a price zone."""
    if i >= 0:
        s.events[i].top = top
        s.events[i].bottom = bottom


@kernel
def mark_levels(s: Any, i: Any, entry: Any, stop: Any, target: Any) -> None:
    """Give record `i` an entry, a stop and a first target; NaN where there is none."""
    if i >= 0:
        s.events[i].entry = entry
        s.events[i].stop = stop
        s.events[i].target[0] = target


@kernel
def mark_number(s: Any, i: Any, x: Any, scale: Any) -> None:
    """Give record `i` the number of its text and its swing scale (0 = none)."""
    if i >= 0:
        s.events[i].x = x
        s.events[i].scale = scale
