"""Lists of signals: those that stand now, and those of past decision closes."""

from collections.abc import Mapping
from typing import Any

from app.api.base import BaseHandler
from app.api.operations import operation
from app.api.symbols import read_symbol
from app.auth.roles import Role
from app.services import Services
from opportunity.contracts.signal_lists import (
    HistoryQuery,
    LiveQuery,
    LiveSignal,
    LiveSignals,
    PastSignal,
    SignalHistory,
)
from opportunity.market.symbols import compact
from opportunity.storage.decisions import Chosen, Decision


def live_signals(services: Services, asked: LiveQuery) -> tuple[list[LiveSignal], int]:
    """Return the newest signals that are asked for, the strongest first, and how many there are."""
    told = services.hub.latest_of("signal")
    wanted = [(symbol, one) for symbol, one in told.items() if _wanted(one, asked)]
    wanted.sort(key=lambda pair: (-_strength(pair[1]), pair[0]))
    return [_live(symbol, one) for symbol, one in wanted[: asked.limit]], len(wanted)


class LiveHandler(BaseHandler):
    """Signals that stand now."""

    @operation(Role.VIEWER, answer=LiveSignals, query=LiveQuery)
    def get(self) -> None:
        """Return the newest signal of each symbol, the strongest first."""
        asked, services = self.query(LiveQuery), self.services
        shown, total = live_signals(services, asked)
        self.send(LiveSignals(
            enabled=services.agent.enabled, signals=shown, count=len(shown), total=total,
            timestamp=max((one.ts for one in shown), default=None), source=services.source,
        ))  # fmt: skip


class HistoryHandler(BaseHandler):
    """Signals of past decision closes."""

    @operation(Role.VIEWER, answer=SignalHistory, query=HistoryQuery)
    async def get(self) -> None:
        """Return what was signalled, newest first; `/api/decisions` says what came of it."""
        asked, services = self.query(HistoryQuery), self.services
        symbol = None if asked.symbol is None else read_symbol(asked.symbol, "symbol")
        chosen = Chosen(symbol, None, None, asked.since, asked.until)
        page = await services.journal.decisions(chosen, asked.limit, asked.after)
        signals = [_past(decision) for decision in page.decisions]
        self.send(SignalHistory(
            signals=signals, count=len(signals), next=page.after, source=services.source
        ))


def _live(symbol: str, payload: Mapping[str, Any]) -> LiveSignal:
    return LiveSignal(
        symbol=symbol, id=compact(symbol), direction=payload["direction"],
        confidence=payload["confidence"], score=payload["score"],
        risk_level=payload["risk_level"], success=payload.get("success"),
        timeframes=payload.get("timeframes") or {}, trust=payload.get("trust"),
        trust_note=payload.get("trust_note", ""), ts=payload["ts"],
    )  # fmt: skip


def _wanted(payload: Mapping[str, Any], asked: LiveQuery) -> bool:
    direction = payload["direction"]
    if asked.direction is not None and direction != asked.direction:
        return False
    if asked.exclude_neutral and direction == "NEUTRAL":
        return False
    return bool(_sure(payload) >= asked.min_confidence)


def _strength(payload: Mapping[str, Any]) -> float:
    strength = abs(2.0 * payload["score"] - 1.0) * _sure(payload)
    return strength if strength == strength else 0.0


def _sure(payload: Mapping[str, Any]) -> float:
    sure = float(payload["confidence"])
    return sure if sure == sure else 0.0


def _past(decision: Decision) -> PastSignal:
    c = decision.candidate
    return PastSignal(
        symbol=c.symbol, id=compact(c.symbol), direction="BULLISH" if c.side > 0 else "BEARISH",
        confidence=c.confidence, score=c.score, risk_level=c.risk_level, success=c.success,
        timeframe=c.timeframe, price=c.price, ts=c.time, action=c.action, decision=decision.id,
    )  # fmt: skip


routes = [
    ("/api/signals/live", LiveHandler),
    ("/api/signals/history", HistoryHandler),
]
