"""Histories, weight vectors and the comparison that the tests of the sweep share."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from builders import random_bars
from observed import observations

from opportunity.backtest.decisions import decide_all
from opportunity.backtest.execution import Ran, execute
from opportunity.backtest.history import History, prepare
from opportunity.backtest.setup_judge import shifted, window
from opportunity.market.bars import Bars
from opportunity.market.timeframe import length_ms
from opportunity.trading.setup import TradeSetup

START = 1_600_000_000_000 // length_ms("1d") * length_ms("1d")


def quarters(n: int = 2_600, seed: int = 1, holes: bool = True) -> Bars:
    """15m bars; with holes and a stretch in which nobody trades."""
    step = length_ms("15m")
    values = random_bars(n, seed=seed).values.copy()
    keep = np.ones(n, np.bool_)
    if holes:
        values[900:916, 4] = 0.0
        for hole in (slice(700, 701), slice(1_100, 1_108), slice(1_500, 1_600)):
            keep[hole] = False
    time = START + step * np.arange(n)
    return Bars(time[keep], values[keep], "15m", "BTC/USDT", "simulated")


@cache
def history(
    timeframes: tuple[str, ...] = ("15m",), decision: str = "15m", seed: int = 1, n: int = 2_600,
    observed: bool = False,
) -> History:  # fmt: skip
    bars = quarters(n, seed)
    if observed:  # from the middle on: detectors that were missing begin to exist
        middle = int(bars.time[len(bars) // 2])
        told = observations(bars)
    known = [r for r in told if getattr(r, "available_at", 0) >= middle] if observed else None
    return prepare(
        bars, timeframes=timeframes, decision_timeframe=decision, observations=known, partial=True
    )


def vectors(n: int, seed: int = 0) -> np.ndarray:
    """Random weights; first zeros, one-hot ones, equal ones, and such as single precision loses."""
    rng = np.random.default_rng(seed)
    made = rng.dirichlet(np.full(9, 0.7), n)
    special = np.concatenate([
        np.zeros((1, 9)), np.eye(9), np.ones((1, 9)), made[:1] * 1e-300, made[1:2] * 1e300,
        np.where(np.arange(9) < 2, 1e-30, made[2:3]), np.round(made[3:6], 1),
    ])  # fmt: skip
    made[: len(special)] = special[:n]
    return made


def single(made: History, weights: np.ndarray, setup: TradeSetup, span: Sequence[int]) -> Ran:
    """Run one vector through the single engine."""
    table = decide_all(made, weights, setup.rules).table
    return execute(window(made.batches, *span), shifted(table, *span, 0), setup, 1)


def assert_equal_runs(made: History, matrix: np.ndarray, setup: TradeSetup, found: Any) -> None:
    """Compare every field of the running sums, and the final equity, bit for bit."""
    span = made.start_batch, len(made.batches)
    for i, weights in enumerate(matrix):
        ran = single(made, weights, setup, span)
        assert found.tally[i : i + 1].tobytes() == ran.tally.tobytes(), (
            f"vector {i}: {found.tally[i]} instead of {ran.tally[0]}"
        )
        assert found.equity[i] == ran.account["equity"][0] == ran.equity[-1]
        assert found.tally["n_trades"][i] == len(ran.trades)


def relaxed(**rules: Any) -> TradeSetup:
    """Rules that let many entries through."""
    setup = TradeSetup()
    given = {"min_score": 0.55, "min_confidence": 0.1} | rules
    return replace(setup, rules=replace(setup.rules, **given))
