"""Challengers: weights that trade on paper beside those in force, and how they compare."""

from collections.abc import Awaitable
from dataclasses import replace
from typing import Final, TypeVar

from app.api.base import BaseHandler
from app.api.jobs import find_job, finished
from app.api.operations import operation
from app.api.problems import ApiError, invalid
from app.api.promote import PromoteHandler
from app.api.weights import settle
from app.auth.roles import Role
from app.backtests import Ran
from app.comparisons import ShadowState, ShadowStory, shadow_guard
from app.promote import guard_rows
from opportunity.contracts.paths import NamePath
from opportunity.contracts.promotion import GuardLine, PromoteAnswer, PromoteRequest
from opportunity.contracts.shadows import (
    ChapterLine,
    CurvePoint,
    DayLine,
    IntervalLine,
    ShadowAnswer,
    ShadowDetail,
    ShadowLine,
    ShadowPromoteRequest,
    ShadowRequest,
    ShadowsResponse,
)
from opportunity.contracts.weights import NormalizeQuery
from opportunity.errors import ConflictError, unknown
from opportunity.scoring.comparison import Comparison
from opportunity.storage.failures import DatabaseError
from opportunity.storage.shadows import MOST_SHADOWS

NOTHING_YET: Final = "it has not traded yet"

T = TypeVar("T")


def interval_of(comparison: Comparison) -> IntervalLine:
    """Return what is known of the difference as it travels."""
    found = comparison.interval
    return IntervalLine(
        days=found.n, mean=found.mean, low=found.low, high=found.high, alpha=comparison.alpha,
        clip=comparison.clip, clipped=found.clipped, more_days=found.more,
    )  # fmt: skip


def line_of(state: ShadowState) -> ShadowLine:
    """Return a challenger as it travels."""
    shadow, standing, found = state.shadow, state.standing, state.comparison
    return ShadowLine(
        name=shadow.name, weights=shadow.weights, note=shadow.note,
        created_at=shadow.created_at, stopped_at=shadow.stopped_at,
        begun=None if standing is None else standing.begun,
        time=None if standing is None else standing.time,
        cash=None if standing is None else standing.cash,
        equity=None if standing is None else standing.equity,
        drawdown=None if standing is None else standing.drawdown,
        trades=0 if standing is None else standing.n_trades,
        since=found.since or None,
        why_since=NOTHING_YET if state.chapter is None else state.chapter.why,
        total_return=found.challenger, champion_return=found.champion,
        difference=found.champion - found.challenger,
        interval=interval_of(found), verdict=found.verdict, text=found.text, caution=found.note,
    )  # fmt: skip


def detail_of(story: ShadowStory, source: str) -> ShadowDetail:
    """Return a challenger with its curves as it travels."""
    found = story.state.comparison
    curve = zip(
        story.time.tolist(), story.champion.tolist(), story.challenger.tolist(), strict=True
    )
    days = zip(
        found.days.tolist(), found.differences.tolist(), found.bounds.tolist(), strict=True
    )
    return ShadowDetail(
        shadow=line_of(story.state),
        chapters=[ChapterLine(time=one.time, why=one.why) for one in story.chapters],
        curve=[CurvePoint(time=t, champion=a, challenger=b) for t, a, b in curve],
        days=[
            DayLine(day=day, difference=difference, mean=mean, low=low, high=high)
            for day, difference, (mean, low, high) in days
        ],
        source=source,
    )


class _Challengers(BaseHandler):
    """What both paths share."""

    async def told(self, asked: Awaitable[T]) -> T:
        """Await the service; word what it refuses."""
        try:
            return await asked
        except KeyError as error:
            raise ApiError(404, "unknown_shadow", str(error.args[0]), "name") from error
        except ConflictError as error:
            raise ApiError(409, "conflict", f"{error}.", "name") from error
        except DatabaseError as error:
            raise ApiError(
                503, "unavailable", "The database cannot be used now; nothing was changed."
            ) from error


