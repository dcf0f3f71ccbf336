"""What may be lost: value at risk and expected shortfall by four methods, and where it is from."""

from typing import Any, ClassVar, Final

import param

from app.components.account import Commanding
from app.components.figures import figured_module, figured_style
from app.components.island import dumps
from app.components.risk_words import METHODS
from app.risk import TailView
from opportunity.risk.assessment import fraction_of

LEVELS: Final = ("0.95", "0.975", "0.99")
DAYS: Final = ("1", "5", "10", "21")
"""Levels and horizons that can be chosen, as they stand in the address."""

MOST_PARTS: Final = 20


class VarTable(Commanding):
    """A table by method, and what each position adds; another level or horizon is asked for."""

    offered = param.String("{}", doc="Levels and horizons, and which are chosen, JSON.")

    _esm = figured_module("var_table")
    _stylesheets: ClassVar[list[str]] = [figured_style("var_table")]

    def offer(self, level: str, days: str) -> None:
        """Name what can be chosen, and what is."""
        self.offered = dumps(
            {"levels": LEVELS, "horizons": DAYS, "level": level, "days": days}
        )


def var_state(view: TailView, level: float, days: float, limit: float) -> dict[str, Any]:
    """Return the tail of an account.

    Parameters
    ----------
    view : TailView
    level : float
        Share of the outcomes that are no worse, (0.5, 1).
    days : float
        Horizon.
    limit : float
        Of the parametric value at risk of a day at 0.95, as a fraction of the equity.
    """
    held, parts = view.held, view.parts
    order = [] if parts is None else sorted(
        range(len(held.symbols)), key=lambda i: (-float(parts.parts[i]), held.symbols[i])
    )  # fmt: skip
    return {
        "level": level,
        "days": days,
        "limit": limit if (level, days) == (0.95, 1.0) else None,
        "empty": not held.symbols,
        "equity": held.equity,
        "methods": [
            {"name": name, "title": METHODS[name][0], "means": METHODS[name][1],
             "var": tail.var, "es": tail.es, "var_share": fraction_of(tail.var, held.equity),
             "es_share": fraction_of(tail.es, held.equity), "note": tail.note}
            for name, tail in view.tails.items()
        ],
        "parts": None if parts is None else [
            {"symbol": held.symbols[i], "adds": float(parts.parts[i]),
             "alone": float(parts.alone[i]), "side": 1 if held.notionals[i] > 0 else -1}
            for i in order[:MOST_PARTS]
        ],
        "total": None if parts is None else parts.var,
        "saved": None if parts is None else parts.diversified,
        "rows": 0 if held.returns is None else len(held.returns),
        "timeframe": None if held.returns is None else held.returns.timeframe,
        "missing": dict(held.missing),
    }  # fmt: skip
