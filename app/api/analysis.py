"""Everything that is known of a symbol, in one answer."""

from dataclasses import asdict
from typing import Final

from app.api.account import position_of
from app.api.base import BaseHandler
from app.api.market import bars_of, no_bars
from app.api.mood import known_of, sentiment_of, whales_of
from app.api.operations import operation
from app.api.scanned import item_of
from app.api.symbols import watched
from app.auth.roles import Role
from app.services import Services
from opportunity.contracts.analysis import (
    AnalysisAnswer,
    AnalysisQuery,
    AnalysisRisk,
    ChartEvent,
    ScoredCandle,
)
from opportunity.contracts.base import TimeframeName
from opportunity.contracts.news import HeadlineItem
from opportunity.contracts.paths import SymbolPath
from opportunity.detectors.events import Event
from opportunity.errors import DatabaseError, OpportunityError
from opportunity.live.chart import ChartData
from opportunity.market.symbols import compact
from opportunity.strategy import Evaluation

MOST_NEWS: Final = 5
MOST_EVENTS: Final = 100


class AnalysisHandler(BaseHandler):
    """A symbol from all sides."""

    @operation(
        Role.VIEWER, answer=AnalysisAnswer, path=SymbolPath, query=AnalysisQuery,
    )  # fmt: skip
    async def get(self, symbol: str) -> None:
        """Return price, chart with scores and events, signal, mood, flow, news and position."""
        asked, services = self.query(AnalysisQuery), self.services
        name = watched(self.places(SymbolPath).symbol, services.symbols)
        found, known = await known_of(services, name, MOST_NEWS)
        chart = await _chart(services, name, asked)
        row = found.find(name)
        item = item_of(row)
        self.send(AnalysisAnswer(
            symbol=name, id=compact(name), timeframe=asked.timeframe, timestamp=known.time,
            price=None if row is None else row.price,
            change_24h=None if row is None else row.change_24h,
            volume_24h=None if row is None else row.volume_24h,
            atr=_atr(found, name, asked.timeframe), signal=item,
            stopped_by=[] if row is None or item is None else list(row.stopped_by),
            candles=_scored(chart),
            events=[_event(event) for event in chart.events[-MOST_EVENTS:][::-1]],
            sentiment=sentiment_of(found, known), whales=whales_of(found, known),
            news=[HeadlineItem(**asdict(one)) for one in known.headlines],
            risk=_risk(services, name), source=services.source,
        ))  # fmt: skip


async def _chart(services: Services, symbol: str, asked: AnalysisQuery) -> ChartData:
    try:
        return await services.chart(symbol, asked.timeframe, asked.bars)
    except DatabaseError:
        raise
    except OpportunityError as error:
        raise no_bars(error) from error
    except ValueError:
        # The same refusal as for bars alone; should they be there after all, so is our fault.
        await bars_of(services, symbol, asked.timeframe, asked.bars)
        raise


def _scored(chart: ChartData) -> list[ScoredCandle]:
    rows = zip(
        chart.bars.time.tolist(), chart.bars.values.tolist(), chart.final.tolist(),
        chart.net.tolist(), chart.confidence.tolist(), strict=True,
    )  # fmt: skip
    return [
        ScoredCandle(
            timestamp=time, open=o, high=h, low=low, close=c, volume=v, final_score=final,
            net=net, confidence=confidence,
        )
        for time, (o, h, low, c, v), final, net, confidence in rows
    ]


def _event(event: Event) -> ChartEvent:
    return ChartEvent(
        id=event.id, detector=event.detector, kind=event.kind, text=event.text,
        direction=event.side, state=event.state, time=event.time, quality=event.quality,
        points=list(event.points), zone=event.zone,
    )  # fmt: skip


def _atr(found: Evaluation, symbol: str, timeframe: TimeframeName) -> float | None:
    snapshot = found.snapshot
    if timeframe not in snapshot.timeframes or symbol not in snapshot.symbols:
        return None
    at = snapshot.symbols.index(symbol), snapshot.timeframes.index(timeframe)
    return float(snapshot.atr[at])


def _risk(services: Services, symbol: str) -> AnalysisRisk | None:
    state = services.paper.state()
    if state is None:
        return None
    held = next((line for line in state.positions if line.symbol == symbol), None)
    return AnalysisRisk(
        can_trade=state.can_trade, why_not=state.why_not,
        position=None if held is None else position_of(held),
    )  # fmt: skip


routes = [("/api/analysis/{symbol}", AnalysisHandler)]
