"""VPIN: how one-sided the last buckets of equal volume were.

Volume-synchronised probability of informed trading: the mean of |buys - sells| over the last 50
buckets, as a part of their size, a fiftieth of a usual day. It has no sign; high values say that
one side had it all its own way, whichever.

Buckets are counted backwards from the newest print, so that the value depends on the last day's
prints alone, not on where counting began.

Source: Easley, Lopez de Prado and O'Hara, *Flow toxicity and liquidity in a high-frequency
world*, Review of Financial Studies, 2012. Andersen and Bondarenko (2014) found no predictive
power beyond volume and volatility.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.records import N_NEAR, place_near
from opportunity.kernels import kernel
from opportunity.market.timeframe import DAY_MS, HOUR_MS

N_BUCKETS: Final = 50
LEAST_BUCKETS: Final = 25
"""Buckets without which there is no value."""

VPIN_GUESS: Final = np.dtype(
    [("first", "i8"), ("days", "i8", (4,)), ("buckets", "i8", (N_BUCKETS,))], align=True
)
"""Where the days and buckets of a close began: those of the next close are near there."""

REACH_MS: Final = 2 * DAY_MS
"""How far back buckets may lie: a market that is half as busy as usual still has a value."""

N_DAYS: Final = 13
"""Days whose median volume is the usual one; with them a value needs 14 days of prints."""

LEAST_HOURS: Final = 20
"""Hours with prints that make a day count."""


@kernel
def _boundary(minutes: Any, low: Any, high: Any, volume: Any, guess: Any, other: Any) -> Any:
    """Return the last place in [low, high) with at most `volume` before it on its day.

    `low` is such a place. It is mostly `guess` or one of the next; else looked for from `other`.
    """
    i = guess
    if (
        (low <= i) & (i + N_NEAR < high)
        and (minutes[i].volume_before <= volume) & (minutes[i + N_NEAR].volume_before > volume)
    ):
        step = 0  # which one it is cannot be foreseen, so nothing branches on it
        for k in range(1, N_NEAR):
            step += minutes[i + k].volume_before <= volume
        return i + step
    i = min(max(other, low), high - 1)
    while minutes[i].volume_before > volume:
        i -= 1
    while i + 1 < high and minutes[i + 1].volume_before <= volume:
        i += 1
    return i


@kernel
def vpin(minutes: Any, end: Any, since: Any, size: Any, guess: Any) -> Any:
    """Return the imbalance of the last buckets, in [0, 1].

    Parameters
    ----------
    minutes : array of records with `time`, `buy`, `sell`, `volume_before`, `net_before`
        Ascending; a minute that is larger than what a bucket lacks is divided pro rata.
    end : int
        Place behind the newest minute that counts.
    since : int
        Minutes before this time do not count, ms UTC.
    size : float
        Volume of a bucket, base currency, > 0.
    guess : VPIN_GUESS record
        Where things were at the close before; changed in place, and no number depends on it.

    Returns
    -------
    float
        NaN with fewer than `LEAST_BUCKETS` full ones.

    Notes
    -----
    A bucket is the difference of two running sums, each of which begins anew every day: no sum
    over all the past, which would depend on where counting began.
    """
    first = place_near(minutes, since, guess.first)
    guess.first = first
    if first >= end:
        return np.nan
    # Day by day, backwards: what was printed from a place on, up to the end, is `behind` (of the
    # days after it) plus `of_day` (up to the day's end) less what was printed before the place.
    day_end = end
    day = minutes[end - 1].time // DAY_MS * DAY_MS
    behind = 0.0
    net_behind = 0.0
    total = 0.0
    length = 0
    net_last = 0.0  # from the newest boundary on, up to the end
    n = 0
    while n < N_BUCKETS and day_end > first:
        start = max(first, place_near(minutes, day, guess.days[(day // DAY_MS) & 3]))
        guess.days[(day // DAY_MS) & 3] = start
        m = minutes[day_end - 1]
        of_day = behind + m.volume_before + (m.buy + m.sell)
        net_of_day = net_behind + m.net_before + (m.buy - m.sell)
        high = day_end
        while n < N_BUCKETS:
            wanted = of_day - (n + 1) * size
            if wanted < minutes[start].volume_before:
                break
            # A bucket is about as long as the one after it.
            i = _boundary(minutes, start, high, wanted, guess.buckets[n], high - 1 - length)
            guess.buckets[n] = i
            length = high - 1 - i
            high = i + 1
            m = minutes[i]
            volume = m.buy + m.sell
            part = (wanted - m.volume_before) / volume if volume > 0.0 else 0.0
            net = net_of_day - (m.net_before + (m.buy - m.sell) * part)
            total += abs(net - net_last)
            net_last = net
            n += 1
        behind = of_day - minutes[start].volume_before
        net_behind = net_of_day - minutes[start].net_before
        day_end = start
        if start > first:
            day = minutes[start - 1].time // DAY_MS * DAY_MS
    return min(total / (n * size), 1.0) if n >= LEAST_BUCKETS else np.nan


@kernel
def usual_day(days: Any) -> Any:
    """Return the median volume of days, NaN for those that do not count; 0 while none does.

    Sorts `days`, the known ones first.
    """
    n = 0
    for d in range(days.size):
        volume = days[d]
        if not np.isnan(volume):
            i = n
            while i > 0 and days[i - 1] > volume:
                days[i] = days[i - 1]
                i -= 1
            days[i] = volume
            n += 1
    if n == 0:
        return 0.0
    return days[n // 2] if n % 2 else 0.5 * (days[n // 2 - 1] + days[n // 2])


HISTORY_MS: Final = (24 * N_DAYS + 1) * HOUR_MS
"""How far before a close the usual day begins at most."""
