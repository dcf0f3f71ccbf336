"""One decision path: a snapshot of the market, weights and rules go in, a ranking comes out.

No clock, no network, no shared state: the live agent, a scan of stored data, a page's draft and
an API request call the same function and get the same answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from opportunity.contracts import DETECTOR_NAMES
from opportunity.market.bars import FloatArray
from opportunity.ranked import Opportunity
from opportunity.scoring.calibration import NO_CALIBRATION, UNCALIBRATED, Calibration
from opportunity.scoring.combination import Combined
from opportunity.scoring.consensus import ACTIONS, Consensus, turned_weights
from opportunity.scoring.consensus import timeframe_weights as weights_of
from opportunity.scoring.ensemble import WeightsLike, weight_array
from opportunity.scoring.explanation import Explanation, direction_name, unit
from opportunity.scoring.judging import Seen, judge
from opportunity.scoring.rules import (
    MEDIUM_FROM,
    RISK_LEVELS,
    STOPS,
    Mask,
    Rules,
    risk_level,
    stops,
)
from opportunity.scoring.scan_rules import SCAN_CONFIDENCE as SCAN_CONFIDENCE
from opportunity.scoring.scan_rules import TRADE_CONFIDENCE as TRADE_CONFIDENCE
from opportunity.scoring.scan_rules import ScanRules as ScanRules
from opportunity.scoring.scores import explain
from opportunity.scoring.snapshot import MarketSnapshot
from opportunity.scoring.trust import TrustSummary, summarise, symbol_note, trust_note
from opportunity.trading.levels import Levels, levels


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A market under certain weights and rules; arrays follow the snapshot's axes.

    Parameters
    ----------
    snapshot : MarketSnapshot
        What was looked at (the part of it that was asked for).
    weights, timeframe_weights : ndarray
        Shapes (n_detectors,) and (n_timeframes,).
    rules : Rules
        What a symbol had to fulfil.
    combined : Combined
        Scores of each stream, shape (n_symbols, n_timeframes); the confidence is what the
        detectors deserve times the trust in the bars.
    consensus : Consensus
        Scores of each symbol, shape (n_symbols,).
    risk : ndarray, shape (n_symbols,)
        [0, 1], NaN for a symbol without a score.
    key : ndarray, shape (n_symbols,)
        strength x confidence x consensus: what is ranked by.
    stops : ndarray of uint16, shape (n_symbols,)
        Mask over `STOPS`; 0 for a ranked symbol.
    order : ndarray of int64, shape (n_ranked,)
        Indices of the ranked symbols, best first.
    calibration : Calibration or None
        What turns scores into success, where it fits them.
    trust : ndarray, shape (n_symbols,)
        Trust in the data, [0, 1], NaN for a symbol without a score.
    evidence : Combined
        `combined` with the confidence as the detectors deserve it: what success is learned from.
    """

    snapshot: MarketSnapshot
    weights: FloatArray
    timeframe_weights: FloatArray
    rules: Rules
    combined: Combined
    consensus: Consensus
    risk: FloatArray
    key: FloatArray
    stops: Mask
    order: NDArray[np.int64]
    calibration: Calibration | None
    trust: FloatArray
    evidence: Combined

    def __len__(self) -> int:
        return self.order.size

    @cached_property
    def uncalibrated(self) -> str:
        """Why no success is known at all, ``uncalibrated: ...``; empty when it is for some."""
        if self.calibration is None:
            return f"{UNCALIBRATED}: {NO_CALIBRATION}"
        problem = self.calibration.problem(
            self.weights, self.snapshot.source, self.snapshot.time
        )
        return f"{UNCALIBRATED}: {problem}" if problem else ""

    @cached_property
    def success(self) -> FloatArray:
        """Probability that each symbol's direction is right, NaN where not known; (n_symbols,)."""
        if self.calibration is None or self.uncalibrated:
            return np.full(len(self.snapshot.symbols), np.nan)
        return self.calibration.of_symbols(
            self.evidence, self.snapshot.timeframes, self.timeframe_weights,
            self.consensus.direction,
        )

    @cached_property
    def stream_success(self) -> FloatArray:
        """The same of each timeframe by itself; shape (n_symbols, n_timeframes)."""
        if self.calibration is None or self.uncalibrated:
            return np.full(self.combined.net.shape, np.nan)
        stated = self.calibration.of_streams(self.evidence, self.snapshot.timeframes)
        return np.where(self.combined.direction != 0, stated, np.nan)

    def success_note(self, i: int) -> str:
        """Say why the success of symbol `i` is not known; empty where it is."""
        if self.consensus.direction[i] == 0:
            return "no direction"
        if np.isfinite(self.success[i]):
            return ""
        if self.calibration is None or self.uncalibrated:
            return self.uncalibrated
        return f"{UNCALIBRATED}: {self.calibration.lacking(self.snapshot.timeframes)}"

    @cached_property
    def ranks(self) -> NDArray[np.int64]:
        """Rank of each symbol from 1, 0 where it is not ranked; shape (n_symbols,)."""
        ranks = np.zeros(len(self.snapshot.symbols), np.int64)
        ranks[self.order] = np.arange(1, self.order.size + 1)
        return ranks

    def why(self, i: int) -> tuple[str, ...]:
        """Name the rules that stopped symbol `i`; empty when it is ranked."""
        mask = int(self.stops[i])
        return tuple(name for bit, name in enumerate(STOPS) if mask >> bit & 1)

    def find(self, symbol: str) -> Opportunity | None:
        """Return the row of a symbol, ranked or not; None when it was not looked at."""
        names = self.snapshot.symbols
        return self.row(names.index(symbol)) if symbol in names else None

    def row(self, i: int) -> Opportunity:
        """Return symbol `i` of the snapshot, ranked or not, as a record."""
        snapshot, together = self.snapshot, self.consensus
        side, risk = int(together.direction[i]), float(self.risk[i])
        vetoed = "trust" in self.why(i)  # nobody shall act on such data, whatever it says
        level = int(risk_level(self.risk[i : i + 1])[0])
        finals = self.combined.final[i].tolist()
        components = dict(zip(
            DETECTOR_NAMES, map(unit, together.components[i].tolist()), strict=True
        ))
        return Opportunity(
            rank=int(self.ranks[i]) or None,
            symbol=snapshot.symbols[i],
            price=float(snapshot.price[i]),
            change_24h=float(snapshot.change_24h[i]),
            volume_24h=float(snapshot.volume_24h[i]),
            final_score=float(together.final[i]),
            net=float(together.net[i]),
            strength=float(together.strength[i]),
            direction=direction_name(side),
            confidence=float(together.confidence[i]),
            consensus=float(together.consensus[i]),
            disagreement=float(together.disagreement[i]),
            coverage=float(together.coverage[i]),
            recommended_action="HOLD" if vetoed else ACTIONS[int(together.action[i]) + 2],
            risk=risk,
            risk_level="UNKNOWN" if level < 0 else RISK_LEVELS[level],
            success=float(self.success[i]),
            success_note=self.success_note(i),
            tf_count=int(together.count[i]),
            timeframes={
                t: f for t, f in zip(snapshot.timeframes, finals, strict=True) if f == f
            },
            components=components | {"ict": unit(float(self.ict[i]))},
            patterns=snapshot.patterns[i],
            levels=None if vetoed else self._levels(i, side),
            flagged=bool(snapshot.flagged[i].any()),
            scanned_at=snapshot.time,
            source=snapshot.source,
            stopped_by=self.why(i),
            trust=float(self.trust[i]),
            trust_note=self.trust_note(i),
            _evaluation=self,
            _row=i,
        )

    def rows(self, limit: int | None = None) -> tuple[Opportunity, ...]:
        """Return the ranked symbols, best first."""
        return tuple(self.row(i) for i in self.order[:limit].tolist())

    def breakdown(self, i: int) -> dict[str, Explanation]:
        """Take the score of symbol `i` apart, by timeframe that scored."""
        return {
            t: replace(self.explanation((i, f)), success=float(self.stream_success[i, f]))
            for f, t in enumerate(self.snapshot.timeframes)
            if not np.isnan(self.combined.net[i, f])
        }

    def explanation(self, at: tuple[int, int]) -> Explanation:
        """Take the score of one stream apart, by its symbol and timeframe; without success."""
        snapshot, frame = self.snapshot, self.snapshot.timeframes[at[1]]
        trust = float(snapshot.trust[at])
        return explain(
            self.combined.take(at),
            snapshot.scores[at],
            snapshot.confidences[at],
            self.weights,
            float(snapshot.trend[at]),
            float(snapshot.volatility[at]),
            frame,
            int(snapshot.closed[at]),
            bool(snapshot.flagged[at]),
        ).trusted(trust, trust_note(snapshot.distrust[at], frame) if trust < 1 else "")

    def trust_note(self, i: int) -> str:
        """Say why the trust in the data of symbol `i` is below 1; empty where it is not."""
        if not self.trust[i] < 1:
            return ""
        scored = ~np.isnan(self.combined.net[i]) & (self.timeframe_weights > 0)
        return symbol_note(self.snapshot.distrust[i], self.snapshot.timeframes, scored)

    @cached_property
    def trust_summary(self) -> TrustSummary:
        """The trust in the data of all symbols that scored."""
        return summarise(self.trust, self.rules.min_trust)

    @cached_property
    def ict(self) -> FloatArray:
        """ICT part of each symbol: mean over the timeframes that have it; shape (n_symbols,)."""
        values = self.snapshot.ict
        weights = np.where(np.isnan(values), 0.0, self.timeframe_weights)
        total = weights.sum(axis=1)
        mean = (weights * np.nan_to_num(values)).sum(axis=1) / np.where(total > 0, total, np.nan)
        return np.asarray(mean)

    def _levels(self, i: int, side: int) -> Levels | None:
        # Ranges grow with the timeframe: the heaviest one that scored says how far a stop lies.
        usable = ~np.isnan(self.combined.net[i]) & (self.snapshot.atr[i] > 0)
        if side == 0 or not usable.any():
            return None
        heaviest = int(np.where(usable, self.timeframe_weights, -1.0).argmax())
        return levels(side, float(self.snapshot.price[i]), float(self.snapshot.atr[i, heaviest]))

    def to_frame(self) -> pd.DataFrame:
        """Return the ranked symbols as a table by rank."""
        rows = []
        for found in self.rows():
            values = {k: v for k, v in vars(found).items() if not k.startswith("_")}
            for nested in ("levels", "components", "stopped_by"):
                del values[nested]
            values |= {t: f for t, f in values.pop("timeframes").items()}
            rows.append(values)
        return pd.DataFrame(rows).set_index("rank") if rows else pd.DataFrame()


