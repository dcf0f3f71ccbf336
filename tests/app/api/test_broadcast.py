"""The broadcast stands on nothing but a source: here one that is played by hand."""

import asyncio
import threading
from dataclasses import replace

import orjson
import pytest
from tornado.web import Application

from app.api.broadcast import DEFAULT, MOST_ROUNDS, UNWELCOME, Realtime
from app.api.limits import Limits
from app.api.messages import Message
from app.auth.roles import LOCAL, Caller, Role
from opportunity.feeds.clock import wall_ms

ANNA = Caller("anna", Role.VIEWER, "bearer", token="t1")


class Played:
    """A source that says what a test has it say."""

    epoch, symbols, enabled = "e", ("BTC/USDT", "ETH/USDT"), True

    def __init__(self):
        self.subscribed, self.closed = (), False
        self.states = {("status", ""): self.make("status", "", 1)}

    def make(self, channel, key, seq):
        return Message(channel, key, seq, "e", orjson.dumps({"type": channel, "seq": seq}))

    def newest(self, channel, key=""):
        return self.states.get((channel, key))

    def newest_of(self, channel):
        return [m for (c, _), m in self.states.items() if c == channel]

    def seqs(self):
        return {"trade": 0, "alert": 0, "config": 0}

    async def missed(self, channel, after):
        return []

    def listen(self, callback, wants=None):
        self.say, self.wants = lambda *messages: callback(messages), wants
        return lambda: setattr(self, "say", lambda *messages: None)

    async def close(self):
        self.closed = True


class Ear:
    """A client that keeps what it is sent."""

    def __init__(self, caller=LOCAL, address="") -> None:
        self.outlet, self.frames, self.heard, self.coalesced = self, [], [], 0
        self.waiting_bytes, self.closed = 0, False
        self.caller, self.address = caller, address
        self.closed_with: tuple[int, str] | None = None

    def choose(self, message):
        self.heard.append((message.channel, message.key, message.seq))
        return message.frame()

    def send_one(self, key, data):
        self.send([(key, data)])

    def send(self, frames):
        self.frames += list(frames)

    def check(self, drain_s):
        pass

    def close(self, code, reason):
        self.closed_with, self.closed = (code, reason), True


@pytest.fixture
async def source():
    return Played()


@pytest.fixture
async def realtime(source):
    made = Realtime(source, Limits(close_s=0.01))
    yield made
    await made.close()


async def test_of_makes_one_per_application(world):
    application = Application([])
    first = Realtime.of(application, world.services)
    assert Realtime.of(application, world.services) is first
    assert first.stats is world.services.websocket_stats
    await first.close()


async def test_audience_is_listeners_and_default_followers(realtime, source):
    ear, default = Ear(), Ear()
    realtime.listen(ear, "signal", "BTC/USDT")
    realtime.listen(default, "signal", DEFAULT)
    source.subscribed = ("ETH/USDT",)
    symbols = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
    assert [source.wants("signal", s) for s in symbols] == [True, True, False]
    source.say(*(source.make("signal", s, n) for n, s in enumerate(symbols)))
    assert [key for _, key, _ in ear.heard] == ["BTC/USDT"]
    assert [key for _, key, _ in default.heard] == ["ETH/USDT"]
    realtime.unlisten(ear, "signal", "BTC/USDT")
    realtime.unlisten(ear, "signal", "never")
    source.say(source.make("signal", "BTC/USDT", 9))
    assert len(ear.heard) == 1


async def test_channel_that_comes_whole_comes_with_all_its_keys(realtime, source):
    ear = Ear()
    realtime.listen(ear, "backtest", "")
    source.say(source.make("backtest", "a", 1), source.make("backtest", "b", 2))
    assert [key for _, key, _ in ear.heard] == ["a", "b"]
    assert [key for key, _ in ear.frames] == [("backtest", "a"), ("backtest", "b")]


async def test_events_have_no_key_that_another_could_take_the_place_of(realtime, source):
    ear = Ear()
    realtime.listen(ear, "trade", "")
    source.say(source.make("trade", "", 1), source.make("trade", "", 2))
    assert [key for key, _ in ear.frames] == [None, None]


async def test_frame_is_the_same_object_for_all(realtime, source):
    ears = [Ear() for _ in range(3)]
    for ear in ears:
        realtime.listen(ear, "signal", "BTC/USDT")
    source.say(source.make("signal", "BTC/USDT", 1))
    frames = [ear.frames[0][1] for ear in ears]
    assert frames[0] is frames[1] is frames[2]
    assert realtime.stats["messages_sent"] == 3


async def test_who_joins_is_greeted_and_counted(realtime, source):
    ear = Ear()
    realtime.join(ear)
    assert ear.heard == [("status", "", 1)]
    assert realtime.stats["connections"] == 1
    realtime.leave(ear)
    realtime.leave(ear)
    assert realtime.stats["connections"] == 0


async def test_close_says_goodbye_and_does_not_wait_for_the_deaf(realtime, source):
    ear = Ear()
    realtime.join(ear)
    async with asyncio.timeout(30):
        await realtime.close()
    assert ear.closed_with[0] == 1012
    assert source.closed
    assert realtime.refusal(LOCAL, "") == "The server is going down."
    realtime.leave(ear)


async def test_fan_out_of_a_batch_reaches_many(realtime, source):
    symbols = [f"S{n}/USDT" for n in range(6)]
    ears = [Ear() for _ in range(500)]
    for ear in ears:
        for symbol in symbols:
            realtime.listen(ear, "signal", symbol)
    source.say(*(source.make("signal", s, n) for n, s in enumerate(symbols)))
    while realtime._rounds:  # noqa: ASYNC110 - the rest of its slices: there is no event
        await asyncio.sleep(0)
    assert sum(len(ear.frames) for ear in ears) == 500 * len(symbols)


