"""Hand-made bars for the smc detector: a lead that says nothing, then bars to order.

The lead swings by one unit around 100 and ends at 100, so ATR is 1 and no pivot exists. All
prices are dyadic, so that comparisons with ticks are exact.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from builders import from_ohlc, path_bars

from opportunity.detectors.events import Event
from opportunity.detectors.smc import Smc
from opportunity.market.bars import Bars

LEAD = 120
TICK = 2.0**-6

Row = tuple[float, float, float, float]


def walk(*closes: float) -> list[Row]:
    """Bars from close to close without wicks; the first price is where they begin."""
    return [
        (a, max(a, b), min(a, b), b) for a, b in itertools.pairwise(closes)
    ]


def after_lead(*rows: Row | list[Row]) -> Bars:
    """The lead and then these bars, single ones or lists of them; the first has number `LEAD`."""
    flat: list[Row] = []
    for row in rows:
        flat.extend(row if isinstance(row, list) else [row])
    lead = path_bars([100.0], lead=LEAD - 1).values[:, :4]
    return from_ohlc(np.vstack([lead, np.reshape(flat, (-1, 4))]))


def events_of(bars: Bars, *kinds: str, detector: Smc | None = None) -> list[Event]:
    """Events after the lead of these kinds, all without any, oldest first."""
    found = (detector or Smc()).events(bars)
    return [e for e in found if e.bar >= LEAD and (not kinds or e.kind in kinds)]


def told(events: Sequence[Event]) -> list[tuple[int, str, int, str]]:
    """(bar after the lead, kind, side, state) of each event."""
    return [(e.bar - LEAD, e.kind, e.side, e.state) for e in events]
