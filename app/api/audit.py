"""Who changed what: weights, rules, limits, the agent, and the paper account by hand."""

from app.api.account import audit_of
from app.api.base import BaseHandler
from app.api.operations import operation
from app.auth.roles import Role
from opportunity.contracts.portfolio import AuditAnswer, AuditQuery


class AuditHandler(BaseHandler):
    """The audit; nothing of it is ever changed."""

    @operation(Role.VIEWER, answer=AuditAnswer, query=AuditQuery)
    async def get(self) -> None:
        """Return a page of it, newest first."""
        asked = self.query(AuditQuery)
        found = await self.services.paper.audit(asked.kind, asked.limit, asked.after)
        more = len(found) == asked.limit
        self.send(
            AuditAnswer(
                entries=[audit_of(event) for event in found],
                next=found[-1].id if more else None,
            )
        )


routes = [("/api/audit", AuditHandler)]
