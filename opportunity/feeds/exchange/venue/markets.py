"""The spot markets of a venue, out of ccxt's list."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from opportunity.market.timeframe import TIMEFRAMES, Timeframe

_NAME: Final = re.compile(r"[A-Z0-9]{1,20}")
_DECIMAL_PLACES, _TICK_SIZE = 2, 4  # how ccxt's `precisionMode` says what a precision means
_STAMP: Final = re.compile(r"[a-z0-9][a-z0-9:_.-]{0,59}")


@dataclass(frozen=True, slots=True)
class Market:
    """A spot market.

    Parameters
    ----------
    symbol : str
        Our spelling, e.g. ``BTC/USDT``.
    id : str
        The venue's name for it.
    base, quote : str
        Currencies.
    active : bool
        Whether it is traded now.
    price_step, amount_step : float
        Smallest steps, > 0; NaN where the venue does not say.
    """

    symbol: str
    id: str
    base: str
    quote: str
    active: bool
    price_step: float
    amount_step: float


def spot_markets(listed: Iterable[Any], precision_mode: int) -> tuple[dict[str, Market], int]:
    """Pick the spot markets that can be written in our spelling.

    Returns
    -------
    markets : dict
        By symbol.
    left_out : int
        Spot markets whose names are not of A-Z and 0-9.
    """
    found: dict[str, Market] = {}
    left_out = 0
    for market in listed:
        if not isinstance(market, Mapping) or not market.get("spot"):
            continue
        base, quote = str(market.get("base")), str(market.get("quote"))
        symbol = f"{base}/{quote}"
        if not (_NAME.fullmatch(base) and _NAME.fullmatch(quote)) or market["symbol"] != symbol:
            left_out += 1
            continue
        steps = market.get("precision") or {}
        found[symbol] = Market(
            symbol, str(market["id"]), base, quote, market.get("active") is not False,
            _step(steps.get("price"), precision_mode), _step(steps.get("amount"), precision_mode),
        )  # fmt: skip
    return found, left_out


def known_timeframes(told: Mapping[str, Any] | None) -> tuple[Timeframe, ...]:
    """Return those of our timeframes that a venue has, shortest first."""
    return tuple(t for t in TIMEFRAMES if t in (told or {}))


def told_source(listed: Iterable[Any]) -> tuple[str, float]:
    """Return what a local exchange says that it is: the stamp of its data and its speed.

    ``simulated`` at real speed where it says nothing that makes sense: data of a local exchange
    never passes for real.
    """
    for market in listed:
        info = market.get("info") if isinstance(market, Mapping) else None
        told = info.get("opportunity") if isinstance(info, Mapping) else None
        if isinstance(told, Mapping):
            source, speed = told.get("source"), told.get("speed", 1.0)
            stamp = source if isinstance(source, str) and _STAMP.fullmatch(source) else "simulated"
            fits = isinstance(speed, int | float) and 0.1 <= speed <= 1e7
            return stamp, float(speed) if fits else 1.0
    return "simulated", 1.0


def _step(value: Any, mode: int) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        return math.nan
    if mode == _DECIMAL_PLACES:
        return math.pow(10.0, -value)
    return float(value) if mode == _TICK_SIZE and value > 0 else math.nan
