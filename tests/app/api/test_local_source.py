import asyncio

import accounts
import pytest

from app.api.limits import Limits
from app.api.local_source import CHANNEL_OF, LocalSource
from opportunity.contracts.realtime import CHANNELS, EVENT_CHANNELS


class Ear:
    """A listener that keeps what it is given; it wants only some states."""

    def __init__(self, source, *wanted):
        self.messages = []
        wants = None if not wanted else lambda channel, key: (channel, key) in wanted
        self.leave = source.listen(self.messages.extend, wants)

    @property
    def heard(self):
        return [(m.channel, m.key) for m in self.messages]


@pytest.fixture
async def source(world):
    made = LocalSource(world.services, Limits(throttle_s=0.05))
    yield made
    await made.close()


async def turn(services):
    done = asyncio.Event()
    leave = services.hub.subscribe(lambda states, events: done.set())
    services.hub.emit("nothing", None)
    await asyncio.wait_for(done.wait(), 30)
    leave()


def test_every_channel_has_an_origin():
    assert set(CHANNEL_OF.values()) | set(EVENT_CHANNELS) == set(CHANNELS)


async def test_state_that_nobody_wants_is_not_pressed(source, world):
    ear = Ear(source, ("signal", "ETH/USDT"))
    start = source.press.newest("signal")
    world.services.publish_signal("BTC/USDT")
    await turn(world.services)
    assert source.press.newest("signal") == start
    assert source.newest("signal", "BTC/USDT").seq == start + 1
    assert source.newest("signal", "ETH/USDT") is None
    assert ear.messages == []
    world.services.publish_signal("ETH/USDT")
    await turn(world.services)
    assert ear.heard == [("signal", "ETH/USDT")]
    ear.leave()
    ear.leave()
    world.services.publish_signal("ETH/USDT", 0.1)
    await turn(world.services)
    assert len(ear.messages) == 1


async def test_states_from_before_the_start_are_known(world):
    world.services.publish_signal("BTC/USDT", 0.9)
    late = LocalSource(world.services, Limits())
    assert late.newest("signal", "BTC/USDT").fields["score"] == 0.9
    await late.close()


async def test_numbers_of_states_rise_over_restarts(world):
    world.services.publish_signal("BTC/USDT", 0.9)
    before = None
    for _ in range(3):
        source = LocalSource(world.services, Limits())
        seq = source.newest("signal", "BTC/USDT").seq
        assert before is None or seq > before
        before = seq
        await source.close()
        await asyncio.sleep(0.002)
    assert before < 2**53  # whole in every language


async def test_held_signal_is_the_newest_when_it_is_released(source, world, eventually):
    ear = Ear(source)
    for score in (0.7, 0.71, 0.72):
        world.services.publish_signal("BTC/USDT", score)
        await turn(world.services)
    assert len(ear.messages) == 1
    await eventually(lambda: len(ear.messages) > 1)
    assert ear.messages[-1].fields["score"] == 0.72
    assert len(ear.messages) == 2


async def test_signals_under_way_are_not_sent_once_the_agent_is_off(source, world, eventually):
    ear = Ear(source)
    for score in (0.7, 0.71):  # the second is held back
        world.services.publish_signal("BTC/USDT", score)
        await turn(world.services)
    world.services.agent.enabled = False
    assert not source.enabled
    world.services.publish_signal("BTC/USDT", 0.72)
    await turn(world.services)
    await asyncio.sleep(0.1)
    assert len(ear.messages) == 1
    world.services.agent.enabled = True
    world.services.publish_signal("BTC/USDT", 0.73)
    await eventually(lambda: len(ear.messages) == 2)


async def test_events_of_the_log_go_to_their_channels_without_a_gap(source, world):
    ear = Ear(source, ("signal", "nothing"))  # events are not asked for, they come
    kinds = ["order", "fill", "limits", "trade", "breaker", "fill", "hand", "price_alert"]
    for kind in kinds:
        world.services.happen(kind, book="paper", symbol="BTC/USDT", what="risk")
    await turn(world.services)
    heard = [(m.channel, m.seq, m.fields.get("event")) for m in ear.messages]
    assert heard == [
        ("trade", 1, "order"), ("trade", 2, "fill"), ("config", 1, None), ("trade", 3, "trade"),
        ("alert", 1, "breaker"), ("trade", 4, "fill"), ("alert", 2, "price_alert"),
    ]  # fmt: skip
    assert source.seqs() == {"trade": 4, "alert": 2, "config": 1}
    assert [m.seq for m in await source.missed("trade", 2)] == [3, 4]
    assert source.newest_of("trade") == []


async def test_change_is_told_out_of_the_log(source, world, eventually):
    ear = Ear(source)
    await world.services.set_enabled(False, "api")
    await eventually(lambda: ear.messages)
    (message,) = (m for m in ear.messages if m.channel == "config")
    assert message.fields["value"] == {"enabled": False}
    assert (message.fields["by"], message.seq) == ("api", 1)


async def test_a_broken_event_keeps_its_number(source, world):
    ear = Ear(source)
    world.services.happen("fill", symbol=5)
    world.services.happen("fill", symbol="BTC/USDT")
    await turn(world.services)
    assert [(m.seq, m.fields["symbol"]) for m in ear.messages] == [(1, None), (2, "BTC/USDT")]
    assert source.broken == 1


async def test_a_broken_state_costs_its_own_message_only(source, world):
    ear = Ear(source)
    world.services.publish_signal("BTC/USDT", risk_level="SOMEWHAT")
    world.services.publish_signal("ETH/USDT")
    await turn(world.services)
    assert ear.heard == [("signal", "ETH/USDT")]
    assert source.broken == 1


async def test_account_is_a_state_that_is_kept_for_who_comes_later(source, world):
    ear = Ear(source)
    world.services.hub.publish("portfolio", "", accounts.EMPTY)
    world.services.hub.publish("portfolio", "", accounts.STATE)
    await turn(world.services)
    assert len(ear.messages) == 1
    (newest,) = source.newest_of("portfolio")
    assert newest.fields["portfolio"]["equity"] == accounts.STATE.equity


async def test_scans_are_counted(source, world):
    for _ in range(2):
        world.services.hub.publish("scan", "", world.services.evaluation())
        await turn(world.services)
    assert source.scans_per_min == 2
