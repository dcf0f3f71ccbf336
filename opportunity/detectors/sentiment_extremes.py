"""When mood, funding or crowding reach an extreme and when they leave it, as chart events."""

from typing import Any, Final

import numpy as np

from opportunity.detectors.events import ACTIVE, DONE, EXPIRED, Kind
from opportunity.detectors.marks import mark, mark_number, mark_point
from opportunity.detectors.sentiment_maps import CROWDED_GROWTH, CROWDED_RANK, MOOD_SCALE
from opportunity.kernels import kernel

FEAR, GREED = 25.0, 75.0
"""Fear & Greed up to here is extreme fear, from there on extreme greed."""

LEFT_RANK: Final = 0.8
LEFT_GROWTH: Final = 0.5
"""Below these an extreme of funding, a crowd, is over: lower than where it began."""

CROWD_SCALE: Final = 1 / 4

MOOD, FUNDING, CROWD = range(3)

EXTREMES: Final = np.dtype(
    [
        ("count", "i8"),  # extremes seen so far
        ("serial", "i8", (3,)),  # of the newest MOOD, FUNDING, CROWD
        ("said", "f8", (3,)),  # the number that each was told with
        ("side", "i1", (3,)),  # of those that hold, else 0
    ],
    align=True,
)

# A pair of kinds shares a name: the two sides of one thing, in words of their own.
KINDS: Final[tuple[Kind, ...]] = (
    Kind(
        "mood", "Extreme fear: Fear & Greed at {x:.0f} of 100 ({state})", ("fear",),
        badge="Extreme fear", lasting=True,
    ),
    Kind(
        "mood", "Extreme greed: Fear & Greed at {x:.0f} of 100 ({state})", ("greed",),
        badge="Extreme greed", lasting=True,
    ),
    Kind(
        "funding", "Low funding: percentile {x:.0f} of 90 days ({state})", ("funding",),
        badge="Low funding", lasting=True,
    ),
    Kind(
        "funding", "High funding: percentile {x:.0f} of 90 days ({state})", ("funding",),
        badge="High funding", lasting=True,
    ),
    Kind(
        "crowd",
        "Crowded shorts: low funding, open interest {x:.1f} deviations above usual ({state})",
        ("crowd",), badge="Crowded shorts", lasting=True,
    ),
    Kind(
        "crowd",
        "Crowded longs: high funding, open interest {x:.1f} deviations above usual ({state})",
        ("crowd",), badge="Crowded longs", lasting=True,
    ),
)  # fmt: skip


@kernel
def _extreme(
    s: Any, what: Any, side: Any, lost: Any, t: Any, close: Any, x: Any, size: Any
) -> None:
    """Tell that an extreme was entered or left.

    Parameters
    ----------
    s : record
        The state.
    what, side : int
        `MOOD`, `FUNDING` or `CROWD`; the side that it argues for now, 0 for none.
    lost : bool
        Whether its input has gone stale.
    t, close : int, float
        Opening time and close of the bar.
    x, size : float
        Number for the words; quality in [0, 1].
    """
    before = s.extremes.side[what]
    if before != 0:
        told = s.extremes.said[what] if lost else x
        i = mark(
            s, 2 * what + (before < 0), before, EXPIRED if lost else DONE, s.extremes.serial[what],
            s.n - 1, t, 0.0 if lost else size,
        )  # fmt: skip
        mark_point(s, i, t, close)
        mark_number(s, i, told, 0.0)
    if side != 0:
        s.extremes.count += 1
        s.extremes.serial[what] = s.extremes.count
        s.extremes.said[what] = x
        i = mark(
            s, 2 * what + (side < 0), side, ACTIVE, s.extremes.count, s.n - 1, t, size,
        )  # fmt: skip
        mark_point(s, i, t, close)
        mark_number(s, i, x, 0.0)
    s.extremes.side[what] = side


@kernel
def _held(before: Any, side: Any, inside: Any, kept: Any) -> Any:
    """Return the side of an extreme: entered by `inside`, held while `kept` on the same side."""
    if inside or (kept and before == side):
        return side
    return 0


@kernel
def tell_extremes(s: Any, t: Any, close: Any, fear_greed: Any, rank: Any, growth: Any) -> None:
    """Tell of the extremes that were entered or left on a bar.

    Parameters
    ----------
    s : record
        A detector's state with `n`, `extremes`, `n_events` and `events`.
    t, close : int, float
        Opening time and close of the bar.
    fear_greed : float
        0 to 100; NaN where unknown or stale, as the others.
    rank : float
        Of funding, [-1, 1].
    growth : float
        Of open interest, in deviations.
    """
    side = 1 if fear_greed <= FEAR else (-1 if fear_greed >= GREED else 0)
    if side != s.extremes.side[MOOD]:
        lost = np.isnan(fear_greed)
        _extreme(s, MOOD, side, lost, t, close, fear_greed, abs(fear_greed - 50.0) / MOOD_SCALE)
    against = -1 if rank > 0.0 else 1
    size = abs(rank)
    side = _held(s.extremes.side[FUNDING], against, size > CROWDED_RANK, size >= LEFT_RANK)
    if side != s.extremes.side[FUNDING]:
        _extreme(s, FUNDING, side, np.isnan(rank), t, close, 50.0 * (1.0 + rank), size)
    entered = size > CROWDED_RANK and growth > CROWDED_GROWTH
    kept = size >= LEFT_RANK and growth >= LEFT_GROWTH
    side = _held(s.extremes.side[CROWD], against, entered, kept)
    if side != s.extremes.side[CROWD]:
        size = min(max(CROWD_SCALE * growth, 0.0), 1.0)
        _extreme(s, CROWD, side, np.isnan(rank + growth), t, close, growth, size)