# -- who may come, and for how long -------------------------------------------------------------


async def test_caps_of_all_of_a_user_and_of_an_address(source):
    realtime = Realtime(source, Limits(max_connections=5, max_of_user=2, max_of_address=3))
    ears = [Ear(ANNA, "10.0.0.1"), Ear(ANNA, "10.0.0.2")]
    for ear in ears:
        assert realtime.refusal(ear.caller, ear.address) == ""
        realtime.join(ear)
    assert "of one user" in realtime.refusal(ANNA, "10.0.0.9")
    assert realtime.refusal(ANNA, "") == ""  # this machine's connections are not counted
    for n in range(2):
        ears.append(Ear(Caller(f"u{n}", Role.VIEWER, "cookie"), "10.0.0.1"))
        realtime.join(ears[-1])
    new = Caller("new", Role.VIEWER, "ticket")
    assert "of one address" in realtime.refusal(new, "10.0.0.1")
    assert realtime.refusal(new, "10.0.0.3") == ""
    realtime.leave(ears[0])
    assert realtime.refusal(ANNA, "10.0.0.1") == ""
    for _ in range(2):
        ears.append(Ear())
        realtime.join(ears[-1])
    assert "no more connections" in realtime.refusal(LOCAL, "")
    for ear in ears:
        realtime.leave(ear)
    assert not realtime._users
    assert not realtime._addresses
    await realtime.close()


async def test_no_cap_of_users_and_addresses_where_it_is_zero(source):
    realtime = Realtime(source, Limits(max_of_user=0, max_of_address=0))
    for _ in range(20):
        assert realtime.refusal(ANNA, "10.0.0.1") == ""
        realtime.join(Ear(ANNA, "10.0.0.1"))
    realtime.clients.clear()
    await realtime.close()


async def test_a_storm_of_connections_is_spread(source):
    realtime = Realtime(source, Limits(accepts_per_s=100.0, accepts_burst=10))
    answers = [realtime.refusal(LOCAL, "") for _ in range(15)]
    assert answers[:10] == [""] * 10
    assert "at the same time" in answers[-1]
    assert realtime.refused == sum(map(bool, answers))
    await asyncio.sleep(0.05)
    assert realtime.refusal(LOCAL, "") == ""
    await realtime.close()


async def test_login_that_ends_takes_its_connections_along(realtime, eventually):
    soon = replace(ANNA, expires=wall_ms() + 100)
    ends, stays = Ear(soon), Ear(replace(ANNA, expires=wall_ms() + 1_000_000))
    for ear in (ends, stays):
        realtime.join(ear)
    await eventually(lambda: ends.closed_with)
    assert ends.closed_with == (UNWELCOME, "login expired")
    assert stays.closed_with is None
    assert realtime.unwelcome == 1


@pytest.mark.parametrize("name", ["anna", "t1"])
async def test_revoked_is_closed_whatever_thread_says_so(realtime, name, eventually):
    mine, other, local = Ear(ANNA), Ear(replace(ANNA, name="bob", token="t2")), Ear()
    for ear in (mine, other, local):
        realtime.join(ear)
    for one in (name, "api", ""):
        thread = threading.Thread(target=realtime.revoked, args=(one,))
        thread.start()
        thread.join()
    await eventually(lambda: mine.closed_with)
    assert mine.closed_with == (UNWELCOME, "login revoked")
    assert other.closed_with is None
    assert local.closed_with is None


class Slow(Ear):
    """A client whose frames take a millisecond."""

    def send(self, frames):
        ends = asyncio.get_running_loop().time() + 0.001
        while asyncio.get_running_loop().time() < ends:
            pass
        super().send(frames)


async def test_a_large_audience_is_served_in_slices_and_in_order(realtime, source, eventually):
    ears = [Slow() for _ in range(100)]
    for ear in ears:
        realtime.listen(ear, "trade", "")
    for seq in range(1, 4):
        source.say(source.make("trade", "", seq))
    assert sum(bool(ear.heard) for ear in ears) < 100  # the rest has its turn later
    late = Ear()
    realtime.listen(late, "trade", "")
    gone = next(ear for ear in ears if not ear.heard)
    realtime.unlisten(gone, "trade", "")
    await eventually(lambda: all(len(ear.heard) == 3 for ear in ears if ear is not gone))
    assert {tuple(seq for _, _, seq in ear.heard) for ear in ears} == {(1, 2, 3), ()}
    assert not gone.heard
    assert not late.heard
    source.say(source.make("trade", "", 4))
    await eventually(lambda: len(late.heard) == 1)


async def test_more_rounds_than_may_wait_are_sent_at_once(realtime, source):
    ears = [Slow() for _ in range(40)]
    for ear in ears:
        realtime.listen(ear, "trade", "")
    for seq in range(1, MOST_ROUNDS + 3):
        source.say(source.make("trade", "", seq))
    assert len(realtime._rounds) <= MOST_ROUNDS


async def test_what_waits_for_its_slice_is_dropped_at_the_end(source):
    realtime = Realtime(source, Limits(close_s=0.01))
    ears = [Slow() for _ in range(100)]
    for ear in ears:
        realtime.listen(ear, "trade", "")
    source.say(source.make("trade", "", 1))
    await realtime.close()
    n = sum(len(ear.heard) for ear in ears)
    await asyncio.sleep(0.02)
    assert n < 100
    assert sum(len(ear.heard) for ear in ears) == n
