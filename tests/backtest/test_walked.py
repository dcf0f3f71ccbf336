from dataclasses import replace

import numpy as np
import pytest

from opportunity.backtest.judge import Verdicts
from opportunity.backtest.splits import Split, Steps
from opportunity.backtest.walked import Fold, WalkForward
from opportunity.storage.judged import TrialCount
from opportunity.trading.records import TALLY


def fold(k: int, weights: list[float], inside: float, outside: float) -> Fold:
    tally = np.zeros(1, TALLY)
    tally["n"], tally["n_trades"] = 3, 4
    return Fold(
        Split((Steps(0, 10 + 3 * k),), Steps(10 + 3 * k, 13 + 3 * k)), np.array(weights), True,
        inside, outside, 0.1, Verdicts(tally, np.array([110.0])), 50,
    )  # fmt: skip


def result(*folds: Fold) -> WalkForward:
    n = 3 * len(folds)
    curve = 100.0 + np.arange(n)
    return WalkForward(
        folds, 1_600_000_000_000 + 3_600_000 * np.arange(n), curve, curve - 1, 100.0, "sharpe",
        TrialCount(n=7), "d", "simulated",
    )


A = [1.0] + [0.0] * 8
B = [1.0, 1.0] + [0.0] * 7


def test_numbers_of_two_folds():
    found = result(fold(0, A, 2.0, 1.0), fold(1, B, 4.0, 0.5))
    assert (found.in_sample, found.out_of_sample, found.efficiency) == (3.0, 0.75, 0.25)
    assert found.stability == pytest.approx(0.5)
    np.testing.assert_allclose(found.weights[1], [0.5, 0.5] + [0] * 7)
    np.testing.assert_allclose(found.spread[:2], [0.25, 0.25])
    assert found.trades == 8
    assert found.returns[1] == pytest.approx(0.01)
    assert "7 trials" in repr(found)


def test_what_equal_weights_earned_keeps_no_promise():
    without = replace(fold(1, B, np.nan, 9.0), found=False)
    assert result(fold(0, A, 2.0, 1.0), without).efficiency == 0.5


def test_a_promise_of_a_loss_has_no_efficiency():
    assert np.isnan(result(fold(0, A, -1.0, 1.0)).efficiency)
    assert np.isnan(result(fold(0, A, np.nan, 1.0)).in_sample)


def test_frame_tells_every_fold():
    frame = result(fold(0, A, 2.0, 1.0), fold(1, B, 4.0, 0.5)).to_frame()
    assert frame["train_bars"].tolist() == [10, 13]
    assert frame["total_return"].tolist() == [pytest.approx(0.1)] * 2
    assert str(frame["test_first"].dt.tz) == "UTC"
    assert frame["test_last"][1] > frame["test_first"][1]
