"""Makes the alerts of a server out of its parts."""

from typing import Final

from app.alerts.channels import open_channels
from app.alerts.price_feed import Market, PriceFeed
from app.alerts.service import Alerts, Surroundings
from app.names import state_name
from opportunity.bus.memory import Hub
from opportunity.config import Settings
from opportunity.feeds.base import Feed
from opportunity.feeds.clock import wall_ms
from opportunity.live.agent import Agent
from opportunity.market.bars import Bars
from opportunity.market.timeframe import length_ms
from opportunity.storage.events import StoredEvent
from opportunity.storage.repositories import Memory

TOPIC: Final = "event"
"""Of the hub: what is in the log."""


def alerts_of(settings: Settings, memory: Memory, hub: Hub, feed: Feed, agent: Agent) -> Alerts:
    """Return the alerts of a server; they begin with `start`.

    Raises
    ------
    SettingsError
        If a channel's address is not understood or not allowed.
    """
    channels = open_channels(settings.alerts, settings.alerts_private)

    async def history(symbol: str, n_bars: int, end_ms: int) -> Bars:
        return await agent.ask(feed.history(symbol, feed.base, n_bars, end_ms))

    def tell(events: tuple[StoredEvent, ...]) -> None:
        for event in events:
            hub.emit(TOPIC, event)

    def feed_time() -> int:
        return agent.time or 0

    market = Market(state_name(settings), feed.source, length_ms(feed.base), history)
    prices = PriceFeed(market, memory.price_alerts(market.name), memory.events, tell)
    around = Surroundings(hub, market.name, market.source, wall_ms, feed_time, feed.status)
    return Alerts(around, memory, channels, prices)
