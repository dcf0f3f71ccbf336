"""How large an entry may be: six bounds in units, of which the least counts.

The kernels that trade and whoever asks beforehand work them out by the same function.
"""

from typing import Any, NamedTuple

import numpy as np

from opportunity.kernels import kernel
from opportunity.market.bars import FloatArray
from opportunity.trading.inlining import inlined
from opportunity.trading.records import ALL_IN, BOUNDS, BY_EQUITY, BY_NOTIONAL, BY_RISK
from opportunity.trading.terms import Records

__all__ = ["BOUNDS", "Asked", "binding", "bounds", "entry_bounds", "least"]

LEAST_WIN, WIN_SPAN = 0.4, 0.2
"""Chance of a win as Kelly takes it: at a confidence of 0, and how much more at one of 1."""

MOST_KELLY = 0.25
"""Most of the equity that the Kelly fraction is taken as."""


class Asked(NamedTuple):
    """An account that an entry is asked of.

    Parameters
    ----------
    equity, gross : float
        Worth of the account, and notional of all positions, at the newest marks, quote currency.
    """

    equity: float
    gross: float


@inlined
def kelly_fraction(payoff: Any, confidence: Any) -> Any:
    """Return the part of the equity that Kelly would risk, [0, 0.25]."""
    p = LEAST_WIN + WIN_SPAN * confidence
    f = (payoff * p - (1.0 - p)) / payoff
    return min(max(f, 0.0), MOST_KELLY)


@inlined
def bounds(
    equity: Any, gross: Any, terms: Any, price: Any, distance: Any, atr: Any, volume: Any,
    confidence: Any,
) -> Any:
    """Return the six bounds of an entry in units, by BOUNDS; inf where one is off or not known.

    Parameters
    ----------
    equity, gross : float
        As in `Asked`.
    terms : record
    price : float
        What the entry costs, with slippage; > 0.
    distance : float
        Of its stop, price; 0 for none.
    atr : float
        Of the decision timeframe, price; NaN or 0: not known.
    volume : float
        Of 24 hours, quote currency; NaN: not known.
    confidence : float
        Of the decision, [0, 1]; NaN: not known.
    """
    if not (equity > 0.0 and price > 0.0):
        return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    far = np.inf
    if terms.sizing == ALL_IN:
        # What nothing is held with yet, without what the fee takes: cash is never spent twice.
        return (equity - gross) / (price * (1.0 + terms.fee)), far, far, far, far, far
    wanted = 0.0
    if terms.sizing == BY_RISK:
        if distance > 0.0:
            wanted = equity * terms.amount / distance
    elif terms.sizing == BY_EQUITY:
        wanted = equity * terms.amount / price
    elif terms.sizing == BY_NOTIONAL:
        wanted = terms.amount / price
    notional = equity * terms.max_position / price
    leverage = (equity * terms.max_leverage - gross) / price
    liquidity = far
    if terms.max_volume > 0.0 and volume == volume:
        liquidity = terms.max_volume * volume / price
    volatility = far
    if terms.max_volatility > 0.0 and atr > 0.0:
        volatility = equity * terms.max_volatility / atr
    kelly = far
    if terms.kelly > 0.0 and distance > 0.0 and confidence == confidence:
        kelly = equity * terms.kelly * kelly_fraction(terms.payoff, confidence) / distance
    return wanted, notional, leverage, liquidity, volatility, kelly


@inlined
def least(found: Any) -> Any:
    """Return the place of the least of six bounds; of equal ones the first."""
    place = 0
    for i in range(1, 6):
        if found[i] < found[place]:
            place = i
    return place


@kernel
def _fill(
    out: Any, equity: Any, gross: Any, terms: Any, price: Any, distance: Any, atr: Any,
    volume: Any, confidence: Any,
) -> None:
    found = bounds(equity, gross, terms, price, distance, atr, volume, confidence)
    for i in range(6):
        out[i] = found[i]


def entry_bounds(
    account: Asked, terms: Records, price: float, distance: float, atr: float, volume: float,
    confidence: float,
) -> FloatArray:
    """Return the six bounds of an entry in units, by BOUNDS; the kernels' own.

    Parameters
    ----------
    account : Asked
    terms : ndarray of TERMS, shape (1,)
        `TradeSetup.terms()`.
    price : float
        What the entry costs, with slippage, quote currency.
    distance : float
        Of its stop, price; 0 for none.
    atr : float
        Of the decision timeframe, price; NaN: not known.
    volume : float
        Of 24 hours, quote currency; NaN: not known.
    confidence : float
        Of the decision, [0, 1]; NaN: not known.

    Returns
    -------
    ndarray, shape (6,)
        Units; inf where a bound is off or its input not known, 0 where nothing can be bought. One
        may be below 0 (more is held than the leverage allows): then nothing is bought. What is
        bought is the least, rounded down for whole units. `all_in` is held by none but ``risk``,
        which is then all that nothing is held with yet.
    """
    out = np.empty(len(BOUNDS))
    _fill(
        out, float(account.equity), float(account.gross), terms[0], float(price),
        float(distance), float(atr), float(volume), float(confidence),
    )
    return out


def binding(found: FloatArray) -> int:
    """Return the index into BOUNDS of what holds the size: the least, of equal ones the first."""
    return int(np.argmin(found))
