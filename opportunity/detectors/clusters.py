"""Clusters: prices where Fibonacci levels of different legs meet, and how they held so far.

Source: Boroden, *Fibonacci Trading* (2008), for clusters of price relationships. How near is
near (a quarter of an ATR) and how touches count are ours.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.legs import N_LEGS, SET, is_alive, length, next_serial
from opportunity.kernels import kernel

N_CLUSTERS: Final = 8
NEAR: Final = 0.25
"""Levels this near to a price, in ATR, count as being there."""

SIGHT: Final = 10.0
"""Clusters are looked for this near to the close, in ATR."""

RATIOS: Final = (0.382, 0.5, 0.618, 0.786, 1.272, 1.618)
N_RETRACEMENTS: Final = 4

NEW, TOUCHED, HELD, BROKEN, GONE = 1, 2, 4, 8, 16
"""What happened to a cluster and was not reported yet, added up in `news`."""

N_LEVELS: Final = 2 * N_LEGS * len(RATIOS)

POOL: Final = np.dtype(
    [
        ("size", "i8"),
        ("price", "f8", (N_LEVELS,)),
        ("owner", "i2", (N_LEVELS,)),  # the bit of the leg
        ("rank", "i1", (N_LEVELS,)),  # order of entry, which knows no up and down
    ],
    align=True,
)
"""Levels of all legs in ascending order of price."""

CLUSTER: Final = np.dtype(
    [
        ("serial", "i8"),
        ("alive", "i1"),
        ("inside", "i1"),  # 0 price is away, +1 it came from above, -1 from below
        ("news", "i1"),
        ("count", "i4"),  # different legs that meet here
        ("held", "i4"),  # times that price came and left to the side it came from
        ("price", "f8"),  # middle of the levels
        ("top", "f8"),
        ("bottom", "f8"),
    ],
    align=True,
)


@kernel
def leg_level(leg: Any, i: Any) -> Any:
    """Return the price of a leg's `i`-th level of `RATIOS`; those beyond B need C."""
    if i < N_RETRACEMENTS:
        return leg.b.price - leg.side * RATIOS[i] * length(leg)
    return leg.c.price + leg.side * RATIOS[i] * length(leg)


@kernel
def find_twin(books: Any, scale: Any, i: Any) -> Any:
    """Return the slot in the other scale of the very same leg, -1 if it is not there."""
    leg = books[scale].legs[i]
    others = books[1 - scale].legs
    for j in range(N_LEGS):
        same = others[j].a.bar == leg.a.bar and others[j].b.bar == leg.b.bar
        if is_alive(others[j]) and same and others[j].side == leg.side:
            return j
    return -1


@kernel
def _insert(pool: Any, price: Any, owner: Any) -> None:
    k = pool.size
    while k > 0 and pool.price[k - 1] > price:
        pool.price[k] = pool.price[k - 1]
        pool.owner[k] = pool.owner[k - 1]
        pool.rank[k] = pool.rank[k - 1]
        k -= 1
    pool.price[k] = price
    pool.owner[k] = owner
    pool.rank[k] = pool.size
    pool.size += 1


@kernel
def fill_pool(pool: Any, books: Any) -> None:
    """Gather the levels of all legs that can be drawn, by price, each leg under its own bit.

    A leg that both scales see is in the pool once.
    """
    pool.size = 0
    for scale in range(2):
        for i in range(N_LEGS):
            leg = books[scale].legs[i]
            known = leg.status >= SET or leg.drawn != 0
            if not (is_alive(leg) and known) or (scale == 0 and find_twin(books, 0, i) >= 0):
                continue
            for k in range(len(RATIOS) if leg.pinned != 0 else N_RETRACEMENTS):
                _insert(pool, leg_level(leg, k), 1 << (scale * N_LEGS + i))


@kernel
def _count_owners(pool: Any, first: Any, last: Any) -> Any:
    owners = 0
    for k in range(first, last + 1):
        owners |= pool.owner[k]
    count = 0
    while owners != 0:
        owners &= owners - 1
        count += 1
    return count


@kernel
def meeting(pool: Any, price: Any, reach: Any) -> Any:
    """Count the different legs with a level within `reach` of a price."""
    first = 0
    while first < pool.size and pool.price[first] < price - reach:
        first += 1
    last = first - 1
    while last < pool.size - 1 and pool.price[last + 1] <= price + reach:
        last += 1
    return _count_owners(pool, first, last)


@kernel
def _window(pool: Any, k: Any, reach: Any) -> Any:
    """Return the first and the last place of the levels within `reach` of the `k`-th."""
    first = k
    while first > 0 and pool.price[k] - pool.price[first - 1] <= reach:
        first -= 1
    last = k
    while last < pool.size - 1 and pool.price[last + 1] - pool.price[k] <= reach:
        last += 1
    return first, last


