"""What bad days would do to the positions held now."""

from collections.abc import Sequence
from typing import Any, ClassVar

from app.components.account import Commanding
from app.components.figures import figured_module, figured_style
from app.components.risk_words import SCENARIOS
from opportunity.risk.stress import Stressed


class StressTable(Commanding):
    """Bars of what every scenario costs or earns, with what it takes for granted."""

    _esm = figured_module("stress_table")
    _stylesheets: ClassVar[list[str]] = [figured_style("stress_table")]


def stress_state(found: Sequence[Stressed], empty: bool) -> dict[str, Any]:
    """Return scenarios as they are told; the worst first, unknown ones last.

    Parameters
    ----------
    found : sequence of Stressed
    empty : bool
        Whether nothing is held.
    """
    order = sorted(found, key=lambda one: (one.pnl != one.pnl, one.pnl))
    return {
        "empty": empty,
        "scenarios": [
            {"name": one.name, "title": SCENARIOS.get(one.name, (one.name, ""))[0],
             "assumes": SCENARIOS.get(one.name, ("", one.assumes))[1], "pnl": one.pnl,
             "share": one.fraction, "worst": one.worst, "note": one.note}
            for one in order
        ],
    }  # fmt: skip
