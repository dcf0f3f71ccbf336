"""How much each timeframe counts in a symbol's score: shown, changed for everybody, reset."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.components.desk import Desk, desk_module
from opportunity.scoring.consensus import TIMEFRAME_WEIGHTS


def frames_state(timeframes: Sequence[str], changed: Mapping[str, float]) -> dict[str, Any]:
    """Return the weights of the timeframes that are scored, and what they are by default."""
    usual = {str(t): w for t, w in TIMEFRAME_WEIGHTS.items()}
    return {
        "frames": [
            {"frame": t, "weight": changed.get(t, usual[t]), "usual": usual[t]}
            for t in timeframes
        ],
        "changed": dict(changed),
    }


class FrameWeights(Desk):
    """Show `frames_state`; asks `apply` {weights}, where {} goes back to the defaults."""

    _esm = desk_module("frame_weights")
