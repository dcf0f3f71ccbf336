"""The position calculator and stops over REST: before an entry."""

import math
from typing import Final

from app.api import risk_rows as rows
from app.api.operations import operation
from app.api.problems import ApiError
from app.api.risk_base import RiskHandler
from app.auth.roles import Role
from opportunity.contracts.risk import BoundItem, PositionAnswer, PositionItem, StopAnswer
from opportunity.contracts.risk_asked import PositionBody, StopBody, side_of
from opportunity.risk.sizing import Plan, Ticket

FAR: Final = 0.2
"""Distance of an entry from the newest price, fraction of it, from which a note says so."""


class _EntryHandler(RiskHandler):
    """What both share: a look at the entry."""

    def _note(self, symbol: str | None, entry: float) -> str:
        """Say when an entry is far from the newest price of its symbol; empty otherwise."""
        price = math.nan if symbol is None else self.services.risk.market(symbol).price
        away = entry / price - 1.0 if price > 0.0 else 0.0
        if not abs(away) > FAR:
            return ""
        side = "above" if away > 0.0 else "below"
        far = f"{abs(away):.0%} {side}" if abs(away) < 10.0 else f"far {side}"
        return f"entry_price is {far} the newest price of {symbol}, {price:g}"


class PositionHandler(_EntryHandler):
    """The position calculator."""

    @operation(Role.VIEWER, answer=PositionAnswer, body=PositionBody, problems=(404,))
    async def post(self) -> None:
        """Return a size by risk alone and under every bound, with the one that binds."""
        asked, risk = self.body(PositionBody), self.services.risk
        ticket, symbol, own = self._ticket(asked)
        plan = await risk.plan(ticket)
        reason, state = plan.reason, self.services.paper.state()
        if own and state is not None and not state.can_trade:
            reason = reason or state.why_not or "the account lets no entry through"
        limits = risk.manager.limits
        self.send(PositionAnswer(
            status="rejected" if reason else "success",
            reason=reason,
            position=_position(plan, symbol, limits.max_leverage),
            position_size=plan.units,
            position_value=plan.notional,
            position_percent=100.0 * plan.notional / ticket.equity,
            capped_size=plan.capped,
            capped_value=plan.capped_notional,
            bounds=[
                BoundItem(name=b.name, units=b.units, notional=b.notional, text=b.text)
                for b in plan.bounds
            ],
            binding=plan.binding,
            account_size=ticket.equity,
            risk_percent=100.0 * ticket.risk,
            risk_status=None if state is None else rows.block_of(state, limits),
            note=self._note(symbol, asked.entry_price),
            source=self.services.source,
        ))  # fmt: skip

    def _ticket(self, asked: PositionBody) -> tuple[Ticket, str | None, bool]:
        """Return what is asked, its symbol, and whether it is the paper account's."""
        risk, score = self.services.risk, asked.score
        symbol = None if asked.symbol is None else self.watched(asked.symbol, "symbol")
        equity = self.one_of(asked, "account_size", "account_balance")
        percent = self.one_of(asked, "risk_percent", "risk_percentage")
        own, gross = equity is None, 0.0
        if equity is None:
            state = self.state()
            equity, gross = state.equity, state.gross
        known = None if symbol is None else risk.market(symbol)
        atr, side = _first(asked.atr, None if known is None else known.atr), self._side(asked)
        try:
            return Ticket(
                asked.entry_price, self._stop(asked, side, atr), equity,
                risk.risk_per_trade if percent is None else percent / 100.0,
                side, gross, atr,
                _first(asked.volume_24h, None if known is None else known.volume),
                _first(self._confidence(asked, None if score is None else score.confidence)),
                asked.quantity_step or 0.0, asked.min_notional or 0.0,
            ), symbol, own  # fmt: skip
        except ValueError as error:
            raise ApiError(400, "bad_position", str(error)) from error

    def _stop(self, asked: PositionBody, side: int, atr: float) -> float:
        if asked.stop_loss is not None:
            return asked.stop_loss
        if not side:
            raise ValueError("stop_loss or a direction must be given, were not")
        levels = asked.structure_levels or ()
        manager = self.services.risk.manager
        return manager.stop_loss(asked.entry_price, side, atr if atr > 0 else None, levels).stop

    @staticmethod
    def _side(asked: PositionBody) -> int:
        plain = side_of(asked.direction)
        scored = side_of(None if asked.score is None else asked.score.direction)
        if plain and scored and plain != scored:
            raise ApiError(
                400, "contradiction",
                "direction and score.direction must be one value, were two", "direction",
            )
        return plain or scored

    @staticmethod
    def _confidence(asked: PositionBody, scored: float | None) -> float | None:
        if None not in (asked.confidence, scored) and asked.confidence != scored:
            raise ApiError(
                400, "contradiction",
                "confidence and score.confidence must be one value, were two", "confidence",
            )
        return scored if asked.confidence is None else asked.confidence


class StopHandler(_EntryHandler):
    """Where to give up."""

    @operation(Role.VIEWER, answer=StopAnswer, body=StopBody, problems=(404,))
    def post(self) -> None:
        """Return the nearer of 1.5 ATR and the nearest structure level behind the entry."""
        asked, risk = self.body(StopBody), self.services.risk
        symbol = None if asked.symbol is None else self.watched(asked.symbol, "symbol")
        side, atr = side_of(asked.direction), asked.atr
        if atr is None and symbol is not None:
            known = risk.market(symbol).atr
            atr = known if known > 0.0 else None
        try:
            found = risk.manager.stop_loss(
                asked.entry_price, side, atr, asked.structure_levels or ()
            )
        except ValueError as error:
            raise ApiError(400, "no_stop", str(error)) from error
        self.send(StopAnswer(
            stop_loss=found.stop,
            basis="atr" if found.basis == "atr" else "structure",
            atr_stop=found.by_atr,
            structure_stop=found.by_structure,
            entry_price=asked.entry_price,
            direction=rows.word_of(side),
            atr=atr,
            symbol=symbol,
            note=self._note(symbol, asked.entry_price),
        ))  # fmt: skip


def _position(plan: Plan, symbol: str | None, max_leverage: float) -> PositionItem:
    ticket = plan.ticket
    lost = plan.capped * ticket.distance
    return PositionItem(
        symbol=symbol,
        direction=rows.word_of(ticket.side),
        quantity=plan.capped,
        entry_price=ticket.entry,
        stop_loss=ticket.stop,
        take_profit=list(plan.targets),
        risk_amount=lost,
        risk_pct=100.0 * lost / ticket.equity,
        r_multiple=plan.r_multiple,
        max_leverage=max_leverage,
    )


def _first(*values: float | None) -> float:
    return next((value for value in values if value is not None), math.nan)


routes = [
    ("/api/risk/calculate-position", PositionHandler),
    ("/api/risk/calculate-stop-loss", StopHandler),
]
