"""Success in words: the calibrated probability of a direction, honestly worded near a half."""

import math
from typing import Final

from opportunity.strategy import Evaluation

EVEN: Final = 0.03
"""So near to a half a probability is no better than a coin, for all that was learned."""


def verdict(success: float) -> str:
    """Say when a probability is hardly one side or the other; empty when it says it itself."""
    if abs(success - 0.5) < EVEN:
        return "about even odds"
    return "more often wrong than right" if success < 0.5 else ""


def success_line(found: Evaluation, at: tuple[int, int]) -> str:
    """Say how often such calls were right, for one stream and for its symbol.

    Parameters
    ----------
    found : Evaluation
        Of any weights.
    at : tuple of int
        Symbol and timeframe of the stream.

    Returns
    -------
    str
        Empty where neither calls a direction; ``Success uncalibrated: reason`` where a
        direction is called and nothing fits.
    """
    i, f = at
    called = bool(found.combined.direction[at]), bool(found.consensus.direction[i])
    one, whole = float(found.stream_success[at]), float(found.success[i])
    told: dict[str, list[str]] = {}
    for name, value, wanted in (
        (found.snapshot.timeframes[f], one, called[0]), ("overall", whole, called[1])
    ):
        if wanted and math.isfinite(value):
            told.setdefault(verdict(value), []).append(f"{name} {100 * value:.0f} %")
    known = found.calibration
    if told and known is not None:
        parts = [", ".join(v) + (f": {why}" if why else "") for why, v in told.items()]
        return f"Success {' · '.join(parts)} (calibrated on {len(known.symbols)} symbols)"
    if not any(called):
        return ""
    note = found.success_note(i) if called[1] else found.uncalibrated
    return f"Success {note}" if note else ""
