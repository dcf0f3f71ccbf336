"""The log of decisions: why each idea was or was not traded, and what came of it."""

from typing import Final

import numpy as np

from app.api.base import BaseHandler
from app.api.journal import sampled, verdict_item
from app.api.operations import operation
from app.api.problems import invalid
from app.api.symbols import read_symbol
from app.auth.roles import Role
from app.decision_words import why
from app.journal_figures import Gate
from opportunity.contracts.journal import (
    DecisionItem,
    DecisionsQuery,
    DecisionsResponse,
    GateItem,
    GatesResponse,
    JournalQuery,
    OutcomeItem,
)
from opportunity.entries import ENTRY_STOPS
from opportunity.errors import unknown
from opportunity.scoring.aftermath import BARRIERS, r_of
from opportunity.storage.decisions import Chosen, Decision
from opportunity.storage.outcomes import UNKNOWN, Outcome
from opportunity.trading.records import STATUSES, TOO_SMALL

_STOPS: Final = (*ENTRY_STOPS, *STATUSES[TOO_SMALL:])
_TRIPPED_BY: Final = {
    "daily_loss": "max_daily_loss", "drawdown": "max_drawdown", "losing_streak": "max_losses",
}  # fmt: skip
"""Breakers by the limit that a decision names."""


class DecisionsHandler(BaseHandler):
    """Every idea that had a direction at its decision close."""

    @operation(Role.VIEWER, answer=DecisionsResponse, query=DecisionsQuery)
    async def get(self) -> None:
        """Return the newest decisions, of one symbol, action, rule or time if asked."""
        asked, services = self.query(DecisionsQuery), self.services
        symbol = None if asked.symbol is None else read_symbol(asked.symbol, "symbol")
        chosen = Chosen(symbol, asked.action, _stop(asked.stopped_by), asked.since, asked.until)
        page = await services.journal.decisions(chosen, asked.limit, asked.after)
        self.send(
            DecisionsResponse(
                decisions=[_item(decision) for decision in page.decisions],
                next=page.after,
                source=services.source,
            )
        )


class DecisionsSummaryHandler(BaseHandler):
    """What each rule and limit costs."""

    @operation(Role.VIEWER, answer=GatesResponse, query=JournalQuery)
    async def get(self) -> None:
        """Return how many ideas each rule stopped, and what these would have made."""
        asked = self.query(JournalQuery)
        samples, found = await self.services.journal.gates(int(asked.horizon), asked.since)
        self.send(
            GatesResponse(
                gates=[_gate(gate) for gate in found], **sampled(samples, self.services.source)
            )
        )


def _stop(name: str | None) -> str | None:
    """Return what stops an idea, as decisions name it; 422 for what is none."""
    found = name if name is None else _TRIPPED_BY.get(name, name)
    if found is not None and found not in _STOPS:
        raise invalid("stopped_by", unknown("rule or limit", name, [*_STOPS, *_TRIPPED_BY]))
    return found


def _item(decision: Decision) -> DecisionItem:
    c = decision.candidate
    return DecisionItem(
        id=decision.id, time=c.time, symbol=c.symbol, timeframe=c.timeframe,
        side="BULLISH" if c.side > 0 else "BEARISH", action=c.action,
        stopped_by=list(c.stopped_by), why=why(decision), score=c.score, net=c.net,
        confidence=c.confidence, consensus=c.consensus, disagreement=c.disagreement,
        trust=c.trust, success=c.success, risk_level=c.risk_level,
        contributions=dict(c.contributions), price=c.price, atr=c.atr, order=c.order_number,
        order_status=decision.order_status, config=c.config,
        outcomes=[outcome_item(outcome) for outcome in decision.outcomes],
    )  # fmt: skip


def outcome_item(outcome: Outcome) -> OutcomeItem:
    """Return an outcome as it travels."""
    if outcome.barrier == UNKNOWN:
        nothing = dict.fromkeys(("right", "r", "move", "move_atr", "best", "worst"))
        return OutcomeItem(
            horizon=outcome.horizon, known=outcome.known, barrier="unknown", **nothing
        )
    code = BARRIERS.index(outcome.barrier)
    r = r_of(np.array([code]), np.array([float(outcome.right)]), np.array([outcome.move_atr]))
    return OutcomeItem(
        horizon=outcome.horizon, known=outcome.known, barrier=outcome.barrier,
        right=bool(outcome.right), r=float(r[0]), move=outcome.move, move_atr=outcome.move_atr,
        best=outcome.best, worst=outcome.worst,
    )  # fmt: skip


def _gate(gate: Gate) -> GateItem:
    return GateItem(
        name=gate.name, kind=gate.kind, n=gate.n, n_alone=gate.n_alone,
        all=verdict_item(gate.all), alone=verdict_item(gate.alone),
    )  # fmt: skip


routes = [
    ("/api/decisions", DecisionsHandler),
    ("/api/decisions/summary", DecisionsSummaryHandler),
]
