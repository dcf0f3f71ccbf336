"""What walking forward found: promised and kept, fold by fold, and the curve out of sample."""

import math
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from app.components.language import phrase
from app.components.metric_words import label, written
from app.components.research_part import StudyResult, part_module, part_style, told_of
from app.research_jobs import Walked
from opportunity.backtest.tables import thin
from opportunity.contracts import DETECTOR_NAMES

if TYPE_CHECKING:
    from opportunity.backtest.walked import WalkForward

POINTS: Final = 700
KEPT: Final = 0.5
"""Part of what was promised that must be kept for a choice to have been worth making."""


class WalkForwardResult(StudyResult):
    """Verdict, curve, folds, and a heat map of what each fold chose."""

    _esm = part_module("walk_forward_result")
    _stylesheets: ClassVar[list[str]] = [part_style("walk_forward_result")]


def walk_forward_state(id: str, walked: Walked) -> dict[str, Any]:
    """Return what is shown of a walk-forward; may take 50 ms."""
    found = walked.result
    tone, verdict, more = _verdict(found)
    at = np.union1d(thin(found.equity, POINTS // 2), thin(found.equal_equity, POINTS // 2))
    return told_of(id, walked.plan, found.source) | {
        "aim": label(found.objective), "cash": found.cash,
        "tone": tone, "verdict": verdict, "more": more, "facts": _facts(found),
        "curve": {
            "time": found.time[at].tolist(),
            "equity": np.round(found.equity[at], 2).tolist(),
            "equal": np.round(found.equal_equity[at], 2).tolist(),
        },
        "folds": _folds(found),
        "weights": [
            {"name": name, "shares": np.round(found.weights[:, i], 4).tolist()}
            for i, name in enumerate(DETECTOR_NAMES)
        ],
    }  # fmt: skip


def _verdict(
    found: "WalkForward",
) -> tuple[int, dict[str, Any], dict[str, Any]]:
    counted = phrase("{n} trials on this data so far", n=f"{found.trials.n:,}")
    earned, equal = (float(c[-1]) / found.cash - 1.0 for c in (found.equity, found.equal_equity))
    if not earned > 0:
        return -1, phrase(
            "Out of sample it lost {loss}: the search found nothing that lasts.",
            loss=written("volatility", -earned),
        ), counted
    if not earned > equal:
        return -1, phrase("Equal weights did better out of sample: the search was no use."), counted
    if not found.efficiency >= KEPT:
        return 0, phrase(
            "It earned {gain} out of sample, but kept little of what was promised.",
            gain=written("volatility", earned),
        ), counted
    return 1, phrase(
        "It earned {gain} out of sample and kept what was promised.",
        gain=written("volatility", earned),
    ), counted


def _facts(found: "WalkForward") -> list[list[Any]]:
    earned, equal = (float(c[-1]) / found.cash - 1.0 for c in (found.equity, found.equal_equity))
    return [
        [phrase("Return out of sample"), written("total_return", earned),
         phrase("Of all tests joined: what somebody had earned who chose anew before each."),
         _sign(earned)],
        [phrase("With equal weights"), written("total_return", equal),
         phrase("The same without any search."),
         _sign(equal)],
        [phrase("Promised"), written("sharpe", found.in_sample),
         phrase("Mean value of the choices where they were made.")],
        [phrase("Kept"), written("sharpe", found.out_of_sample),
         phrase("Mean value of the choices on the bars after.")],
        [phrase("Kept of promised"), written("efficiency", found.efficiency),
         phrase("Near 1 is good; near 0 or below means luck.")],
        [phrase("Stability"), written("stability", found.stability),
         phrase("Share of the weight that stays from one choice to the next.")],
        [phrase("Trades"), f"{found.trades:,}", phrase("Closed out of sample.")],
    ]  # fmt: skip


def _folds(found: "WalkForward") -> list[dict[str, Any]]:
    frame = found.to_frame()
    return [
        {
            "first": round(row["test_first"].timestamp() * 1_000),
            "last": round(row["test_last"].timestamp() * 1_000),
            "judged": int(row["judged"]), "found": bool(row["found"]),
            "promised": _plain(row["in_sample"]), "kept": _plain(row["out_of_sample"]),
            "equal": _plain(row["equal_weights"]),
            **{n: _plain(row[n]) for n in ("total_return", "max_drawdown", "trades")},
        }
        for _, row in frame.iterrows()
    ]  # fmt: skip


def _plain(value: float) -> float | None:
    return round(float(value), 5) if math.isfinite(value) else None


def _sign(value: float) -> int:
    return int(np.sign(value)) if math.isfinite(value) else 0
