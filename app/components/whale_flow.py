"""What large traders do: the largest prints of the last day, and the flow of large ones."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import numpy as np
import param

from app.components.island import Island, module, style
from opportunity.live.surroundings import FLOW, Surroundings
from opportunity.market.bars import FloatArray

LEAST: Final = ("0", "100000", "500000", "1000000", "5000000")
"""Values of a print from which on it is listed, quote currency."""


class WhaleFlow(Island):
    """Net flow by hour, and prints above a threshold."""

    state = param.String("{}", doc="What is shown, JSON; see `whale_state`.")
    clock = param.Integer(0, doc="Market time, ms UTC: what ages are counted to.")
    symbol = param.String("", doc="Symbol that is chosen; empty for all.")
    least: Any = param.Selector(default="100000", objects=list(LEAST))

    _fill = "stretch_both"
    _esm = module("whale_flow")
    _stylesheets: ClassVar[list[str]] = [style("whale_flow")]


def whale_state(found: Surroundings | None, prices: Mapping[str, float]) -> dict[str, Any]:
    """Return what `WhaleFlow` shows; all money in quote currency at present prices.

    Parameters
    ----------
    found : Surroundings or None
        None while the agent warms up.
    prices : mapping
        Newest price by symbol; the flow of one without is left out.

    Returns
    -------
    dict
        `stamp`, `until` (end of what is known, ms UTC), `quote` (that of all symbols, or empty),
        `hours` (ms UTC), `rows` by symbol with `bought` and `sold` by takers, by hour
        `large_buy` and `large_sell`, `vpin` and `imbalance`; `prints`, newest first, with `time`,
        `symbol`, `side`, `amount`, `price` and `value`. Empty for None.
    """
    if found is None:
        return {}
    rows = [
        {
            "symbol": one.symbol,
            **_flow(found.flow[i] * prices[one.symbol]),
            "vpin": _number(one.vpin),
            "imbalance": _number(one.imbalance),
        }
        for i, one in enumerate(found.contexts)
        if one.symbol in prices and np.isfinite(found.flow[i]).any()
    ]
    quotes = {symbol.partition("/")[2] for symbol in found.symbols}
    return {
        "stamp": found.source,
        "until": found.time - found.time % 60_000,
        "quote": quotes.pop() if len(quotes) == 1 else "",
        "symbols": list(found.symbols),
        "hours": found.hours.tolist(),
        "rows": rows,
        "prints": [
            {
                "time": one.opened,
                "symbol": one.symbol,
                "side": 1 if one.amount > 0 else -1,
                "amount": abs(one.amount),
                "price": one.price,
                "value": round(one.value),
            }
            for one in found.prints
        ],
    }


def _flow(money: FloatArray) -> dict[str, Any]:
    """Return sums of a day and the large prints by hour, of shape (n_hours, 4)."""
    sums = dict(zip(FLOW, np.nansum(money, axis=0).tolist(), strict=True))
    hours = np.nan_to_num(money).round().astype(np.int64)
    return {
        "bought": sums["buy"],
        "sold": sums["sell"],
        "large_buy": hours[:, FLOW.index("large_buy")].tolist(),
        "large_sell": hours[:, FLOW.index("large_sell")].tolist(),
    }


def _number(value: float) -> float | None:
    return value if value == value else None
