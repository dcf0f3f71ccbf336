"""How signals turned out, in a row of figures: hit rate, R, moves, and what waits."""

from typing import Any, ClassVar

import param

from app.components.island import Island, module, style
from app.components.journal_words import average_state
from app.journal_figures import Verdict
from opportunity.scoring.aftermath import HORIZONS
from opportunity.storage.outcomes import Tally


class JournalSummary(Island):
    """Figures of all signals; the horizon of the page is chosen here."""

    state = param.String("{}", doc="What is shown, JSON; see `summary_state`.")
    horizon: Any = param.Selector(default=24, objects=list(HORIZONS))
    problem = param.String("", doc="Why nothing could be read; empty while all is well.")

    _fill = "stretch_width"
    _esm = module("journal_summary")
    _stylesheets: ClassVar[list[str]] = [style("journal_summary")]


def summary_state(
    tally: Tally, parts: dict[str, Verdict], horizon: int, timeframe: str, about: dict[str, Any]
) -> dict[str, Any]:
    """Return what `JournalSummary` shows.

    Parameters
    ----------
    tally : Tally
        Counts of all candidates.
    parts : dict of Verdict
        By ``all``, ``entered``, ``untraded``, ``bullish`` and ``bearish``.
    horizon : int
        Decision bars.
    timeframe : str
        Of decisions.
    about : dict
        `source`, `error`, `first` and `last` (decision closes, ms UTC, or None).
    """
    judged, unknown = tally.judged.get(horizon, 0), tally.unknown.get(horizon, 0)
    return {
        **about,
        "timeframe": timeframe,
        "horizon": horizon,
        "horizons": list(HORIZONS),
        "n": tally.n_candidates,
        "judged": judged,
        "open": tally.n_candidates - judged - unknown,
        "unknown": unknown,
        "parts": {
            name: {
                "hit": average_state(one.hit_rate),
                "r": average_state(one.mean_r),
                "move": average_state(one.move_atr),
            }
            for name, one in parts.items()
        },
    }
