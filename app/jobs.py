"""Work that takes longer than an answer may: queued, run on one thread, watched, stopped.

The worker is a thread, not a process: what takes long are compiled kernels, which hold no lock,
and their results need not be copied. It is one thread, so two large jobs never run at once; one
that uses several cores leaves one to the live agent (`backtests.spare_cores`). A job is stopped
where its work asks `Progress` whether to go on.
"""

import asyncio
import threading
import uuid
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import structlog

from opportunity.backtest.judge import ParityError
from opportunity.errors import OpportunityError, unknown
from opportunity.storage.database import DatabaseError

logger = structlog.get_logger(__name__)

State = Literal["queued", "running", "cancelling", "done", "failed", "cancelled"]
FINISHED: Final = frozenset({"done", "failed", "cancelled"})

OURS: Final = (DatabaseError, ParityError)
"""Known errors that nobody who asks can mend: the log has the reason, an answer has not."""

MOST_WAITING: Final = 8
MOST_KEPT: Final = 32
MOST_BYTES: Final = 256 << 20
TELL_S: Final = 0.2
CLOSE_S: Final = 5.0

Clock = Callable[[], float]


class QueueFullError(OpportunityError):
    """Raised when as many jobs wait as may."""

    @property
    def passing(self) -> bool:
        """A job that ends makes room."""
        return True


class CancelledError(Exception):
    """Raised inside a job's work, where it asks whether to go on, after somebody stopped it."""


@dataclass(eq=False)
class Job:
    """One piece of work and how it goes; written by the worker, read by anybody.

    Parameters
    ----------
    id : str
        Random; whoever knows it may read the result.
    number : int
        Counted from 0 by submission.
    kind : str
        ``backtest``, ``sweep``, ...
    about : mapping
        What it works on, plain values.
    created_at : int
        Wall time, ms UTC.
    """

    id: str
    number: int
    kind: str
    about: dict[str, Any]
    created_at: int
    state: State = "queued"
    done: float = 0.0
    total: float = 0.0
    unit: str = ""
    doing: str = ""
    started_at: int | None = None
    finished_at: int | None = None
    result: Any = None
    error: BaseException | None = None
    nbytes: int = 0
    stop: threading.Event = field(default_factory=threading.Event, repr=False)
    future: "Future[None] | None" = field(default=None, repr=False)
    began: float = 0.0
    ended: float | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in FINISHED

    @property
    def progress(self) -> float:
        """Share that is done, [0, 1]."""
        if self.state == "done":
            return 1.0
        return min(self.done / self.total, 1.0) if self.total > 0 else 0.0

    def rate(self, now: float) -> float:
        """Return units done a second; NaN before the first."""
        spent = (self.ended if self.ended is not None else now) - self.began
        return self.done / spent if self.done > 0 and spent > 0 else float("nan")

    def left_s(self, now: float) -> float:
        """Return the seconds that are left at this rate; 0 when finished, NaN when unknown."""
        if self.finished:
            return 0.0
        return (self.total - self.done) / self.rate(now) if self.total > 0 else float("nan")


class Progress:
    """The work's line to whoever waits for it.

    Parameters
    ----------
    job : Job
    tell : callable
        Called with the job when there is something new, at most once in `TELL_S`.
    now : callable
        Monotonic seconds.
    """

    def __init__(self, job: Job, tell: Callable[[Job], None], now: Clock) -> None:
        self._job, self._tell, self._now = job, tell, now
        self._told = now()

    def at(self, done: float, total: float, unit: str = "", doing: str = "") -> None:
        """Say how far the work is.

        Raises
        ------
        CancelledError
            If somebody stopped it: let it through.
        """
        self.check()
        job = self._job
        fresh = doing != job.doing
        job.done, job.total, job.unit, job.doing = done, total, unit, doing
        now = self._now()
        if fresh:
            job.began = now  # of this part: its rate says how long it will take
        if fresh or now - self._told >= TELL_S:
            self._told = now
            self._tell(job)

    def check(self) -> None:
        """Raise `CancelledError` if somebody stopped the work."""
        if self._job.stop.is_set():
            raise CancelledError


Work = Callable[[Progress], Any]


