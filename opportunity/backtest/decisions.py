"""All decisions of a history under one set of weights and rules.

The same function judges them that judges the newest bars live, so a backtest decides bit for bit
what the agent would have decided on the same bars.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from opportunity.backtest.evidence import Stream
from opportunity.backtest.gathering import gather
from opportunity.backtest.history import N_THREADS, History
from opportunity.backtest.joining import Joined, Rows
from opportunity.contracts import DETECTOR_NAMES
from opportunity.entries import entry_sides
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray
from opportunity.scoring.consensus import timeframe_weights as weights_of
from opportunity.scoring.contributions import symbol_contributions
from opportunity.scoring.ensemble import WeightsLike, weight_array
from opportunity.scoring.explanation import DIRECTIONS
from opportunity.scoring.judging import Judgement, Seen, judge
from opportunity.trading.records import DECISION
from opportunity.trading.rules import TradeRecord

CHUNK: Final = 4_096
"""Decisions that are judged at a time: what they read stays in the cache."""

_NUMBERS: Final = (
    "final", "net", "confidence", "consensus", "disagreement", "coverage", "trust", "key"
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """Decisions by batch, then symbol; n of them, all arrays in the same order.

    Parameters
    ----------
    symbols : tuple of str
        What the table numbers.
    table : ndarray of DECISION, shape (n,)
        What the engine acts on. `side` is that of an entry that the rules let through; one that
        is `flagged` too is refused, but ends a position of the other side.
    final, net : ndarray, shape (n,)
        [0, 1] with 0.5 neutral; [-1, 1]. NaN where nothing scored, as with those that follow.
    confidence, consensus, disagreement, coverage, trust : ndarray, shape (n,)
        [0, 1].
    direction : ndarray of int8, shape (n,)
        Side with more timeframe weight: +1, -1, 0.
    count : ndarray of int64, shape (n,)
        Timeframes that scored.
    contributions : ndarray, shape (n, n_detectors)
        Share of each detector in `net`: the mean over the timeframes that scored, by weight. NaN
        for one that was available in none.
    """

    symbols: tuple[str, ...]
    table: NDArray[Any]
    final: FloatArray
    net: FloatArray
    confidence: FloatArray
    consensus: FloatArray
    disagreement: FloatArray
    coverage: FloatArray
    trust: FloatArray
    direction: NDArray[np.int8]
    count: NDArray[np.int64]
    contributions: FloatArray

    def __len__(self) -> int:
        return self.table.size

    @property
    def time(self) -> TimeArray:
        """When each falls, ms UTC."""
        return np.asarray(self.table["time"])

    @property
    def side(self) -> Rows:
        """Side of the entry that the rules let through: +1, -1, 0."""
        return np.asarray(self.table["side"])

    def __repr__(self) -> str:
        asked = int(np.count_nonzero(self.side))
        return f"<Decisions: {len(self)} of {len(self.symbols)} symbols, {asked} ask for an entry>"

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each decision by tz-aware time in UTC."""
        index = pd.DatetimeIndex(pd.to_datetime(self.time, unit="ms", utc=True), name="time")
        columns: dict[str, Any] = {
            "symbol": np.array(self.symbols, object)[self.table["symbol"]],
            "side": self.side,
            "flagged": self.table["flagged"].astype(bool),
            "direction": np.array(DIRECTIONS)[self.direction + 1],
        }
        columns |= {name: getattr(self, name) for name in _NUMBERS if name != "key"}
        columns |= {name: self.contributions[:, i] for i, name in enumerate(DETECTOR_NAMES)}
        return pd.DataFrame(columns, index=index)


