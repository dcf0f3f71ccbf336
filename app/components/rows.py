"""Rows of the scanner's table, from an evaluation's arrays: no Python object per symbol."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from app.components.filters import Filters, wanted
from app.components.labels import LABELS, UNTOLD, badge
from opportunity.market.bars import FloatArray
from opportunity.scoring.consensus import ACTIONS
from opportunity.scoring.rules import RISK_LEVELS, STOPS, risk_level
from opportunity.strategy import Evaluation

PARTS: Final = [*LABELS.values(), "ICT"]
"""Names of a row's `parts`."""

LIMIT: Final = 500
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


@dataclass(frozen=True, slots=True)
class Shown:
    """How rows are to be shown.

    Parameters
    ----------
    limit : int
        Most rows to send. Only when there are more does `filters` choose which.
    filters : Filters
        What the browser filters by.
    members : collection of str, optional
        Symbols of the watchlist that it filters by.
    draft : bool
        Whether these are somebody's draft weights and not the shared ones.
    held_up : str
        What a first scan waits for, besides bars.
    problem : str
        What keeps the agent from scoring; empty while all is well.
    scan : str
        What kind of scan on request this is; empty for the live ranking.
    """

    limit: int = LIMIT
    filters: Filters = Filters()  # noqa: RUF009 - frozen
    members: Collection[str] | None = None
    draft: bool = False
    held_up: str = ""
    problem: str = ""
    scan: str = ""


def table_state(
    evaluation: Evaluation | None, shown: Shown = Shown()
) -> dict[str, Any]:
    """Return what `SignalTable` shows of an evaluation; None while nothing is scored.

    Returns
    -------
    dict
        `frames`, `rows` (values in the order of `FIELDS`), `total`, `passed`, `draft`, `parts`
        (names), `uncalibrated` (why no success is known, empty where it is), `held_up`,
        `problem`, `scan`, `time` (ms UTC, None before a scan) and `source`. The order is the
        ranking, then the symbols that a rule stopped by the same key.
    """
    return scanned_state([] if evaluation is None else [evaluation], shown)


def scanned_state(
    evaluations: Sequence[Evaluation], shown: Shown = Shown()
) -> dict[str, Any]:
    """Return the same for symbols that were scanned in parts, ranked as if at once."""
    orders = [ranking(one) for one in evaluations]
    total = sum(order.size for order in orders)
    if total > shown.limit:
        orders = [
            order[wanted(one, order, shown.filters, shown.members)][: shown.limit]
            for one, order in zip(evaluations, orders, strict=True)
        ]
    first = evaluations[0] if evaluations else None
    return {
        "frames": [] if first is None else list(first.snapshot.timeframes),
        "rows": _merged(evaluations, orders)[: shown.limit],
        "total": total,
        "passed": sum(len(one) for one in evaluations),
        "draft": shown.draft,
        "parts": PARTS,
        "uncalibrated": "" if first is None else first.uncalibrated,
        "held_up": "" if evaluations else shown.held_up,
        "problem": shown.problem,
        "scan": shown.scan,
        "time": None if first is None else max(one.snapshot.time for one in evaluations),
        "source": "" if first is None else first.snapshot.source,
    }


def _merged(
    evaluations: Sequence[Evaluation], orders: Sequence[NDArray[np.int64]]
) -> list[list[Any]]:
    """Return the rows of all parts in one ranking: by key, then volume, then name."""
    if len(evaluations) == 1:
        return rows(evaluations[0], orders[0])
    found = []
    for one, order in zip(evaluations, orders, strict=True):
        keys = one.key[order].tolist()
        found += list(zip(rows(one, order), keys, strict=True))
    ranked, volume = FIELDS.index("ranked"), FIELDS.index("volume")
    found.sort(key=lambda f: (not f[0][ranked], -f[1], -(f[0][volume] or -1.0), f[0][1]))
    for rank, (row, _) in enumerate(found, 1):
        row[0] = rank
    return [row for row, _ in found]


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


def _badges(kinds: tuple[str, ...]) -> list[str]:
    return [badge(kind) for kind in kinds if kind not in UNTOLD]


def _stopped(mask: int) -> str:
    return ", ".join(STOPPED[name] for bit, name in enumerate(STOPS) if mask >> bit & 1)


def _plain(values: FloatArray, digits: int | None = None) -> list[float | None]:
    kept = values if digits is None else np.round(values, digits)
    return [v if v == v else None for v in kept.tolist()]
