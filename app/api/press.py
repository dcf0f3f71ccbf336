"""Makes the stream's messages out of what the hub and the event log give: checked and numbered."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from app.api.account import portfolio_of
from app.api.jobs import job_line
from app.api.messages import Message
from app.jobs import Job
from app.services import Services
from opportunity.contracts.base import Answer
from opportunity.contracts.realtime import (
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
from opportunity.storage.events import StoredEvent
from opportunity.strategy import Evaluation

if TYPE_CHECKING:
    from opportunity.live.portfolio import PortfolioState

N_ROWS: Final = 20

_TURNED: Final = {"risk": "limits", "scan rules": "rules"}
"""What an audit calls it -> what the stream calls it, where they differ."""


class Press:
    """Makes the messages of all channels.

    Parameters
    ----------
    services : Services
    epoch : str
        Of all numbers.
    start : int
        States are numbered from there on. It must be more than any number of the process before
        this one, whose clients may still be there, connected to another process.
    """

    def __init__(self, services: Services, epoch: str, start: int = 0) -> None:
        self._services, self._epoch, self._start = services, epoch, start
        self._seq: dict[Channel, int] = {}
        self._ids: dict[str, str] = {}
        self._places: dict[str, int] = {}
        self._placed: tuple[str, ...] = ()

    def newest(self, channel: Channel) -> int:
        """Return the number of the newest state of a channel; `start` before the first."""
        return self._seq.get(channel, self._start)

    # -- states --------------------------------------------------------------------------------

    def signal(self, symbol: str, payload: Mapping[str, Any]) -> Message:
        """Return the message of a symbol's newest judgement."""
        return self._state(
            "signal", symbol, SignalMessage, **{**payload, "symbol": symbol, "id": self._id(symbol)}
        )

    def price(self, symbol: str, bar: tuple[float, ...]) -> Message:
        """Return the message of a forming bar ``(time, open, high, low, close, volume)``."""
        time, open_, high, low, close, volume = bar
        change, turnover = self._day(symbol)
        return self._state(
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
        return self._state(
            "market_scan", "", MarketScanMessage,
            results=rows, timestamp=time, ts=time, source=evaluation.snapshot.source,
        )  # fmt: skip

    def status(self) -> Message:
        """Return how the server is now."""
        services = self._services
        return self._state(
            "status", "", StatusMessage,
            ws=WebSocketStatus(
                connections=services.websocket_stats["connections"]
                + services.websocket_stats.get("elsewhere", 0),
                uptime=int(services.uptime_s), run=services.epoch,
            ),
            agent=AgentState(enabled=services.agent.enabled, running=services.agent.running),
            ts=wall_ms(), source=services.source, version=services.version,
        )  # fmt: skip

    def backtest(self, slot: str, job: Job) -> Message:
        """Return the message of how a job goes."""
        line = job_line(self._services, job)
        return self._state("backtest", slot, BacktestMessage, **line.model_dump(), ts=wall_ms())

    def portfolio(self, state: "PortfolioState") -> Message:
        """Return the message of the paper account."""
        return self._state(
            "portfolio", "", PortfolioMessage,
            portfolio=portfolio_of(state), ts=state.time, source=state.source,
        )  # fmt: skip

    # -- events --------------------------------------------------------------------------------

    def event(self, event: StoredEvent) -> Message:
        """Return the message of an event of the log, under the number that it has there.

        Raises
        ------
        ValueError
            If it has none, or breaks its contract.
        """
        if event.channel is None or event.stream_seq is None:
            raise ValueError(f"event must be numbered, was not: {event.key!r}")
        if event.channel == "config":
            return self._made("config", "", event.stream_seq, ConfigMessage, **turned(event))
        body = dict(event.body)
        return self._happened(event, symbol=body.get("symbol"), data=body)

    def bare(self, event: StoredEvent) -> Message:
        """Return the message of an event whose body broke its contract: the number must be sent."""
        assert event.stream_seq is not None
        if event.channel == "config":
            about = {"id": event.id, "what": "agent", "value": None, "version": None, "by": ""}
            return self._made("config", "", event.stream_seq, ConfigMessage, **about, ts=event.at)
        return self._happened(event, symbol=None, data={})

    def _happened(self, event: StoredEvent, **fields: Any) -> Message:
        assert event.channel is not None
        assert event.stream_seq is not None
        return self._made(
            event.channel, "", event.stream_seq,
            TradeMessage if event.channel == "trade" else AlertMessage,
            id=event.id, event=event.kind, book=str(event.body.get("book", "")), time=event.time,
            ts=event.at, source=self._services.source, **fields,
        )  # fmt: skip

    # -- inside --------------------------------------------------------------------------------

    def _state(
        self, channel: Channel, key: str, model: Callable[..., Answer], **fields: Any
    ) -> Message:
        seq = self.newest(channel) + 1
        made = self._made(channel, key, seq, model, **fields)
        self._seq[channel] = seq  # only now: a message that breaks its contract takes no number
        return made

    def _made(
        self, channel: Channel, key: str, seq: int, model: Callable[..., Answer], **fields: Any
    ) -> Message:
        told = model(epoch=self._epoch, seq=seq, **fields).model_dump()
        return Message(channel, key, seq, self._epoch, orjson.dumps(told), told)

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


def turned(event: StoredEvent) -> dict[str, Any]:
    """Return what a change of weights, rules, limits or agent is on the stream.

    It is told by the audit of it, which says who, what was before, and what is after.
    """
    body = event.body
    said = str(body.get("what", event.kind))
    what, value = _TURNED.get(said, said), body.get("after")
    if event.kind == "shadow":
        what, value = "shadow", dict(value or {}) | {"done": said}
    elif event.kind == "agent" and said != "agent":
        what = "universe"
    return {
        "id": event.id, "what": what, "value": value, "version": body.get("version"),
        "by": str(body.get("by", "")), "ts": event.at,
    }  # fmt: skip
