"""Fear & Greed of the market: a gauge, and how it came here."""

from typing import Any, ClassVar, Final

import param

from app.components.island import Island, module, style
from app.components.language import phrase
from opportunity.live.context import MOODS
from opportunity.live.surroundings import Surroundings

MOOD_WORDS: Final = {
    "extreme fear": phrase("Extreme fear"),
    "fear": phrase("Fear"),
    "neutral": phrase("Neutral"),
    "greed": phrase("Greed"),
    "extreme greed": phrase("Extreme greed"),
}
"""Classes of the index as people read them."""


class MoodGauge(Island):
    """Gauge and history of Fear & Greed, with its age and where it is from."""

    state = param.String("{}", doc="What is shown, JSON; see `mood_state`.")
    problem = param.String("", doc="Why nothing could be read; empty while all is well.")
    clock = param.Integer(0, doc="Market time, ms UTC: what ages are counted to.")

    _fill = "stretch_width"
    _esm = module("mood_gauge")
    _stylesheets: ClassVar[list[str]] = [style("mood_gauge")]


def mood_state(found: Surroundings | None) -> dict[str, Any]:
    """Return what `MoodGauge` shows.

    Parameters
    ----------
    found : Surroundings or None
        None while the agent warms up.

    Returns
    -------
    dict
        `value`, 0 to 100, with its `mood` in words, `known` since when and `source`; `change`
        in seven days; `time` (days, ms UTC) and `values` of the history; `ends` of the classes;
        empty for None. None where nothing is known.
    """
    if found is None:
        return {}
    by_day = {one.event_time: one for one in found.moods}
    newest = max(found.moods, key=lambda one: one.available_at, default=None)
    context = found.contexts[0] if found.contexts else None
    known = context is not None and bool(context.mood)
    value = None
    if context is not None and known:
        value = context.fear_greed
    elif newest is not None:
        value = float(newest.value)  # of a source that has fallen silent
    return {
        "stamp": found.source,
        "value": value,
        "mood": _words(value),
        "current": known,
        "change": _number(context.fear_greed_change) if context is not None and known else None,
        "known": None if newest is None else newest.available_at,
        "source": "" if newest is None else newest.source,
        "time": [day for day, _ in sorted(by_day.items())],
        "values": [one.value for _, one in sorted(by_day.items())],
        "ends": [end for end, _ in MOODS],
        "problem": found.problem,
    }


def _words(value: float | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return MOOD_WORDS[next((name for end, name in MOODS if value < end), "extreme greed")]


def _number(value: float) -> float | None:
    return value if value == value else None
