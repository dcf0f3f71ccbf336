"""The judge of the product: vectors by the sweep where it can, else one by one by the engine."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opportunity.backtest.batches import Batches
from opportunity.backtest.decisions import decide_all
from opportunity.backtest.execution import Ran, execute
from opportunity.backtest.history import History
from opportunity.backtest.judge import Verdicts
from opportunity.backtest.sweep_run import run_span
from opportunity.market.bars import FloatArray
from opportunity.trading.records import TALLY
from opportunity.trading.setup import TradeSetup


@dataclass(frozen=True, slots=True)
class SetupJudge:
    """Judges vectors under one setup.

    Parameters
    ----------
    setup : TradeSetup
        Rules, costs, size, limits and cash.
    timeframe_weights : mapping, optional
        Replaces default weights across timeframes.
    delay : int
        Base bars by which every decision is acted on later, >= 0.

    Raises
    ------
    ValueError
        If the delay is negative.
    """

    setup: TradeSetup = field(default_factory=TradeSetup)
    timeframe_weights: Mapping[str, float] | None = None
    delay: int = 0

    def __post_init__(self) -> None:
        if self.delay < 0:
            raise ValueError(f"delay must be >= 0 bars, was {self.delay}")

    @property
    def cash(self) -> float:
        """What each run starts with, quote currency."""
        return self.setup.cash

    @property
    def horizon(self) -> int:
        """Decision bars that a trade lasts at most; 0 where there is no time stop."""
        return self.setup.rules.time_stop

    @property
    def key(self) -> str:
        """Digest of everything that verdicts depend on besides data and vectors."""
        frames = None if self.timeframe_weights is None else dict(self.timeframe_weights)
        told = json.dumps([self.setup.as_dict(), frames, self.delay], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()

    def __call__(self, history: History, matrix: FloatArray, start: int, end: int) -> Verdicts:
        """Judge vectors (n, n_detectors) on the batches `start` to `end`, each by itself."""
        if self.delay == 0 and len(history.symbols) == 1:
            return run_span(history, matrix, (start, end), self.setup, self.timeframe_weights)
        tally, equity = np.zeros(len(matrix), TALLY), np.empty(len(matrix))
        for i, weights in enumerate(matrix):
            ran = self.run(history, weights, start, end)
            tally[i], equity[i] = ran.tally[0], ran.equity[-1]
        return Verdicts(tally, equity)

    def rerun(
        self, history: History, weights: FloatArray, start: int, end: int, cash: float
    ) -> FloatArray:
        """Run one vector through the single engine; equity after each batch, (end - start,)."""
        return self.run(history, weights, start, end, cash).equity

    def run(
        self, history: History, weights: FloatArray, start: int, end: int,
        cash: float | None = None,
    ) -> Ran:
        """Run one vector through the single engine, starting flat, with all that is left behind.

        Raises
        ------
        ValueError
            If the span is empty or not in the history.
        """
        rules = self.setup.rules
        table = decide_all(history, weights, rules, self.timeframe_weights).table
        setup = self.setup if cash is None else replace(self.setup, cash=cash)
        return execute(
            window(history.batches, start, end), shifted(table, start, end, self.delay), setup,
            len(history.symbols),
        )


def window(batches: Batches, start: int, end: int) -> Batches:
    """Return the batches `start` to `end`, the end not included, without copying bars.

    Raises
    ------
    ValueError
        If the span is empty or not within the batches.
    """
    if not 0 <= start < end <= len(batches):
        raise ValueError(f"span must be within 0..{len(batches)}, was {start}..{end}")
    rows = slice(int(batches.first[start]), int(batches.first[end]))
    return Batches(
        batches.time[start:end], batches.opened[start:end],
        batches.first[start : end + 1] - batches.first[start], batches.symbol[rows],
        batches.open_time[rows], batches.values[rows],
    )


def shifted(table: NDArray[Any], start: int, end: int, delay: int) -> NDArray[Any]:
    """Return the decisions made in a span, counted from its start, acted on `delay` bars later.

    Those that would be acted on behind the end are left out.
    """
    inside = (table["batch"] >= start) & (table["batch"] + delay < end)
    kept = table[inside].copy()
    kept["batch"] += delay - start
    return kept
