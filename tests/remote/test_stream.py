"""The stream: it comes back, asks for what it missed, and says how it is."""

import asyncio
from itertools import pairwise

import pytest
from aiohttp import web
from looking import until

from opportunity.remote import stream as module
from opportunity.remote.address import read_address
from opportunity.remote.line import Line
from opportunity.remote.stream import Stream


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("opportunity.remote.backoff.FIRST_S", 0.01)
    monkeypatch.setattr("opportunity.remote.backoff.LONGEST_S", 0.05)


class Heard:
    def __init__(self):
        self.messages, self.states = [], []

    def turned(self, state, why):
        self.states.append((state, why))

    def seqs(self, channel="trade"):
        return [m["seq"] for m in self.messages if m.get("channel") == channel]


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def stream(address, elsewhere, heard):
    line = Line(read_address(address), None)

    async def make():
        made = Stream(line, heard.messages.append, heard.turned)
        made.open()
        await made.subscribe(["trade", "alert", "config"])
        return made

    made = elsewhere.run(make())
    yield made
    elsewhere.run(made.close())
    elsewhere.run(line.close())


def test_events_are_heard_in_order_once_whatever_happens_to_the_line(
    stream, scripted, elsewhere, heard
):
    until(lambda: scripted.sockets and "trade" in scripted.sockets[0]["channels"])
    for number in range(30):
        elsewhere.run(scripted.happen("trade", n=number))
        if number % 4 == 3:
            before = scripted.handshakes
            elsewhere.run(scripted.drop())  # and those that follow come while nobody listens
            if number % 8 == 3:
                until(lambda: scripted.handshakes > before)  # noqa: B023 - called at once
    until(lambda: len(heard.seqs()) == 30)
    assert heard.seqs() == list(range(1, 31))
    assert stream.numbers.holes == 0
    assert scripted.handshakes > 2


def test_subscriptions_come_back_with_the_line(stream, scripted, elsewhere):
    elsewhere.run(stream.subscribe(["signal"], ["BTC/USDT"], timeframes=["1h"]))
    until(lambda: scripted.sockets and "signal" in scripted.sockets[0]["channels"])
    elsewhere.run(scripted.drop())
    until(lambda: scripted.sockets and "signal" in scripted.sockets[0]["channels"])
    assert scripted.sockets[0]["channels"] == {"trade", "alert", "config", "signal"}


def test_a_server_that_begins_anew_is_noticed(stream, scripted, elsewhere, heard):
    until(lambda: scripted.sockets and "trade" in scripted.sockets[0]["channels"])
    elsewhere.run(scripted.happen("trade"))
    until(lambda: heard.seqs() == [1])
    scripted.epoch = "e2"
    scripted.log.clear()
    elsewhere.run(scripted.drop())
    until(lambda: stream.numbers.epoch == "e2")
    elsewhere.run(scripted.happen("trade"))
    until(lambda: heard.seqs() == [1, 1])
    assert stream.numbers.holes == 1


def test_states_are_told(stream, scripted, elsewhere, heard):
    until(lambda: ("connected", "") in heard.states)
    elsewhere.run(scripted.drop(1001))
    until(lambda: heard.states.count(("connected", "")) == 2)
    names = [state for state, _ in heard.states]
    assert names[:2] == ["connecting", "connected"]
    assert all(a != b for a, b in pairwise(names))
    assert any("1001" in why for state, why in heard.states if state == "reconnecting")


def test_a_refused_token_is_an_error_and_not_a_storm(stream, scripted, elsewhere, heard):
    until(lambda: scripted.sockets)
    scripted.refuse_stream = 401
    before = scripted.handshakes
    elsewhere.run(scripted.drop())
    until(lambda: any(s == "error" and "401" in why for s, why in heard.states))
    assert scripted.handshakes == before + 1


