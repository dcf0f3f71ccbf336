"""The fold of order book snapshots into minutes: order flow imbalance and depth imbalance.

Order flow imbalance (OFI) of an update: what was added to the best bid or taken off the best ask
counts up, the contrary down. Source: Cont, Kukanov and Stoikov, *The price impact of order book
events*, Journal of Financial Econometrics, 2014; over several levels, weighted 1 / level: Xu,
Gould and Howison, *Multi-level order-flow imbalance in a limit order book*, 2019.
"""

from typing import Any, Final

import numpy as np

from opportunity.detectors.print_sizes import MOST_AMOUNT
from opportunity.detectors.records import place_of
from opportunity.kernels import kernel
from opportunity.market.timeframe import DAY_MS, HOUR_MS, MINUTE_MS

COLUMNS: Final = ("ofi", "ofi_deep", "imbalance")
"""Columns that `fill_books` writes: OFI in units of the mean depth, imbalance in [-1, 1]."""

N_LEVELS: Final = 5
N_SAMPLES: Final = 120
"""Snapshots of a minute whose imbalance counts, at most one every half second."""

SAMPLE_MS: Final = 500
GAP_MS: Final = MINUTE_MS
"""Time after which two snapshots say nothing of what happened between them."""

OFI_MS: Final = 15 * MINUTE_MS
"""Longest bar with an OFI: it explains moves of seconds, and says nothing of those to come."""

N_WALLS: Final = 16
WALL: Final = 5.0
"""A level that holds so many times the median level of its side is a wall."""

WALL_MS: Final = MINUTE_MS
"""How long a wall must stand before it counts for more than a median level."""

LEAST_MINUTES: Final = 10
"""Minutes of the last hour from which its range is taken."""

BOOK_MINUTE: Final = np.dtype(
    [
        ("time", "i8"),
        ("ofi", "f8"),  # base currency
        ("ofi_deep", "f8"),
        ("depth", "f8"),  # sum of the depths of the updates that `ofi` adds up
        ("depth_deep", "f8"),
        ("imbalance", "f8"),  # median of the samples
        ("high", "f8"),  # of the mid, quote currency
        ("low", "f8"),
        ("updates", "i4"),
        ("samples", "i4"),
    ],
    align=True,
)

BOOK: Final = np.dtype(
    [
        ("time", "i8"),  # newest snapshot
        ("sampled", "i8"),  # newest snapshot among the samples
        ("reach", "f8"),  # distance from the mid within which depth counts, quote currency
        ("n_levels", "i8"),
        ("levels", "f8", (2, N_LEVELS, 2)),  # bid and ask: price, amount, of that snapshot
        ("n_walls", "i8"),
        (
            "walls",
            np.dtype([("side", "i8"), ("price", "f8"), ("since", "i8"), ("seen", "i8")]),
            (N_WALLS,),
        ),
        ("samples", "f8", (N_SAMPLES,)),  # ascending
    ],
    align=True,
)


@kernel
def is_sane(levels: Any) -> Any:
    """Tell whether all levels, (n_levels, 2), are prices > 0 and amounts >= 0 that can be."""
    fine = True
    for k in range(levels.shape[0]):
        fine &= (levels[k, 0] > 0.0) & (levels[k, 0] < np.inf)
        fine &= (levels[k, 1] >= 0.0) & (levels[k, 1] <= MOST_AMOUNT)
    return fine


@kernel
def open_book_minute(s: Any, minutes: Any, n: Any, start: Any, mid: Any) -> None:
    """Begin minute number `n`; depth counts within half the range of the hour before it.

    That is half an ATR of the hour, of the mids themselves: no percent of price, which mirrored
    prices would not share. While it is unknown, or 0, all levels count.
    """
    high = -np.inf
    low = np.inf
    known = 0
    for i in range(n - 1, -1, -1):
        if minutes[i].time < start - HOUR_MS:
            break
        high = max(high, minutes[i].high)
        low = min(low, minutes[i].low)
        known += 1
    s.reach = 0.5 * (high - low) if known >= LEAST_MINUTES and high > low else np.inf
    m = minutes[n]
    m.time = start
    m.ofi = 0.0
    m.ofi_deep = 0.0
    m.depth = 0.0
    m.depth_deep = 0.0
    m.imbalance = np.nan
    m.high = mid
    m.low = mid
    m.updates = 0
    m.samples = 0


@kernel
def added(before: Any, now: Any, sign: Any) -> Any:
    """Return what one level of one side gained, of (price, amount); `sign` +1 bid, -1 ask."""
    better = sign * (now[0] - before[0])
    return (now[1] if better >= 0.0 else 0.0) - (before[1] if better <= 0.0 else 0.0)


@kernel
def _flow(s: Any, m: Any, bids: Any, asks: Any, n: Any) -> None:
    """Add the OFI of this snapshot against the one before, and the depth to compare it with."""
    for k in range(min(n, s.n_levels)):
        flow = added(s.levels[0, k], bids[k], 1.0) - added(s.levels[1, k], asks[k], -1.0)
        depth = 0.5 * (bids[k, 1] + asks[k, 1])
        if k == 0:
            m.ofi += flow
            m.depth += depth
        m.ofi_deep += flow / (k + 1)
        m.depth_deep += depth / (k + 1)
    m.updates += 1


