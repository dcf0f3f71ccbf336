"""Feeds: where bars come from. Adding one = one module here, one line in `FEEDS`, its tests."""

from typing import Final

from opportunity.feeds.base import Closed, Feed, Forming
from opportunity.feeds.clock import Clock
from opportunity.feeds.replay import ReplayFeed
from opportunity.feeds.simulated import SimulatedFeed

FEEDS: Final[dict[str, type[Feed]]] = {
    "simulated": SimulatedFeed,
    "replay": ReplayFeed,
}

__all__ = ["FEEDS", "Clock", "Closed", "Feed", "Forming", "ReplayFeed", "SimulatedFeed"]
