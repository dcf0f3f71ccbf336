"""What each reading of the crowd is worth: odd functions into [-1, 1], + for rising prices.

With the crowd while it is moderate, against it where it is extreme. Corners and heights are our
defaults, not fitted.
"""

from typing import Any, Final

import numpy as np

from opportunity.kernels import kernel

MOOD_SCALE: Final = 50.0
"""Points of Fear & Greed from the middle to an end."""

# The other scales are factors: a division costs a kernel several times as much.
CHANGE_SCALE: Final = 1 / 25
"""Of the change of Fear & Greed in seven days, whose standard deviation is 12.8 points."""

OUTWARDS: Final = 0.7
FUNDING_START: Final = 0.6
FUNDING_SLOPE: Final = 1 / (1 - FUNDING_START)
CROWDED_RANK: Final = 0.9
CROWDED_GROWTH: Final = 1.0
GROWTH_SCALE: Final = 1 / 2
GROWTH_HEIGHT: Final = 0.5
RATIO_START: Final = 1.0
RATIO_SCALE: Final = 1 / 2.5


@kernel
def mood_worth(x: Any) -> Any:
    """Return what the level of Fear & Greed says.

    Parameters
    ----------
    x : float
        (value - 50) / 50, in [-1, 1].

    Returns
    -------
    float
        Through (0, 0), (0.25, 0.25), (0.5, 0), (0.8, -0.5), (1, -0.7), straight between, odd.
    """
    a = abs(x)
    if a <= 0.25:
        y = a
    elif a <= 0.5:
        y = 0.5 - a
    elif a <= 0.8:
        y = (0.5 - a) * (1 / 0.6)
    else:
        y = 0.3 - a
    return y if x >= 0.0 else -y


@kernel
def change_worth(points: Any, x: Any) -> Any:
    """Return what the change of Fear & Greed in seven days says, level `x` as in `mood_worth`.

    0 where an extreme becomes more extreme.
    """
    y = min(max(CHANGE_SCALE * points, -1.0), 1.0)
    return 0.0 if abs(x) > OUTWARDS and y * x > 0.0 else y


@kernel
def funding_worth(rank: Any) -> Any:
    """Return what the rank of funding in [-1, 1] says: against who pays dearly."""
    y = min(max(FUNDING_SLOPE * (abs(rank) - FUNDING_START), 0.0), 1.0)
    return -y if rank > 0.0 else y


@kernel
def interest_worth(z: Any, moved: Any, rank: Any) -> Any:
    """Return what the growth of open interest says.

    Parameters
    ----------
    z : float
        Deviations of the 24 h change from its mean; at most 0 where open interest fell.
    moved : float
        Price change of the same 24 h in any unit; NaN where unknown.
    rank : float
        Rank of funding in [-1, 1]; NaN where unknown.

    Returns
    -------
    float
        With the move while positions are added; against the side that pays when it is crowded;
        0 when positions close; NaN where the price change would be needed and is unknown.
    """
    if np.isnan(z):
        return np.nan
    if z <= 0.0:
        return 0.0
    y = GROWTH_HEIGHT * min(GROWTH_SCALE * z, 1.0)
    if z > CROWDED_GROWTH and abs(rank) > CROWDED_RANK:
        return -y if rank > 0.0 else y
    return y * np.sign(moved)


@kernel
def ratio_worth(z: Any) -> Any:
    """Return what the deviation of the (logarithmic) long/short ratio says: against the crowd."""
    return -min(max(RATIO_SCALE * z, -1.0), 1.0) if abs(z) >= RATIO_START else 0.0
