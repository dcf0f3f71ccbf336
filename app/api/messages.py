"""Stream messages: numbered per channel, checked once, their frames built once."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from app.api.account import portfolio_of
from app.api.jobs import job_line
from app.api.outlet import frame
from app.jobs import Job
from app.services import Services
from opportunity.contracts.base import Answer, TimeframeName
from opportunity.contracts.realtime import (
    EVENT_CHANNELS,
    AgentState,
    AlertMessage,
    BacktestMessage,
    Channel,
    ConfigMessage,
    MarketScanMessage,
    PortfolioMessage,
    PriceMessage,
    ScanRow,
    SignalMessage,
    StatusMessage,
    TradeMessage,
    WebSocketStatus,
)
from opportunity.feeds.clock import wall_ms
from opportunity.market.symbols import compact
from opportunity.strategy import Evaluation

if TYPE_CHECKING:
    from opportunity.live.portfolio import PortfolioState
    from opportunity.storage.events import StoredEvent

N_ROWS = 20

Filter = tuple[TimeframeName, ...] | None


def encode(answer: Answer, exclude_none: bool = False) -> bytes:
    """Return the frame of a checked answer."""
    return frame(orjson.dumps(answer.model_dump(exclude_none=exclude_none)))


class Message:
    """One numbered message of a channel and the frames made of it so far."""

    __slots__ = ("_frames", "channel", "key", "model", "seq")

    def __init__(self, channel: Channel, key: str, seq: int, model: Answer) -> None:
        self.channel, self.key, self.seq, self.model = channel, key, seq, model
        self._frames: dict[Filter, bytes] = {}

    @property
    def state_key(self) -> tuple[Channel, str] | None:
        """What a newer message takes the place of; None for events, which all travel."""
        return None if self.channel in EVENT_CHANNELS else (self.channel, self.key)

    def frame(self, timeframes: Filter = None) -> bytes:
        """Return the frame; of a signal, with only these timeframes in it."""
        if timeframes not in self._frames:
            model = self.model
            if timeframes is not None and isinstance(model, SignalMessage) and model.timeframes:
                kept = {t: s for t, s in model.timeframes.items() if t in timeframes}
                model = model.model_copy(update={"timeframes": kept})
            self._frames[timeframes] = encode(model)
        return self._frames[timeframes]


class Press:
    """Makes the messages of all channels out of what the hub delivers."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._seq: dict[Channel, int] = {}
        self._ids: dict[str, str] = {}
        self._places: dict[str, int] = {}
        self._placed: tuple[str, ...] = ()

    def newest(self, channel: Channel) -> int:
        """Return the number of the channel's newest message; 0 before the first."""
        return self._seq.get(channel, 0)

    def signal(self, symbol: str, payload: Mapping[str, Any]) -> Message:
        """Return the message of a symbol's newest judgement."""
        return self._message(
            "signal", symbol, SignalMessage, **{**payload, "symbol": symbol, "id": self._id(symbol)}
        )

    def price(self, symbol: str, bar: tuple[float, ...]) -> Message:
        """Return the message of a forming bar ``(time, open, high, low, close, volume)``."""
        time, open_, high, low, close, volume = bar
        change, turnover = self._day(symbol)
        return self._message(
            "price", symbol, PriceMessage,
            symbol=symbol, id=self._id(symbol), price=close,
            open=open_, high=high, low=low, close=close, volume=volume,
            change_24h=change, volume_24h=turnover, ts=int(time), source=self._services.source,
        )  # fmt: skip

    def market_scan(self, evaluation: Evaluation) -> Message:
        """Return the message of the best rows."""
        rows = [
            ScanRow(
                rank=row.rank, symbol=row.symbol, id=self._id(row.symbol), price=row.price,
                overall_score=row.final_score, direction=row.direction,
                action=row.recommended_action, confidence=row.confidence,
                risk_level=row.risk_level, consensus_strength=row.consensus_strength,
                timeframe_scores=dict(row.timeframes),
            )
            for row in evaluation.rows(N_ROWS)
        ]  # fmt: skip
        time = int(evaluation.snapshot.time)
        return self._message(
            "market_scan", "", MarketScanMessage,
            results=rows, timestamp=time, ts=time, source=evaluation.snapshot.source,
        )  # fmt: skip

    def status(self) -> Message:
        """Return how the server is now."""
        services = self._services
        return self._message(
            "status", "", StatusMessage,
            ws=WebSocketStatus(
                connections=services.websocket_stats["connections"], uptime=int(services.uptime_s)
            ),
            agent=AgentState(enabled=services.agent.enabled, running=services.agent.running),
            ts=wall_ms(), source=services.source, version=services.version,
        )  # fmt: skip

    def backtest(self, slot: str, job: Job) -> Message:
        """Return the message of how a job goes."""
        line = job_line(self._services, job)
        return self._message(
            "backtest", slot, BacktestMessage, **line.model_dump(), ts=wall_ms()
        )

    def config(self, event: Mapping[str, Any]) -> Message:
        """Return the message of a change of weights, rules or agent."""
        return self._message("config", "", ConfigMessage, **event)

    def portfolio(self, state: "PortfolioState") -> Message:
        """Return the message of the paper account."""
        return self._message(
            "portfolio", "", PortfolioMessage,
            portfolio=portfolio_of(state), ts=state.time, source=state.source,
        )  # fmt: skip

    def event(self, channel: Channel, event: "StoredEvent") -> Message:
        """Return the message of something that is in the event log: `trade` or `alert`."""
        body = dict(event.body)
        return self._message(
            channel, "", TradeMessage if channel == "trade" else AlertMessage,
            id=event.id, event=event.kind, symbol=body.get("symbol"),
            book=str(body.get("book", "")), data=body, time=event.time, ts=event.at,
            source=self._services.source,
        )  # fmt: skip

    def _message(
        self, channel: Channel, key: str, model: Callable[..., Answer], **fields: Any
    ) -> Message:
        seq = self.newest(channel) + 1
        made = model(epoch=self._services.epoch, seq=seq, **fields)
        self._seq[channel] = seq  # only now: a message that breaks its contract takes no number
        return Message(channel, key, seq, made)

    def _id(self, symbol: str) -> str:
        if symbol not in self._ids:
            self._ids[symbol] = compact(symbol)
        return self._ids[symbol]

    def _day(self, symbol: str) -> tuple[float, float]:
        snapshot = self._services.snapshot()
        if snapshot is None:
            return np.nan, np.nan
        if snapshot.symbols is not self._placed:
            self._placed = snapshot.symbols
            self._places = {name: i for i, name in enumerate(snapshot.symbols)}
        place = self._places.get(symbol)
        if place is None:
            return np.nan, np.nan
        return float(snapshot.change_24h[place]), float(snapshot.volume_24h[place])
