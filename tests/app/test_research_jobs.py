"""Walk-forward, calibration, costs and delay as jobs: what they leave, and that they stop."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from walks import FIRST, FakeBars

from app.backtest_plan import plan_of
from app.backtests import Backtests
from app.research_jobs import (
    MOST_FOLDS,
    Folds,
    check_look,
    stopping,
    submit_calibration,
    submit_surface,
    submit_walk_forward,
)
from opportunity.backtest.searched import Plan as Look
from opportunity.backtest.trials import MemoryTrials
from opportunity.bus.memory import Hub
from opportunity.contracts.backtest import BacktestRequest
from opportunity.scoring.presets import PRESETS

ASKED = {
    "symbol": "BTC/USDT", "start_date": "2024-01-01", "end_date": "2024-02-11",
    "timeframes": ["1h"], "rules": {"min_score": 0.5, "min_confidence": 0.0},
}  # fmt: skip


def plan(**change):
    return plan_of(BacktestRequest.model_validate(ASKED | change), PRESETS["balanced"])


@pytest.fixture
async def backtests():
    hub = Hub(asyncio.get_running_loop(), tick_s=0.001)
    made = Backtests(lambda exchange: FakeBars(), hub, MemoryTrials(), None)
    yield made
    await made.close()
    hub.close()


async def done(backtests, job):
    assert await backtests.jobs.wait(job, 60)
    assert job.state == "done", job.error
    return job.result


async def test_walk_forward_keeps_its_plan_and_counts_its_trials(backtests):
    job = submit_walk_forward(backtests, plan(), Look("random", 20), Folds(3))
    walked = await done(backtests, job)
    assert (job.kind, job.about["folds"], job.unit) == ("walk_forward", 3, "folds")
    assert "weights" not in job.about  # it looks for them
    assert len(walked.result.folds) == 3
    assert walked.result.trials.n == backtests.trials.count(walked.result.digest).n >= 60
    assert walked.plan == plan()


async def test_calibration_measures_calls_that_were_stated_before(backtests):
    year = plan(start_date="2023-06-20")
    assert year.start > FIRST
    found = await done(backtests, submit_calibration(backtests, year, "isotonic"))
    assert list(found.result.calibrators) == ["1h"]
    measured = found.result.measured["1h"]
    assert measured.success.n > 1_000
    assert np.allclose(found.result.weights, list(PRESETS["balanced"].values()))


async def test_too_little_to_calibrate_says_why(backtests):
    short = plan(end_date="2024-01-11")
    found = await done(backtests, submit_calibration(backtests, short, "logistic"))
    assert found.result.calibrators == {}
    assert "1h" in found.result.refused


async def test_surface_holds_the_run_itself(backtests):
    stressed = await done(backtests, submit_surface(backtests, plan()))
    ran = await done(backtests, backtests.submit(plan()))
    at = stressed.result.multiples.index(1.0)
    assert stressed.result.values["total_return"][at, 0] == ran.result.metrics.total_return
    assert len(stressed.result.break_even) == len(stressed.result.delays)


async def test_a_job_that_is_stopped_is_cancelled_not_failed(backtests):
    job = submit_walk_forward(backtests, plan(), Look("random", 50_000), Folds(24))
    backtests.jobs.cancel(job)
    assert await backtests.jobs.wait(job, 60)
    assert job.state == "cancelled"


def test_stopping_asks_the_job() -> None:
    class Line:
        asked = 0

        def check(self) -> None:
            self.asked += 1

    line = Line()
    assert stopping(line)() is False
    assert line.asked == 1


@pytest.mark.parametrize(("change", "told"), [
    ({"n": 0}, "folds must be a whole"), ({"n": MOST_FOLDS + 1}, "folds must be a whole"),
    ({"n": 2.5}, "folds must be a whole"),
    ({"train": 0.0}, "train must be"), ({"train": 1.0}, "train must be"),
    ({"train": None}, "train must be"),
])
def test_folds_must_be_in_their_range(change, told) -> None:
    with pytest.raises(ValueError, match=told):
        Folds(**change)


def test_a_search_that_would_take_too_long_is_refused() -> None:
    check_look(plan(), Look("random", 100_000))
    with pytest.raises(ValueError, match="at most 2,000 for tpe"):
        check_look(plan(), Look("tpe", 2_001))
    several = replace(plan(), symbols=("BTC/USDT", "ETH/USDT"))
    with pytest.raises(ValueError, match="several symbols"):
        check_look(several, Look("random", 10_000_000))
