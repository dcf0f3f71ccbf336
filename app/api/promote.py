"""Weights of a backtest put to use, if the guards let them or somebody answers for it."""

from typing import Final

from app.api.base import BaseHandler
from app.api.jobs import find_job, finished, queue_full
from app.api.operations import operation
from app.api.problems import ApiError, invalid
from app.api.weights import settle
from app.auth.roles import Role
from app.backtests import Ran
from app.jobs import Job, QueueFullError
from app.presets import check_name
from app.promote import Examined, Order, RefusedError, guard_rows, put_to_use
from opportunity.contracts.promotion import GuardLine, PromoteAnswer, PromoteRequest
from opportunity.contracts.weights import NormalizeQuery
from opportunity.feeds.clock import wall_ms

MOST_S: Final = 300.0
"""How long the guards may take: the queue before them included."""


class PromoteHandler(BaseHandler):
    """The way from a backtest to the live agent."""

    @operation(
        Role.TRADER, answer=PromoteAnswer, query=NormalizeQuery, body=PromoteRequest,
        problems=(404, 409),
    )
    async def post(self) -> None:
        """Ask the guards, then put the weights to use; 409 with every guard where one fails."""
        asked = self.body(PromoteRequest)
        normalize = self.query(NormalizeQuery).normalize
        self._check(asked)
        job = find_job(self.services, asked.id)
        ran = finished(job)
        if not isinstance(ran, Ran):
            raise ApiError(409, "not_a_backtest", "The job is not a backtest.", "id")
        weights = ran.plan.weights
        if asked.weights is not None:
            weights = settle(asked.weights, normalize)
        examined = await self._examine(ran, weights)
        self.send(await self._promote(asked, examined))

    def _check(self, asked: PromoteRequest) -> None:
        """Refuse what could only fail after the guards were asked."""
        if asked.force and not asked.why.strip():
            raise invalid("why", "must give the reason of a forced promotion, was empty")
        if not asked.by.strip():
            raise invalid("by", "must name who asks, was empty")
        try:
            if asked.preset is not None:
                check_name(asked.preset)
        except PermissionError as error:
            raise ApiError(400, "protected_preset", f"{error}.", "preset") from error
        except ValueError as error:
            raise invalid("preset", str(error)) from error

    async def _examine(self, ran: Ran, weights: dict[str, float]) -> Examined:
        backtests = self.services.backtests
        try:
            job: Job = backtests.submit_examination(ran, weights)
        except QueueFullError as error:
            raise queue_full(error) from error
        if not await backtests.jobs.wait(job, MOST_S):
            backtests.jobs.cancel(job)
            raise ApiError(503, "unavailable", "The guards took too long; nothing was changed.")
        examined: Examined = finished(job)
        return examined

    async def _promote(self, asked: PromoteRequest, examined: Examined) -> PromoteAnswer:
        services = self.services
        guards = [GuardLine(**row) for row in guard_rows(examined.guards)]
        order = Order(
            by=self.caller.name, named=asked.by, why=asked.why, force=asked.force,
            preset=asked.preset,
        )  # fmt: skip
        try:
            done, version = await put_to_use(
                examined, services.backtests.promotions, wall_ms(), services.controls, order
            )
        except RefusedError as error:
            raise ApiError(409, "guards_failed", str(error), guards=guards) from error
        return PromoteAnswer(
            target=done.target, weights=examined.weights, version=version, forced=done.forced,
            trials=examined.n_trials, guards=guards,
        )  # fmt: skip


routes = [("/api/weights/promote", PromoteHandler)]
