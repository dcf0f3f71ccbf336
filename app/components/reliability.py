"""Whether what is stated holds: curve, Brier score taken apart, and the running trial."""

from typing import Any, ClassVar

import param

from app.components.island import Island, module, style
from app.components.journal_words import number
from opportunity.scoring.reliability import Reliability
from opportunity.scoring.trial import ALPHA, Trial


class ReliabilityCurve(Island):
    """The curve of stated success or of confidence, with what it says in words."""

    state = param.String("{}", doc="What is shown, JSON; see `reliability_state`.")

    _fill = "stretch_width"
    _esm = module("reliability")
    _stylesheets: ClassVar[list[str]] = [style("reliability")]


def reliability_state(
    success: Reliability | None, confidence: Reliability | None, n: int, horizon: int,
    trial: Trial | None,
) -> dict[str, Any]:  # fmt: skip
    """Return what `ReliabilityCurve` shows.

    Parameters
    ----------
    success, confidence : Reliability or None
        None for too few outcomes.
    n, horizon : int
        Judged ideas, and the decision bars after which they were.
    trial : Trial or None
        Of the stated success, since it was learned.
    """
    return {
        "n": n,
        "horizon": horizon,
        "success": _curve(success),
        "confidence": _curve(confidence),
        "trial": _trial(trial),
    }


def _curve(found: Reliability | None) -> dict[str, Any] | None:
    if found is None:
        return None
    bounds = {name: [number(low), number(high)] for name, (low, high) in found.intervals.items()}
    return {
        "n": found.n,
        "bins": [
            {"n": n, "stated": s, "observed": o, "low": number(low), "high": number(high)}
            for n, s, o, low, high in zip(
                found.count.tolist(), found.stated.tolist(), found.observed.tolist(),
                found.low.tolist(), found.high.tolist(), strict=True,
            )
        ],
        "hit_rate": found.hit_rate,
        "brier": found.brier,
        "miscalibration": found.miscalibration,
        "resolution": found.resolution,
        "uncertainty": found.uncertainty,
        "within": found.within_variance - found.within_covariance,
        "skill": number(found.skill),
        "ece": found.ece,
        "ece_chance": number(found.ece_chance),
        "log_loss": found.log_loss,
        "auc": number(found.auc),
        "bounds": bounds,
    }  # fmt: skip


def _trial(found: Trial | None) -> dict[str, Any] | None:
    if found is None or not found.n:
        return None
    return {
        "n": found.n,
        "cells": int(found.ends.size),
        "shift": float(found.shift.mean()),
        "evidence": float(found.evidence[-1]),
        "limit": 1.0 / ALPHA,
        "off": found.off,
    }