@kernel
def _stands(s: Any, side: Any, price: Any, t: Any) -> Any:
    """Note that a wall is there; tell whether it has been for long enough."""
    for i in range(s.n_walls):
        wall = s.walls[i]
        if wall.side == side and wall.price == price:
            wall.seen = t
            return t - wall.since >= WALL_MS
    if s.n_walls < N_WALLS:
        wall = s.walls[s.n_walls]
        wall.side = side
        wall.price = price
        wall.since = t
        wall.seen = t
        s.n_walls += 1
    return False


@kernel
def _depth(s: Any, side: Any, levels: Any, mid: Any, t: Any) -> Any:
    """Return the amount within reach; a wall that may vanish counts as a median level."""
    usual = np.median(levels[:, 1])
    total = 0.0
    for k in range(levels.shape[0]):
        if k > 0 and abs(levels[k, 0] - mid) > s.reach:
            break
        amount = levels[k, 1]
        if amount > WALL * usual and not _stands(s, side, levels[k, 0], t):
            amount = usual
        total += amount
    return total


@kernel
def _forget_walls(s: Any, t: Any) -> None:
    kept = 0
    for i in range(s.n_walls):
        if s.walls[i].seen == t:
            s.walls[kept].side = s.walls[i].side
            s.walls[kept].price = s.walls[i].price
            s.walls[kept].since = s.walls[i].since
            s.walls[kept].seen = t
            kept += 1
    s.n_walls = kept


@kernel
def _sample(s: Any, m: Any, x: Any) -> None:
    """Put an imbalance among the samples of the minute and take their median."""
    if m.samples == N_SAMPLES:
        return
    i = m.samples
    while i > 0 and s.samples[i - 1] > x:
        s.samples[i] = s.samples[i - 1]
        i -= 1
    s.samples[i] = x
    m.samples += 1
    half = m.samples // 2
    upper = s.samples[half]
    m.imbalance = upper if m.samples % 2 else 0.5 * (s.samples[half - 1] + upper)


@kernel
def fold_book(s: Any, minutes: Any, n: Any, t: Any, bids: Any, asks: Any) -> Any:
    """Fold a snapshot into minutes.

    Parameters
    ----------
    s : BOOK record
        Changed in place.
    minutes : array of BOOK_MINUTE
        The first `n` are in use; room for one more.
    t : int
        When the snapshot became known, ms UTC, not before the one ahead of it.
    bids, asks : ndarray, shape (n_levels, 2)
        Price and amount, best first, at least one level each.

    Returns
    -------
    int
        Number of minutes now.
    """
    start = t - t % MINUTE_MS
    mid = 0.5 * (bids[0, 0] + asks[0, 0])
    if n == 0 or minutes[n - 1].time != start:
        open_book_minute(s, minutes, n, start, mid)
        n += 1
    m = minutes[n - 1]
    m.high = max(m.high, mid)
    m.low = min(m.low, mid)
    levels = min(N_LEVELS, bids.shape[0], asks.shape[0])
    if s.n_levels > 0 and t - s.time <= GAP_MS:
        _flow(s, m, bids, asks, levels)
    s.levels[0, :levels] = bids[:levels]
    s.levels[1, :levels] = asks[:levels]
    s.n_levels = levels
    s.time = t
    if m.samples == 0 or t - s.sampled >= SAMPLE_MS:
        s.sampled = t
        bid = _depth(s, 0, bids, mid, t)
        ask = _depth(s, 1, asks, mid, t)
        _forget_walls(s, t)
        if bid + ask > 0.0:
            _sample(s, m, (bid - ask) / (bid + ask))
    return n


@kernel
def fill_books(minutes: Any, opened: Any, closed: Any, which: Any, first: Any, rows: Any) -> None:
    """Write `COLUMNS`, from column `first` on, for the bars `which`; NaN where nothing is known.

    Of bars longer than a day the last day counts.
    """
    values = np.empty(DAY_MS // MINUTE_MS)
    for j in which:
        ofi = 0.0
        deep = 0.0
        depth = 0.0
        depth_deep = 0.0
        updates = 0
        n = 0
        i = place_of(minutes, max(opened[j], closed[j] - DAY_MS))
        while i < minutes.size and minutes[i].time + MINUTE_MS <= closed[j]:
            m = minutes[i]
            ofi += m.ofi
            deep += m.ofi_deep
            depth += m.depth
            depth_deep += m.depth_deep
            updates += m.updates
            if m.samples > 0:
                values[n] = m.imbalance
                n += 1
            i += 1
        if closed[j] - opened[j] <= OFI_MS and depth > 0.0:
            rows[j, first] = ofi / (depth / updates)
            rows[j, first + 1] = deep / (depth_deep / updates)
        if n > 0:
            rows[j, first + 2] = np.median(values[:n])
