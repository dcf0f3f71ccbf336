"""The score of one symbol on one timeframe, taken apart."""

from app.api.base import BaseHandler
from app.api.operations import operation
from app.api.rows import components_of, levels_of
from app.api.scanner import judge
from app.api.symbols import no_symbol, read_symbol
from app.api.weights import settle
from app.auth.roles import Role
from opportunity.contracts.base import TimeframeName
from opportunity.contracts.signals import ScoreRequest, ScoreResponse, ScoreResult
from opportunity.contracts.weights import NormalizeQuery
from opportunity.market.symbols import compact
from opportunity.ranked import Opportunity
from opportunity.scoring.weights import Weights
from opportunity.strategy import ScanRules

NO_SIGNAL = "No signal generated"


class ScoreHandler(BaseHandler):
    """One score with everything it was made from."""

    @operation(
        Role.VIEWER, answer=ScoreResponse, query=NormalizeQuery, body=ScoreRequest,
        problems=(404,),
    )
    async def post(self) -> None:
        """Return direction, confidence, advice, levels and components of the newest bar."""
        asked, services = self.body(ScoreRequest), self.services
        normalize = self.query(NormalizeQuery).normalize
        symbol = read_symbol(asked.symbol, "symbol")
        if symbol not in services.symbols:
            raise no_symbol(symbol, services.symbols)
        weights = Weights(**settle(asked.weights, normalize)) if asked.weights else None
        report = await judge(services, [symbol], [asked.timeframe], weights, ScanRules())
        row = report.evaluation.find(symbol)
        answer = None if row is None else _answer(row, asked.timeframe)
        self.send(answer or _nothing(symbol, asked.timeframe, services.source))


def _answer(row: Opportunity, timeframe: TimeframeName) -> ScoreResponse | None:
    seen = row.timeframe_breakdown.get(timeframe)
    if seen is None:
        return None
    return ScoreResponse(
        direction=row.direction,
        confidence=row.confidence,
        advice=row.advice,
        symbol=row.symbol,
        id=compact(row.symbol),
        timeframe=timeframe,
        timestamp=seen.closed or None,
        price=row.price,
        levels=levels_of(row),
        result=ScoreResult(
            final_score=seen.final,
            net=seen.net,
            direction=seen.direction,
            advice=seen.advice,
            recommended_action=row.recommended_action,
            confidence=seen.confidence,
            success=seen.success,
            success_note=row.success_note,
            consensus=row.consensus,
            risk_level=row.risk_level,
            trend=seen.trend,
            volatility=seen.volatility,
            bull_mass=seen.bull_mass,
            bear_mass=seen.bear_mass,
            disagreement=seen.disagreement,
            coverage=seen.coverage,
            trust=seen.trust,
            trust_note=seen.trust_note,
            components=components_of(seen),
        ),
        source=row.source,
    )


def _nothing(symbol: str, timeframe: TimeframeName, source: str) -> ScoreResponse:
    return ScoreResponse(
        direction="NEUTRAL", confidence=0.0, advice=NO_SIGNAL, symbol=symbol, id=compact(symbol),
        timeframe=timeframe, timestamp=None, price=None, levels=None, result=None, source=source,
    )  # fmt: skip


routes = [("/api/signals/score", ScoreHandler)]
