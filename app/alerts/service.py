"""Alerts of one server: hears what happens, keeps what is worth telling, and has it sent.

What is told is in the database before it is sent. Events of the log are worked in again after a
restart, from the last one whose alerts were kept, so that a crash between the two loses none.
"""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from app.alerts.channels import Channel
from app.alerts.daily import Daily
from app.alerts.judge import DAY_MS, Judge
from app.alerts.post import Post
from app.alerts.price_feed import PriceFeed
from app.alerts.recall import remember, unheard
from app.alerts.rules import AlertRules
from app.alerts.words import DayFacts, stamped
from app.kept import Kept, Turnable
from opportunity.bus.memory import Events, Hub, States
from opportunity.errors import unknown
from opportunity.feeds.status import FeedStatus
from opportunity.live.portfolio import PortfolioState
from opportunity.storage.books import PAPER
from opportunity.storage.events import MOST_READ, StoredEvent
from opportunity.storage.failures import DatabaseError
from opportunity.storage.outbox import Outbox
from opportunity.storage.outbox_rows import ChannelTally, Note, OutboxPage
from opportunity.storage.repositories import Memory

logger = structlog.get_logger(__name__)

SETTING: Final = "alerts"
LOOK_S: Final = 1.0
"""Between two looks at what comes by the clock."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What alerts need of the server.

    Parameters
    ----------
    hub : Hub
    market, source : str
        Name of the market in keys, and its stamp.
    clock : callable
        Wall time, ms UTC.
    feed_time : callable
        Feed time, ms UTC; 0 while it is not known.
    feed_status : callable
        The line to the market; None for one that has none.
    """

    hub: Hub
    market: str
    source: str
    clock: Callable[[], int]
    feed_time: Callable[[], int]
    feed_status: Callable[[], FeedStatus | None]


