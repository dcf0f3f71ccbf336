"""The fine level: the sixty minutes of an hour, which hit its open, high, low, close and volume.

The hour's two extremes get an order and a time. Seen from its extreme a Brownian path is a
three-dimensional Bessel process (Williams 1974, Proc. London Math. Soc. 28), so the legs from
the open to the first extreme, to the second and to the close are bridges of that process, in
variance time, folded back where they would leave the hour's range. The law of a minute's
extremes is that of a Brownian bridge's maximum (Borodin and Salminen 2002, "Handbook of
Brownian Motion").
"""

import math
from typing import Any, Final

import numpy as np

from opportunity.feeds.simulation.hours import CLOSE, HIGH, LOW, OPEN, VOLUME, open_gap
from opportunity.feeds.simulation.randomness import add_wave, fork, normal, uniform
from opportunity.kernels import kernel

MINUTES: Final = 60
_STEP, _TOP, _BOTTOM, _LOUD, _WAVE, _AMOUNT, _AMOUNT_WAVE = range(40, 47)
_LEGS, _SIDE, _DEEP, _BOUNCE = range(47, 51)
_WHITE: Final = 0.34  # log volatility between minutes of an hour
_SMOOTH: Final = 0.22
_AMOUNT_WHITE: Final = 0.45
_AMOUNT_SMOOTH: Final = 0.40
_JITTER: Final = 0.24  # of a minute's deviation: last prints bounce between bid and ask
_CROWDED: Final = 0.55  # most variance of the path over the square of the hour's range


@kernel
def _profile(coin: Any, t: Any, before: Any, spread: Any, after: Any, out: Any) -> None:
    """Fill each minute's share of the hour's variance, leaning towards the hours beside it."""
    out[:] = 0.0
    add_wave(fork(coin.key, _WAVE), t, 9, _SMOOTH, out)
    white = fork(coin.key, _LOUD)
    left, right = 0.5 * math.log(before / spread), 0.5 * math.log(after / spread)
    left, right = min(1.5, max(-1.5, left)), min(1.5, max(-1.5, right))
    total = 0.0
    for m in range(MINUTES):
        place = (m + 0.5) / MINUTES - 0.5
        lean = -place * left if place < 0.0 else place * right
        out[m] = math.exp(2.0 * (out[m] + lean + _WHITE * normal(white, t + m)))
        total += out[m]
    for m in range(MINUTES):
        out[m] /= total


@kernel
def _legs(coin: Any, number: Any, hour: Any, when: Any, where: Any) -> None:
    """Fill time (share of the hour's variance) and price of both extremes and of the close."""
    key = fork(coin.key, _LEGS)
    up, down = hour[HIGH] - hour[OPEN], hour[OPEN] - hour[LOW]
    width = float(hour[HIGH] - hour[LOW])
    # the way by the low is shorter when the hour rose, and the shorter way is the likelier one
    longer = 2.0 * (hour[CLOSE] - hour[OPEN]) / max(width, 1.0)
    low_first = uniform(key, 4 * number) < 1.0 / (1.0 + math.exp(-3.0 * longer))
    where[0] = hour[LOW] if low_first else hour[HIGH]
    where[1] = hour[HIGH] if low_first else hour[LOW]
    where[2] = hour[CLOSE]
    first = (down if low_first else up) / max(width, 1.0)
    last = abs(where[1] - where[2]) / max(width, 1.0)
    share_0 = (0.08 + first**1.5) * math.exp(0.7 * normal(key, 4 * number + 1))
    share_1 = 1.08 * math.exp(0.5 * normal(key, 4 * number + 2))
    share_2 = (0.08 + last**1.5) * math.exp(0.7 * normal(key, 4 * number + 3))
    total = share_0 + share_1 + share_2
    when[0], when[1], when[2] = share_0 / total, (share_0 + share_1) / total, 1.0


@kernel
def _fold(x: Any, low: Any, high: Any) -> Any:
    """Reflect `x` back into [low, high]."""
    if x > high:
        x = 2.0 * high - x
    if x < low:
        x = 2.0 * low - x
    return min(high, max(low, x))


@kernel
def _repel(along: Any, across: Any, begin: Any, goal: Any, leg: Any, part: Any, low: Any,
           high: Any) -> Any:
    """Return the price on a leg: kept off the extreme that it comes from or goes to."""
    from_begin = begin + math.copysign(math.sqrt((along - begin) ** 2 + across), goal - begin)
    from_goal = goal - math.copysign(math.sqrt((goal - along) ** 2 + across), goal - begin)
    if leg == 0:
        x = from_goal
    elif leg == 2:
        x = from_begin
    else:
        x = (1.0 - part) * from_begin + part * from_goal
    return _fold(x, low, high)


