from dataclasses import replace

import numpy as np
import pytest
from builders import random_bars
from pretend import PretendJudge, pretend_history

from opportunity.backtest.engine import backtest
from opportunity.backtest.judge import CancelledError, ParityError
from opportunity.backtest.search import METHODS, Plan, SearchResult, search
from opportunity.backtest.trials import MemoryTrials
from opportunity.contracts import DETECTOR_NAMES
from opportunity.storage.database import open_database
from opportunity.storage.trials import TrialRepository
from opportunity.trading.rules import TradeRecord
from opportunity.trading.setup import TradeSetup

HISTORY = pretend_history(skill=0.004)


def found(method: str = "random", n: int = 64, **changes) -> SearchResult:
    given = {"setup": PretendJudge(), "trials": MemoryTrials(), "seed": 2} | changes
    return search(HISTORY, method, n, **given)


@pytest.mark.parametrize("method", METHODS)
def test_the_best_is_the_best_and_repeats(method):
    result = found(method)
    assert result.matrix.shape == (len(result.values), 9)
    assert result.value == result.values.max() > result.equal_value
    assert result.weights == dict(
        zip(DETECTOR_NAMES, result.matrix[result.best].tolist(), strict=True)
    )
    assert max(result.weights, key=result.weights.get) == DETECTOR_NAMES[0]  # it has the skill
    assert result.equity[-1] == result.verdicts.equity[result.best]
    assert result.time.size == result.equity.size == 590
    np.testing.assert_array_equal(found(method).matrix, result.matrix)
    assert method in repr(result)


@pytest.mark.parametrize("method", METHODS)
def test_every_vector_is_counted_once(method):
    trials = MemoryTrials()
    first = found(method, trials=trials)
    assert first.trials.n == len(first.values)
    again = found(method, trials=trials)
    assert again.trials.n == first.trials.n
    assert found(method, trials=trials, seed=9).trials.n > first.trials.n or method == "grid"
    assert trials.read(HISTORY.digest)[0].kind == "search"


def test_frame_is_best_first():
    result = found()
    frame = result.to_frame()
    assert frame["value"].is_monotonic_decreasing
    assert frame.index[0] == result.best
    assert {"sharpe", "max_drawdown", *DETECTOR_NAMES} <= set(frame.columns)
    assert frame["sharpe"].iloc[0] == pytest.approx(result.value)


def test_a_result_that_the_engine_does_not_repeat_is_never_shown():
    with pytest.raises(ParityError, match="end alike"):
        found(setup=PretendJudge(wrong=1e-15))


def test_with_too_few_trades_nothing_is_best():
    result = found(least_trades=1_000)
    assert (result.best, result.weights, result.equity.size) == (-1, None, 0)
    assert np.isnan(result.value)


def test_detectors_without_data_get_no_weight():
    never = np.array([0] * 6 + [2**63 - 1] * 3)
    result = search(
        pretend_history(exists_from=never), "tpe", 40, setup=PretendJudge(), trials=MemoryTrials()
    )
    assert (result.matrix[:, 6:] == 0).all()


def test_a_study_goes_on_in_the_database(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    trials = TrialRepository(engine)
    first = found("tpe", 40, study="s", trials=trials)
    longer = found("tpe", 60, study="s", trials=trials)
    np.testing.assert_array_equal(longer.matrix[:40], first.matrix)
    np.testing.assert_array_equal(longer.values[:40], first.values)
    assert len(longer.verdicts) == 60
    assert longer.trials.n == 60
    with pytest.raises(ParityError, match="earlier values"):
        found("tpe", 60, study="s", trials=trials, setup=Drifted())
    engine.dispose()


def test_bars_are_prepared_and_judged_as_backtests():
    bars = replace(random_bars(900, seed=3), symbol="S/USDT", source="simulated")
    setup = TradeSetup(rules=TradeRecord(min_score=0.55, min_confidence=0.05))
    result = search(
        bars, n=40, setup=setup, trials=MemoryTrials(), timeframes=["1h"], partial=True
    )
    assert result.source == "simulated"
    assert (result.matrix[:, 6:] == 0).all()  # no headlines, no funding, no prints
    ran = backtest(
        bars, weights=result.matrix[result.best], rules=setup.rules, timeframes=["1h"], partial=True
    )
    np.testing.assert_array_equal(ran.equity, result.equity)
    np.testing.assert_array_equal(ran.time, result.time)
    assert ran.metrics.sharpe == pytest.approx(result.value)


class Drifted(PretendJudge):
    """Claims the same terms and judges otherwise, as a changed program does."""

    def rerun(self, history, weights, start, end, cash):
        return super().rerun(history, weights * np.linspace(1, 2, 9), start, end, cash)


def test_without_a_counter_the_database_of_the_settings_counts(monkeypatch, tmp_path):
    monkeypatch.setenv("OPPORTUNITY_HOME", str(tmp_path))
    assert search(HISTORY, n=10, setup=PretendJudge()).trials.n == 10
    assert search(HISTORY, n=20, setup=PretendJudge()).trials.n == 30


def test_progress_and_stop():
    told = []
    found("random", 600, progress=lambda *done: told.append(done))
    assert told[-1] == (5, 5)
    with pytest.raises(CancelledError):
        found(stop=lambda: True)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: Plan("tpee"), "Did you mean 'tpe'"),
        (lambda: Plan(n=0), "n must be >= 1"),
        (lambda: Plan("grid", study="s"), "study must be empty for grid"),
        (lambda: found(timeframes=["1h"]), "without arguments of its own: timeframes"),
        (lambda: found(objective="sharpness"), "objective"),
    ],
)
def test_wrong_arguments_are_refused(call, text):
    with pytest.raises(ValueError, match=text):
        call()
