"""The market: the newest price of a symbol, and its closed bars."""

from app.api.base import BaseHandler
from app.api.operations import operation
from app.api.problems import ApiError, warming
from app.api.symbols import watched
from app.auth.roles import Role
from app.services import Services
from opportunity.contracts.market import (
    Candle,
    OhlcvAnswer,
    OhlcvQuery,
    PriceAnswer,
)
from opportunity.contracts.paths import SymbolPath
from opportunity.errors import CoverageError, DatabaseError, OpportunityError
from opportunity.market.bars import Bars
from opportunity.market.symbols import compact
from opportunity.market.timeframe import Timeframe

AGAIN_S = 5


def price_of(services: Services, symbol: str) -> PriceAnswer:
    """Return the newest price of a watched symbol; 503 while none is known."""
    snapshot = services.snapshot()
    if snapshot is None:
        raise warming()
    place = snapshot.symbols.index(symbol) if symbol in snapshot.symbols else None
    told = services.hub.latest("price", symbol)
    price = snapshot.price[place] if place is not None else float("nan")
    time, bar = snapshot.time, None
    if told is not None:
        opened, *values = told
        bar = Candle(
            timestamp=int(opened), open=values[0], high=values[1], low=values[2],
            close=values[3], volume=values[4],
        )  # fmt: skip
        if opened >= snapshot.time or price != price:  # else the bar has closed meanwhile
            price, time = bar.close, max(time, bar.timestamp)
        else:
            bar = None
    if price != price:
        raise ApiError(
            503, "no_price", f"No price of {symbol} is known yet.",
            headers={"Retry-After": str(AGAIN_S)}, retry_after_s=AGAIN_S,
        )  # fmt: skip
    known = place is not None
    return PriceAnswer(
        symbol=symbol, id=compact(symbol), price=float(price),
        change_24h=float(snapshot.change_24h[place]) if known else None,
        volume_24h=float(snapshot.volume_24h[place]) if known else None,
        timestamp=int(time), bar=bar, source=services.source,
    )  # fmt: skip


async def bars_of(
    services: Services, symbol: str, timeframe: Timeframe, n_bars: int, end: int | None = None
) -> Bars:
    """Return closed bars of a watched symbol.

    422 `missing_history` where the market has none of this timeframe, 503 while it does not
    answer.
    """
    if services.snapshot() is None:
        raise warming()
    try:
        return await services.bars(symbol, timeframe, n_bars, end)
    except DatabaseError:
        raise
    except (OpportunityError, ValueError) as error:
        raise no_bars(error) from error


def no_bars(error: OpportunityError | ValueError) -> ApiError:
    """Word why a market gave no bars; what it says of its line stays inside."""
    if isinstance(error, CoverageError):
        return ApiError(422, "missing_history", str(error), coverage=error.report)
    if isinstance(error, ValueError):
        return ApiError(422, "missing_history", f"{error}.")
    return ApiError(
        503, "no_market", "The market does not answer now.",
        headers={"Retry-After": str(AGAIN_S)}, retry_after_s=AGAIN_S,
    )  # fmt: skip


def candles(bars: Bars) -> list[Candle]:
    """Return bars as they travel."""
    return [
        Candle(timestamp=time, open=o, high=h, low=low, close=c, volume=v)
        for time, (o, h, low, c, v) in zip(
            bars.time.tolist(), bars.values.tolist(), strict=True
        )
    ]


class PriceHandler(BaseHandler):
    """The newest price of a symbol."""

    @operation(Role.VIEWER, answer=PriceAnswer, path=SymbolPath)
    def get(self, symbol: str) -> None:
        """Return price, unfinished bar, and the change and volume of the last 24 hours."""
        name = watched(self.places(SymbolPath).symbol, self.services.symbols)
        self.send(price_of(self.services, name))


class OhlcvHandler(BaseHandler):
    """Closed bars of a symbol."""

    @operation(
        Role.VIEWER, answer=OhlcvAnswer, path=SymbolPath, query=OhlcvQuery,
    )  # fmt: skip
    async def get(self, symbol: str) -> None:
        """Return the newest closed bars, or those before `end`, oldest first."""
        asked, services = self.query(OhlcvQuery), self.services
        name = watched(self.places(SymbolPath).symbol, services.symbols)
        bars = await bars_of(services, name, asked.interval, asked.limit, asked.end)
        rows = candles(bars)
        self.send(OhlcvAnswer(
            symbol=name, id=compact(name), interval=asked.interval, data=rows,
            next=rows[0].timestamp if len(rows) == asked.limit else None,
            source=services.source,
        ))  # fmt: skip


routes = [
    ("/api/price/{symbol}", PriceHandler),
    ("/api/ohlcv/{symbol}", OhlcvHandler),
]