class ShadowsHandler(_Challengers):
    """All challengers."""

    @operation(Role.VIEWER, answer=ShadowsResponse)
    async def get(self) -> None:
        """Return the challengers that run, then those that have ended."""
        services = self.services
        states = await self.told(services.shadows.all())
        champion = await self.told(services.shadows.champion())
        self.send(ShadowsResponse(
            shadows=[line_of(state) for state in states], most=MOST_SHADOWS,
            champion_equity=None if champion is None else champion.equity,
            time=None if champion is None else champion.time, source=services.source,
        ))  # fmt: skip

    @operation(
        Role.TRADER, answer=ShadowAnswer, query=NormalizeQuery, body=ShadowRequest,
        problems=(404, 409),
    )
    async def post(self) -> None:
        """Run weights on paper beside those in force: nine numbers, or a preset's."""
        asked = self.body(ShadowRequest)
        normalize = self.query(NormalizeQuery).normalize
        shadows = self.services.shadows
        try:
            state = await self.told(
                shadows.add(asked.name, self._weights(asked, normalize), "api", asked.note)
            )
        except PermissionError as error:
            raise ApiError(
                400, "protected_preset", f"{asked.name!r} is the name of a built-in preset.", "name"
            ) from error
        except ValueError as error:
            raise invalid("name", str(error)) from error
        self.send(ShadowAnswer(
            message=f"Challenger {asked.name!r} runs", shadow=line_of(state),
            source=self.services.source,
        ))  # fmt: skip

    def _weights(self, asked: ShadowRequest, normalize: bool) -> dict[str, float]:
        if asked.weights is not None:
            return settle(asked.weights, normalize)
        presets = {preset.name: preset for preset in self.services.controls.presets()}
        if asked.preset not in presets:
            raise ApiError(
                404, "unknown_preset", unknown("preset", asked.preset, presets), "preset"
            )
        return presets[asked.preset].weights


class ShadowHandler(_Challengers):
    """One challenger."""

    @operation(Role.VIEWER, answer=ShadowDetail, path=NamePath)
    async def get(self, name: str) -> None:
        """Return a challenger with both curves and the interval day by day."""
        story = await self.told(self.services.shadows.story(self.places(NamePath).name))
        self.send(detail_of(story, self.services.source))

    @operation(Role.TRADER, answer=ShadowAnswer, path=NamePath, problems=(409,))
    async def delete(self, name: str) -> None:
        """End a challenger; its history stays, and twice is the same as once."""
        name = self.places(NamePath).name
        state = await self.told(self.services.shadows.remove(name, by=self.caller.name))
        self.send(ShadowAnswer(
            message=f"Challenger {name!r} has ended", shadow=line_of(state),
            source=self.services.source,
        ))  # fmt: skip


class ShadowPromoteHandler(PromoteHandler, _Challengers):
    """The way from a challenger to the weights that everybody shares."""

    @operation(
        Role.TRADER, answer=PromoteAnswer, path=NamePath, body=ShadowPromoteRequest,
        problems=(409,),
    )
    async def post(self, name: str) -> None:  # type: ignore[override]  # its path has a name
        """Put a challenger's weights to use if it is better and the guards let them."""
        from opportunity.backtest.guards import Guards

        body = self.body(ShadowPromoteRequest)
        if not body.id:
            raise invalid(
                "id", "must be that of a finished backtest (POST /api/backtest/run), was missing"
            )
        asked = PromoteRequest(**body.model_dump())
        self._check(asked)
        state = await self.told(self.services.shadows.state(self.places(NamePath).name))
        ran = finished(find_job(self.services, asked.id))
        if not isinstance(ran, Ran):
            raise ApiError(409, "not_a_backtest", "The job is not a backtest.", "id")
        guard = shadow_guard(state.comparison)
        if not guard.passed and not asked.force:  # the others take minutes
            lines = [GuardLine(**row) for row in guard_rows(Guards((guard,)))]
            raise ApiError(409, "guards_failed", f"{guard.text} {guard.help}", guards=lines)
        examined = await self._examine(ran, state.shadow.weights)
        asked_all = Guards((guard, *examined.guards))
        self.send(await self._promote(asked, replace(examined, guards=asked_all)))


routes = [
    ("/api/shadows", ShadowsHandler),
    ("/api/shadows/{name}", ShadowHandler),
    ("/api/shadows/{name}/promote", ShadowPromoteHandler),
]
