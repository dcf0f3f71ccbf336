"""The risk manager over REST: status, assessment, correlations, tails, limits, breakers."""

from typing import Final, Literal

from app.api import risk_rows as rows
from app.api.account import breaker_of
from app.api.etags import expected_version, stale, tag_of
from app.api.operations import operation
from app.api.problems import ApiError, invalid
from app.api.risk_base import RiskHandler
from app.auth.roles import Role
from app.paper import RISK_PER_TRADE
from opportunity.contracts.assessment import PortfolioAssessment
from opportunity.contracts.risk import (
    BreakersAnswer,
    CorrelationAnswer,
    LimitsAnswer,
    LimitValues,
    RiskStatus,
    VarAnswer,
)
from opportunity.contracts.risk_asked import (
    Contradiction,
    CorrelationBody,
    GivenPosition,
    LimitsBody,
    ResetBody,
    VarQuery,
    side_of,
)
from opportunity.errors import ConflictError, OpportunityError
from opportunity.storage.failures import DatabaseError

WORDS: Final[dict[bool | None, Literal["allowed", "refused", "unknown"]]] = {
    True: "allowed", False: "refused", None: "unknown",
}  # fmt: skip


class StatusHandler(RiskHandler):
    """Where the paper account stands."""

    @operation(Role.VIEWER, answer=RiskStatus)
    async def get(self) -> None:
        """Return value at risk, leverage, drawdown, limits and breakers."""
        risk = self.services.risk
        view = await risk.view(self.state())
        share = self.services.paper.limits()[RISK_PER_TRADE]
        self.send(rows.status_of(view, risk.manager.limits, share))


class AssessmentHandler(RiskHandler):
    """How the paper account stands as a whole."""

    @operation(Role.VIEWER, answer=PortfolioAssessment)
    async def get(self) -> None:
        """Return score, tail, concentration, correlation, liquidity, stress and alerts."""
        risk = self.services.risk
        view = await risk.view(self.state())
        self.send(rows.assessment_of(view, risk.manager.limits))


class CorrelationHandler(RiskHandler):
    """Whether a new position repeats what is held."""

    @operation(Role.VIEWER, answer=CorrelationAnswer, body=CorrelationBody, problems=(404,))
    async def post(self) -> None:
        """Hold a position against others, by default those of the paper account."""
        asked, risk = self.body(CorrelationBody), self.services.risk
        new = self._given(asked.new_position, "new_position")
        if asked.existing_positions is None:
            held = [(line.symbol, line.side) for line in self.state().positions]
        else:
            held = [
                self._given(one, f"existing_positions.{i}")
                for i, one in enumerate(asked.existing_positions)
            ]
        found = await risk.check_correlation(new, held)
        self.send(CorrelationAnswer(
            status=WORDS[found.allowed],
            allowed=found.allowed,
            reason=found.reason,
            max_correlation=found.highest,
            limit=found.limit,
            correlated_assets=[rows.pair_item(pair) for pair in found.above],
            pairs=[rows.pair_item(pair) for pair in found.pairs],
            source=self.services.source,
        ))  # fmt: skip

    def _given(self, one: str | GivenPosition, field: str) -> tuple[str, int]:
        if isinstance(one, str):
            return self.watched(one, field), 1
        return self.watched(one.symbol, f"{field}.symbol"), side_of(one.direction) or 1


class VarHandler(RiskHandler):
    """Value at risk and expected shortfall."""

    @operation(Role.VIEWER, answer=VarAnswer, query=VarQuery)
    async def get(self) -> None:
        """Return both by four methods at a level and horizon, and what each position adds."""
        asked = self.query(VarQuery)
        level = self.one_of(asked, "level", "confidence") or 0.95
        view = await self.services.risk.tails(self.state(), level, asked.horizon)
        self.send(rows.var_answer(view, level, asked.horizon, asked.method))


class LimitsHandler(RiskHandler):
    """The limits that every entry keeps."""

    def compute_etag(self) -> str | None:
        """Return the version of the limits as a strong tag."""
        return tag_of(self.services.paper.limits_version)

    @operation(Role.VIEWER, answer=LimitsAnswer, etag=True)
    def get(self) -> None:
        """Return every limit; the ETag carries their version."""
        self.set_header("Cache-Control", "no-cache")
        self.send(self._answer())

    @operation(Role.TRADER, answer=LimitsAnswer, body=LimitsBody, etag=True)
    async def put(self) -> None:
        """Change some limits; with If-Match only if nobody was quicker."""
        asked, paper = self.body(LimitsBody), self.services.paper
        try:
            changes = asked.changes()
        except Contradiction as error:
            raise ApiError(400, "contradiction", str(error), error.field) from error
        if not changes:
            raise invalid("body", "must name a limit or more")
        self.require_storage()
        given = self.request.headers.get("If-Match")
        expected = expected_version(given, paper.limits_version, "limits")
        try:
            version = await paper.set_limits(changes, self.caller.name, expected, asked.why)
        except ConflictError as error:
            raise stale(paper.limits_version, "limits") from error
        except ValueError as error:
            raise ApiError(400, "out_of_bounds", str(error)) from error
        self.set_header("Etag", tag_of(version))
        self.send(self._answer())

    def _answer(self) -> LimitsAnswer:
        paper = self.services.paper
        return LimitsAnswer(
            limits=LimitValues(**paper.limits()), version=paper.limits_version
        )


class BreakersHandler(RiskHandler):
    """The breakers, by hand."""

    @operation(Role.TRADER, answer=BreakersAnswer, body=ResetBody, problems=(409,))
    async def post(self) -> None:
        """Close one breaker, or all of them; audited."""
        asked = self.body(ResetBody)
        self.state()
        self.require_storage()
        try:
            await self.services.paper.reset_breakers(asked.name, self.caller.name, asked.why)
        except DatabaseError:
            raise  # a 503 of its own
        except OpportunityError as error:
            raise ApiError(409, "not_now", f"{error}") from error
        state = self.state()
        self.send(BreakersAnswer(
            breakers=[breaker_of(line) for line in state.breakers],
            can_trade=state.can_trade, source=state.source,
        ))  # fmt: skip


routes = [
    ("/api/risk/status", StatusHandler),
    ("/api/risk/portfolio-assessment", AssessmentHandler),
    ("/api/risk/check-correlation", CorrelationHandler),
    ("/api/risk/var", VarHandler),
    ("/api/risk/limits", LimitsHandler),
    ("/api/risk/breakers/reset", BreakersHandler),
]
