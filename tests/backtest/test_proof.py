import numpy as np
import pytest
from builders import random_bars

from opportunity.backtest.engine import backtest
from opportunity.backtest.guards import judge
from opportunity.backtest.proof import daily_returns, evidence_of
from opportunity.market.bars import Bars
from opportunity.storage.judged import TrialCount

BARS = random_bars(1_000)
SIGNAL = np.where(np.arange(1_000) % 20 < 9, 1, -1)


@pytest.fixture(scope="module")
def result():
    return backtest(BARS, signal=SIGNAL)


def test_days_compound_to_the_result(result):
    found = daily_returns(result)
    days = np.unique((result.time - 1) // 86_400_000)
    assert found.size == days.size < 60
    assert np.prod(1 + found) == pytest.approx(1 + result.metrics.total_return)


def test_long_bars_are_their_own_periods():
    time = 1_577_836_800_000 + 86_400_000 * np.arange(len(BARS))
    daily = Bars(time, BARS.values, "1d", "TEST/USDT", "simulated")
    found = backtest(daily, signal=SIGNAL)
    assert daily_returns(found).size == len(found)


def test_evidence_of_results_can_be_judged(result):
    equal = backtest(BARS, signal=-SIGNAL)
    evidence = evidence_of(result, equal, n_trials=7, matrix=None)
    assert evidence.n_trials == 7
    assert evidence.trades == result.metrics.trades
    assert evidence.returns.shape == evidence.benchmark.shape
    assert not judge(evidence).passed
    assert evidence_of(result).benchmark is None


def test_other_bars_are_refused(result):
    with pytest.raises(ValueError, match="over the same 1000 bars"):
        evidence_of(result, backtest(BARS[:900], signal=SIGNAL[:900]))


def test_a_count_tells_how_many_and_how_far_apart(result):
    count = TrialCount(n=50, deviation=0.7)
    evidence = evidence_of(result, n_trials=count)
    assert evidence.n_trials == 50
    assert evidence.variance == pytest.approx(0.49 / evidence.returns.size)
    assert evidence.period == "day"
    wide = np.random.default_rng(1).standard_normal((evidence.returns.size, 5))
    wide *= 0.01
    wide += np.linspace(-0.05, 0.05, 5)
    spread = evidence_of(result, n_trials=count, matrix=wide)
    assert spread.variance > evidence.variance
    unknown = evidence_of(result, n_trials=TrialCount(n=2))
    assert np.isnan(unknown.variance)
    assert evidence_of(result, n_trials=50).variance is None