class Alerts:
    """Rules, outbox and channels of one server; lives on its loop.

    Parameters
    ----------
    around : Surroundings
    memory : Memory
    channels : sequence of Channel
    prices : PriceFeed
    """

    def __init__(
        self, around: Surroundings, memory: Memory, channels: Sequence[Channel], prices: PriceFeed
    ) -> None:
        self._around, self._events = around, memory.events
        self._ledger = memory.ledger(around.market)
        self.outbox: Outbox = memory.outbox
        self.channels = {channel.name: channel for channel in channels}
        self.prices = prices
        self._rules, self._testing = AlertRules(), set[str]()
        what = Turnable(SETTING, "audit", self._get, self._put, _check)
        self._kept = Kept(what, memory.turned, around.feed_time, lambda *_: None)
        self._judge = Judge(lambda: self._rules, around.source, around.market)
        self._daily = Daily(lambda: self._rules, around.source, around.market)
        self._post = Post(self.outbox, self.channels, lambda: self._rules, around.clock)
        self._leave: Callable[[], None] | None = None
        self._task: asyncio.Task[None] | None = None

    # -- life ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Work in what happened while nobody was here, then hear and send."""
        notes, newest = await asyncio.to_thread(self._recall)
        self._leave = self._around.hub.subscribe(self._hear)
        self._post.start(newest)
        for note in notes:
            self._post.add(note)
        self.prices.start()
        self._task = asyncio.ensure_future(self._run())

    async def close(self) -> None:
        """Keep what was heard, and end; what is not sent yet is sent after the next start."""
        if self._leave is not None:
            self._leave()
        await self.prices.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            await self._post.close()

    # -- what people turn ------------------------------------------------------------------------

    @property
    def rules(self) -> AlertRules:
        """The rules in force."""
        return self._rules

    @property
    def version(self) -> int:
        """Rises with every change of the rules."""
        return self._kept.version

    async def set_rules(
        self, values: Mapping[str, Any], by: str, why: str = "", expected: int | None = None
    ) -> int:
        """Change some rules, stored and audited; return the new version.

        Raises
        ------
        ValueError, TypeError
            If a rule or a channel is unknown, or a value out of its bounds.
        ConflictError
            If somebody else was quicker.
        DatabaseError
            If they cannot be stored; nothing has changed then.
        """
        for names in dict(values.get("routes", {})).values():
            for name in names:
                self._channel(name)
        return await self._kept.set(values, by, why, expected)

    async def test(self, name: str | None = None) -> dict[str, str]:
        """Send a test to one channel, or to all that tests go to; return what failed by name.

        Raises
        ------
        ValueError
            If there is no such channel.
        """
        names = self._rules.channels("test", tuple(self.channels)) if name is None else (name,)
        wanted = [self._channel(one) for one in names]
        now = self._around.clock()
        results = await asyncio.gather(*(self._tried(channel, now) for channel in wanted))
        return {channel.name: error for channel, error in zip(wanted, results, strict=True)}

    # -- what is ---------------------------------------------------------------------------------

    async def tallies(self) -> dict[str, ChannelTally]:
        """Return how it goes by channel, failures and errors of the last day."""
        since = self._around.clock() - DAY_MS
        found = await asyncio.to_thread(self.outbox.tallies, since)
        return {name: found.get(name, ChannelTally()) for name in self.channels}

    async def page(
        self, limit: int = 100, after: int | None = None, channel: str | None = None,
        status: str | None = None,
    ) -> OutboxPage:  # fmt: skip
        """Return what was or will be told, newest first; see `Outbox.page`."""
        return await asyncio.to_thread(self.outbox.page, limit, after, channel, status)

    # -- inside ----------------------------------------------------------------------------------

    def _recall(self) -> tuple[list[Note], int]:
        now = self._around.clock()
        self.outbox.give_up(now - DAY_MS, tuple(self.channels))
        remember(self.outbox, self._judge, self._daily, now)
        return unheard(self.outbox, self._events, self._judge, now)

    def _channel(self, name: str) -> Channel:
        if name not in self.channels:
            raise ValueError(unknown("channel", name, self.channels))
        return self.channels[name]

    async def _tried(self, channel: Channel, now: int) -> str:
        if channel.name in self._testing:  # one that hangs would take one thread after another
            return "a test is under way"
        self._testing.add(channel.name)
        try:
            return await asyncio.to_thread(self._test, channel, now)
        finally:
            self._testing.discard(channel.name)

    def _test(self, channel: Channel, now: int) -> str:
        title = stamped("Test", self._around.source)
        note = Note(f"test:{now}", "test", title, "If you can read this, alerts arrive here.")
        error = channel.send(note.title, note.body)
        try:
            self.outbox.record(note, channel.name, error)
        except DatabaseError as trouble:
            logger.warning("test not recorded", error=str(trouble))
        return error

    def _get(self) -> dict[str, Any]:
        return self._rules.as_dict()

    def _put(self, values: dict[str, Any]) -> None:
        self._rules = AlertRules.of(values)

    def _hear(self, states: States, events: Events) -> None:
        self.prices.hear(states)
        if not self.channels:
            return
        now = self._around.clock()
        for topic, payload in events:
            if topic == "event" and isinstance(payload, StoredEvent):
                self._judged(self._judge.event, payload)
                self._post.heard(payload.id)
        for (topic, key), payload in states.items():
            if topic == "signal":
                self._judged(self._judge.signal, key, payload, now)
            elif topic == "portfolio" and isinstance(payload, PortfolioState):
                self._judged(self._judge.portfolio, payload, now)

    def _judged(self, judge: Callable[..., Note | list[Note] | None], *about: Any) -> None:
        try:
            found = judge(*about)
        except Exception:  # one odd payload must not cost the alerts that came with it
            logger.exception("alert not judged")
            return
        for note in found if isinstance(found, list) else [found]:
            self._post.add(note)

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._post.came.wait()
            except TimeoutError:
                await self._look_safely()
            if self._post.due and not await self._kept_safely():
                await asyncio.sleep(LOOK_S)

    async def _kept_safely(self) -> bool:
        try:
            return await self._post.keep()
        except Exception:  # one odd note must not silence every other alert
            logger.exception("alerts not kept")
            return False

    async def _look_safely(self) -> None:
        try:
            await self._look()
        except Exception:  # one odd value must not silence every other alert
            logger.exception("alerts not looked at")

    async def _look(self) -> None:
        """Do what comes by the clock."""
        if not self.channels:
            return
        now, status = self._around.clock(), self._around.feed_status()
        self._post.add(self._judge.feed(status, now))
        state = self._around.hub.latest("portfolio")
        state = state if isinstance(state, PortfolioState) else None
        self._post.add(self._daily.alive(now, state, status))
        day = self._daily.ended(self._around.feed_time(), now)
        if day is not None:
            facts = await asyncio.to_thread(self._facts, *self._daily.span(day))
            self._post.add(self._daily.summary(day, state, facts, status))

    def _facts(self, since: int, until: int) -> DayFacts:
        try:
            found = self._events.read(("trade",), limit=MOST_READ, newest_first=True)
            curve = self._ledger.equity(PAPER, since, until, MOST_READ)
        except DatabaseError as error:
            logger.warning("day not readable", error=str(error))
            return DayFacts()
        ours = (e for e in found if e.body.get("book") == PAPER and since <= e.time < until)
        start, end = curve.equity[[0, -1]].tolist() if curve.equity.size else (math.nan, math.nan)
        return DayFacts(start, end, [event.body for event in ours])


def _check(values: dict[str, Any]) -> None:
    AlertRules.of(values)