def evaluate(
    snapshot: MarketSnapshot,
    weights: WeightsLike | None = None,
    rules: ScanRules | Rules | None = None,
    timeframes: Sequence[str] | None = None,
    symbols: Sequence[str] | None = None,
    timeframe_weights: Mapping[str, float] | None = None,
    exists: NDArray[np.bool_] | None = None,
    calibration: Calibration | None = None,
) -> Evaluation:
    """Score, judge and rank the symbols of a snapshot.

    Parameters
    ----------
    snapshot : MarketSnapshot
        Detector outputs of the market; not changed.
    weights : Weights, mapping or ndarray, optional
        Detector weights; defaults to balanced.
    rules : ScanRules or Rules, optional
        What a symbol must fulfil; defaults to `ScanRules()`.
    timeframes, symbols : sequence of str, optional
        Look only at these.
    timeframe_weights : mapping, optional
        Replaces default weights across timeframes; defaults to those of the rules.
    exists : ndarray of bool, shape (n_detectors,), optional
        Detectors that have what they read; defaults to what the snapshot knows.
    calibration : Calibration, optional
        Gives `success`, where it is of these weights, this code and such bars.

    Raises
    ------
    ValueError
        If a symbol, timeframe or weight is unknown or out of bounds.

    Notes
    -----
    A fraction of a millisecond for 40 symbols x 6 timeframes, a few for 2,000 x 6: no Python
    runs per symbol before rows are asked for.
    """
    snapshot = snapshot.take(symbols, timeframes)
    if rules is None:
        rules = ScanRules()
    asked = rules.record() if isinstance(rules, ScanRules) else rules
    by_detector = weight_array(weights)
    if timeframe_weights is None:
        by_timeframe = turned_weights(snapshot.timeframes, dict(asked.timeframe_weights))
    else:
        by_timeframe = weights_of(snapshot.timeframes, timeframe_weights)
    judged = judge(
        Seen(
            snapshot.scores, snapshot.confidences, snapshot.trend, snapshot.volatility,
            snapshot.trust, snapshot.exists if exists is None else exists,
        ),
        by_detector,
        by_timeframe,
    )
    combined, consensus, key = judged.combined, judged.consensus, judged.key
    risk = _risk(consensus, snapshot.drawdown_rank)
    mask = stops(
        asked, snapshot.symbols, combined, consensus, risk, snapshot.volume_24h, judged.trust
    )
    passed = np.flatnonzero(mask == 0)
    return Evaluation(
        snapshot, by_detector, by_timeframe, asked, combined, consensus, risk, key, mask,
        passed[_ranked(key, snapshot.volume_24h, _alphabet(snapshot.symbols), passed)],
        calibration,
        judged.trust,
        judged.evidence,
    )


def _risk(consensus: Consensus, drawdown: FloatArray) -> FloatArray:
    """Mean of those of the four parts that are known; NaN for a symbol without a score."""
    parts = np.stack([
        consensus.volatility, consensus.disagreement, 1.0 - consensus.consensus, drawdown
    ])
    known = ~np.isnan(parts)
    risk = np.where(known, parts, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    # What is not known cannot make a symbol safe: a fresh listing is never LOW.
    risk = np.where(known.all(axis=0), risk, np.maximum(risk, MEDIUM_FROM))
    return np.where(consensus.count > 0, risk, np.nan)


def _ranked(
    key: FloatArray, volume: FloatArray, alphabet: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    traded = np.nan_to_num(volume[rows], nan=-1.0)
    return np.lexsort((alphabet[rows], -traded, -key[rows]))


@lru_cache(maxsize=16)
def _alphabet(symbols: tuple[str, ...]) -> NDArray[np.int64]:
    """Place of each symbol in alphabetical order."""
    places = np.empty(len(symbols), np.int64)
    places[sorted(range(len(symbols)), key=symbols.__getitem__)] = np.arange(len(symbols))
    return places
