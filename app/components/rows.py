"""Rows of the scanner's table, from an evaluation's arrays: no Python object per symbol."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.components.labels import LABELS, UNTOLD, badge
from opportunity.market.bars import FloatArray
from opportunity.scoring.consensus import ACTIONS
from opportunity.scoring.rules import RISK_LEVELS, STOPS, risk_level
from opportunity.strategy import Evaluation

PARTS: Final = [*LABELS.values(), "ICT"]
"""Names of a row's `parts`."""

LIMIT: Final = 300
"""Rows that travel to a browser; filters are applied before the cut when there are more."""

FIELDS: Final = (
    "rank", "symbol", "price", "change", "score", "direction", "confidence", "frames", "badges",
    "stopped", "action", "risk", "consensus", "volume", "ranked", "success", "parts", "trust",
    "doubt",
)
"""Order of the values of one row; the browser reads them by place."""

STOPPED: Final = {
    "unscored": "no score yet",
    "excluded": "excluded by name",
    "neutral": "no direction",
    "direction": "other direction than the rules ask for",
    "strength": "too weak on its timeframes",
    "confidence": "confidence too low",
    "risk": "risk too high",
    "volume": "too little volume",
    "trust": "its data cannot be trusted enough",
}
"""What a rule that stopped a symbol is called, by its name in `STOPS`."""


def table_state(
    evaluation: Evaluation | None,
    limit: int = LIMIT,
    query: str = "",
    side: str = "all",
    min_confidence: float = 0.0,
    draft: bool = False,
    held_up: str = "",
) -> dict[str, Any]:
    """Return what `SignalTable` shows.

    Parameters
    ----------
    evaluation : Evaluation or None
        None while nothing is scored.
    limit : int
        Most rows to send. Only when there are more do the three filters choose which.
    query, side, min_confidence
        What the browser filters by.
    draft : bool
        Whether these are somebody's draft weights and not the shared ones.
    held_up : str
        What a first scan waits for, besides bars.

    Returns
    -------
    dict
        `frames`, `rows` (values in the order of `FIELDS`), `total`, `passed`, `draft`, `parts`
        (names), `uncalibrated` (why no success is known, empty where it is) and `held_up`. The
        order is the ranking, then the symbols that a rule stopped by the same key.
    """
    if evaluation is None:
        return {
            "frames": [], "rows": [], "total": 0, "passed": 0, "draft": draft, "parts": PARTS,
            "uncalibrated": "", "held_up": held_up,
        }
    order = ranking(evaluation)
    total = int(order.size)
    if total > limit:
        order = order[_wanted(evaluation, order, query, side, min_confidence)][:limit]
    return {
        "frames": list(evaluation.snapshot.timeframes),
        "rows": rows(evaluation, order),
        "total": total,
        "passed": int(evaluation.order.size),
        "draft": draft,
        "parts": PARTS,
        "uncalibrated": evaluation.uncalibrated,
        "held_up": "",
    }


def ranking(evaluation: Evaluation) -> NDArray[np.int64]:
    """Return all scored symbols: the ranked ones, then those that a rule stopped, best first."""
    stopped = np.flatnonzero((evaluation.stops != 0) & (evaluation.consensus.count > 0))
    by_key = np.argsort(-evaluation.key[stopped], kind="stable")
    return np.concatenate([evaluation.order, stopped[by_key]]).astype(np.int64)


def rows(evaluation: Evaluation, order: NDArray[np.int64]) -> list[list[Any]]:
    """Return the values of the symbols at `order`, one list a row, by `FIELDS`."""
    snapshot, together = evaluation.snapshot, evaluation.consensus
    columns = [
        np.arange(1, order.size + 1).tolist(),
        [snapshot.symbols[i] for i in order.tolist()],
        _plain(snapshot.price[order]),
        _plain(snapshot.change_24h[order], 4),
        _plain(together.final[order], 3),
        together.direction[order].tolist(),
        _plain(together.confidence[order], 3),
        _frames(evaluation, order),
        [_badges(snapshot.patterns[i]) for i in order.tolist()],
        [_stopped(int(mask)) for mask in evaluation.stops[order]],
        [ACTIONS[a + 2] for a in together.action[order].tolist()],
        [RISK_LEVELS[k] if k >= 0 else "UNKNOWN" for k in risk_level(evaluation.risk[order])],
        _plain(together.consensus[order], 3),
        _plain(snapshot.volume_24h[order], 0),
        (evaluation.stops[order] == 0).tolist(),
        _plain(evaluation.success[order], 3),
        _parts(evaluation, order),
        _plain(evaluation.trust[order], 3),
        [evaluation.trust_note(i) for i in order.tolist()],
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _frames(evaluation: Evaluation, order: NDArray[np.int64]) -> list[list[Any]]:
    """Direction, score and confidence of each timeframe; None where it has not scored."""
    combined = evaluation.combined
    sides = combined.direction[order].tolist()
    finals = np.round(combined.final[order], 3).tolist()
    trusts = np.round(combined.confidence[order], 3).tolist()
    return [
        [[d, f, c] if f == f else None for d, f, c in zip(*row, strict=True)]
        for row in zip(sides, finals, trusts, strict=True)
    ]


def _parts(evaluation: Evaluation, order: NDArray[np.int64]) -> list[list[float | None]]:
    """Return what each detector says over all timeframes, and the ICT part, in [-1, 1]."""
    together = evaluation.consensus.components[order]
    ict = evaluation.ict[order, None]
    return [_plain(row, 2) for row in np.concatenate([together, ict], axis=1)]


def _wanted(
    evaluation: Evaluation, order: NDArray[np.int64], query: str, side: str, least: float
) -> NDArray[np.bool_]:
    together, wanted = evaluation.consensus, np.ones(order.size, np.bool_)
    text = "".join(c for c in query.upper() if c.isalnum())
    if text:
        names = evaluation.snapshot.symbols
        wanted &= [text in names[i].replace("/", "") for i in order.tolist()]
    if side in ("bullish", "bearish"):
        wanted &= together.direction[order] == (1 if side == "bullish" else -1)
    return wanted & (np.nan_to_num(together.confidence[order]) >= least)


def _badges(kinds: tuple[str, ...]) -> list[str]:
    return [badge(kind) for kind in kinds if kind not in UNTOLD]


def _stopped(mask: int) -> str:
    return ", ".join(STOPPED[name] for bit, name in enumerate(STOPS) if mask >> bit & 1)


def _plain(values: FloatArray, digits: int | None = None) -> list[float | None]:
    kept = values if digits is None else np.round(values, digits)
    return [v if v == v else None for v in kept.tolist()]