def test_after_many_attempts_the_line_counts_as_broken(
    stream, scripted, elsewhere, heard, monkeypatch
):
    monkeypatch.setattr(module, "SLOW_AFTER", 2)
    until(lambda: scripted.sockets)
    scripted.refuse_stream = 503
    elsewhere.run(scripted.drop())
    until(lambda: any(s == "error" for s, _ in heard.states))
    scripted.refuse_stream = 0
    until(lambda: heard.states[-1][0] == "connected")


def test_what_is_no_json_is_left_out(stream, scripted, elsewhere, heard):
    until(lambda: scripted.sockets)

    async def garbage():
        for socket in scripted.sockets:
            await socket.send_str("{")

    elsewhere.run(garbage())
    elsewhere.run(scripted.say({"type": "status", "marker": 1}))
    until(lambda: any(m.get("marker") for m in heard.messages))


def test_closed_nothing_is_heard(scripted, elsewhere, address):
    heard, line = Heard(), Line(read_address(address), None)

    async def whole():
        made = Stream(line, heard.messages.append, heard.turned)
        made.open()
        await made.close()
        await made.close()
        await line.close()

    elsewhere.run(whole())
    assert heard.states[-1] == ("disconnected", "closed")


def test_what_is_no_message_is_left_out_and_the_line_goes_on(stream, scripted, elsewhere, heard):
    until(lambda: scripted.sockets)
    for broken in ([1], {"type": "trade"}, {"type": "resumed", "seqs": {"trade": None}}):
        elsewhere.run(scripted.say(broken))
    elsewhere.run(scripted.say({"type": "status", "marker": 1}))
    until(lambda: any(m.get("marker") for m in heard.messages))
    assert scripted.handshakes == 1


def test_it_is_not_sent_elsewhere(scripted, elsewhere, heard):
    async def whole():
        async def send_on(_):
            raise web.HTTPFound(f"http://127.0.0.1:{scripted.port}/ws/realtime")

        application = web.Application()
        application.router.add_get("/ws/realtime", send_on)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        line = Line(read_address(f"http://127.0.0.1:{runner.addresses[0][1]}"), "secret")
        made = Stream(line, heard.messages.append, heard.turned)
        made.open()
        for _ in range(1_000):
            if any("elsewhere" in why for _, why in heard.states):
                break
            await asyncio.sleep(0.005)
        await made.close()
        await line.close()
        await runner.cleanup()

    elsewhere.run(whole())
    assert any("sends elsewhere (302)" in why for _, why in heard.states)
    assert scripted.handshakes == 0


def test_a_full_server_says_when(stream, scripted, elsewhere, heard):
    until(lambda: scripted.sockets)
    scripted.refuse_stream, scripted.wait = 503, "7"
    elsewhere.run(scripted.drop())
    until(lambda: any("503; again in 7.0 s" in why for _, why in heard.states))


def test_many_askings_come_back_in_few_commands(stream, scripted, elsewhere):
    for i in range(40):
        elsewhere.run(stream.subscribe(["signal"], [f"C{i}/USDT"]))
    elsewhere.run(scripted.drop())
    until(lambda: scripted.sockets and "signal" in scripted.sockets[0]["channels"])
    assert len(stream._wanted.commands()) == 2


def test_a_resume_that_is_refused_is_tried_on_another_line(stream, scripted, elsewhere, heard):
    until(lambda: scripted.sockets and "trade" in scripted.sockets[0]["channels"])
    elsewhere.run(scripted.happen("trade"))
    until(lambda: heard.seqs() == [1])
    scripted.refuse_resume = 1
    elsewhere.run(scripted.drop())
    until(lambda: scripted.handshakes >= 3)
    elsewhere.run(scripted.happen("trade"))
    until(lambda: heard.seqs() == [1, 2])


def test_tries_that_take_long_are_tries_all_the_same(stream, scripted, elsewhere, monkeypatch):
    monkeypatch.setattr(module, "STABLE_S", 0.0)
    until(lambda: scripted.sockets)
    scripted.refuse_stream = 503
    elsewhere.run(scripted.drop())
    until(lambda: stream._backoff.attempts > 2)