def decide_all(
    history: History,
    weights: WeightsLike | None,
    rules: TradeRecord,
    timeframe_weights: Mapping[str, float] | None = None,
) -> Decisions:
    """Judge every decision of a history.

    Parameters
    ----------
    history : History
        Of `prepare`.
    weights : Weights, mapping or ndarray, optional
        Of the detectors; defaults to balanced.
    rules : TradeRecord
        When an entry is let through.
    timeframe_weights : mapping, optional
        Replaces default weights across timeframes.

    Raises
    ------
    ValueError
        If a weight is unknown or out of bounds.

    Notes
    -----
    About 100 ns for each decision and timeframe on one core.
    """
    by_detector = weight_array(weights)
    by_timeframe = weights_of(history.timeframes, timeframe_weights)
    joined = history.joined
    found = _Room(len(joined))

    def work(at: Rows) -> None:
        seen = look(history, at)
        found.put(at, judge(seen, by_detector, by_timeframe), rules, by_timeframe)

    parts = list(_parts(history, joined))
    if len(parts) == 1:
        work(parts[0])
    elif parts:
        with ThreadPoolExecutor(N_THREADS, thread_name_prefix="decisions") as pool:
            for done in [pool.submit(work, part) for part in parts]:
                done.result()
    return Decisions(
        history.symbols, found.table(joined),
        found.final, found.net, found.confidence, found.consensus, found.disagreement,
        found.coverage, found.trust, found.direction, found.count, found.contributions,
    )  # fmt: skip


def _parts(history: History, joined: Joined) -> Iterator[Rows]:
    """Cut decisions into parts of one symbol for which the same detectors exist."""
    changes = np.unique(history.exists_from)
    for places in joined.of_symbol:
        cuts = np.searchsorted(joined.time[places], changes)
        for part in np.split(places, cuts):
            for a in range(0, part.size, CHUNK):
                yield part[a : a + CHUNK]


def look(history: History, at: Rows) -> Seen:
    """Return what some decisions read.

    Parameters
    ----------
    history : History
    at : ndarray of int64, shape (n,)
        Places in `history.joined`: decisions of one symbol, ascending, between which no detector
        gets or loses what it reads.
    """
    joined = history.joined
    streams = history.streams[int(joined.symbol[at[0]])]
    shape = at.size, len(streams)
    scores, confidences = np.empty((2, *shape, len(DETECTOR_NAMES)))
    trend, volatility = np.empty((2, *shape))
    rows = joined.rows[at]
    for f, stream in enumerate(streams):
        gather(
            _arrays(stream), rows[:, f].copy(),
            (scores[:, f], confidences[:, f], trend[:, f], volatility[:, f]),
        )  # fmt: skip
    exists = history.exists_from <= joined.time[at[0]]
    return Seen(scores, confidences, trend, volatility, joined.trust[at], exists)


def _arrays(stream: Stream) -> tuple[FloatArray, ...]:
    return stream.scores, stream.confidences, stream.trend, stream.volatility


class _Room:
    """Where the parts of a judgement are put together."""

    def __init__(self, n: int) -> None:
        self.final, self.net, self.confidence, self.consensus = np.empty((4, n))
        self.disagreement, self.coverage, self.trust, self.key = np.empty((4, n))
        self.direction = np.empty(n, np.int8)
        self.count, self.side = np.empty((2, n), np.int64)
        self.contributions = np.empty((n, len(DETECTOR_NAMES)))

    def put(
        self, at: Rows, judged: Judgement, rules: TradeRecord, by_timeframe: FloatArray
    ) -> None:
        together = judged.consensus
        for name in ("final", "net", "confidence", "consensus", "disagreement", "coverage",
                     "direction", "count"):  # fmt: skip
            getattr(self, name)[at] = getattr(together, name)
        self.trust[at], self.key[at] = judged.trust, judged.key
        self.side[at] = entry_sides(together, judged.trust, rules)
        self.contributions[at] = symbol_contributions(judged.combined, by_timeframe)

    def table(self, joined: Joined) -> NDArray[Any]:
        table = np.zeros(len(joined), DECISION)
        for name in ("batch", "time", "symbol", "flagged", "atr", "volume"):
            table[name] = getattr(joined, name)
        table["side"], table["key"] = self.side, self.key
        table["score"], table["confidence"] = self.final, self.confidence
        return table
