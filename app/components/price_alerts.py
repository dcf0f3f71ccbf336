"""Prices to be told of: set from a row or the chart, listed, deleted."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final

from app.components.desk import Desk, desk_module
from opportunity.storage.price_alerts import PriceAlert, Rule

RULES: Final[dict[str, Rule]] = {"above": "above", "below": "below"}
MOST_NOTE: Final = 200


def alerts_state(
    alerts: Sequence[PriceAlert], symbols: Sequence[str], prices: Mapping[str, float]
) -> dict[str, Any]:
    """Return the alerts, newest first; and the symbols that are watched, with their prices now."""
    return {
        "alerts": [
            {
                "id": one.id, "symbol": one.symbol, "rule": one.rule, "price": one.price,
                "note": one.note, "again": one.again, "fired": one.fired_at,
                "state": "waiting" if one.active else "leaving" if one.again else "fired",
                "now": prices.get(one.symbol),
            }
            for one in alerts
        ],
        "symbols": list(symbols), "prices": {s: prices[s] for s in symbols if s in prices},
    }  # fmt: skip


def read_price(value: Any) -> float:
    """Return a price that somebody asks for.

    Raises
    ------
    ValueError
        If it is not a finite number > 0.
    """
    try:
        price = float(value)
    except (TypeError, ValueError):
        price = float("nan")
    if not (isfinite(price) and price > 0):
        raise ValueError(f"price must be a number > 0, was {value!r}")
    return price


class PriceAlerts(Desk):
    """Show `alerts_state`; asks `read`, `add` {symbol, rule, price, note, again}, `delete` {id}."""

    _esm = desk_module("price_alerts")
