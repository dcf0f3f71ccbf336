"""What if the weights were others: one vector over a whole history, fast enough for a slider."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.cluster import Threads
from opportunity.backtest.curve_metrics import annual_factor, years_of
from opportunity.backtest.history import History
from opportunity.backtest.sweep_layout import (
    hangs_on_confidence,
    layout,
    question,
    room,
    vectors,
)
from opportunity.backtest.sweep_run import code_block
from opportunity.backtest.sweep_tables import tables_of
from opportunity.backtest.sweep_trade import advance
from opportunity.backtest.tally_metrics import metrics_of_tally
from opportunity.kernels import kernel
from opportunity.market.bars import FloatArray
from opportunity.market.timeframe import TimeArray
from opportunity.scoring.ensemble import WeightsLike, weight_array
from opportunity.trading.setup import TradeSetup
from opportunity.trading.terms import new_account, new_positions, new_tally

POINTS: Final = 2_000
"""Points of the picture: more than a screen is wide."""


@dataclass(frozen=True, eq=False)
class WhatIfRun:
    """What would have become of an account.

    Parameters
    ----------
    time, equity : ndarray, shape (k,)
        The curve, thinned for a picture: of each stretch its lowest and highest value, and the
        last of all; closes in ms UTC, quote currency.
    tally : ndarray of TALLY, shape (1,)
        Running sums over every bar.
    final_equity : float
        Quote currency.
    n_trades : int
    cash : float
        At the start.
    source : str
        Stamp of the bars, e.g. ``simulated``.
    """

    time: TimeArray
    equity: FloatArray
    tally: NDArray[Any]
    final_equity: float
    n_trades: int
    cash: float
    source: str
    _bars: TimeArray

    def __repr__(self) -> str:
        return f"<WhatIfRun: {self.n_trades} trades, {self.cash:g} to {self.final_equity:.2f}>"

    @cached_property
    def metrics(self) -> dict[str, float]:
        """Metrics by name; NaN where undefined."""
        return metrics_of_tally(
            self.tally, self.cash, self.final_equity, annual_factor(self._bars),
            years_of(self._bars),
        )  # fmt: skip


class WhatIf:
    """A history ready to be run under any weights.

    Parameters
    ----------
    history : History
        Of one symbol.
    setup : TradeSetup, optional
        Rules, costs, size, limits and cash.
    timeframe_weights : mapping, optional
        Replaces default weights across timeframes.
    threads : int, optional
        That score; defaults to the processors that this process may use.

    Raises
    ------
    NotSweepable
        If there are several symbols.

    Notes
    -----
    The same bits as the single engine. A year of 1m bars takes a few milliseconds with decisions
    every hour.
    """

    def __init__(
        self,
        history: History,
        setup: TradeSetup | None = None,
        timeframe_weights: Mapping[str, float] | None = None,
        threads: int | None = None,
    ) -> None:
        self.history, self.setup = history, setup or TradeSetup()
        self._tables = tables_of(history, timeframe_weights)
        self._asked = question(self._tables, self.setup.rules)
        self._trusting = hangs_on_confidence(self.setup)
        self._laid = layout(self._tables, self._asked)
        self._rooms = [
            room(self._tables, len(history.batches)) for _ in range(Threads(threads).n)
        ]
        self._words = np.zeros(len(self._tables) // 8 + 2, np.int64)

    def run(self, weights: WeightsLike | None = None, points: int = POINTS) -> WhatIfRun:
        """Run one weight vector over the whole history.

        Parameters
        ----------
        weights : Weights, mapping or ndarray, optional
            Defaults to balanced.
        points : int
            Most points of the curve, >= 3.

        Raises
        ------
        ValueError
            If a weight is unknown or out of bounds, or the points are too few.

        Notes
        -----
        One run at a time: two threads must not share a WhatIf.
        """
        if points < 3:
            raise ValueError(f"points must be >= 3, was {points}")
        tables, asked, history = self._tables, self._asked, self.history
        laid = vectors(tables, weight_array(weights)[None])
        codes = self._words.view(np.int8)
        self._score(laid.normal, bool(laid.wild[0]), codes)
        account, tally = new_account(self.setup.cash), new_tally(self.setup.cash)
        batches, first, mine = history.batches, history.start_batch, self._rooms[0]
        curve, gross = np.empty((2, len(batches)))
        last = len(batches) - 1
        advance(
            account[0], new_positions(1), self.setup.terms()[0], tally[0],
            (batches.time, batches.open_time, batches.values, curve, gross),
            (
                tables.at, tables.time, tables.atr, tables.flagged, tables.volume, 0, 0,
                len(tables),
            ),
            codes, self._words,
            (laid.matrix[0], tables.seen, asked.exact, mine.exact, self._trusting), mine.logs,
            (first, last, last),
        )  # fmt: skip
        kept = thin(curve[first:], points) + first
        return WhatIfRun(
            batches.time[kept], curve[kept], tally, float(account["equity"][0]),
            int(account["n_trades"][0]), self.setup.cash, history.source, batches.time[first:],
        )

    def _score(self, normal: Any, wild: bool, codes: Any) -> None:
        """Code all decisions: a part of the blocks for each thread."""
        n_blocks, sets = self._tables.starts.size - 1, self._tables.seen[2]
        cuts = np.linspace(0, n_blocks, len(self._rooms) + 1).astype(np.int64).tolist()

        def work(i: int) -> None:
            mine = self._rooms[i]
            code_blocks(
                cuts[i], cuts[i + 1], normal, wild, sets, self._laid, self._asked.fast,
                mine.scores, mine.words.view(np.int8), codes,
            )

        if len(self._rooms) == 1:
            work(0)
            return
        with ThreadPoolExecutor(len(self._rooms), thread_name_prefix="what-if") as pool:
            for done in [pool.submit(work, i) for i in range(len(self._rooms))]:
                done.result()


@kernel
def code_blocks(
    first: Any, until: Any, normal: Any, wild: Any, sets: Any, laid: Any, fast: Any, scratch: Any,
    block: Any, codes: Any,
) -> None:
    """Code the decisions of the blocks `first` to `until` under one vector."""
    starts = laid[0]
    for k in range(first, until):
        a = starts[k]
        code_block(k, normal[sets[a], 0], wild, laid, fast, scratch, block)
        for i in range(starts[k + 1] - a):
            codes[a + i] = block[i]


def thin(curve: FloatArray, points: int) -> NDArray[np.int64]:
    """Return the places that a picture of a curve needs, ascending, the last one among them."""
    n = curve.size
    if n <= points:
        return np.arange(n)
    stretches = (points - 1) // 2
    found = np.empty(2 * stretches + 1, np.int64)
    extremes(curve, found)
    return np.unique(found)


@kernel
def extremes(curve: Any, found: Any) -> None:
    """Fill the places of the lowest and highest value of each stretch, then the last place."""
    n = curve.size
    stretches = found.size // 2
    for k in range(stretches):
        a = k * n // stretches
        low = a
        high = a
        for i in range(a + 1, (k + 1) * n // stretches):
            if curve[i] < curve[low]:
                low = i
            if curve[i] > curve[high]:
                high = i
        found[2 * k] = low
        found[2 * k + 1] = high
    found[2 * stretches] = n - 1
