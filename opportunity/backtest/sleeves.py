"""What if the weights were others, over a whole market: equal parts of an account, one a symbol.

A sweep judges one symbol at a time. So that a slider may be followed over all of them, the account
is cut into equal parts; each trades its own symbol and shares nothing with the others. Every part
is the single engine's run bit for bit, and the account is their sum: no claim is made about one
account that trades all symbols under limits that they share.
"""

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.blocks import block_length
from opportunity.backtest.curve_metrics import sharpe
from opportunity.backtest.history import History
from opportunity.backtest.trials import key_of
from opportunity.backtest.whatif import WhatIf, thin
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import DAY_MS, TimeArray
from opportunity.scoring.bootstrap import draw_blocks
from opportunity.scoring.ensemble import WeightsLike, weight_array
from opportunity.trading.setup import TradeSetup

KEPT: Final = 64
"""Runs that are remembered: what is undone or compared again costs nothing."""

N_DRAWS: Final = 2_000
ALPHA: Final = 0.05
"""A difference that chance makes less often than this is told as more than noise."""

FEWEST_DAYS: Final = 20
"""Below, nothing is said of chance."""


@dataclass(frozen=True, eq=False)
class SleevesRun:
    """What would have become of the account.

    Parameters
    ----------
    time : ndarray of int64, shape (n,)
        Closes of the bars, ms UTC.
    equity : ndarray, shape (n,)
        Sum of all parts at them, quote currency.
    cash : float
        At the start.
    n_trades : int
    """

    time: TimeArray
    equity: FloatArray
    cash: float
    n_trades: int

    @property
    def earned(self) -> float:
        """From the start to the end, fraction."""
        return float(self.equity[-1]) / self.cash - 1

    @cached_property
    def drawdown(self) -> float:
        """Deepest fall from a high before it, fraction."""
        high = np.maximum(np.maximum.accumulate(self.equity), self.cash)
        return float((1 - self.equity / high).max())

    @cached_property
    def days(self) -> FloatArray:
        """Logarithmic returns of the days of UTC that are over, and of the first part of one."""
        ends = np.flatnonzero(np.diff((self.time - 1) // DAY_MS)).tolist()
        marks = np.concatenate([[self.cash], self.equity[ends]])
        return np.diff(np.log(np.maximum(marks, 1e-9 * self.cash)))

    def picture(self, points: int) -> tuple[TimeArray, FloatArray]:
        """Return the curve thinned to so many points, >= 3, with its extremes and its end."""
        kept = thin(self.equity, points)
        return self.time[kept], self.equity[kept]


class Sleeves:
    """Histories of several symbols, ready to be run under any weights.

    Parameters
    ----------
    histories : sequence of History
        Each of one symbol; all of one source.
    setup : TradeSetup, optional
        Rules, costs, size, limits and the cash of all parts together.
    timeframe_weights : mapping, optional
        Replaces default weights across timeframes.

    Raises
    ------
    ValueError
        If there is no history.
    NotSweepable
        If one is of several symbols.

    Notes
    -----
    Forty symbols on three timeframes, 90 days of 1h bars: about 20 ms on one core. Any thread may
    run it; runs wait for each other.
    """

    def __init__(
        self,
        histories: Sequence[History],
        setup: TradeSetup | None = None,
        timeframe_weights: Mapping[str, float] | None = None,
    ) -> None:
        if not histories:
            raise ValueError("histories must be of one symbol or more, were none")
        self.setup = setup or TradeSetup()
        part = replace(self.setup, cash=self.setup.cash / len(histories))
        self._parts = [WhatIf(one, part, timeframe_weights, threads=1) for one in histories]
        self.symbols = tuple(one.symbols[0] for one in histories)
        self.timeframes = tuple(dict.fromkeys(t for one in histories for t in one.timeframes))
        self.exists = np.logical_or.reduce([
            one.exists_from <= one.batches.time[-1] for one in histories
        ])  # fmt: skip
        """Which detectors had anything to read, shape (n_detectors,)."""

        self.source = "+".join(dict.fromkeys(one.source for one in histories if one.source))
        times = [one.batches.time[one.start_batch :] for one in histories]
        self.time: TimeArray = np.unique(np.concatenate(times))
        self._places = [_places(self.time, time) for time in times]
        self._kept: OrderedDict[bytes, SleevesRun] = OrderedDict()
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"<Sleeves of {len(self.symbols)} symbols, {self.time.size} bars, {self.source}>"

    def run(self, weights: WeightsLike | None = None) -> SleevesRun:
        """Run one weight vector.

        Parameters
        ----------
        weights : Weights, mapping or ndarray, optional
            Defaults to balanced.

        Raises
        ------
        ValueError
            If a weight is unknown or out of bounds.
        """
        vector = weight_array(weights)
        key = vector.tobytes()
        with self._lock:
            found = self._kept.pop(key, None)
            found = self._run(vector) if found is None else found
            self._kept[key] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found

    def _run(self, vector: FloatArray) -> SleevesRun:
        equity, n_trades = np.zeros(self.time.size), 0
        for part, places in zip(self._parts, self._places, strict=True):
            ran = part.run(vector, points=max(3, self.time.size))
            equity += np.concatenate([[ran.cash], ran.equity])[places]
            n_trades += ran.n_trades
        return SleevesRun(self.time, equity, self.setup.cash, n_trades)


def _places(time: TimeArray, own: TimeArray) -> NDArray[np.int64]:
    """Return which mark of a part holds at each time, 0 before its first."""
    return np.searchsorted(own, time, side="right")


@dataclass(frozen=True, slots=True)
class Chance:
    """Whether chance alone could have made two runs differ as they do.

    Parameters
    ----------
    difference : float
        What the second earned more over the span, fraction of the cash.
    p : float
        How often a difference of nothing looks at least like this, in (0, 1]; NaN where the days
        are too few, 1 where the runs are the same.
    tried : int
        Weight sets that were tried, this one among them.
    n_days : int
        Days compared.
    """

    difference: float
    p: float
    tried: int
    n_days: int

    @property
    def same(self) -> bool:
        """Whether both runs did the same on every day."""
        return self.p == 1.0 and self.difference == 0.0

    @property
    def allowed(self) -> float:
        """How often the luckiest of so many sets looks like this; the sets taken as independent.

        Source: Šidák, "Rectangular confidence regions for the means of multivariate normal
        distributions", Journal of the American Statistical Association 62, 1967.
        """
        return 1.0 - (1.0 - self.p) ** max(1, self.tried)

    @property
    def noise(self) -> bool:
        """Whether chance is still a good explanation, the tries allowed for."""
        return not self.allowed < ALPHA


def chance(now: SleevesRun, other: SleevesRun, tried: int = 1, seed: int = 0) -> Chance:
    """Ask whether chance alone could have made two runs over the same bars differ.

    Parameters
    ----------
    now, other : SleevesRun
        Of the same histories.
    tried : int
        Weight sets that were tried, the other one among them.
    seed : int
        The same seed draws the same days.

    Raises
    ------
    ValueError
        If they are not over the same bars.

    Notes
    -----
    Days are paired, blocks of their differences drawn anew (`scoring.bootstrap`), around nothing;
    two-sided. It is about the days seen.
    """
    if now.time.size != other.time.size or not (now.time == other.time).all():
        raise ValueError(
            "runs must be over the same bars, were over "
            f"{now.time.size} and {other.time.size} of them"
        )
    apart = other.days - now.days
    earned = other.earned - now.earned
    if not apart.any() and earned == 0:
        return Chance(0.0, 1.0, tried, apart.size)
    if apart.size < FEWEST_DAYS:
        return Chance(earned, math.nan, tried, apart.size)
    block = max(1, math.ceil(block_length(apart, "moving")))
    away = apart - apart.mean()
    drawn = np.abs(draw_blocks(apart.size, block, N_DRAWS, seed).sums(away))
    # Rounding must not tell a draw from what was seen where both are the same days.
    least = abs(apart.sum()) * (1 - 1e-9)
    p = (1 + int((drawn >= least).sum())) / (N_DRAWS + 1)
    return Chance(earned, p, tried, apart.size)


def tried_of(weights: WeightsLike, run: SleevesRun) -> tuple[str, float]:
    """Return what the counter of trials keeps of a run: its key, and its Sharpe ratio per day.

    Weights that differ by a factor only are the same trial; the ratio is NaN where undefined.
    """
    found = float(sharpe(run.days)) if run.days.size > 1 else math.nan
    return key_of(weight_array(weights)[None], "what_if"), found
