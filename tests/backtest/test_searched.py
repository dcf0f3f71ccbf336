import numpy as np
import pytest

from opportunity.backtest.judge import Verdicts
from opportunity.backtest.searched import Plan, SearchResult
from opportunity.contracts import DETECTOR_NAMES
from opportunity.storage.judged import TrialCount
from opportunity.trading.records import TALLY


def result(values: list[float], best: int) -> SearchResult:
    n = len(values)
    tally = np.zeros(n, TALLY)
    tally["n"], tally["total"], tally["squares"] = 10, np.arange(n) / 100, 0.01
    return SearchResult(
        Plan(), np.eye(9)[:n], np.array(values), Verdicts(tally, np.full(n, 110.0)), best,
        1_600_000_000_000 + 3_600_000 * np.arange(10), np.full(10, 110.0), 100.0,
        TrialCount(n=77), "d", "simulated",
    )  # fmt: skip


def test_the_best_is_named():
    found = result([0.1, np.nan, 0.3], 2)
    assert found.weights == {n: float(n == DETECTOR_NAMES[2]) for n in DETECTOR_NAMES}
    assert (found.value, found.equal_value) == (0.3, 0.1)
    assert "77 trials" in repr(found)


def test_nothing_is_the_best_of_nothing():
    found = result([np.nan, np.nan], -1)
    assert found.weights is None
    assert np.isnan(found.value)


def test_frame_is_best_first_and_undefined_last():
    frame = result([0.1, np.nan, 0.3], 2).to_frame()
    assert list(frame.index) == [2, 0, 1]
    assert frame["total_return"].tolist() == [pytest.approx(0.1)] * 3
    assert frame[DETECTOR_NAMES[2]].tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: Plan("tpee"), "Did you mean 'tpe'"),
        (lambda: Plan(n=0), "n must be >= 1"),
        (lambda: Plan("grid", study="s"), "study must be empty for grid"),
    ],
)
def test_plans_that_cannot_be_are_refused(call, text):
    with pytest.raises(ValueError, match=text):
        call()
