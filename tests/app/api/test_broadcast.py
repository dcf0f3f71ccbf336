import asyncio
import time

import accounts
import pytest
from tornado.web import Application

from app.api.broadcast import CHANNEL_OF_EVENT, DEFAULT, Realtime
from app.api.limits import Limits
from opportunity.contracts.realtime import EVENT_CHANNELS
from opportunity.storage.events import KINDS, StoredEvent


class Ear:
    """A client that keeps what it is sent."""

    def __init__(self) -> None:
        self.outlet, self.frames, self.heard, self.coalesced = self, [], [], 0
        self.waiting_bytes = 0
        self.closed_with: tuple[int, str] | None = None

    def choose(self, message):
        self.heard.append((message.channel, message.key, message.seq))
        return message.frame()

    def send(self, frames):
        self.frames += list(frames)

    def check(self, drain_s):
        pass

    def close(self, code, reason):
        self.closed_with = (code, reason)


@pytest.fixture
async def realtime(world):
    made = Realtime(world.services, Limits(throttle_s=0.05, close_s=0.01))
    yield made
    await made.close()


async def turn(services):
    done = asyncio.Event()
    leave = services.hub.subscribe(lambda states, events: done.set())
    services.hub.emit("nothing", None)
    await asyncio.wait_for(done.wait(), 3)
    leave()


async def test_of_makes_one_per_application(world):
    application = Application([])
    first = Realtime.of(application, world.services)
    assert Realtime.of(application, world.services) is first
    await first.close()


async def test_state_that_nobody_listens_to_is_not_pressed(realtime):
    realtime.services.publish_signal("BTC/USDT")
    await turn(realtime.services)
    assert realtime.press.newest("signal") == 0
    assert realtime.newest("signal", "BTC/USDT").seq == 1
    assert realtime.newest("signal", "ETH/USDT") is None


async def test_states_from_before_the_start_are_known(world):
    world.services.publish_signal("BTC/USDT", 0.9)
    late = Realtime(world.services)
    assert late.newest("signal", "BTC/USDT").model.score == 0.9
    await late.close()


async def test_audience_is_listeners_and_default_followers(realtime):
    ear, default = Ear(), Ear()
    realtime.listen(ear, "signal", "BTC/USDT")
    realtime.listen(default, "signal", DEFAULT)
    realtime.services.controls.subscribed = ("ETH/USDT",)
    for symbol in ("BTC/USDT", "ETH/USDT", "SOL/USDT"):
        realtime.services.publish_signal(symbol)
    await turn(realtime.services)
    assert [key for _, key, _ in ear.heard] == ["BTC/USDT"]
    assert [key for _, key, _ in default.heard] == ["ETH/USDT"]
    realtime.unlisten(ear, "signal", "BTC/USDT")
    realtime.unlisten(ear, "signal", "never")
    realtime.services.publish_signal("BTC/USDT", 0.2)
    await turn(realtime.services)
    assert len(ear.heard) == 1


async def test_frame_is_the_same_object_for_all(realtime):
    ears = [Ear() for _ in range(3)]
    for ear in ears:
        realtime.listen(ear, "signal", "BTC/USDT")
    realtime.services.publish_signal("BTC/USDT")
    await turn(realtime.services)
    frames = [ear.frames[0][1] for ear in ears]
    assert frames[0] is frames[1] is frames[2]
    assert realtime.stats["messages_sent"] == 3


async def test_held_signal_is_the_newest_when_it_is_released(realtime, eventually):
    ear = Ear()
    realtime.listen(ear, "signal", "BTC/USDT")
    for score in (0.7, 0.71, 0.72):
        realtime.services.publish_signal("BTC/USDT", score)
        await turn(realtime.services)
    assert len(ear.heard) == 1
    await eventually(lambda: len(ear.heard) > 1)
    assert realtime.newest("signal", "BTC/USDT").model.score == 0.72
    assert len(ear.heard) == 2


