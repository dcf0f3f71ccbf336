"""Which assets move as one, as a heat map: of what is held, or of what is watched."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import numpy as np
import param

from app.components.account import Commanding
from app.components.figures import figured_module, figured_style
from opportunity.market.bars import FloatArray
from opportunity.risk.exposure import Exposure
from opportunity.risk.held import Held

MOST_SHOWN: Final = 16
"""Rows and columns: more do not fit and tell nothing."""

MAPS: Final = ("held", "watched")


class CorrelationMap(Commanding):
    """A square of correlations; what is shown is asked for with ``{"type": "map", "of": ...}``."""

    chosen = param.String("held", doc="Which map is shown, one of `MAPS`.")

    _esm = figured_module("correlation_map")
    _stylesheets: ClassVar[list[str]] = [figured_style("correlation_map")]


def held_map(held: Held, exposure: Exposure, limit: float) -> dict[str, Any]:
    """Return the correlations of the P&L of what is held: a hedge is below 0."""
    if exposure.correlation is None:
        return {"of": "held", "limit": limit, "unknown": True, "missing": dict(held.missing)}
    sizes = np.abs(held.notionals)
    rows = np.argsort(-sizes, kind="stable")[:MOST_SHOWN]
    sides = np.sign(held.notionals)
    together = exposure.correlation * np.outer(sides, sides)
    return _square(
        "held", [held.symbols[i] for i in rows], together[np.ix_(rows, rows)], limit,
    ) | {"sides": [int(sides[i]) for i in rows], "more": len(held.symbols) - len(rows)}  # fmt: skip


def watched_map(
    symbols: Sequence[str], matrix: FloatArray | None, limit: float, missing: dict[str, str]
) -> dict[str, Any]:
    """Return the correlations of assets, each taken as a long."""
    if matrix is None:
        return {"of": "watched", "limit": limit, "unknown": True, "missing": missing}
    told = _square("watched", list(symbols), matrix, limit)
    return told | {"sides": [0] * len(symbols), "more": 0, "missing": missing}


def _square(of: str, symbols: list[str], matrix: FloatArray, limit: float) -> dict[str, Any]:
    return {"of": of, "limit": limit, "symbols": symbols,
            "values": np.round(matrix, 3).tolist()}  # fmt: skip
