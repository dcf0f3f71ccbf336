"""Jobs: queue, progress, cancel, bounds; every wait is for an event."""

import asyncio
import gc
import math
import threading
import weakref
from itertools import count

import numpy as np
import pytest

from app import jobs as module
from app.jobs import CancelledError, Jobs, QueueFullError
from opportunity.errors import CoverageError

WAIT_S = 10


class Told:
    def __init__(self):
        self.seen = []
        self.lock = threading.Lock()

    def __call__(self, job):
        with self.lock:
            self.seen.append((job.id, job.state, job.progress))

    def states(self, job):
        return [state for id_, state, _ in self.seen if id_ == job.id]


@pytest.fixture
def told():
    return Told()


@pytest.fixture
async def jobs(told):
    ticks = count(1_000)
    made = Jobs(told, lambda: next(ticks), asyncio.get_running_loop().time, lambda r: len(r or ()))
    yield made
    await made.close()


class Gate:
    """Work that says where it is and waits to be let on."""

    def __init__(self):
        self.started, self.go = threading.Event(), threading.Event()

    def __call__(self, progress):
        self.started.set()
        progress.at(1, 4, "bars", "walking")
        assert self.go.wait(WAIT_S)
        progress.at(2, 4, "bars", "walking")
        return "result"


async def started(gate):
    assert await asyncio.to_thread(gate.started.wait, WAIT_S)


async def test_a_job_runs_on_another_thread_and_keeps_its_result(jobs, told):
    job = jobs.submit("backtest", {"symbol": "BTC/USDT"}, lambda p: (threading.get_ident(),))
    assert await jobs.wait(job, WAIT_S)
    assert job.state == "done"
    assert job.result != (threading.get_ident(),)
    assert (job.progress, job.left_s(0.0)) == (1.0, 0.0)
    assert job.created_at < job.started_at < job.finished_at
    assert told.states(job)[0] in ("queued", "running")
    assert told.states(job)[-1] == "done"
    assert jobs.find(job.id) is job


async def test_progress_has_rate_and_time_left(jobs):
    gate = Gate()
    job = jobs.submit("backtest", {}, gate)
    await started(gate)
    assert not await jobs.wait(job, 0.01)
    assert (job.state, job.progress, job.unit, job.doing) == ("running", 0.25, "bars", "walking")
    assert job.rate(job.began + 2) == 0.5
    assert job.left_s(job.began + 2) == 6.0
    gate.go.set()
    assert await jobs.wait(job, WAIT_S)
    fresh = jobs.submit("backtest", {}, lambda p: "x")
    await jobs.wait(fresh, WAIT_S)
    assert math.isnan(fresh.rate(fresh.began + 1))


async def test_rate_is_that_of_the_part_under_way(jobs):
    def work(progress):
        progress.at(1, 1, "bars", "reading")
        before = progress._job.began
        progress.at(1, 9, "pieces", "judging")
        assert progress._job.began > before
        return "x"

    job = jobs.submit("backtest", {}, work)
    assert await jobs.wait(job, WAIT_S)
    assert job.state == "done", job.error


async def test_cancel_stops_a_running_job_where_it_next_asks(jobs, told):
    gate = Gate()
    job = jobs.submit("backtest", {}, gate)
    await started(gate)
    jobs.cancel(job)
    jobs.cancel(job)
    assert job.state == "cancelling"
    gate.go.set()
    assert await jobs.wait(job, WAIT_S)
    assert (job.state, job.result) == ("cancelled", None)
    assert told.states(job)[-1] == "cancelled"
    after = jobs.submit("backtest", {}, lambda p: "next")
    assert await jobs.wait(after, WAIT_S)
    assert after.result == "next"


