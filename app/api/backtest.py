"""Backtests: run, watch, stop, read and download."""

import asyncio
import re
from contextlib import suppress
from typing import Final

import orjson
from tornado.iostream import StreamClosedError

from app.api.base import BaseHandler
from app.api.jobs import find_job, finished, job_status, queue_full
from app.api.operations import operation
from app.api.problems import ApiError, invalid
from app.api.symbols import no_symbol, read_symbol, read_symbols
from app.api.weights import settle
from app.auth.roles import Role
from app.backtest_plan import MOST_WALKED, Plan, TooLongError, plan_of
from app.backtests import KeyUsedError, Ran, Swept
from app.jobs import Job, QueueFullError
from app.results import exported, response_of, swept_response
from opportunity.backtest.export import MEDIA
from opportunity.backtest.judge import Aim
from opportunity.backtest.searched import Plan as Look
from opportunity.contracts.backtest import (
    BacktestRequest,
    BacktestResponse,
    ExportQuery,
    MarketRequest,
    ResultQuery,
    RunQuery,
)
from opportunity.contracts.base import Answer
from opportunity.contracts.jobs import JobStatus
from opportunity.contracts.paths import JobPath
from opportunity.contracts.sweep import MAX_OPTIMISED, SweepRequest, SweepResponse

SYNC_S: Final = 20.0
"""How long a small backtest may keep its caller waiting; then it is a job like any other."""

PIECE: Final = 1 << 18
"""Bytes of an answer that are sent at once."""

EXPORTS: Final = tuple(dict.fromkeys(media.partition(";")[0] for media in MEDIA.values()))

_KEY: Final = re.compile(r"[\x21-\x7e]{1,128}")


class BacktestHandler(BaseHandler):
    """What handlers of backtests share."""

    def accepted(self, job: Job) -> None:
        """Answer 202: the job goes on, whoever stays or leaves."""
        self.set_header("Location", f"/api/backtest/jobs/{job.id}")
        self.send(job_status(self.services, job), 202)

    async def send_result(self, job: Job, asked: ResultQuery) -> None:
        """Answer with a result; built on another thread, for it may be long."""
        found = finished(job)
        if not isinstance(found, Ran | Swept):
            raise ApiError(404, "unknown_job", "The job leaves no result to read.")

        def build() -> bytes:
            answer: Answer
            if isinstance(found, Swept):
                answer = swept_response(job.id, found, asked.points)
            else:
                answer = response_of(job.id, found, asked.points, asked.trades)
            return orjson.dumps(self.declared(answer).model_dump())

        data = await asyncio.to_thread(build)
        self.set_header("Content-Location", f"/api/backtest/results/{job.id}")
        await self.send_bytes(data, "application/json; charset=utf-8")

    async def send_bytes(self, data: bytes, media: str) -> None:
        """Answer with bytes, piece by piece: others are served in between."""
        self.set_header("Content-Type", media)
        self.set_header("Content-Length", str(len(data)))
        with suppress(StreamClosedError):  # the client has left
            for first in range(0, len(data), PIECE):
                self.write(data[first : first + PIECE])
                await self.flush()
            self.finish()

    def plan(self, asked: MarketRequest, weights: dict[str, float]) -> Plan:
        """Decide what a request leaves open; 4xx where it cannot be."""
        services = self.services
        if asked.symbol is not None:
            names = [read_symbol(asked.symbol, "symbol")]
        else:
            names = list(read_symbols(asked.names, "symbols"))
        for name in names:
            if asked.exchange is None and name not in services.symbols:
                raise no_symbol(name, services.symbols)
        try:
            return plan_of(asked, weights)
        except TooLongError as error:
            raise invalid("start_date", str(error)) from error
        except ValueError as error:
            raise ApiError(400, "contradiction", str(error)) from error

    def idempotency_key(self) -> str | None:
        """Return the Idempotency-Key of the request, if it sent one."""
        key = self.request.headers.get("Idempotency-Key")
        if key is not None and not _KEY.fullmatch(key):
            raise ApiError(
                400, "bad_key", "Idempotency-Key must be 1 to 128 visible ASCII characters."
            )
        return key


