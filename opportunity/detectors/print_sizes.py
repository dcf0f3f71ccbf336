"""How large prints usually are: histograms of the last 24 hours, and what 1 % exceed.

Amounts of base currency are counted, not notionals: reflected prices must give the same prints.
One histogram an hour and their sum give a window that ends, which a running estimate of a
percentile (P2) has not; a multiple of the median would be no rule at all: on recorded prints of
XRP/ETH the 99th percentile lies at 89 times the median, the 90th at 17 times.
"""

import math
from typing import Any, Final

import numpy as np

from opportunity.kernels import kernel

N_HOURS: Final = 24
PER_OCTAVE: Final = 8
"""Bins for each doubling of the amount: one is 9 % wide."""

LOWEST: Final = -27
"""Power of two at which the bins begin: amounts from 7e-9, the smallest any market knows."""

N_BINS: Final = 512
"""Up to 1.4e11; what lies beyond either end counts in the outermost bin."""

MOST_AMOUNT: Final = 1e18
"""More coins than anybody moves at once: sums stay far from what a number can hold."""

LEAST: Final = 1_000
"""Prints of the last 24 hours without which nothing is called large."""

SHARE: Final = 0.01
"""Part of the prints that is called large."""

SIZES: Final = np.dtype(
    [
        ("hour", "i8"),  # newest, hours since 1970
        ("count", "i8"),  # prints in the window
        ("total", "i4", (N_BINS,)),
        ("hours", "i4", (N_HOURS, N_BINS)),
    ],
    align=True,
)
"""Counts of the newest hour so far and of the 23 before it; all bytes zero when fresh."""


@kernel
def bin_of(amount: Any) -> Any:
    """Return the bin of an amount > 0."""
    place = math.floor(PER_OCTAVE * (math.log2(amount) - LOWEST))
    return int(min(max(place, 0), N_BINS - 1))


@kernel
def turn_to(s: Any, hour: Any) -> None:
    """Move the window on to an hour (since 1970), never back."""
    first = max(s.hour + 1, hour - N_HOURS + 1)
    for h in range(first, hour + 1):
        row = s.hours[h % N_HOURS]
        for b in range(N_BINS):
            s.total[b] -= row[b]
            s.count -= row[b]
            row[b] = 0
    s.hour = max(s.hour, hour)


@kernel
def count_print(s: Any, b: Any, change: Any) -> None:
    """Count prints of a bin in the newest hour; a negative change takes them back."""
    s.hours[s.hour % N_HOURS, b] += change
    s.total[b] += change
    s.count += change


@kernel
def threshold(s: Any) -> Any:
    """Return the amount that 1 % of the prints in the window exceed; 0 with too few prints.

    Exact to the width of a bin, within which the logarithms of amounts are taken as uniform.
    """
    if s.count < LEAST:
        return 0.0
    wanted = SHARE * s.count
    above = 0
    b = N_BINS - 1
    while above + s.total[b] < wanted:
        above += s.total[b]
        b -= 1
    inside = (wanted - above) / s.total[b]
    return 2.0 ** ((b + 1 - inside) / PER_OCTAVE + LOWEST)
