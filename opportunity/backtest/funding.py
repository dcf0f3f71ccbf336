"""Funding of perpetual contracts as payments: what is not known is said to be unknown."""

import math
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.execution import Payments
from opportunity.market.observations import Funding
from opportunity.market.timeframe import HOUR_MS, utc_text

RATED_MS: Final = 8 * HOUR_MS
"""Rates are fractions of a position for this long."""

PATIENCE: Final = 1.5
"""Intervals without a payment after which one is missing. No contract settles less often than every
8 hours, and the interval of one may change."""


def payments_of(
    funding: Iterable[Funding], symbols: Sequence[str], start: int, end: int
) -> tuple[Payments, bool]:
    """Put funding into payments between two times.

    Parameters
    ----------
    funding : iterable of Funding
        In any order; of a contract (``BTC/USDT:USDT``) or its pair.
    symbols : sequence of str
        The universe; a payment of another symbol is passed over.
    start, end : int
        Payments from `start` on and before `end`, ms UTC.

    Returns
    -------
    payments : Payments
        A rate counts for the time since the payment before it, 12 hours at most, by 8 hours.
    known : bool
        Whether every symbol has its payments all along; otherwise the sum is not known.

    Raises
    ------
    TypeError
        If something else than funding is given.
    ValueError
        If a rate is not finite.
    """
    if not isinstance(funding, Iterable):
        raise TypeError(f"funding must be Funding records, was {type(funding).__name__}")
    places = {_pair(name): i for i, name in enumerate(symbols)}
    by_symbol: list[dict[int, float]] = [{} for _ in symbols]
    for record in funding:
        if not isinstance(record, Funding):
            raise TypeError(f"funding must be Funding records, was {type(record).__name__}")
        place = places.get(_pair(record.symbol))
        if place is not None:
            if not math.isfinite(record.rate):
                raise ValueError(
                    f"rate of funding of {record.symbol} must be finite, was {record.rate} at "
                    f"{utc_text(record.event_time)}"
                )
            by_symbol[place][record.event_time] = record.rate
    times, owners, rates, known = [], [], [], True
    for i, paid in enumerate(by_symbol):
        time = np.array(sorted(paid), np.int64)
        rate = np.array([paid[t] for t in time.tolist()])
        gaps = np.diff(time) if time.size > 1 else np.full(time.size, RATED_MS)
        since = np.minimum(np.append(gaps[:1], np.diff(time)), PATIENCE * RATED_MS)
        inside = (time >= start) & (time < end)
        known &= bool(time.size) and _whole(time, gaps, start, end)
        times.append(time[inside])
        rates.append((rate * since / RATED_MS)[inside])
        owners.append(np.full(int(inside.sum()), i, np.int64))
    time, owner, rate = np.concatenate(times), np.concatenate(owners), np.concatenate(rates)
    order = np.lexsort((owner, time))
    return Payments(time[order], owner[order], rate[order]), bool(known)


def _whole(
    time: NDArray[np.int64], gaps: NDArray[np.int64], start: int, end: int
) -> bool:
    """Tell whether payments never pause for more than one and a half of the intervals beside."""
    if time[0] - start > PATIENCE * gaps[0] or end - time[-1] > PATIENCE * gaps[-1]:
        return False
    beside = np.maximum(np.append(gaps[1:2], gaps[:-1]), np.append(gaps[1:], gaps[-2:-1]))
    asked = (time[1:] > start) & (time[:-1] < end)
    if beside.size != asked.size:  # one interval: nothing to hold it against
        beside = np.full(asked.size, RATED_MS)
    return bool((gaps[: asked.size] <= PATIENCE * beside)[asked].all())


def _pair(symbol: str) -> str:
    return symbol.split(":")[0]
