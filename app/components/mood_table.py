"""What moods, headlines and large traders say of each symbol."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import param

from app.components.island import Island, module, style
from opportunity.contracts import DETECTOR_NAMES
from opportunity.live.surroundings import Surroundings
from opportunity.strategy import Evaluation

SAYING: Final = ("sentiment", "news", "whales")
"""Detectors that read what is not in bars."""


class MoodTable(Island):
    """One row a symbol; a press chooses the symbol for the page."""

    state = param.String("{}", doc="What is shown, JSON; see `mood_rows`.")
    symbol = param.String("", doc="Symbol that is chosen; empty for all.")

    _fill = "stretch_both"
    _esm = module("mood_table")
    _stylesheets: ClassVar[list[str]] = [style("mood_table")]


def mood_rows(found: Surroundings | None, judged: Evaluation | None) -> dict[str, Any]:
    """Return what `MoodTable` shows.

    Parameters
    ----------
    found : Surroundings or None
        None while the agent warms up.
    judged : Evaluation or None
        Gives what the detectors say, over all timeframes together.

    Returns
    -------
    dict
        `rows` by symbol: `sentiment`, `news` and `whales` in [-1, 1], `funding` as a percentile
        of 90 days, `interest` and `accounts` in standard deviations from usual; None for what
        is not known. Empty for None.
    """
    if found is None:
        return {}
    rows = []
    for one in found.contexts:
        said = _said(judged, one.symbol)
        rows.append({
            "symbol": one.symbol,
            **dict(zip(SAYING, said, strict=True)),
            "funding": _number(50 * (1 + one.funding)),
            "interest": _number(one.open_interest),
            "accounts": _number(one.long_short),
        })  # fmt: skip
    return {"stamp": found.source, "rows": rows}


def _said(judged: Evaluation | None, symbol: str) -> Sequence[float | None]:
    if judged is None or symbol not in judged.snapshot.symbols:
        return (None,) * len(SAYING)
    row = judged.consensus.components[judged.snapshot.symbols.index(symbol)]
    return [_number(float(row[DETECTOR_NAMES.index(name)])) for name in SAYING]


def _number(value: float) -> float | None:
    return value if value == value else None