@kernel
def _path(coin: Any, t: Any, hour: Any, spread: Any, share: Any, when: Any, where: Any,
          out: Any) -> None:
    """Fill high, low and close of each minute in ticks (not yet whole), shape (60, 3).

    `away` is the way left to the leg's end; `side`, `deep` are two more bridges from 0 to 0:
    the distance of the three together never comes back to 0, as a path never passes its extreme.
    """
    step, aside, deeper = fork(coin.key, _STEP), fork(coin.key, _SIDE), fork(coin.key, _DEEP)
    top, bottom = fork(coin.key, _TOP), fork(coin.key, _BOTTOM)
    bounce = fork(coin.key, _BOUNCE)
    low, high = float(hour[LOW]), float(hour[HIGH])
    variance = min(spread * hour[OPEN] * hour[OPEN], _CROWDED * (high - low) ** 2) + 0.02
    x, now, leg, end = float(hour[OPEN]), 0.0, 0, 0.0
    since, begin, along, side, deep = 0.0, x, x, 0.0, 0.0
    for m in range(MINUTES):
        start = x
        end = 1.0 if m == MINUTES - 1 else end + share[m]
        out[m, 0] = out[m, 1] = start
        while leg < 2 and when[leg] <= end:
            along, now = where[leg], when[leg]
            since, begin, side, deep = now, along, 0.0, 0.0
            out[m, 0], out[m, 1] = max(out[m, 0], along), min(out[m, 1], along)
            leg += 1
        left, ahead = when[leg] - now, end - now
        if left > ahead:
            noise = math.sqrt(variance * ahead * (left - ahead) / left)
            along += (where[leg] - along) * ahead / left + noise * normal(step, t + m)
            side += -side * ahead / left + noise * normal(aside, t + m)
            deep += -deep * ahead / left + noise * normal(deeper, t + m)
            x = _repel(along, side * side + deep * deep, begin, where[leg], leg,
                       (end - since) / (when[leg] - since), low, high)
            jitter = _JITTER * math.sqrt(variance * share[m]) * normal(bounce, t + m)
            x = _fold(x + jitter, low, high)
        else:
            x = along = where[leg]
        now = end
        move, reach = x - start, 2.0 * variance * share[m]
        up = math.sqrt(move * move - reach * math.log(uniform(top, t + m)))
        down = math.sqrt(move * move - reach * math.log(uniform(bottom, t + m)))
        out[m, 0] = max(out[m, 0], x, _fold(start + 0.5 * (move + up), low, high))
        out[m, 1] = min(out[m, 1], x, _fold(start + 0.5 * (move - down), low, high))
        out[m, 2] = x


@kernel
def _lots(coin: Any, t: Any, hour: Any, path: Any, out: Any) -> None:
    """Deal the hour's lots out to its minutes: more where it moves, no minute without."""
    weight = np.zeros(MINUTES)
    add_wave(fork(coin.key, _AMOUNT_WAVE), t, 14, _AMOUNT_SMOOTH, weight)
    white = fork(coin.key, _AMOUNT)
    usual = (path[:, 0] - path[:, 1]).sum() / MINUTES + 0.5
    total = 0.0
    for m in range(MINUTES):
        size = (path[m, 0] - path[m, 1]) / usual
        noise = weight[m] + _AMOUNT_WHITE * normal(white, t + m)
        weight[m] = math.exp(noise) * (0.15 + size) ** 1.2
        total += weight[m]
    floor = hour[VOLUME] // (20 * MINUTES)
    rest = hour[VOLUME] - floor * MINUTES
    summed, dealt = 0.0, 0
    for m in range(MINUTES):
        summed += weight[m]
        share = rest if m == MINUTES - 1 else min(rest, int(rest * (summed / total)))
        out[m, VOLUME] = floor + share - dealt
        dealt = share


@kernel
def draw_minutes(coin: Any, number: Any, hour: Any, before: Any, spread: Any, after: Any,
                 out: Any) -> None:
    """Draw the minutes of one hour.

    Parameters
    ----------
    coin : COIN record
    number : int
        Hours since the market's start.
    hour : ndarray of int64, shape (5,)
        Open, high, low, close (ticks) and volume (lots) to be hit exactly.
    before, spread, after : float
        Variance of the log return of the hour before, of this hour and of the next one.
    out : ndarray of int64, shape (60, 5)
        Filled; first open, highest high, lowest low, last close and summed volume are `hour`.
    """
    t = number * MINUTES
    path, share = np.empty((MINUTES, 3)), np.empty(MINUTES)
    when, where = np.empty(3), np.empty(3)
    _profile(coin, t, before, spread, after, share)
    _legs(coin, number, hour, when, where)
    _path(coin, t, hour, spread, share, when, where, path)
    last, top, bottom = hour[OPEN], 0, 0
    for m in range(MINUTES):
        if path[m, 0] > path[top, 0]:
            top = m
        if path[m, 1] < path[bottom, 1]:
            bottom = m
        gap = open_gap(coin.key, t + m) if m > 0 else 0
        first = min(hour[HIGH], max(hour[LOW], last + gap))
        close = int(path[m, 2] + 0.5) if m < MINUTES - 1 else hour[CLOSE]
        close = min(hour[HIGH], max(hour[LOW], close))
        out[m, OPEN], out[m, CLOSE] = first, close
        out[m, HIGH] = min(hour[HIGH], max(first, close, int(path[m, 0] + 0.5)))
        out[m, LOW] = max(hour[LOW], min(first, close, int(path[m, 1] + 0.5)))
        last = close
    out[top, HIGH], out[bottom, LOW] = hour[HIGH], hour[LOW]
    _lots(coin, t, hour, path, out)
