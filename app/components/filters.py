"""Which rows of the scanner's table are shown: what the page's filters, and its address, ask for.

The browser filters the rows that it has; this is the same for rows that did not all travel.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.strategy import Evaluation

SIDES: Final = ("all", "bullish", "bearish")
CHANGES: Final = ("any", "gainers", "losers", "movers")
AGREEMENTS: Final = ("any", "majority", "full")
WORDS: Final[dict[str, tuple[str, ...]]] = {
    "side": SIDES, "change": CHANGES, "agree": AGREEMENTS,
}  # fmt: skip

MOVE: Final = 0.05
"""Change in 24 hours beyond which a symbol is a big mover."""

SPEAKS: Final = 0.05
"""Score in [-1, 1] from which a detector counts as an active signal."""

MOST_TEXT: Final = 64


@dataclass(frozen=True, slots=True)
class Filters:
    """What a row must fulfil to be shown; the defaults let every row through.

    Parameters
    ----------
    q : str
        Part of a symbol.
    side : str
        One of `SIDES`.
    conf, low, high : float
        Least confidence; least and greatest combined score; [0, 1].
    change : str
        One of `CHANGES`, by the change in 24 hours.
    volume : float
        Least traded value of 24 hours, quote currency; an unknown one fails unless this is 0.
    active : int
        Least number of detectors, 0 to 9, that speak for the symbol's side.
    agree : str
        Timeframes on the symbol's side: `any`, at least half of those that scored, or all.
    list : str
        Name of a watchlist; empty for all symbols.
    passed : bool
        Only symbols that pass the scan's rules.
    """

    q: str = ""
    side: str = "all"
    conf: float = 0.0
    low: float = 0.0
    high: float = 1.0
    change: str = "any"
    volume: float = 0.0
    active: int = 0
    agree: str = "any"
    list: str = ""
    passed: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Filters":
        """Return filters from what a browser or an address says; what makes no sense is left out.

        Examples
        --------
        >>> Filters.of({"side": "bullish", "conf": "0.4", "agree": "most"})
        Filters(q='', side='bullish', conf=0.4, low=0.0, high=1.0, change='any', volume=0.0, \
active=0, agree='any', list='', passed=False)
        """
        kept = {f.name: _read(f.name, values[f.name]) for f in fields(cls) if f.name in values}
        return cls(**{name: value for name, value in kept.items() if value is not None})

    def changed(self) -> dict[str, Any]:
        """Return what differs from the defaults."""
        plain = asdict(Filters())
        return {name: value for name, value in asdict(self).items() if value != plain[name]}


def _read(name: str, value: Any) -> Any:
    """Return a checked value, None where it is none."""
    if name in WORDS:
        return value if value in WORDS[name] else None
    if name in ("q", "list"):
        return str(value)[:MOST_TEXT]
    if name == "passed":
        return value in (True, "true", "1")
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    if not math.isfinite(number):
        return None
    if name == "active":
        return int(min(9, max(0, number)))
    return max(0.0, number) if name == "volume" else min(1.0, max(0.0, number))


def wanted(
    evaluation: Evaluation, order: NDArray[np.int64], filters: Filters,
    members: Collection[str] | None = None,
) -> NDArray[np.bool_]:
    """Tell which of the symbols at `order` are to be shown.

    Parameters
    ----------
    evaluation : Evaluation
        Of all symbols.
    order : ndarray of int64, shape (n,)
        Places in its axes.
    filters : Filters
        What is asked for.
    members : collection of str, optional
        Symbols of the watchlist that `filters.list` names.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    together, snapshot = evaluation.consensus, evaluation.snapshot
    side = together.direction[order]
    change, score = snapshot.change_24h[order], together.final[order]
    keep = np.nan_to_num(together.confidence[order]) >= filters.conf
    keep &= (score >= filters.low) & (score <= filters.high)
    if filters.side != "all":
        keep &= side == (1 if filters.side == "bullish" else -1)
    if filters.change != "any":
        moved = {"gainers": change > 0, "losers": change < 0, "movers": np.abs(change) > MOVE}
        keep &= moved[filters.change]
    if filters.volume > 0:
        keep &= snapshot.volume_24h[order] >= filters.volume
    if filters.passed:
        keep &= evaluation.stops[order] == 0
    if filters.active:
        keep &= _active(evaluation, order, side) >= filters.active
    if filters.agree != "any":
        keep &= _agreed(evaluation, order, side, filters.agree)
    keep &= _named([snapshot.symbols[i] for i in order.tolist()], filters, members)
    kept: NDArray[np.bool_] = keep
    return kept


def _active(
    evaluation: Evaluation, order: NDArray[np.int64], side: NDArray[Any]
) -> NDArray[np.int64]:
    says = np.nan_to_num(np.round(evaluation.consensus.components[order], 2))
    along = np.where(side[:, None] == 0, np.abs(says), says * side[:, None])
    count: NDArray[np.int64] = (along >= SPEAKS).sum(axis=1)
    return count


def _agreed(
    evaluation: Evaluation, order: NDArray[np.int64], side: NDArray[Any], how: str
) -> NDArray[np.bool_]:
    combined = evaluation.combined
    scored = (~np.isnan(combined.final[order])).sum(axis=1)
    on = ((combined.direction[order] == side[:, None]) & (side[:, None] != 0)).sum(axis=1)
    enough: NDArray[np.bool_] = (on == scored) if how == "full" else (2 * on >= scored)
    enough &= on > 0
    return enough


def _named(
    names: Sequence[str], filters: Filters, members: Collection[str] | None
) -> NDArray[np.bool_]:
    text = "".join(c for c in filters.q.upper() if c.isalnum())
    there = None if members is None or not filters.list else frozenset(members)
    return np.array([
        (not text or text in name.replace("/", "")) and (there is None or name in there)
        for name in names
    ], np.bool_)
