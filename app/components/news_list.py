"""Headlines of the last days: what they say, how much it counts, and of which symbols."""

from typing import Any, ClassVar, Final

import param

from app.components.island import Island, module, style
from opportunity.live.surroundings import Surroundings

IMPACTS: Final = ("all", "high", "medium", "low")
TONES: Final = ("all", "bullish", "bearish")


class NewsList(Island):
    """The headlines, to filter by symbol, impact and tone."""

    state = param.String("{}", doc="What is shown, JSON; see `news_state`.")
    clock = param.Integer(0, doc="Market time, ms UTC: what ages are counted to.")
    symbol = param.String("", doc="Symbol that is chosen; empty for all.")
    impact: Any = param.Selector(default="all", objects=list(IMPACTS))
    tone: Any = param.Selector(default="all", objects=list(TONES))

    _fill = "stretch_both"
    _esm = module("news_list")
    _stylesheets: ClassVar[list[str]] = [style("news_list")]


def news_state(found: Surroundings | None) -> dict[str, Any]:
    """Return what `NewsList` shows.

    Titles and publishers are as they came: show them as text, never as markup.

    Parameters
    ----------
    found : Surroundings or None
        None while the agent warms up.

    Returns
    -------
    dict
        `stamp`, `symbols` and `items`, newest first: `title`, `publisher`, `tone` in [-1, 1],
        `impact` (high, medium or low), `symbols` that it names (none: the market), `publishers`
        that told it, `trust` in [0, 1], `known` and `written`, ms UTC. Empty for None.
    """
    if found is None:
        return {}
    return {
        "stamp": found.source,
        "symbols": list(found.symbols),
        "items": [
            {
                "title": told.item.title,
                "publisher": told.item.publisher,
                "tone": round(told.item.tone, 2),
                "impact": _impact(told.item.impact),
                "symbols": list(told.symbols),
                "publishers": told.item.n_publishers,
                "trust": round(told.item.trust, 2),
                "known": told.item.known_at,
                "written": told.item.event_time,
            }
            for told in found.headlines
        ],
    }


def _impact(value: float) -> str:
    return "high" if value >= 1.0 else "medium" if value >= 0.6 else "low"
