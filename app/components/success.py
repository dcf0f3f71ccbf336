"""Success in words: the calibrated probability of a direction, honestly worded near a half."""

import math
from typing import Any, Final

from app.components.language import phrase
from opportunity.strategy import Evaluation

EVEN: Final = 0.03
"""So near to a half a probability is no better than a coin, for all that was learned."""


def verdict(success: float) -> Any:
    """Say when a probability is hardly one side or the other; empty when it says it itself."""
    if abs(success - 0.5) < EVEN:
        return phrase("about even odds")
    return phrase("more often wrong than right") if success < 0.5 else ""


def success_line(found: Evaluation, at: tuple[int, int]) -> list[Any]:
    """Say how often such calls were right, for one stream and for its symbol.

    Parameters
    ----------
    found : Evaluation
        Of any weights.
    at : tuple of int
        Symbol and timeframe of the stream.

    Returns
    -------
    list of phrase
        Empty where neither calls a direction; why it is uncalibrated where a direction is called
        and nothing fits.
    """
    i, f = at
    called = bool(found.combined.direction[at]), bool(found.consensus.direction[i])
    one, whole = float(found.stream_success[at]), float(found.success[i])
    frame = found.snapshot.timeframes[f]
    told: list[tuple[Any, Any]] = []
    if called[0] and math.isfinite(one):
        said = phrase("Success {frame} {value} %", frame=frame, value=f"{100 * one:.0f}")
        told.append((said, verdict(one)))
    if called[1] and math.isfinite(whole):
        said = phrase("overall {value} %", value=f"{100 * whole:.0f}")
        told.append((said, verdict(whole)))
    known = found.calibration
    if told and known is not None:
        ends = phrase("calibrated on {n} symbols", n=len(known.symbols))
        return [*_judged(told), ends]
    if not any(called):
        return []
    note = found.success_note(i) if called[1] else found.uncalibrated
    return [phrase("Success {note}", note=note)] if note else []


def _judged(told: list[tuple[Any, Any]]) -> list[Any]:
    """Put each verdict behind the last probability that it is about."""
    said = []
    for k, (words, judged) in enumerate(told):
        last = k + 1 == len(told) or told[k + 1][1] != judged
        both = judged and last
        said.append(phrase("{said}: {verdict}", said=words, verdict=judged) if both else words)
    return said