@kernel
def confluence(pool: Any, clusters: Any, price: Any, atr: Any) -> Any:
    """Rate how many legs meet at a price, in [0, 1.15]: 0 for one, 1 for four and more.

    A place that held once or twice counts 1.15 times, one that held three times or more 0.8
    times: each visit uses up some of the orders that wait there.
    """
    reach = NEAR * atr
    value = min(max((meeting(pool, price, reach) - 1) / 3.0, 0.0), 1.0)
    nearest = -1
    for i in range(N_CLUSTERS):
        there = clusters[i].alive != 0 and _distance(clusters[i], price) <= reach
        gap = abs(clusters[i].price - price)
        if there and (nearest < 0 or gap < abs(clusters[nearest].price - price)):
            nearest = i
    if nearest >= 0 and clusters[nearest].held >= 3:
        value *= 0.8
    elif nearest >= 0 and clusters[nearest].held >= 1:
        value *= 1.15
    return value


@kernel
def _distance(cluster: Any, price: Any) -> Any:
    return max(cluster.bottom - price, price - cluster.top, 0.0)


@kernel
def _is_taken(clusters: Any, price: Any, reach: Any) -> Any:
    for i in range(N_CLUSTERS):
        if clusters[i].alive != 0 and _distance(clusters[i], price) <= 2.0 * reach:
            return True
    return False


@kernel
def _best(pool: Any, clusters: Any, reach: Any, c: Any) -> Any:
    """Return place and count of the best level without a cluster: most legs, then nearest."""
    most = 1
    best = -1
    gap = np.inf
    tie = 1e-9 * reach
    for k in range(pool.size):
        price = pool.price[k]
        away = abs(price - c)
        first, last = _window(pool, k, reach)
        if first == last or away > SIGHT / NEAR * reach or _is_taken(clusters, price, reach):
            continue
        count = _count_owners(pool, first, last)
        nearer = away < gap - tie or (away <= gap + tie and pool.rank[k] < pool.rank[best])
        if count > most or (count == most and best >= 0 and nearer):
            most = count
            best = k
            gap = away
    return best, most


@kernel
def _free_slot(clusters: Any, count: Any) -> Any:
    """Return a slot that is free and has nothing to report, -1 if there is none.

    Without one, a cluster of fewer legs (the oldest of them) ends to make room for the next time.
    """
    least = -1
    for i in range(N_CLUSTERS):
        if clusters[i].alive == 0:
            if clusters[i].news == 0:
                return i
            continue
        fewer = least < 0 or clusters[i].count < clusters[least].count
        equal = least >= 0 and clusters[i].count == clusters[least].count
        if fewer or (equal and clusters[i].serial < clusters[least].serial):
            least = i
    if least >= 0 and clusters[least].count < count:
        clusters[least].alive = 0
        clusters[least].news |= GONE
    return -1


@kernel
def map_clusters(state: Any, pool: Any, clusters: Any, c: Any, atr: Any) -> None:
    """Recount the clusters after the pool has changed, and add at most two new ones."""
    reach = NEAR * atr
    for i in range(N_CLUSTERS):
        cluster = clusters[i]
        if cluster.alive != 0:
            cluster.count = meeting(pool, cluster.price, reach)
            if cluster.count < 2:
                cluster.alive = 0
                cluster.news |= GONE
    for _ in range(2):
        best, count = _best(pool, clusters, reach, c)
        slot = _free_slot(clusters, count) if best >= 0 else -1
        if slot < 0:
            return
        first, last = _window(pool, best, reach)
        cluster = clusters[slot]
        cluster.serial = next_serial(state)
        cluster.alive = 1
        cluster.inside = 0
        cluster.news = NEW
        cluster.count = count
        cluster.held = 0
        cluster.bottom = pool.price[first]
        cluster.top = pool.price[last]
        cluster.price = 0.5 * (cluster.bottom + cluster.top)


@kernel
def touch_clusters(clusters: Any, before: Any, h: Any, low: Any, c: Any, atr: Any) -> None:
    """Hold the clusters against a bar, given the close before it: touched, held or broken."""
    reach = NEAR * atr
    for i in range(N_CLUSTERS):
        cluster = clusters[i]
        there = (low <= cluster.top + reach) & (h >= cluster.bottom - reach)
        if (cluster.alive == 0) | ((cluster.inside == 0) & (not there)):
            continue
        if cluster.inside == 0 and there and before != cluster.price:
            cluster.inside = 1 if before > cluster.price else -1
            cluster.news |= TOUCHED
        if cluster.inside == 0:
            continue
        beyond = cluster.bottom - c if cluster.inside > 0 else c - cluster.top
        if beyond > reach:
            cluster.alive = 0
            cluster.news |= BROKEN
        elif not there:
            cluster.inside = 0
            cluster.held += 1
            cluster.news |= HELD
