import pytest

from app.api.jobs import find_job, finished, job_line, job_problem, job_status, queue_full
from app.api.problems import ApiError
from app.jobs import Job, QueueFullError
from opportunity.backtest.extras import ExtraError
from opportunity.backtest.judge import ParityError
from opportunity.errors import BarError, CoverageError
from opportunity.storage.database import DatabaseError

WHERE = {"about": {}, "created_at": 5}


def job(state="queued", **more):
    made = Job("ab" * 16, 0, "backtest", **WHERE)
    made.state = state
    for name, value in more.items():
        setattr(made, name, value)
    return made


async def test_a_status_is_a_line_and_more(world):
    made = job("running", started_at=6, began=world.services.backtests.clock() - 2, done=50.0,
               total=100.0, unit="bars")  # fmt: skip
    line, status = job_line(world.services, made), job_status(world.services, made)
    assert line.progress == 0.5
    assert line.rate == pytest.approx(25, rel=0.2)
    assert line.left_s == pytest.approx(2, rel=0.2)
    assert line.result is None
    assert (status.source, status.created_at) == ("simulated", 5)
    assert job_line(world.services, job()).rate is None
    ended = job_line(world.services, job("done"))
    assert ended.result == f"/api/backtest/results/{'ab' * 16}"
    failed = job_line(world.services, job("failed", error=RuntimeError("hunter2")))
    assert failed.error.code == "internal"
    assert "hunter2" not in failed.error.detail


async def test_a_job_that_is_gone_is_a_404(world):
    with pytest.raises(ApiError) as caught:
        find_job(world.services, "0")
    assert (caught.value.status_code, caught.value.code) == (404, "unknown_job")


@pytest.mark.parametrize(
    ("state", "code"), [("queued", "not_finished"), ("running", "not_finished"),
                        ("cancelling", "not_finished"), ("cancelled", "cancelled")],
)
def test_only_a_finished_job_has_a_result(state, code):
    with pytest.raises(ApiError) as caught:
        finished(job(state))
    assert (caught.value.status_code, caught.value.code) == (409, code)
    assert finished(job("done", result="x")) == "x"


def test_errors_become_problems():
    report = {"timeframe": "1h"}
    error = CoverageError("nothing")
    error.report = report
    assert job_problem(error).more["coverage"] is report
    codes = [job_problem(e).code for e in (BarError("b"), ValueError("v"), KeyError("k"))]
    assert job_problem(ExtraError("optuna must be installed")).status_code == 503
    assert codes == ["bad_bars", "contradiction", "internal"]
    assert queue_full(QueueFullError("full")).status_code == 429


@pytest.mark.parametrize(
    ("error", "status"), [(DatabaseError("INSERT INTO x"), 503), (ParityError("0.1, 0.2"), 500)]
)
def test_what_nobody_outside_can_mend_says_nothing_about_the_inside(error, status):
    found = job_problem(error)
    assert found.status_code == status
    assert str(error) not in found.detail