class RunHandler(BacktestHandler):
    """A backtest of one symbol or of a portfolio."""

    @operation(
        Role.TRADER, answer=BacktestResponse, query=RunQuery, body=BacktestRequest,
        also={202: JobStatus}, located=(202,), idempotent=True, problems=(404, 409),
    )
    async def post(self) -> None:
        """Test; a small one is answered at once, a long one is a job (202 and Location)."""
        query, plan = self.query(RunQuery), self._plan()
        job = self._submit(plan)
        if query.wait and plan.small and await self.services.backtests.jobs.wait(job, SYNC_S):
            await self.send_result(job, ResultQuery())
        else:
            self.accepted(job)

    def _plan(self) -> Plan:
        asked = self.body(BacktestRequest)
        weights = self.services.weights.as_dict()
        if asked.weights is not None:
            weights = settle(asked.weights, self.query(RunQuery).normalize)
        return self.plan(asked, weights)

    def _submit(self, plan: Plan) -> Job:
        try:
            return self.services.backtests.submit(plan, self.idempotency_key())
        except QueueFullError as error:
            raise queue_full(error) from error
        except KeyUsedError as error:
            raise ApiError(422, "key_used", str(error)) from error


class SweepHandler(BacktestHandler):
    """A search for weights; every vector counts as a trial of its data."""

    @operation(
        Role.TRADER, answer=JobStatus, body=SweepRequest, status=202, located=(202,),
        problems=(404,),
    )
    def post(self) -> None:
        """Look for the weights that would have done best: always a job (202 and Location)."""
        asked = self.body(SweepRequest)
        if asked.method in ("tpe", "cmaes") and asked.n > MAX_OPTIMISED:
            raise invalid("n", f"must be at most {MAX_OPTIMISED:,} for {asked.method}")
        plan = self.plan(asked, self.services.weights.as_dict())
        if len(plan.symbols) > 1 and asked.n * plan.n_bars > MOST_WALKED:
            most = max(1, MOST_WALKED // plan.n_bars)
            raise invalid("n", f"must be at most {most:,} for so many bars of several symbols")
        look = Look(asked.method, asked.n, Aim(asked.objective, asked.least_trades), asked.seed)
        try:
            self.accepted(self.services.backtests.submit_sweep(plan, look, asked.top))
        except QueueFullError as error:
            raise queue_full(error) from error


class JobHandler(BaseHandler):
    """A job of this server."""

    @operation(Role.VIEWER, answer=JobStatus, path=JobPath)
    def get(self, id: str) -> None:
        """Return how it goes."""
        self.send(job_status(self.services, find_job(self.services, self.places(JobPath).id)))

    @operation(Role.TRADER, answer=JobStatus, path=JobPath, also={202: JobStatus}, problems=(409,))
    def delete(self, id: str) -> None:
        """Stop it: at once while it waits (200), else soon (202); a finished one is a 409."""
        job = find_job(self.services, self.places(JobPath).id)
        if job.finished and job.state != "cancelled":
            raise ApiError(409, "finished", f"The job is {job.state}; there is nothing to stop.")
        self.services.backtests.jobs.cancel(job)
        self.send(job_status(self.services, job), 200 if job.finished else 202)


class ResultHandler(BacktestHandler):
    """What came of a backtest."""

    @operation(
        Role.VIEWER, answer=(BacktestResponse, SweepResponse), path=JobPath, query=ResultQuery,
        problems=(409,),
    )
    async def get(self, id: str) -> None:
        """Return the result; 409 while there is none."""
        asked = self.query(ResultQuery)
        await self.send_result(find_job(self.services, self.places(JobPath).id), asked)


class ExportHandler(BacktestHandler):
    """A result as a file."""

    @operation(Role.VIEWER, path=JobPath, query=ExportQuery, media=EXPORTS, problems=(409,))
    async def get(self, id: str) -> None:
        """Download it as csv, json, parquet or html."""
        asked = self.query(ExportQuery)
        job = find_job(self.services, self.places(JobPath).id)
        ran = finished(job)
        if not isinstance(ran, Ran):
            raise ApiError(409, "not_a_backtest", "Only a backtest can be downloaded.")
        data, media = await asyncio.to_thread(exported, ran, asked.format, asked.table)
        name = f"backtest_{job.id}.{asked.format}"
        self.set_header("Content-Disposition", f'attachment; filename="{name}"')
        await self.send_bytes(data, media)


routes = [
    ("/api/backtest/run", RunHandler),
    ("/api/backtest/sweep", SweepHandler),
    ("/api/backtest/jobs/{id}", JobHandler),
    ("/api/backtest/results/{id}", ResultHandler),
    ("/api/backtest/export/{id}", ExportHandler),
]
