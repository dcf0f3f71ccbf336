"""What is left of weights under other costs and later decisions, as a heat map with a verdict."""

import math
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from app.components.language import phrase
from app.components.metric_words import SHARES, label
from app.components.research_part import StudyResult, part_module, part_style, told_of
from app.research_jobs import Stressed

if TYPE_CHECKING:
    from opportunity.backtest.surface import Surface

SAFE: Final = 2.0
"""Times the assumed costs that an edge must survive."""


class SweepSurface(StudyResult):
    """Metrics over costs and delay, and where nothing is earned any more."""

    _esm = part_module("sweep_surface")
    _stylesheets: ClassVar[list[str]] = [part_style("sweep_surface")]


def surface_state(id: str, stressed: Stressed) -> dict[str, Any]:
    """Return what is shown of a surface."""
    found = stressed.result
    tone, verdict, more = _verdict(found)
    return told_of(id, stressed.plan, found.source) | {
        "tone": tone, "verdict": verdict, "more": more,
        "multiples": list(found.multiples), "delays": list(found.delays),
        "metrics": [[name, label(name)] for name in found.values],
        "shares": sorted(SHARES & set(found.values)),
        "values": {
            name: [[_plain(v) for v in row] for row in table.tolist()]
            for name, table in found.values.items()
        },
        "cost": found.costs.fee + found.costs.slip,
        "even": [
            [_late(delay), *_break_even(times, cost)]
            for delay, times, cost in zip(
                found.delays, found.break_even.tolist(), found.break_even_cost.tolist(),
                strict=True,
            )
        ],
    }  # fmt: skip


def _verdict(found: "Surface") -> tuple[int, dict[str, Any], dict[str, Any] | str]:
    even = found.break_even
    late = float(even[1]) if len(even) > 1 else math.nan
    if not even[0] >= 1.0:
        return -1, phrase("At the costs assumed nothing is earned."), ""
    if even[0] >= SAFE and (late >= 1.0 or math.isnan(late)):
        return 1, phrase("The edge survives twice the costs and one bar of delay."), ""
    if even[0] >= SAFE:
        return -1, phrase("One bar later nothing is earned: the edge is too quick."), ""
    return -1, phrase(
        "The edge is gone at {times} times the costs assumed.", times=f"{even[0]:.2f}"
    ), phrase("An edge that does not survive twice the costs is none.")


def _late(bars: int) -> dict[str, Any]:
    if bars == 0:
        return phrase("at once")
    return phrase("1 bar late") if bars == 1 else phrase("{n} bars late", n=bars)


def _break_even(times: float, cost: float) -> tuple[Any, int]:
    if math.isnan(times):
        return "\N{EN DASH}", 0
    if times == 0:
        return phrase("never"), -1
    if math.isinf(times):
        return phrase("always"), 1
    return f"\N{MULTIPLICATION SIGN} {times:.2f} · {100 * cost:.3f} %", int(np.sign(times - 1.0))


def _plain(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None
