"""Wire models of long work: how it goes, and why it failed."""

from typing import Any, Literal

from pydantic import Field

from opportunity.contracts.base import Answer, Fraction, Number

JobState = Literal["queued", "running", "cancelling", "done", "failed", "cancelled"]
"""A test holds this equal to `app.jobs.State`."""

JobKind = Literal["backtest", "sweep", "promote", "walk_forward", "calibration", "surface"]


class JobError(Answer):
    """Why a job failed."""

    code: str
    detail: str


class JobLine(Answer):
    """What the stream tells of a job."""

    id: str
    kind: JobKind
    state: JobState
    progress: Fraction
    done: float
    total: float
    unit: str
    doing: str = Field(description="what is under way, in plain words")
    rate: Number = Field(description="units a second")
    left_s: Number = Field(description="seconds left at this rate; null: not known")
    result: str | None = Field(description="address of the result, once there is one")
    error: JobError | None
    source: str


class JobStatus(JobLine):
    """How a job goes."""

    place: int = Field(description="jobs before it; 0: it runs or is finished")
    about: dict[str, Any] = Field(description="the request with all defaults")
    created_at: int = Field(description="wall time, ms UTC")
    started_at: int | None
    finished_at: int | None
