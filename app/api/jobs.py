"""Jobs as they travel, and their failures as problems."""

from typing import Any, Final, cast, get_args

from app.api.problems import ApiError
from app.jobs import OURS, Job, QueueFullError
from app.services import Services
from opportunity.backtest.extras import ExtraError
from opportunity.contracts.jobs import JobError, JobKind, JobLine, JobStatus
from opportunity.errors import BarError, CoverageError, OpportunityError
from opportunity.storage.database import DatabaseError

RETRY_S: Final = 5

_RESULT: Final = "/api/backtest/results/{}"

RESULTS: Final[dict[str, str]] = {"backtest": _RESULT, "sweep": _RESULT}
"""Where the result of a kind of job is; others have none to read."""


def job_line(services: Services, job: Job) -> JobLine:
    """Return what the stream tells of a job."""
    return JobLine(**_line(services, job))


def job_status(services: Services, job: Job) -> JobStatus:
    """Return all there is to tell of a job but its result."""
    return JobStatus(
        **_line(services, job),
        place=0 if job.finished else services.backtests.jobs.place(job),
        about=job.about,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )


def find_job(services: Services, id: str) -> Job:
    """Return a job; 404 when there is none of that id any more."""
    try:
        return services.backtests.jobs.find(id)
    except KeyError as error:
        raise ApiError(
            404, "unknown_job", "There is no such job; only the newest results are kept."
        ) from error


def finished(job: Job) -> Any:
    """Return the result of a job, or raise the problem that stands for it."""
    if job.state == "done":
        return job.result
    if job.error is not None:
        raise job_problem(job.error) from job.error
    if job.state == "cancelled":
        raise ApiError(409, "cancelled", "The job was cancelled; there is no result.")
    raise ApiError(
        409, "not_finished", f"The job is {job.state}; ask again when it is done.",
        headers={"Retry-After": str(RETRY_S)}, retry_after_s=RETRY_S,
    )  # fmt: skip


def job_problem(error: BaseException) -> ApiError:
    """Word why a job failed; what was not foreseen says nothing about the inside."""
    if isinstance(error, CoverageError):
        return ApiError(422, "missing_history", str(error), coverage=error.report)
    if isinstance(error, BarError):
        return ApiError(422, "bad_bars", str(error))
    if isinstance(error, DatabaseError):
        return ApiError(503, "unavailable", "The database failed. The server's log has the reason.")
    if isinstance(error, ExtraError):
        return ApiError(503, "unavailable", str(error))
    if isinstance(error, OpportunityError | ValueError) and not isinstance(error, OURS):
        return ApiError(400, "contradiction", str(error))
    return ApiError(500, "internal", "The job failed. The server's log has the reason.")


def queue_full(error: QueueFullError) -> ApiError:
    """Return the 429 of a queue that takes no more."""
    return ApiError(
        429, "queue_full", f"{error}; ask again when one has ended.",
        headers={"Retry-After": str(RETRY_S)}, retry_after_s=RETRY_S,
    )  # fmt: skip


def _line(services: Services, job: Job) -> dict[str, Any]:
    now = services.backtests.clock()
    problem = None if job.error is None else job_problem(job.error)
    assert job.kind in get_args(JobKind)
    where = RESULTS.get(job.kind)
    return {
        "id": job.id,
        "kind": cast(JobKind, job.kind),
        "state": job.state,
        "progress": job.progress,
        "done": job.done,
        "total": job.total,
        "unit": job.unit,
        "doing": job.doing,
        "rate": job.rate(now) if job.started_at is not None else None,
        "left_s": job.left_s(now) if job.started_at is not None else None,
        "result": where.format(job.id) if where and job.state == "done" else None,
        "error": None if problem is None else JobError(code=problem.code, detail=problem.detail),
        "source": services.source,
    }
