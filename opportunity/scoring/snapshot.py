"""The newest outputs of every stream of a market, as one immutable record.

It holds no weights and no rules: anybody's draft can be evaluated against it without touching
anybody else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.contracts import DETECTOR_NAMES
from opportunity.errors import unknown
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray, Timeframe, length_ms, timeframe
from opportunity.market.trust import AGE, N_FACTORS, Faults, blame, overdue, weigh
from opportunity.scoring.presence import existing

STALE_BARS: Final = 2
"""A stream whose newest bar closed more than this many bars ago is stale."""

_UNTOLD: Final = np.empty((0, 0))

_PER_SYMBOL: Final = ("price", "change_24h", "volume_24h", "drawdown_rank")
_PER_STREAM: Final = ("trend", "volatility", "atr", "closed", "flagged", "ict", "trust")


@dataclass(frozen=True, slots=True, eq=False)
class MarketSnapshot:
    """Detector outputs and context of S symbols x F timeframes, and figures of the symbols.

    Parameters
    ----------
    version : int
        Counts up; a larger one is newer.
    time : int
        As of when, ms UTC of the feed.
    source : str
        Stamp of the data, e.g. ``binance`` or ``simulated``.
    symbols, timeframes : tuple of str
        The axes.
    scores, confidences : float64 (S, F, n_detectors)
        NaN where unavailable.
    trend : int8 or float64 (S, F)
        +1 up, -1 down, 0 ranging.
    volatility, atr : float64 (S, F)
        Rank of ATR14 in its own past; ATR14 in quote currency. NaN where unknown.
    closed : int64 (S, F)
        Closing time of the newest closed bar, 0 where there is none.
    price, change_24h, volume_24h : float64 (S,)
        Last price; change as a fraction; traded value in quote currency. NaN where unknown.
    drawdown_rank : float64 (S,)
        `scoring.drawdown.drawdown_rank`, NaN where unknown.
    flagged : bool (S, F)
        The newest bar came after a gap or is made of too few constituents.
    patterns : tuple of S tuples of str
        At most three badges a symbol.
    exists : bool (n_detectors,), optional
        Detectors that have what they read; see `presence.existing` for the default.
    ict : float64 (S, F), optional
        Output of the same name of the smc detector, [-1, 1]; NaN, the default, where unknown.
    distrust : float64 (S, F, n_factors), optional
        What is wrong with the data, by `market.trust.FACTORS`; nothing unless given.
    trust : float64 (S, F), optional
        How far the data can be trusted, [0, 1]; follows from `distrust` unless given.
    """

    version: int
    time: int
    source: str
    symbols: tuple[str, ...]
    timeframes: tuple[Timeframe, ...]
    scores: FloatArray
    confidences: FloatArray
    trend: NDArray[np.int8] | FloatArray
    volatility: FloatArray
    atr: FloatArray
    closed: TimeArray
    price: FloatArray
    change_24h: FloatArray
    volume_24h: FloatArray
    drawdown_rank: FloatArray
    flagged: NDArray[np.bool_]
    patterns: tuple[tuple[str, ...], ...]
    exists: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    ict: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    distrust: FloatArray = field(default_factory=lambda: np.empty((0, 0, 0)))
    trust: FloatArray = field(default_factory=lambda: _UNTOLD)

    def __post_init__(self) -> None:
        n_symbols, n_timeframes = len(self.symbols), len(self.timeframes)
        stream = (n_symbols, n_timeframes)
        if not self.exists.size:
            object.__setattr__(self, "exists", existing(self.scores))
        if not self.ict.size:
            object.__setattr__(self, "ict", np.full(stream, np.nan))
        if not self.distrust.size:
            object.__setattr__(self, "distrust", np.zeros((*stream, N_FACTORS)))
        if not self.trust.size:
            object.__setattr__(self, "trust", weigh(self.distrust)[1])
        wanted: dict[str, tuple[int, ...]] = dict.fromkeys(_PER_STREAM, stream)
        wanted["exists"] = (len(DETECTOR_NAMES),)
        wanted["distrust"] = (*stream, N_FACTORS)
        wanted |= dict.fromkeys(_PER_SYMBOL, (n_symbols,))
        wanted |= dict.fromkeys(("scores", "confidences"), (*stream, len(DETECTOR_NAMES)))
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise ValueError(
                    f"{name} must be of shape {shape}, was {getattr(self, name).shape}"
                )
        if len(self.patterns) != n_symbols:
            raise ValueError(
                f"patterns must hold {n_symbols} tuples, was {len(self.patterns)}"
            )

    def take(
        self, symbols: Sequence[str] | None = None, timeframes: Sequence[str] | None = None
    ) -> "MarketSnapshot":
        """Return the part of some symbols and timeframes, in the order in which they are named.

        Raises
        ------
        ValueError
            If a symbol or timeframe is not in this snapshot.
        """
        if symbols is None and timeframes is None:
            return self
        names = self.symbols if symbols is None else tuple(symbols)
        frames = (
            self.timeframes if timeframes is None else tuple(timeframe(t) for t in timeframes)
        )
        rows = _places("symbol", names, self.symbols)
        columns = _places("timeframe", frames, self.timeframes)
        parts = {n: getattr(self, n)[rows] for n in _PER_SYMBOL}
        parts |= {
            n: getattr(self, n)[np.ix_(rows, columns)]
            for n in ("scores", "confidences", "distrust", *_PER_STREAM)
        }
        patterns = tuple(self.patterns[row] for row in rows.tolist())
        return replace(self, symbols=names, timeframes=frames, patterns=patterns, **parts)

    def stale(self) -> NDArray[np.bool_]:
        """Tell for each stream whether its newest bar closed more than two bars before `time`.

        A stream that never closed a bar is not stale but empty.
        """
        lengths = _lengths(self.timeframes)
        return (self.closed > 0) & (self.time - self.closed > STALE_BARS * lengths)

    def fresh(self) -> "MarketSnapshot":
        """Return this snapshot with the scores of stale streams left out."""
        old = self.stale()[..., None]
        if not old.any():
            return self
        return replace(
            self,
            scores=np.where(old, np.nan, self.scores),
            confidences=np.where(old, np.nan, self.confidences),
            ict=np.where(old[..., 0], np.nan, self.ict),
        )

    def as_of(self, time: int | None) -> "MarketSnapshot":
        """Return this snapshot as it is judged at `time`: its streams are overdue by then.

        None judges each stream at its own newest bar: none is overdue.
        """
        facts = self.distrust.copy()
        facts[..., AGE] = (
            0.0 if time is None else overdue(self.closed, _lengths(self.timeframes), time)
        )
        return replace(
            self, time=self.time if time is None else time, distrust=facts, trust=_UNTOLD
        )

    def blamed(self, faults: Faults, base: Timeframe) -> "MarketSnapshot":
        """Return this snapshot with what a feed of `base` bars knows to be wrong, by symbol."""
        facts = self.distrust.copy()
        blame(
            facts,
            faults,
            length_ms(base),
            _lengths(self.timeframes),
            self.closed,
            self.closed.max(axis=1, initial=0),
        )
        return replace(self, distrust=facts, trust=_UNTOLD)

    def with_figures(self, other: "MarketSnapshot") -> "MarketSnapshot":
        """Return this snapshot with the figures of the symbols of `other`, where that knows them.

        Raises
        ------
        ValueError
            If `other` lacks a symbol.
        """
        told = other.take(self.symbols)
        known = {name: getattr(told, name) for name in _PER_SYMBOL}
        return replace(self, **{
            name: np.where(np.isnan(values), getattr(self, name), values)
            for name, values in known.items()
        })

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return every array by name."""
        return {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if isinstance(getattr(self, f.name), np.ndarray)
        }


def _lengths(timeframes: tuple[Timeframe, ...]) -> NDArray[np.int64]:
    return np.array([length_ms(t) for t in timeframes], dtype=np.int64)


def _places(
    what: str, wanted: tuple[str, ...], known: tuple[str, ...]
) -> NDArray[np.int64]:
    where = {name: i for i, name in enumerate(known)}
    for name in wanted:
        if name not in where:
            raise ValueError(unknown(f"{what} of the snapshot", name, known))
    return np.array([where[name] for name in wanted], dtype=np.int64)
