"""What the unfinished bar of a stream would score; stamped so that nobody takes it for a signal."""

import asyncio

from app.api.base import BaseHandler
from app.api.operations import operation
from app.api.problems import ApiError, warming
from app.api.rows import components_of
from app.api.symbols import no_symbol, read_symbol
from app.auth.roles import Role
from opportunity.contracts.paths import SymbolPath
from opportunity.contracts.preview import PreviewQuery, PreviewResponse
from opportunity.market.symbols import compact
from opportunity.market.timeframe import length_ms


class PreviewHandler(BaseHandler):
    """A look ahead at one stream."""

    @operation(Role.VIEWER, answer=PreviewResponse, path=SymbolPath, query=PreviewQuery)
    async def get(self, symbol: str) -> None:
        """Return the score that the unfinished bar would have if it closed now."""
        timeframe, services = self.query(PreviewQuery).timeframe, self.services
        symbol = read_symbol(self.places(SymbolPath).symbol, "symbol")
        if symbol not in services.symbols:
            raise no_symbol(symbol, services.symbols)
        if timeframe not in services.timeframes:
            raise ApiError(
                400,
                "not_scored",
                f"timeframe must be one of {', '.join(services.timeframes)}, was {timeframe}",
                "timeframe",
            )
        if services.snapshot() is None:
            raise warming()
        # On a thread: the agent may hold the streams for as long as a batch takes.
        seen = await asyncio.to_thread(services.preview, symbol, timeframe)
        if seen is None:
            raise ApiError(
                404, "nothing_forming", f"no bar of {symbol} {timeframe} is unfinished yet"
            )
        self.send(
            PreviewResponse(
                symbol=symbol,
                id=compact(symbol),
                timeframe=timeframe,
                bar_open=seen.closed - length_ms(timeframe),
                bar_close=seen.closed,
                price=seen.price,
                final_score=seen.final,
                net=seen.net,
                direction=seen.direction,
                confidence=seen.confidence,
                disagreement=seen.disagreement,
                coverage=seen.coverage,
                trend=seen.trend,
                volatility=seen.volatility,
                components=components_of(seen),
                source=services.source,
            )
        )


routes = [("/api/preview/{symbol}", PreviewHandler)]