async def test_signals_under_way_are_not_sent_once_the_agent_is_off(realtime, eventually):
    ear = Ear()
    realtime.listen(ear, "signal", "BTC/USDT")
    for score in (0.7, 0.71):  # the second is held back
        realtime.services.publish_signal("BTC/USDT", score)
        await turn(realtime.services)
    realtime.services.agent.enabled = False
    realtime.services.publish_signal("BTC/USDT", 0.72)
    await turn(realtime.services)
    await asyncio.sleep(2 * realtime.limits.throttle_s)
    assert len(ear.heard) == 1
    realtime.services.agent.enabled = True
    realtime.services.publish_signal("BTC/USDT", 0.73)
    await eventually(lambda: len(ear.heard) == 2)


async def test_close_says_goodbye_and_does_not_wait_for_the_deaf(realtime):
    ear = Ear()
    realtime.join(ear)
    began = time.perf_counter()
    await realtime.close()
    assert ear.closed_with[0] == 1012
    assert time.perf_counter() - began < 1
    realtime.leave(ear)


async def test_fan_out_of_a_batch_to_many_is_quick(realtime):
    ears = [Ear() for _ in range(500)]
    for ear in ears:
        for symbol in realtime.services.symbols:
            realtime.listen(ear, "signal", symbol)
    began = time.perf_counter()
    states = {("signal", s): _signal(s) for s in realtime.services.symbols}
    realtime._receive(states, ())
    assert time.perf_counter() - began < 0.25
    assert sum(len(ear.frames) for ear in ears) == 500 * len(realtime.services.symbols)


def _signal(symbol):
    return {"symbol": symbol, "direction": "BULLISH", "confidence": 0.5, "score": 0.7,
            "risk_level": "LOW", "timeframes": None, "ts": 1, "source": "simulated"}  # fmt: skip


def stored(n, kind):
    return StoredEvent(n, f"k{n}", n, n, kind, {"book": "paper", "symbol": "BTC/USDT"})


def test_every_kind_that_travels_is_known():
    assert set(CHANNEL_OF_EVENT) <= set(KINDS)
    assert set(CHANNEL_OF_EVENT.values()) == set(EVENT_CHANNELS) - {"config"}


async def test_events_of_the_log_go_to_their_channels_without_a_gap(realtime):
    ears = {channel: Ear() for channel in ("trade", "alert", "config")}
    for channel, ear in ears.items():
        realtime.listen(ear, channel, "")
    kinds = ["order", "fill", "limits", "trade", "breaker", "fill", "hand", "price_alert"]
    for n, kind in enumerate(kinds):
        realtime.services.hub.emit("event", stored(n, kind))
    await turn(realtime.services)
    assert [seq for *_, seq in ears["trade"].heard] == [1, 2, 3, 4]
    assert [seq for *_, seq in ears["alert"].heard] == [1, 2]
    assert ears["config"].heard == []
    assert [m.model.event for m in realtime.events["trade"]] == ["order", "fill", "trade", "fill"]
    assert all(key is None for key, _ in ears["trade"].frames)  # none takes another's place


async def test_events_are_numbered_also_while_nobody_listens(realtime):
    for n in range(3):
        realtime.services.hub.emit("event", stored(n, "fill"))
    await turn(realtime.services)
    assert realtime.press.newest("trade") == 3
    assert len(realtime.events["trade"]) == 3
    assert realtime.newest_of("trade") == []


async def test_a_broken_event_costs_its_own_message_only(realtime):
    ear = Ear()
    realtime.listen(ear, "trade", "")
    broken = StoredEvent(1, "k", 1, 1, "fill", {"symbol": 5})
    for event in (broken, stored(2, "fill")):
        realtime.services.hub.emit("event", event)
    await turn(realtime.services)
    assert ear.heard == [("trade", "", 1)]
    assert realtime.broken == 1


async def test_account_is_a_state_that_is_kept_for_who_comes_later(realtime):
    ear = Ear()
    realtime.listen(ear, "portfolio", "")
    realtime.services.hub.publish("portfolio", "", accounts.EMPTY)
    realtime.services.hub.publish("portfolio", "", accounts.STATE)
    await turn(realtime.services)
    assert len(ear.heard) == 1
    (newest,) = realtime.newest_of("portfolio")
    assert newest.model.portfolio.equity == accounts.STATE.equity
    late = Realtime(realtime.services)
    assert len(late.newest_of("portfolio")) == 1
    await late.close()
