"""A signal of somebody's own: sides to hold, or sides of entries that rules take from there."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from opportunity.entries import WANTED
from opportunity.errors import unknown
from opportunity.indicators.atr import atr
from opportunity.market.bars import Bars
from opportunity.market.figures import volumes
from opportunity.market.timeframe import length_ms, timeframe
from opportunity.trading.rules import TradeRecord

GIVEN: Final = np.dtype(
    [("side", "i8"), ("flagged", "i8"), ("atr", "f8"), ("volume", "f8")], align=True
)
"""What a decision on a signal is made of: a row for each bar."""

DIGESTED: Final = {True: ("side",), False: ("side", "flagged", "atr")}
"""What is hashed of sides to hold (True) and of entries: equal sides are not an equal run."""


def given_of(
    bars: Sequence[Bars], sides: Sequence[NDArray[np.int64]], rules: TradeRecord | None
) -> list[NDArray[Any]]:
    """Return GIVEN rows of every bar of each symbol.

    Parameters
    ----------
    bars : sequence of Bars
        With a timeframe; those before a span give its ATR.
    sides : sequence of ndarray
        Of `sides_of`.
    rules : TradeRecord or None
        Take the entries; None: the sides are held as they are.
    """
    found = []
    for one, side in zip(bars, sides, strict=True):
        rows = np.zeros(len(one), GIVEN)
        rows["side"], rows["atr"] = side, np.nan
        rows["volume"] = volumes(one.time, one.values, timeframe(str(one.timeframe)))
        if rules is not None:
            wanted = WANTED[rules.direction]
            rows["side"][(wanted != 0) & (side != wanted)] = 0
            rows["flagged"][1:] = np.diff(one.time) != length_ms(str(one.timeframe))
            rows["atr"] = atr(one)
        found.append(rows)
    return found


def sides_of(
    bars: Sequence[Bars], signal: ArrayLike | Mapping[str, ArrayLike]
) -> list[NDArray[np.int64]]:
    """Return the side that is given for every bar of each symbol.

    Raises
    ------
    TypeError, ValueError
        If something else than -1, 0 or 1 is given, or not one for each bar of each symbol.
    """
    if not isinstance(signal, Mapping):
        if len(bars) > 1:
            raise ValueError("signal must be a mapping by symbol for several symbols, was one")
        signal = {bars[0].symbol: signal}
    found = []
    for name in signal:
        if name not in {one.symbol for one in bars}:
            raise ValueError(unknown("symbol of signal", name, [b.symbol for b in bars]))
    for one in bars:
        if one.symbol not in signal:
            raise ValueError(unknown("symbol of signal", one.symbol, list(signal)))
        try:
            given = np.asarray(signal[one.symbol], np.float64)
        except (TypeError, ValueError) as error:
            raise TypeError(f"signal must be numbers, was not: {error}") from None
        if given.shape != (len(one),):
            raise ValueError(f"signal must be one number a bar, {len(one)}, was {given.shape}")
        if not np.isin(given, (-1.0, 0.0, 1.0)).all():
            wrong = given[~np.isin(given, (-1.0, 0.0, 1.0))][0]
            raise ValueError(f"signal must be -1, 0 or 1 at every bar, was {wrong}")
        found.append(given.astype(np.int64))
    return found
