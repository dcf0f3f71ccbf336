"""Services as the server wires them: simulated market at a fixed time, temporary SQLite."""

import asyncio

from app.feed import make_feed
from app.names import time_key
from app.services import Services
from opportunity.config import Settings
from opportunity.feeds.clock import wall_ms
from opportunity.scoring.presets import PRESETS
from opportunity.storage.database import open_database
from opportunity.storage.repositories import Memory

START = 1_767_614_400_000  # 2026-01-05 12:00 UTC
NAMES = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
FRAMES = ("5m", "1h", "4h")
SLOW = 0.1
"""Feed seconds a real second: nothing closes while a test looks."""

GIVEN = PRESETS["aggressive"]


def settings_of(tmp_path, **values) -> Settings:
    given = {"home": tmp_path, "symbols": NAMES, "timeframes": FRAMES, "speed": SLOW,
             "scan_interval_ms": 60_000}  # fmt: skip
    return Settings(**(given | values))


def build(settings: Settings) -> Services:
    """Wire the objects as the server does; the agent is not started."""
    memory = Memory(open_database(settings.database), wall_ms)
    resume = memory.settings.read().get(time_key(settings.feed))
    feed = make_feed(settings, resume, START)
    return Services(settings, feed, memory, asyncio.get_running_loop())


class Ears:
    """Everything that a subscriber of the hub hears."""

    def __init__(self, services: Services) -> None:
        self.states: dict = {}
        self.events: list = []
        services.hub.subscribe(self._hear)

    def _hear(self, states, events) -> None:
        self.states.update(states)
        self.events.extend(payload for topic, payload in events if topic == "config")

    async def event(self) -> dict:
        """Wait for the next config event."""
        async with asyncio.timeout(30):
            while not self.events:  # noqa: ASYNC110 - the hub calls, it does not await
                await asyncio.sleep(0.002)
        return self.events.pop(0)

    async def nothing(self, services: Services) -> None:
        """Check that no config event came: a marker sent now would be behind it."""
        services.hub.emit("config", "marker")
        assert await self.event() == "marker"


async def until(condition, timeout_s: float = 20.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - the agent's thread tells through the hub only
            await asyncio.sleep(0.002)
