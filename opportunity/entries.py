"""Which side the rules let an entry take: the one rule that live trading and backtests ask."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.market.bars import FloatArray
from opportunity.scoring.consensus import Consensus
from opportunity.scoring.rules import Mask, along
from opportunity.trading.rules import TradeRecord

WANTED: Final = {None: 0, "BULLISH": 1, "BEARISH": -1}
"""The only side that a direction of the rules lets through; 0: both."""

ENTRY_STOPS: Final = (
    "unscored", "neutral", "min_score", "min_confidence", "max_disagreement", "min_trust",
    "direction",
)  # fmt: skip
"""What can stop an entry, in the order in which it is named; bit i of a mask is ENTRY_STOPS[i].
The first two mean that there is no idea at all; the others are rules of `TradeRecord`."""


def entry_stops(consensus: Consensus, trust: FloatArray, rules: TradeRecord) -> Mask:
    """Return for each symbol a mask over `ENTRY_STOPS` of all that stops its entry; 0: nothing.

    Parameters
    ----------
    consensus : Consensus
        Of n symbols, or of n moments.
    trust : ndarray, shape (n,)
        Trust in the data, [0, 1]; what is not known (NaN) is not trusted.
    rules : TradeRecord

    Returns
    -------
    ndarray of uint16, shape (n,)

    Notes
    -----
    A number that is not known passes no rule. Without a score or a direction the rules are not
    asked.
    """
    side, scored = consensus.direction, consensus.count > 0
    wanted = WANTED[rules.direction]
    asked = scored & (side != 0)
    failed = (
        ~scored,
        scored & (side == 0),
        asked & ~(along(consensus.net, side) >= rules.min_score),
        asked & ~(consensus.confidence >= rules.min_confidence),
        asked & ~(consensus.disagreement <= rules.max_disagreement),
        asked & ~(trust >= rules.min_trust),
        asked & (side != wanted) & (wanted != 0),
    )
    mask = np.zeros(side.shape, np.uint16)
    for bit, condition in enumerate(failed):
        mask |= condition.astype(np.uint16) << np.uint16(bit)
    return mask


def named_stops(mask: int) -> tuple[str, ...]:
    """Return the names of the bits of one mask."""
    return tuple(name for bit, name in enumerate(ENTRY_STOPS) if mask >> bit & 1)


def entry_sides(consensus: Consensus, trust: FloatArray, rules: TradeRecord) -> NDArray[np.int64]:
    """Return the side that each symbol may be entered on: +1, -1, 0 for none.

    Parameters
    ----------
    consensus, trust, rules
        As of `entry_stops`.

    Notes
    -----
    Scores count along the symbol's own side, so a mirrored market gives mirrored sides. Whether
    the bar came after a gap is not asked here: it forbids an entry, but not that an opposite
    idea ends a position, so a decision carries it beside the side.
    """
    passed = entry_stops(consensus, trust, rules) == 0
    return np.where(passed, consensus.direction.astype(np.int64), 0)
