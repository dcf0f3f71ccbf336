import asyncio
import logging
from dataclasses import replace

import pytest
from alerting import BREAKER, DAY, SIGNAL, STATE, TIME, TRADE, account
from receiver import SECRET

from app.alerts import service as module
from app.alerts.price_feed import Market, PriceFeed
from app.alerts.service import Alerts, Surroundings
from opportunity.bus.memory import Hub
from opportunity.errors import ConflictError
from opportunity.feeds.clock import wall_ms
from opportunity.feeds.status import FeedStatus
from opportunity.storage.events import Event
from opportunity.storage.repositories import Memory
from opportunity.storage.tables import METADATA


class World:
    """A hub with alerts behind it, as the server has them."""

    def __init__(self, engine, channels, hook) -> None:
        self.memory, self.channels, self.hook = Memory(engine, wall_ms), channels, hook
        self.hub = Hub(asyncio.get_running_loop(), tick_s=0.001)
        self.time, self.status = TIME, None
        self.alerts = self.make()

    def make(self) -> Alerts:
        around = Surroundings(
            self.hub, "simulated-7", "simulated", wall_ms, lambda: self.time, lambda: self.status
        )
        market = Market("simulated-7", "simulated", 60_000, None)
        prices = PriceFeed(market, self.memory.price_alerts("m"), self.memory.events, self.tell)
        return Alerts(around, self.memory, self.channels, prices)

    def tell(self, events) -> None:
        for event in events:
            self.hub.emit("event", event)

    def happens(self, *events: Event) -> None:
        self.tell(self.memory.events.append(events))

    async def heard(self, n: int) -> list[str]:
        return [m["title"] for m in await asyncio.to_thread(self.hook.wait, n)]


@pytest.fixture
async def world(engine, channel, hook, monkeypatch):
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    world = World(engine, [channel], hook)
    yield world
    await world.alerts.close()
    world.hub.close()


async def until(done) -> None:
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


def breaker(key: str) -> Event:
    return Event(key, TIME, "breaker", BREAKER)


async def test_from_the_hub_to_the_receiver(world):
    await world.alerts.start()
    world.happens(breaker("b1"))
    assert await world.heard(1) == ["[simulated] Breaker daily loss open, was closed"]
    (row,) = (await world.alerts.page()).rows
    assert row.key == "event:b1@ops"


async def test_everything_that_can_be_heard_at_once_is_one_message(world):
    await world.alerts.start()
    world.hub.publish("signal", "BTC/USDT", SIGNAL)
    world.hub.publish("portfolio", "", account(equity=9_000.0, day_pnl=-1_000.0))
    world.happens(breaker("b1"), Event("t1", TIME, "trade", TRADE))
    await world.heard(1)
    await asyncio.to_thread(world.hook.wait, 1)
    kinds = {row.kind for row in (await world.alerts.page()).rows}
    assert kinds == {"signal", "return", "drawdown", "breaker"}


async def test_what_nobody_heard_is_told_after_a_restart(world):
    await world.alerts.start()
    await world.alerts.close()
    world.memory.events.append([breaker("while away")])
    world.alerts = world.make()
    await world.alerts.start()
    assert len(await world.heard(1)) == 1
    assert (await world.alerts.page()).rows[0].key == "event:while away@ops"


async def test_the_clock_brings_summaries_signs_of_life_and_lost_lines(world):
    await world.alerts.set_rules({"heartbeat_hours": 1, "feed_down_s": 5}, "python")
    world.memory.events.append([Event("t1", TIME + 5, "trade", TRADE)])
    world.hub.publish("portfolio", "", STATE)
    world.status = FeedStatus("down", "no answer", wall_ms() - 60_000)
    await world.alerts.start()
    await until(lambda: len(world.alerts.outbox.page().rows) >= 2)
    world.time += DAY
    await until(lambda: len(world.alerts.outbox.page().rows) >= 3)
    summary, *others = (await world.alerts.page()).rows
    assert {row.kind for row in others} == {"heartbeat", "feed"}
    assert "1 trades, 1 won, +20.00" in summary.body
    assert "data: down, no answer" in summary.body


async def test_a_failing_note_does_not_end_it(world, monkeypatch):
    put, failed = world.memory.outbox.put, []

    def once(notes, up_to=None):
        if not failed:
            failed.append(notes)
            raise TypeError("odd")
        return put(notes, up_to)

    await world.alerts.start()
    monkeypatch.setattr(world.alerts.outbox, "put", once)
    world.happens(breaker("b1"))
    await until(lambda: failed)
    world.happens(breaker("b2"))
    assert len(await world.heard(1)) == 1


