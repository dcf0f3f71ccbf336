"""A judge and a history that are nothing but arithmetic, for tests of what only passes them on."""

import hashlib
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np

from opportunity.backtest.judge import Verdicts
from opportunity.trading.records import TALLY

HOUR = 3_600_000


@dataclass(frozen=True, eq=False)
class PretendHistory:
    """Returns that each detector alone would have earned, (n_batches, 9)."""

    earned: np.ndarray
    start_batch: int = 10
    exists_from: tuple = (0,) * 9
    base: str = "1h"
    decision: str = "1h"
    source: str = "simulated"

    @property
    def batches(self):
        n = len(self.earned)

        class Batches(SimpleNamespace):
            def __len__(self):
                return n

        return Batches(time=1_600_000_000_000 + HOUR * (1 + np.arange(n)))

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.earned.tobytes()).hexdigest()


@dataclass(frozen=True)
class PretendJudge:
    """Earns the weighted mean of what detectors earn, bar by bar; one trade every ten bars."""

    cash: float = 1_000.0
    horizon: int = 5
    wrong: float = 0.0  # by which the single engine is off

    @property
    def key(self) -> str:
        return f"pretend {self.cash}"

    def __call__(self, history, matrix, start, end) -> Verdicts:
        tally, equity = np.zeros(len(matrix), TALLY), np.empty(len(matrix))
        for i, weights in enumerate(matrix):
            curve = replace(self, wrong=0.0).rerun(history, weights, start, end, self.cash)
            before = np.concatenate([[self.cash], curve[:-1]])
            returns = np.where(before > 0, curve / np.where(before > 0, before, 1.0) - 1.0, 0.0)
            peak = np.maximum.accumulate(np.maximum(curve, self.cash))
            equity[i] = curve[-1]
            tally["n"][i], tally["n_trades"][i] = returns.size, returns.size // 10
            tally["total"][i], tally["squares"][i] = returns.sum(), (returns**2).sum()
            tally["downside"][i] = (returns[returns < 0] ** 2).sum()
            tally["drawdown"][i] = (1 - curve / peak).max()
        return Verdicts(tally, equity)

    def rerun(self, history, weights, start, end, cash):
        share = weights / weights.sum()
        grown = np.cumprod(1.0 + history.earned[start:end] @ share)
        return cash * grown * (1.0 + self.wrong)


def pretend_history(n: int = 600, seed: int = 3, skill: float = 0.0008, **changes):
    """Make a market in which the first detector earns and the others do not."""
    earned = np.random.default_rng(seed).normal(0.0, 0.01, (n, 9))
    earned[:, 0] += skill
    return PretendHistory(earned, **{"exists_from": np.zeros(9, np.int64), **changes})
