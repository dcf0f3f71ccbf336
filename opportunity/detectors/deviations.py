"""How far a value stands from those before it: exact rolling means, deviations and medians.

Values of the long windows are kept as 16-bit whole numbers, ranked ones as 8-bit ones. That is
fine enough, a stream stays small, and sums of whole numbers are exact: nothing drifts, and negated
values give the negated z-score bit for bit.
"""

from typing import Any, Final

import numpy as np

from opportunity.kernels import kernel

LEAST: Final = 50
"""Values before which there is no z-score and no rank."""

N_VOLUMES: Final = 50
MOST: Final = 32_767


def window(length: int) -> np.dtype[Any]:
    """Return the type of a window of `length` values; all bytes zero when fresh."""
    return np.dtype(
        [("count", "i8"), ("sum", "i8"), ("squares", "i8"), ("ring", "i2", (length,))], align=True
    )


VOLUMES: Final = np.dtype(
    [
        ("count", "i8"),
        ("sorted", "i8"),  # the count for which `ascending` is right
        ("ring", "f4", (N_VOLUMES,)),
        ("ascending", "f4", (N_VOLUMES,)),
    ],
    align=True,
)
"""The last volumes, in their order and by size."""

N_RANKED: Final = 200
FINE: Final = 256
COARSE: Final = 16
RANKS: Final = np.dtype(
    [
        ("count", "i8"),
        ("ring", "u1", (N_RANKED,)),
        ("fine", "u1", (FINE,)),  # how often each value is in the ring
        ("coarse", "u1", (COARSE,)),  # the same of sixteen neighbours together
    ],
    align=True,
)
"""The last values of something in [0, 1], in steps of 1/256."""


@kernel
def whole(x: Any, unit: Any) -> Any:
    """Return x in whole units, within what 16 bits hold; halves go to the even number."""
    return np.int64(np.rint(min(max(x / unit, -MOST), MOST)))


@kernel
def z_score(s: Any, x: Any) -> Any:
    """Return how many deviations `x` is from the mean of the values in the window.

    NaN with fewer than `LEAST` values; 0 when they do not differ. `x` itself is not among them:
    a value never dampens its own measure.
    """
    n = min(s.count, s.ring.size)
    if n < LEAST:
        return np.nan
    spread = n * s.squares - s.sum * s.sum
    return (n * x - s.sum) / np.sqrt(np.float64(spread)) if spread > 0 else 0.0


@kernel
def push(s: Any, x: Any) -> None:
    """Take `x` (a whole number) into the window in place of the oldest."""
    i = s.count % s.ring.size
    old = np.int64(s.ring[i])  # 0 while the window fills
    s.sum += x - old
    s.squares += x * x - old * old
    s.ring[i] = x
    s.count += 1


@kernel
def rank(s: Any, x: Any) -> Any:
    """Return the share of values below `x` (in [0, 1]), ties counting half, and take it in.

    NaN with fewer than `LEAST` values before it.
    """
    step = int(min(max(x, 0.0) * FINE, FINE - 1.0))
    group = step // COARSE
    below = 0
    for k in range(group):
        below += s.coarse[k]
    for k in range(group * COARSE, step):
        below += s.fine[k]
    n = min(s.count, N_RANKED)
    place = (below + 0.5 * s.fine[step]) / n if n >= LEAST else np.nan
    i = s.count % N_RANKED
    if s.count >= N_RANKED:
        old = s.ring[i]
        s.fine[old] -= 1
        s.coarse[old // COARSE] -= 1
    s.ring[i] = step
    s.fine[step] += 1
    s.coarse[group] += 1
    s.count += 1
    return place


@kernel
def push_volume(s: Any, volume: Any) -> None:
    """Take a volume in place of the oldest."""
    s.ring[s.count % N_VOLUMES] = np.float32(volume)
    s.count += 1


@kernel
def median_volume(s: Any) -> Any:
    """Return the median of the volumes known; 0 before the first.

    They are kept in the order of their size from the last time on that this was asked.
    """
    n = min(s.count, N_VOLUMES)
    if s.sorted != s.count:
        s.ascending[:n] = np.sort(s.ring[:n])
        s.sorted = s.count
    if n == 0:
        return 0.0
    upper = np.float64(s.ascending[n // 2])
    return upper if n % 2 else 0.5 * (np.float64(s.ascending[n // 2 - 1]) + upper)


@kernel
def replace_volume(s: Any, volume: Any) -> None:
    """Take a volume in place of the oldest, and keep the order of size, if it is known."""
    x = np.float32(volume)
    if s.sorted != s.count or s.count < N_VOLUMES:
        push_volume(s, volume)
        return
    old = s.ring[s.count % N_VOLUMES]
    # Two passes over all, without a branch: three times as quick as moving only what must move.
    for k in range(N_VOLUMES - 1):
        a = s.ascending[k]
        s.ascending[k] = a if a < old else s.ascending[k + 1]
    below = np.float32(-np.inf)
    for k in range(N_VOLUMES - 1):
        a = s.ascending[k]
        s.ascending[k] = min(max(below, x), a)
        below = a
    s.ascending[N_VOLUMES - 1] = max(below, x)
    push_volume(s, volume)
    s.sorted = s.count