async def test_work_that_ends_after_it_was_stopped_leaves_no_result(jobs):
    started_, go = threading.Event(), threading.Event()

    def work(progress):
        started_.set()
        assert go.wait(WAIT_S)
        return "too late"

    job = jobs.submit("backtest", {}, work)
    assert await asyncio.to_thread(started_.wait, WAIT_S)
    jobs.cancel(job)
    go.set()
    await jobs.wait(job, WAIT_S)
    assert (job.state, job.result) == ("cancelled", None)


async def test_cancel_takes_a_waiting_job_out_at_once(jobs):
    gate, ran = Gate(), threading.Event()
    first = jobs.submit("backtest", {}, gate)
    second = jobs.submit("backtest", {}, lambda p: ran.set())
    await started(gate)
    assert (jobs.place(first), jobs.place(second)) == (0, 1)
    jobs.cancel(second)
    assert second.state == "cancelled"
    assert await jobs.wait(second, 0)
    gate.go.set()
    await jobs.wait(first, WAIT_S)
    assert not ran.is_set()
    jobs.cancel(first)
    assert first.state == "done"


@pytest.mark.parametrize("error", [CoverageError("no bars"), ValueError("bad"), KeyError("bug")])
async def test_a_failure_is_kept_and_the_worker_lives(jobs, error):
    def work(progress):
        raise error

    job = jobs.submit("backtest", {}, work)
    await jobs.wait(job, WAIT_S)
    assert (job.state, job.error) == ("failed", error)
    after = jobs.submit("backtest", {}, lambda p: "fine")
    assert await jobs.wait(after, WAIT_S)
    assert after.result == "fine"


async def test_the_queue_is_bounded(jobs):
    gate = Gate()
    jobs.submit("backtest", {}, gate)
    await started(gate)
    for _ in range(module.MOST_WAITING):
        jobs.submit("backtest", {}, lambda p: None)
    with pytest.raises(QueueFullError, match="at most 8") as error:
        jobs.submit("backtest", {}, lambda p: None)
    assert error.value.passing
    gate.go.set()
    await jobs.wait(jobs.all()[-1], WAIT_S)
    assert jobs.submit("backtest", {}, lambda p: None)


async def test_history_is_bounded_by_number_and_by_bytes(jobs, monkeypatch):
    monkeypatch.setattr(module, "MOST_KEPT", 3)
    made = []
    for i in range(5):
        made.append(jobs.submit("backtest", {}, lambda p, i=i: b"x" * i))
        await jobs.wait(made[-1], WAIT_S)
    assert jobs.all() == made[-3:]
    with pytest.raises(KeyError, match="job must be a known name"):
        jobs.find(made[0].id)
    monkeypatch.setattr(module, "MOST_BYTES", 5)
    made.append(jobs.submit("backtest", {}, lambda p: b"x" * 9))
    await jobs.wait(made[-1], WAIT_S)
    assert jobs.all() == made[-1:]


async def test_close_stops_what_runs_and_what_waits(told):
    made = Jobs(told, lambda: 0, asyncio.get_running_loop().time)
    beat, seen = threading.Event(), []

    def work(progress):
        beat.set()
        try:
            while True:
                progress.check()
        except CancelledError:
            seen.append("stopped")
            raise

    running, waiting = made.submit("a", {}, work), made.submit("b", {}, lambda p: None)
    assert await asyncio.to_thread(beat.wait, WAIT_S)
    await made.close()
    assert (running.state, waiting.state, seen) == ("cancelled", "cancelled", ["stopped"])
    with pytest.raises(QueueFullError):
        made.submit("c", {}, lambda p: None)
    await made.close()


async def test_a_failed_job_keeps_nothing_of_its_work(jobs):
    def work(progress):
        bars = np.zeros(10)
        gone.append(weakref.ref(bars))
        try:
            raise KeyError("a")
        except KeyError as error:
            raise ValueError("no") from error

    gone = []
    job = jobs.submit("x", {}, work)
    assert await jobs.wait(job, WAIT_S)
    assert str(job.error) == "no"
    gc.collect()
    assert gone[0]() is None
