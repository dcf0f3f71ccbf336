"""The headlines about one symbol."""

from dataclasses import asdict

from app.api.base import BaseHandler
from app.api.operations import operation
from app.api.problems import warming
from app.api.symbols import no_symbol, read_symbol
from app.auth.roles import Role
from opportunity.contracts.news import HeadlineItem, NewsQuery, NewsResponse
from opportunity.market.symbols import compact


class NewsHandler(BaseHandler):
    """Headlines as they count for a symbol."""

    @operation(Role.VIEWER, answer=NewsResponse, query=NewsQuery, problems=(404,))
    async def get(self) -> None:
        """Return the newest headlines that name the coin or are about the market."""
        asked, services = self.query(NewsQuery), self.services
        symbol = read_symbol(asked.symbol, "symbol")
        if symbol not in services.symbols:
            raise no_symbol(symbol, services.symbols)
        known = await services.context(symbol, asked.limit)
        if known is None:
            raise warming()
        self.send(NewsResponse(
            symbol=symbol,
            id=compact(symbol),
            ts=known.time,
            headlines=[HeadlineItem(**asdict(item)) for item in known.headlines],
            source=known.source,
        ))


routes = [("/api/news", NewsHandler)]
