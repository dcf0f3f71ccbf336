"""Which side the rules let an entry take: the one rule that live trading and backtests ask."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.market.bars import FloatArray
from opportunity.scoring.consensus import Consensus
from opportunity.scoring.rules import along
from opportunity.trading.rules import TradeRecord

WANTED: Final = {None: 0, "BULLISH": 1, "BEARISH": -1}
"""The only side that a direction of the rules lets through; 0: both."""


def entry_sides(consensus: Consensus, trust: FloatArray, rules: TradeRecord) -> NDArray[np.int64]:
    """Return the side that each symbol may be entered on: +1, -1, 0 for none.

    Parameters
    ----------
    consensus : Consensus
        Of n symbols, or of n moments.
    trust : ndarray, shape (n,)
        Trust in the data, [0, 1]; what is not known (NaN) is not trusted.
    rules : TradeRecord

    Notes
    -----
    Scores count along the symbol's own side, so a mirrored market gives mirrored sides. Whether
    the bar came after a gap is not asked here: it forbids an entry, but not that an opposite
    idea ends a position, so a decision carries it beside the side.
    """
    side = consensus.direction.astype(np.int64)
    wanted = WANTED[rules.direction]
    passed = (
        (consensus.count > 0)
        & (along(consensus.net, consensus.direction) >= rules.min_score)
        & (consensus.confidence >= rules.min_confidence)
        & (consensus.disagreement <= rules.max_disagreement)
        & (trust >= rules.min_trust)
        & ((side == wanted) | (wanted == 0))
    )
    return np.where(passed, side, 0)