def bare(error: BaseException) -> BaseException:
    """Return an error without where it came from: its frames would keep all bars of the run."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


class Jobs:
    """A bounded queue, one worker thread, and the newest results.

    Parameters
    ----------
    tell : callable
        Called with a job whose state or progress changed, on any thread.
    wall_ms : callable
        Wall time, ms UTC.
    now : callable
        Monotonic seconds.
    weigh : callable
        Returns the bytes that a result holds.
    """

    def __init__(
        self,
        tell: Callable[[Job], None],
        wall_ms: Callable[[], int],
        now: Clock,
        weigh: Callable[[Any], int] = lambda result: 0,
    ) -> None:
        self._tell, self._wall_ms, self._now, self._weigh = tell, wall_ms, now, weigh
        self._lock = threading.Lock()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._pool: ThreadPoolExecutor | None = None
        self._n = 0
        self._closed = False

    def submit(self, kind: str, about: dict[str, Any], work: Work) -> Job:
        """Queue work.

        Raises
        ------
        QueueFullError
            If `MOST_WAITING` jobs wait already.
        """
        with self._lock:
            waiting = sum(job.state == "queued" for job in self._jobs.values())
            if waiting >= MOST_WAITING or self._closed:
                raise QueueFullError(
                    f"jobs that wait must be at most {MOST_WAITING}, was {waiting + 1}"
                )
            job = Job(uuid.uuid4().hex, self._n, kind, about, self._wall_ms())
            self._n += 1
            self._jobs[job.id] = job
            if self._pool is None:  # a server that is never asked has no thread for it
                self._pool = ThreadPoolExecutor(1, "jobs")
            job.future = self._pool.submit(self._run, job, work)
        self._tell(job)
        return job

    def find(self, id: str) -> Job:
        """Return a job; KeyError when there is none of that id any more."""
        with self._lock:
            if id not in self._jobs:
                raise KeyError(unknown("job", id[:64], ()))
            return self._jobs[id]

    def all(self) -> list[Job]:
        """Return the jobs that are known, oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def place(self, job: Job) -> int:
        """Return how many jobs run or wait before it."""
        return sum(other.number < job.number and not other.finished for other in self.all())

    def cancel(self, job: Job) -> None:
        """Stop a job: at once while it waits, else where its work next asks; twice is once."""
        if job.finished:
            return
        job.stop.set()
        with self._lock:
            waits = job.state == "queued" and job.future is not None and job.future.cancel()
            if not waits and not job.finished:
                job.state = "cancelling"
        if waits:
            self._end(job, "cancelled")
        else:
            self._tell(job)

    async def wait(self, job: Job, timeout_s: float) -> bool:
        """Wait for the end of a job; return whether it came in time. The job goes on anyway."""
        if job.future is not None and not job.finished:
            await asyncio.wait({asyncio.wrap_future(job.future)}, timeout=timeout_s)
        return job.finished

    async def close(self) -> None:
        """Stop everything; wait a moment for the work under way to notice."""
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
        for job in self.all():
            if not job.finished:
                self.cancel(job)
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
            for job in self.all():
                await self.wait(job, CLOSE_S)

    def _run(self, job: Job, work: Work) -> None:
        with self._lock:
            if job.state == "queued":
                job.state = "running"
        job.began, job.started_at = self._now(), self._wall_ms()
        self._tell(job)
        try:
            progress = Progress(job, self._tell, self._now)
            progress.check()
            job.result = work(progress)
            progress.check()
            job.nbytes = self._weigh(job.result)
            self._end(job, "done")
        except CancelledError:
            self._end(job, "cancelled")
        except (OpportunityError, ValueError) as error:  # what the one who asked can mend
            if isinstance(error, OURS):
                logger.error("job failed", kind=job.kind, job=job.id, reason=str(error))
            job.error = bare(error)
            self._end(job, "failed")
        except Exception as error:  # our own fault: it must not end the worker
            logger.exception("job failed", kind=job.kind, job=job.id)
            job.error = bare(error)
            self._end(job, "failed")

    def _end(self, job: Job, state: State) -> None:
        if state != "done":
            job.result = None
        job.ended, job.finished_at = self._now(), self._wall_ms()
        with self._lock:
            job.state = state
            self._forget()
        with suppress(RuntimeError):  # the loop that would hear of it is closed
            self._tell(job)

    def _forget(self) -> None:
        """Drop the oldest finished jobs beyond the bounds; the newest always stays."""
        ended = [job for job in self._jobs.values() if job.finished]
        n, held = len(ended), sum(job.nbytes for job in ended)
        for job in ended[:-1]:
            if n <= MOST_KEPT and held <= MOST_BYTES:
                return
            del self._jobs[job.id]
            job.result = None  # whoever still knows the job must not keep this
            n, held = n - 1, held - job.nbytes

