"""The proxy of order flow made of bars alone, for markets without prints.

Bulk volume classification (BVC) takes as bought the part of a bar's volume that the normal
distribution gives to its change of price; money flow takes the place of the close in the range.
Both guess. Source: Easley, Lopez de Prado and O'Hara, *Bulk classification of trading activity*,
2012; Chaikin money flow. Andersen and Bondarenko (2014) found bulk classification worse than the
tick rule.
"""

import math
from typing import Any, Final

import numpy as np

from opportunity.kernels import kernel

N_BVC: Final = 24
N_MONEY: Final = 20
N_DEVIATION: Final = 50
N_RING: Final = 32
N_SQUARES: Final = 64
GAIN: Final = 2.5

BAR_FLOW: Final = np.dtype(
    [
        ("count", "i8"),
        ("close", "f8"),
        ("bought", "f8"),  # sums over 24 bars: signed volume, its size, volume
        ("moved", "f8"),
        ("volume", "f8"),
        ("money", "f8"),  # sums over 20 bars: volume by place of the close, volume
        ("volume_money", "f8"),
        ("squares", "f8"),  # sum over 50 bars: squared changes of the close
        ("ring", "f4", (N_RING, 3)),  # signed volume, volume by place, volume
        ("changes", "f4", (N_SQUARES,)),  # squared changes of the close
    ],
    align=True,
)
"""State of one stream; all bytes zero when fresh."""


@kernel
def _old(s: Any, length: Any, column: Any) -> Any:
    """Return the value that leaves a window of `length` bars; 0 while it fills."""
    i = s.count - length
    return np.float64(s.ring[i & (N_RING - 1), column]) if i >= 0 else 0.0


@kernel
def _refresh(s: Any) -> None:
    """Add the windows up anew, so that what rounding left of a giant bar goes with it."""
    s.bought = 0.0
    s.moved = 0.0
    s.volume = 0.0
    s.money = 0.0
    s.volume_money = 0.0
    s.squares = 0.0
    for i in range(s.count - N_BVC, s.count):
        row = s.ring[i & (N_RING - 1)]
        s.bought += np.float64(row[0])
        s.moved += abs(np.float64(row[0]))
        s.volume += np.float64(row[2])
        if i >= s.count - N_MONEY:
            s.money += np.float64(row[1])
            s.volume_money += np.float64(row[2])
    for i in range(s.count - N_DEVIATION, s.count):
        s.squares += np.float64(s.changes[i & (N_SQUARES - 1)])


@kernel
def bar_flow_step(s: Any, h: Any, low: Any, c: Any, v: Any) -> Any:
    """Take a bar; return the proxy in [-1, 1] and how one-sided the day's bars were, [0, 1].

    Both are 0 while windows fill and without volume. The deviation is that of the 50 changes
    before the bar, about 0: changes of price are the surprise, not their distance to a mean.
    """
    change = c - s.close if s.count > 0 else 0.0
    signed = 0.0
    if s.count > N_DEVIATION and s.squares > 0.0:
        signed = v * math.erf(change / math.sqrt(2.0 * s.squares / N_DEVIATION))
    place = ((c - low) - (h - c)) / (h - low) if h > low else 0.0
    row = s.ring[s.count & (N_RING - 1)]
    signed_old = _old(s, N_BVC, 0)
    money_old = _old(s, N_MONEY, 1)
    volume_old = _old(s, N_BVC, 2)
    volume_money_old = _old(s, N_MONEY, 2)
    square_old = 0.0
    if s.count >= N_DEVIATION:
        square_old = np.float64(s.changes[(s.count - N_DEVIATION) & (N_SQUARES - 1)])
    row[0] = signed
    row[1] = place * v
    row[2] = v
    square = np.float32(change * change)
    s.changes[s.count & (N_SQUARES - 1)] = square
    s.bought += np.float64(row[0]) - signed_old
    s.moved += abs(np.float64(row[0])) - abs(signed_old)
    s.money += np.float64(row[1]) - money_old
    s.volume += np.float64(row[2]) - volume_old
    s.volume_money += np.float64(row[2]) - volume_money_old
    s.squares += np.float64(square) - square_old
    s.close = c
    s.count += 1
    if s.count & (N_SQUARES - 1) == 0:
        _refresh(s)
    bvc = s.bought / s.volume if s.volume > 0.0 else 0.0
    money = s.money / s.volume_money if s.volume_money > 0.0 else 0.0
    sided = min(max(s.moved / s.volume, 0.0), 1.0) if s.volume > 0.0 else 0.0
    value = 0.5 * min(max(GAIN * bvc, -1.0), 1.0) + 0.5 * min(max(GAIN * money, -1.0), 1.0)
    return value, sided
