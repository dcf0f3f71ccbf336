"""Feeds: where bars come from. Adding one = one module here, one line in `FEEDS`, its tests."""

from typing import Final

from opportunity.feeds.base import Closed, Corrected, Feed, Forming
from opportunity.feeds.clock import Clock
from opportunity.feeds.exchange.feed import ExchangeFeed
from opportunity.feeds.replay import ReplayFeed
from opportunity.feeds.simulated import SimulatedFeed

FEEDS: Final[dict[str, type[Feed]]] = {
    "simulated": SimulatedFeed,
    "replay": ReplayFeed,
    "exchange": ExchangeFeed,
}

__all__ = [
    "FEEDS", "Clock", "Closed", "Corrected", "ExchangeFeed", "Feed", "Forming", "ReplayFeed",
    "SimulatedFeed",
]  # fmt: skip