async def test_one_odd_payload_costs_no_other_alert(world):
    await world.alerts.start()
    world.hub.publish("signal", "BTC/USDT", {"direction": "BULLISH"} | {"score": 0.9})
    world.hub.publish("signal", "ETH/USDT", {k: v for k, v in SIGNAL.items() if k != "ts"})
    world.hub.publish("signal", "SOL/USDT", SIGNAL | {"symbol": "SOL/USDT"})
    (title,) = await world.heard(1)
    assert title == "[simulated] SOL/USDT bullish"


async def test_a_failing_look_does_not_end_it(world, monkeypatch):
    looks = []

    def odd(*_):
        looks.append(1)
        raise TypeError("odd")

    monkeypatch.setattr(world.alerts._judge, "feed", odd)
    await world.alerts.start()
    await until(lambda: len(looks) >= 2)
    world.happens(breaker("b1"))
    await world.heard(1)


async def test_rules_are_kept_with_version_and_audit(world):
    assert world.alerts.version == 0
    version = await world.alerts.set_rules({"min_score": 0.8}, "api", "too many", 0)
    assert (version, world.alerts.rules.min_score) == (1, 0.8)
    assert world.make().rules == world.alerts.rules
    (audit,) = world.memory.events.read(("audit",))
    assert (audit.body["by"], audit.body["why"]) == ("api", "too many")
    assert audit.body["before"]["min_score"] == 0.6
    with pytest.raises(ConflictError):
        await world.alerts.set_rules({"min_score": 0.9}, "api", expected=0)
    with pytest.raises(ValueError, match="channel must be a known name"):
        await world.alerts.set_rules({"routes": {"breaker": ["nobody"]}}, "api")
    with pytest.raises(ValueError, match="min_score"):
        await world.alerts.set_rules({"min_score": 5}, "api")
    assert world.alerts.version == 1


async def test_routes_choose_channels(world):
    await world.alerts.set_rules({"routes": {"breaker": []}}, "api")
    await world.alerts.start()
    world.happens(breaker("b1"))
    world.hub.publish("signal", "BTC/USDT", SIGNAL)
    assert await world.heard(1) == ["[simulated] BTC/USDT bullish"]


async def test_the_test_is_sent_at_once_and_recorded(world):
    assert await world.alerts.test() == {"ops": ""}
    world.hook.answers.append(500)
    assert await world.alerts.test("ops") == {"ops": "status 500"}
    with pytest.raises(ValueError, match="Did you mean 'ops'"):
        await world.alerts.test("op")
    tally = (await world.alerts.tallies())["ops"]
    assert (tally.failed, tally.last_error) == (1, "status 500")
    assert tally.last_sent_at is not None


async def test_tests_keep_to_their_route(world):
    await world.alerts.set_rules({"routes": {"test": []}}, "api")
    assert await world.alerts.test() == {}
    assert await world.alerts.test("ops") == {"ops": ""}  # asked for by name


async def test_without_channels_only_prices_are_watched(world):
    world.channels = []
    world.alerts = world.make()
    await world.alerts.start()
    world.happens(breaker("b1"))
    await world.alerts.prices.add("A", "above", 100.0, "", False)
    world.hub.publish("price", "A", (TIME, 1.0, 101.0, 1.0, 101.0, 0.0))
    await until(lambda: bool(world.memory.events.read(("price_alert",))))
    assert (await world.alerts.page()).rows == ()
    assert await world.alerts.tallies() == {}
    assert await world.alerts.test() == {}


async def test_a_touched_price_reaches_the_channel(world):
    await world.alerts.start()
    await world.alerts.prices.add("A", "below", 100.0, "buy?", False)
    world.hub.publish("price", "A", (TIME, 99.0, 99.0, 99.0, 99.0, 0.0))
    assert await world.heard(1) == ["[simulated] A at or below 100"]
    assert "buy?" in world.hook.texts()


async def test_the_secret_is_nowhere(world, engine, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    world.hook.answers.extend([500, "die"])
    await world.alerts.start()
    world.happens(breaker("b1"))
    await asyncio.to_thread(world.hook.wait_asked, 1)
    await world.alerts.test()
    await world.alerts.close()
    with engine.connect() as connection:
        tables = [connection.execute(t.select()).all() for t in METADATA.sorted_tables]
    dump = str(tables)
    said = caplog.text + str(capsys.readouterr()) + repr(world.alerts.channels)
    assert "b1" in dump
    assert SECRET not in dump + said
    assert "127.0.0.1" not in dump + said


def test_the_surroundings_are_a_value():
    around = Surroundings(None, "m", "s", wall_ms, lambda: 0, lambda: None)
    assert replace(around, market="n").market == "n"
