import inspect

import numpy as np
import pytest
from pretend import PretendJudge, pretend_history

from opportunity.backtest.candidates import random_weights
from opportunity.backtest.guards import THRESHOLDS
from opportunity.backtest.judge import LEAST_TRADES, OBJECTIVES, Aim, best_of, join, sharpes
from opportunity.backtest.search import search
from opportunity.backtest.sweep import SweepResult
from opportunity.backtest.walkforward import walk_forward

MATRIX = random_weights(12, np.ones(9, np.bool_), 1)


def test_objectives_are_metrics_and_few_trades_have_no_value():
    judge = PretendJudge()
    verdicts = judge(pretend_history(300), MATRIX, 10, 300)
    assert int(verdicts.tally["n_trades"][0]) == 29
    for objective in OBJECTIVES[:5]:
        values = Aim(objective, 29).values(verdicts, judge.cash, 8_766.0)
        assert np.isfinite(values).all()
        assert np.isnan(Aim(objective, 30).values(verdicts, judge.cash, 8_766.0)).all()
    grown = Aim("total_return", 0).values(verdicts, judge.cash, 8_766.0)
    np.testing.assert_allclose(grown, verdicts.equity / 1_000.0 - 1.0)


def test_sharpe_ratios_are_of_single_bars():
    judge, history = PretendJudge(), pretend_history(300)
    verdicts = judge(history, MATRIX, 10, 300)
    returns = history.earned[10:300] @ MATRIX.T
    expected = returns.mean(axis=0) / returns.std(axis=0, ddof=1)
    np.testing.assert_allclose(sharpes(verdicts, judge.cash), expected, rtol=1e-9)
    np.testing.assert_allclose(
        Aim("sharpe", 0).values(verdicts, judge.cash, 400.0), expected * 20.0, rtol=1e-9
    )


def test_best_is_the_first_of_the_largest():
    assert best_of(np.array([np.nan, 1.0, 3.0, 3.0])) == 2
    assert best_of(np.array([np.nan, np.nan])) == -1


def test_verdicts_join_in_order():
    judge, history = PretendJudge(), pretend_history(100)
    whole = judge(history, MATRIX, 0, 100)
    parts = join([judge(history, MATRIX[:5], 0, 100), judge(history, MATRIX[5:], 0, 100)])
    np.testing.assert_array_equal(parts.equity, whole.equity)
    assert parts.tally.tobytes() == whole.tally.tobytes()
    np.testing.assert_array_equal(whole.take([3, 1]).equity, whole.equity[[3, 1]])


def test_unknown_objectives_and_negative_trades_are_refused():
    with pytest.raises(ValueError, match="Did you mean 'sharpe'"):
        Aim("sharp")
    with pytest.raises(ValueError, match="least_trades"):
        Aim(least_trades=-1)


def test_one_number_says_what_few_trades_are():
    assert LEAST_TRADES == Aim().least_trades == THRESHOLDS.trades == 30
    for function in (search, walk_forward, SweepResult.best):
        assert inspect.signature(function).parameters["least_trades"].default == LEAST_TRADES
