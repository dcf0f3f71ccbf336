"""What each detector knew: hit rate, information coefficient, and whether it knows less now."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

import param

from app.components.island import Island, module, style
from app.components.journal_words import average_state, number
from app.journal_figures import SCORE, DetectorVerdict
from opportunity.scoring.decay import LIMIT, REFERENCE, RUN_LENGTH, Decay

MOST_WINDOWS: Final = 60


class DecayTable(Island):
    """One row a detector, with the line of its windows and its alarms."""

    state = param.String("{}", doc="What is shown, JSON; see `decay_state`.")

    _fill = "stretch_width"
    _esm = module("decay")
    _stylesheets: ClassVar[list[str]] = [style("decay")]


def decay_state(
    verdicts: Sequence[DetectorVerdict], decays: Mapping[str, Decay], window_ms: int, horizon: int
) -> dict[str, Any]:
    """Return what `DecayTable` shows.

    Parameters
    ----------
    verdicts : sequence of DetectorVerdict
        The whole score is one of them.
    decays : mapping
        By detector; empty while no window is over.
    window_ms : int
        Length of a window.
    horizon : int
        Decision bars that the verdicts are about.
    """
    return {
        "horizon": horizon,
        "window_ms": window_ms,
        "limit": LIMIT,
        "reference": REFERENCE,
        "run_length": RUN_LENGTH,
        "rows": [_row(one, decays.get(one.verdict.name)) for one in verdicts],
    }


def _row(one: DetectorVerdict, decay: Decay | None) -> dict[str, Any]:
    return {
        "name": one.verdict.name,
        "whole": one.verdict.name == SCORE,
        "hit": average_state(one.verdict.hit_rate),
        "r": average_state(one.verdict.mean_r),
        "agreed": number(one.agreed),
        "information": number(one.information),
        **(_windows(decay) if decay is not None and decay.start.size else _NONE),
    }


_NONE: Final[dict[str, Any]] = {
    "start": [], "coefficient": [], "alarm": [], "mean": None, "fall": None, "alarms": [],
}  # fmt: skip


def _windows(decay: Decay) -> dict[str, Any]:
    return {
        "start": decay.start[-MOST_WINDOWS:].tolist(),
        "coefficient": [round(v, 4) for v in decay.coefficient[-MOST_WINDOWS:].tolist()],
        "alarm": decay.alarm[-MOST_WINDOWS:].tolist(),
        "mean": number(decay.mean),
        "fall": float(decay.fall[-1]),
        "alarms": decay.start[decay.alarm].tolist(),
    }
