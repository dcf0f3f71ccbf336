"""What calibration found: whether what was stated came true, by timeframe, before and after."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from app.components.language import phrase
from app.components.research_part import StudyResult, part_module, part_style, told_of
from app.research_jobs import Calibrated

if TYPE_CHECKING:
    from opportunity.scoring.measured import Measured
    from opportunity.scoring.reliability import Reliability


class CalibrationResult(StudyResult):
    """A reliability diagram and its numbers for each timeframe."""

    _esm = part_module("calibration_result")
    _stylesheets: ClassVar[list[str]] = [part_style("calibration_result")]


def calibration_state(id: str, calibrated: Calibrated) -> dict[str, Any]:
    """Return what is shown of a calibration."""
    found = calibrated.result
    frames = []
    for name, measured in found.measured.items():
        tone, verdict = reliability_verdict(measured)
        made = found.calibrators[name]
        frames.append({
            "name": name, "calls": made.n_calls, "worth": made.n_effective,
            "hit_rate": made.hit_rate, "tone": tone, "verdict": verdict,
            "before": _curve(measured.final), "after": _curve(measured.success),
        })  # fmt: skip
    unmeasured = {
        name: "calls are too few to measure" for name in found.calibrators
        if name not in found.measured
    }  # fmt: skip
    parts: list[Mapping[Any, str]] = [found.refused, unmeasured, found.errors]
    return told_of(id, calibrated.plan, found.source) | {
        "frames": frames,
        "refused": [[str(name), why] for part in parts for name, why in part.items()],
    }  # fmt: skip


def reliability_verdict(measured: "Measured") -> tuple[int, dict[str, Any]]:
    """Say in words whether probabilities can be taken at their word, and whether they help."""
    after = measured.success
    if after.ece > after.ece_chance:
        return -1, phrase(
            "What is stated is off by {points} points on average, more than chance explains.",
            points=f"{100 * after.ece:.1f}",
        )
    low, _ = measured.gain_within
    if after.skill > 0 and low > 0:
        return 1, phrase("What is stated comes true, and it tells more than the plain hit rate.")
    return 0, phrase(
        "What is stated comes true, but it tells no more than the plain hit rate of {rate}.",
        rate=f"{after.hit_rate:.1%}".replace("%", " %"),
    )


def _curve(found: "Reliability") -> dict[str, Any]:
    return {
        **{
            name: np.round(getattr(found, name), 4).tolist()
            for name in ("stated", "observed", "low", "high")
        },
        "count": found.count.tolist(),
        **{
            name: getattr(found, name)
            for name in ("brier", "ece", "ece_chance", "log_loss", "auc", "skill", "hit_rate", "n")
        },
    }  # fmt: skip
