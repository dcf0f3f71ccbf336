from dataclasses import replace

import numpy as np
import pytest
from builders import random_bars
from pretend import PretendJudge, pretend_history

from opportunity.backtest.candidates import random_weights
from opportunity.backtest.engine import backtest
from opportunity.backtest.history import prepare
from opportunity.backtest.judge import CancelledError, ParityError
from opportunity.backtest.search import Plan
from opportunity.backtest.trials import MemoryTrials
from opportunity.backtest.walkforward import walk_forward
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

HISTORY = pretend_history(1_000, skill=0.004)
MATRIX = random_weights(300, np.ones(9, np.bool_), 5)


def walked(weights=MATRIX, **changes):
    given = {"setup": PretendJudge(), "trials": MemoryTrials(), "n_folds": 4} | changes
    return walk_forward(HISTORY, weights, **given)


def test_every_choice_is_the_best_of_its_own_past():
    result, judge = walked(), PretendJudge()
    for fold in result.folds:
        (train,) = fold.split.train
        assert train.end + 5 + 10 == fold.split.test.start  # horizon and a hundredth of 990
        ratios = _sharpe(HISTORY.earned[train.start : train.end] @ MATRIX.T)
        np.testing.assert_array_equal(fold.weights, MATRIX[ratios.argmax()])
        assert fold.in_sample == pytest.approx(ratios.max() * np.sqrt(8_766))
        test = HISTORY.earned[slice(*fold.split.test)] @ fold.weights
        assert fold.out_of_sample == pytest.approx(_sharpe(test) * np.sqrt(8_766))
    assert result.cash == judge.cash


def test_the_future_of_a_fold_changes_nothing_in_it():
    whole = walked()
    for k, fold in enumerate(whole.folds):
        cut = pretend_history(1_000, skill=0.004)
        cut.earned[fold.split.test.start :] = 0.5  # a wonderful future
        again = walk_forward(
            cut, MATRIX, setup=PretendJudge(), trials=MemoryTrials(), n_folds=4
        )
        np.testing.assert_array_equal(again.folds[k].weights, fold.weights)


def test_curves_join_without_a_hole():
    result = walked()
    assert result.time.size == result.equity.size == 495
    assert (np.diff(result.time) == 3_600_000).all()
    returns = np.concatenate(
        [HISTORY.earned[slice(*f.split.test)] @ f.weights for f in result.folds]
    )
    np.testing.assert_allclose(result.equity, 1_000.0 * np.cumprod(1 + returns))
    np.testing.assert_allclose(result.returns, returns, atol=1e-12)
    equal = HISTORY.earned[505:] @ np.full(9, 1 / 9)
    np.testing.assert_allclose(result.equal_equity, 1_000.0 * np.cumprod(1 + equal))
    assert result.equity[-1] > result.equal_equity[-1]  # one detector has skill


def test_without_skill_the_promise_is_not_kept():
    lucky = walk_forward(
        pretend_history(1_000, skill=0.0), MATRIX, setup=PretendJudge(), trials=MemoryTrials()
    )
    assert lucky.in_sample > 0
    assert lucky.efficiency < 0.5
    assert walked().efficiency > 0.5


def test_stability_is_the_share_that_stays():
    assert walked(MATRIX[:1]).stability == 1.0
    assert walked(MATRIX[:1]).spread.max() < 1e-15
    result = walked()
    moved = [
        np.abs(a.weights - b.weights).sum() / 2
        for a, b in zip(result.folds, result.folds[1:], strict=False)
    ]
    assert result.stability == pytest.approx(1 - np.mean(moved))
    assert np.isnan(walked(n_folds=1).stability)


def test_frame_has_a_row_for_each_fold():
    frame = walked().to_frame()
    assert list(frame.index) == [0, 1, 2, 3]
    assert all(a < b for a, b in zip(frame["test_last"], frame["test_first"][1:], strict=False))
    assert frame["judged"].eq(300).all()
    assert frame["train_bars"].is_monotonic_increasing


@pytest.mark.parametrize("plan", [Plan("random", 50), Plan("tpe", 40), Plan("grid", 50)])
def test_a_search_in_every_fold(plan):
    trials = MemoryTrials()
    result = walked(plan, trials=trials)
    assert all(plan.n // 5 < f.n_judged <= plan.n for f in result.folds)
    assert result.trials.n == sum(f.n_judged for f in result.folds)
    assert result.efficiency > 0.3


def test_vectors_judged_on_every_past_are_counted_once():
    trials = MemoryTrials()
    assert walked(trials=trials).trials.n == len(MATRIX)
    assert walked(trials=trials).trials.n == len(MATRIX)
    assert trials.read(HISTORY.digest)[0].kind == "walk_forward"


def test_rolling_spans_are_equally_long():
    lengths = {f.split.n_train for f in walked(anchored=False, train=400).folds}
    assert lengths == {400 - 15}


def test_with_too_few_trades_equal_weights_are_taken():
    result = walked(least_trades=10_000)
    assert not any(f.found for f in result.folds)
    np.testing.assert_allclose(result.weights, 1 / 9)
    assert np.isnan(result.in_sample)
    assert np.isfinite(result.out_of_sample)
    np.testing.assert_array_equal(result.equity, result.equal_equity)


def test_when_nothing_is_left_the_curve_stays_where_it_is():
    ruined = pretend_history(1_000)
    ruined.earned[600] = -1.0
    result = walk_forward(ruined, MATRIX, setup=PretendJudge(), trials=MemoryTrials(), n_folds=4)
    assert result.equity.size == 495
    assert (result.equity[600 - 505 :] == 0).all()
    assert np.isfinite(result.returns).all()


def test_what_the_engine_does_not_repeat_is_never_shown():
    with pytest.raises(ParityError):
        walked(setup=PretendJudge(wrong=1e-15))


def test_progress_and_stop():
    told = []
    walked(progress=lambda *done: told.append(done))
    assert told[-1] == (12, 12)  # four folds of three pieces
    told.clear()
    walked(Plan("random", 20), progress=lambda *done: told.append(done))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    with pytest.raises(CancelledError):
        walked(stop=lambda: True)
    with pytest.raises(CancelledError):
        walked(Plan("random", 20), stop=lambda: True)


def test_every_test_is_a_backtest_of_its_choice():
    bars = replace(random_bars(1_500, seed=3), symbol="S/USDT", source="simulated")
    setup = TradeSetup(rules=TradeRecord(min_score=0.55, min_confidence=0.05))
    history = prepare(bars, timeframes=["1h"], partial=True)
    result = walk_forward(
        history, Plan("random", 30), n_folds=3, setup=setup, trials=MemoryTrials()
    )
    cash, curve = setup.cash, []
    for fold in result.folds:
        start, end = (
            int(history.batches.opened[fold.split.test.start]),
            int(history.batches.time[fold.split.test.end - 1]),
        )
        ran = backtest(
            bars, weights=fold.weights, rules=setup.rules, cash=cash, timeframes=["1h"],
            start=start, end=end,
        )
        curve.append(ran.equity)
        cash = ran.equity[-1]
        assert fold.split.train[0].end + 24 + 14 == fold.split.test.start  # time stop, embargo
    np.testing.assert_array_equal(result.equity, np.concatenate(curve))
    assert result.trades > 0
    assert result.source == "simulated"


def _sharpe(returns: np.ndarray) -> np.ndarray:
    return returns.mean(axis=0) / returns.std(axis=0, ddof=1)
