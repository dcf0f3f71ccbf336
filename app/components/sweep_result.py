"""What a sweep found: the best vectors, whether the best stands alone, where the good ones lie."""

from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from app.backtests import Swept
from app.components.language import phrase
from app.components.metric_words import label
from app.components.research_part import StudyResult, part_module, part_style, told_of
from opportunity.contracts import DETECTOR_NAMES

if TYPE_CHECKING:
    from opportunity.backtest.landscape import Landscape
    from opportunity.backtest.searched import SearchResult
    from opportunity.market.bars import FloatArray

MOST_TOLD: Final = 40
N_BARS: Final = 44
OUTLIERS: Final = 0.005
"""Share of the values at either end that the picture of all of them gathers in its last bars."""

LEVEL: Final = 0.5
"""What the neighbours of the best must keep of its lead over the median."""

NOTHING: Final = {"profit_factor": 1.0}
"""Values of objectives at which nothing is earned, where that is not 0."""

DIGITS: Final = 5


class SweepResult(StudyResult):
    """A distribution, a heat map over two weights, and the best of all; each can be tested."""

    _esm = part_module("sweep_result")
    _stylesheets: ClassVar[list[str]] = [part_style("sweep_result")]


def sweep_state(id: str, swept: Swept) -> dict[str, Any]:
    """Return what is shown of a sweep; may take 100 ms."""
    from opportunity.backtest.landscape import landscape

    found = swept.result
    land = landscape(found.matrix, found.values, DETECTOR_NAMES)
    tone, verdict, more = _verdict(found, land)
    return told_of(id, swept.plan, found.source) | {
        "aim": label(found.plan.aim.objective),
        "judged": len(found.values),
        "value": _plain(found.value), "equal": _plain(found.equal_value),
        "median": _plain(land.median),
        "tone": tone, "verdict": verdict, "more": more,
        "facts": _facts(found, land),
        "spread": _spread(found.values),
        "land": _land(found, land),
        "best": best_rows(found),
    }  # fmt: skip


def best_rows(found: "SearchResult") -> list[dict[str, Any]]:
    """Return the best vectors with a value, best first, and equal weights where they stand."""
    frame = found.to_frame()
    frame = frame[np.isfinite(frame["value"])]
    kept = frame.head(MOST_TOLD)
    if len(frame) and 0 in frame.index and 0 not in kept.index:
        kept = frame.loc[[*kept.index, 0]]
    return [
        {
            "row": int(index), "equal": int(index) == 0,
            "weights": {name: round(float(row[name]), 6) for name in DETECTOR_NAMES},
            **{
                name: _plain(row[name])
                for name in ("value", "total_return", "max_drawdown", "trades")
            },
        }
        for index, row in kept.iterrows()
    ]  # fmt: skip


def _verdict(
    found: "SearchResult", land: "Landscape"
) -> tuple[int, dict[str, Any], dict[str, Any] | str]:
    if found.best < 0:
        return -1, phrase(
            "No vector has a value: each traded fewer than {n} times.",
            n=found.plan.aim.least_trades,
        ), phrase("Ask for a longer span, or for easier entries.")
    count = phrase("{n} trials on this data so far", n=f"{found.trials.n:,}")
    if not found.value > NOTHING.get(found.plan.aim.objective, 0.0):
        return -1, phrase("Even the best earns nothing here."), count
    if found.value <= found.equal_value:
        return -1, phrase("Nothing did better than equal weights."), count
    lead = found.value - land.median
    if not land.around - land.median >= LEVEL * lead:
        return 0, phrase("The best stands alone: its neighbours are much worse."), phrase(
            "That is what luck looks like. {n} trials on this data so far.",
            n=f"{found.trials.n:,}",
        )
    return 1, phrase("The best lies among good neighbours."), phrase(
        "It may still be luck: test it alone and ask the guards. {n} trials on this data so far.",
        n=f"{found.trials.n:,}",
    )


def _facts(found: "SearchResult", land: "Landscape") -> list[list[Any]]:
    valued = int(np.isfinite(found.values).sum())
    return [
        [phrase("Best"), _number(found.value),
         phrase("Value of the best vector by the objective.")],
        [phrase("Equal weights"), _number(found.equal_value),
         phrase("What no search would have given.")],
        [phrase("Median"), _number(land.median), phrase("Of all vectors that have a value.")],
        [phrase("Around the best"), _number(land.around),
         phrase("Mean value of the twenty vectors nearest to the best.")],
        [phrase("Vectors"), f"{len(found.values):,}",
         phrase("All that were judged, each counted as a trial.")],
        [phrase("With a value"), f"{valued:,}", phrase("Those with enough trades.")],
    ]  # fmt: skip


def _spread(values: "FloatArray") -> dict[str, Any]:
    """Return a histogram; far outliers stand in the bars at its ends."""
    known = values[np.isfinite(values)]
    if not known.size:
        return {"counts": [], "edges": []}
    low, high = (float(v) for v in np.quantile(known, (OUTLIERS, 1.0)))
    n = min(N_BARS, max(8, int(np.sqrt(known.size))))
    counts, edges = np.histogram(
        np.clip(known, low, high), bins=n, range=(low, high if high > low else low + 1.0)
    )
    return {"counts": counts.tolist(), "edges": [round(float(e), DIGITS) for e in edges]}


def _land(found: "SearchResult", land: "Landscape") -> dict[str, Any]:
    n_bins = land.edges.shape[1] - 1
    at = []
    if found.best >= 0:
        best = dict(zip(DETECTOR_NAMES, found.matrix[found.best].tolist(), strict=True))
        at = [
            min(int(np.searchsorted(row, best[name], "right")) - 1, n_bins - 1)
            for name, row in zip(land.names, land.edges, strict=True)
        ]
    return {
        "names": list(land.names), "pairs": [list(pair) for pair in land.pairs],
        "edges": [[round(e, 4) for e in row] for row in land.edges.tolist()],
        **{name: _cells(getattr(land, name)) for name in ("mean", "best")},
        "count": [cell.ravel().tolist() for cell in land.count],
        "at": at, "first": _first(land),
    }  # fmt: skip


def _first(land: "Landscape") -> list[int]:
    """Return the pair that is shown first: the one whose means differ most."""
    if not land.pairs:
        return [0, 0]
    apart = [float(np.nanstd(mean)) for mean in land.mean]
    return list(land.pairs[int(np.argmax(apart))])


def _cells(table: "FloatArray") -> list[list[float | None]]:
    return [[_plain(v) for v in cell.ravel().tolist()] for cell in table]


def _plain(value: float) -> float | None:
    return round(float(value), DIGITS) if np.isfinite(value) else None


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}") if np.isfinite(value) else "\N{EN DASH}"
