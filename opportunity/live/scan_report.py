"""What a scan found, as records: the ranking, and what could not be ranked."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

from opportunity.contracts import DETECTOR_NAMES
from opportunity.display import GLYPHS, card, table
from opportunity.market.timeframe import Timeframe, length_ms, utc_text
from opportunity.ranked import Opportunity
from opportunity.scoring.explanation import plain
from opportunity.scoring.snapshot import MarketSnapshot
from opportunity.strategy import Evaluation

SHOWN: Final = 12
"""Rows of a report in a notebook; `to_frame` has all."""

HEADS: Final = ("#", "Symbol", "Score", "Confidence", "Consensus", "Advice", "Risk")


@dataclass(frozen=True, slots=True)
class StaleStream:
    """A stream whose newest bar is too old to be ranked beside the others."""

    symbol: str
    timeframe: Timeframe
    closed: int
    bars_behind: float


@dataclass(frozen=True, eq=False)
class ScanReport:
    """What a scan found.

    Parameters
    ----------
    time : int
        As of when, ms UTC; with `each` the newest of all symbols.
    each : bool
        Every symbol was judged at its own last bar.
    evaluation : Evaluation
        Scores, reasons and ranking of every symbol that has bars.
    stale : tuple of StaleStream
        Streams that are not ranked because they end too early.
    unscored : tuple of (symbol, timeframe, n_bars)
        Streams with too few bars for a score.
    errors : dict of str to str
        What could not be read, by symbol or by symbol and timeframe.
    duration_ms : float
        Wall time of reading and judging.
    """

    time: int
    each: bool
    evaluation: Evaluation
    stale: tuple[StaleStream, ...]
    unscored: tuple[tuple[str, Timeframe, int], ...]
    errors: dict[str, str]
    duration_ms: float

    def __repr__(self) -> str:
        n = len(self.evaluation.snapshot.symbols)
        return f"<ScanReport {self.source}: {len(self.evaluation)} of {n} symbols ranked>"

    def _repr_html_(self) -> str:
        n = len(self.evaluation.snapshot.symbols)
        shown = [
            (
                str(row.rank), row.symbol, f"{GLYPHS[row.direction]} {row.final_score:.3f}",
                f"{row.confidence:.2f}", f"{row.consensus:.0%}", row.recommended_action,
                row.risk_level,
            )
            for row in self.evaluation.rows(SHOWN)
        ]
        notes = [f"{name} not ranked: {count}" for name, count in (
            ("too old", len(self.stale)), ("too few bars", len(self.unscored)),
            ("not read", len(self.errors)),
        ) if count]  # fmt: skip
        title = f"{len(self.evaluation)} of {n} symbols ranked, {utc_text(self.time)} UTC"
        return card(title, self.source, picture=table(HEADS, shown), notes=notes)

    @cached_property
    def rows(self) -> tuple[Opportunity, ...]:
        """The ranked symbols, best first."""
        return self.evaluation.rows()

    @property
    def source(self) -> str:
        """Stamp of the data."""
        return self.evaluation.snapshot.source

    def to_frame(self) -> pd.DataFrame:
        """Return the ranked symbols as a table by rank."""
        return self.evaluation.to_frame()

    def as_dict(self, limit: int | None = None) -> dict[str, Any]:
        """Return plain values, None where a number is undefined; `limit` cuts the rows."""
        evaluation = self.evaluation
        snapshot = evaluation.snapshot
        body = {
            "source": snapshot.source,
            "time": self.time,
            "each": self.each,
            "timeframes": snapshot.timeframes,
            "weights": dict(zip(DETECTOR_NAMES, evaluation.weights.tolist(), strict=True)),
            "rules": evaluation.rules.as_dict(),
            "uncalibrated": evaluation.uncalibrated or None,
            "symbols_scanned": len(snapshot.symbols),
            "symbols_scored": int((evaluation.consensus.count > 0).sum()),
            "opportunities_found": len(evaluation),
            "duration_ms": self.duration_ms,
            "results": [row.as_dict() for row in evaluation.rows(limit)],
            "stale": [
                {"symbol": s.symbol, "timeframe": s.timeframe, "closed": s.closed,
                 "bars_behind": s.bars_behind}
                for s in self.stale
            ],
            "unscored": [
                {"symbol": s, "timeframe": t, "n_bars": n} for s, t, n in self.unscored
            ],
            "errors": self.errors,
        }
        return dict(plain(body))


def stale_streams(snapshot: MarketSnapshot) -> tuple[StaleStream, ...]:
    """List the streams of a snapshot that are too old to be ranked, in the order of its axes."""
    return tuple(
        StaleStream(snapshot.symbols[i], frame, closed, (snapshot.time - closed) / length_ms(frame))
        for i, j in np.argwhere(snapshot.stale()).tolist()
        for frame, closed in [(snapshot.timeframes[j], int(snapshot.closed[i, j]))]
    )
