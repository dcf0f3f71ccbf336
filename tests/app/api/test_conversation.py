import asyncio
import json

import pytest

from app.api import replay
from app.api.conversation import Conversation
from app.api.limits import Limits


class Line:
    """An outlet that keeps what is sent, and remembers how it was closed."""

    def __init__(self) -> None:
        self.sent: list[dict] = []
        self.closed = False
        self.coalesced = self.waiting_bytes = 0
        self.code: int | None = None

    def send_one(self, key, data):
        self.send([(key, data)])

    def send(self, frames):
        for _, data in frames:
            self.sent.append(json.loads(data[data.index(b"{"):]))

    def check(self, drain_s):
        pass

    def close(self):
        self.closed = True

    def hang_up(self, code, reason):
        self.code = code


@pytest.fixture
def line(world):
    return Line()


@pytest.fixture
def talk(world, line):
    made = Conversation(world.realtime, line, line.hang_up)
    yield made
    if made in world.realtime.clients:
        made.end()


async def test_status_comes_first(talk, line):
    assert [m["type"] for m in line.sent] == ["status"]


async def test_end_leaves_nothing_behind(talk, line, world):
    talk.hear('{"action": "subscribe", "symbols": ["BTCUSDT"], "channels": ["signal", "price"]}')
    talk.hear('{"action": "subscribe", "channels": ["status", "config", "market_scan"]}')
    assert world.services.websocket_stats["subscriptions"] == 1
    talk.end()
    assert world.services.websocket_stats["subscriptions"] == 0
    assert world.realtime._listeners == {}
    assert world.realtime.clients == set()


async def test_symbols_belong_to_the_channel_they_came_with(talk, line, world):
    talk.hear('{"action": "subscribe", "symbols": ["BTCUSDT"], "channels": ["price"]}')
    talk.hear('{"action": "subscribe", "symbols": ["ETHUSDT"]}')
    assert set(world.realtime._listeners) == {("price", "BTC/USDT"), ("signal", "ETH/USDT")}
    talk.hear('{"action": "unsubscribe", "symbols": ["BTC/USDT"], "channels": ["signal"]}')
    assert ("price", "BTC/USDT") in world.realtime._listeners
    talk.hear('{"action": "unsubscribe", "symbols": ["btc-usdt", "nonsense?"]}')
    assert ("price", "BTC/USDT") not in world.realtime._listeners
    assert line.sent[-1]["symbols"] == ["btc-usdt", "nonsense?"]


async def test_unsubscribe_of_symbols_keeps_whole_channels(talk, line, world):
    talk.hear('{"action": "subscribe", "channels": ["config"]}')
    talk.hear('{"action": "unsubscribe", "symbols": ["BTCUSDT"]}')
    assert ("config", "") in world.realtime._listeners
    talk.hear('{"action": "unsubscribe", "channels": ["config"]}')
    assert ("config", "") not in world.realtime._listeners


async def test_nothing_is_sent_or_done_after_the_close(talk, line, world):
    world.realtime.limits = Limits(malformed=1)
    again = Conversation(world.realtime, line, line.hang_up)
    again.hear("{")
    assert line.code == 1008
    n_sent = len(line.sent)
    again.hear('{"action": "ping"}')
    assert len(line.sent) == n_sent
    again.end()


@pytest.mark.parametrize("id_", [True, [1], 1.5, {}])
async def test_id_must_be_text_or_integer(talk, line, id_):
    talk.hear(json.dumps({"action": "ping", "id": id_}))
    assert (line.sent[-1]["type"], line.sent[-1]["code"]) == ("error", "invalid_message")


async def test_long_strings_of_a_client_are_not_echoed_whole(talk, line):
    talk.hear(json.dumps({"action": "x" * 5_000, "id": "y" * 5_000}))
    talk.hear(json.dumps({"action": "subscribe", "symbols": ["z" * 5_000]}))
    assert max(len(json.dumps(m)) for m in line.sent) < 1_000


async def test_ping_echoes_the_clients_time(talk, line):
    talk.hear('{"action": "ping", "ts": 12.5, "id": "a"}')
    assert (line.sent[-1]["client_ts"], line.sent[-1]["id"]) == (12.5, "a")


async def test_newest_states_follow_every_subscription(talk, line, world, eventually):
    world.services.publish_signal("BTC/USDT")
    world.services.hub.publish("scan", "", world.services.evaluation())
    await eventually(lambda: world.realtime.source.newest("market_scan") is not None)
    for frames in ('["1h"]', '["5m"]'):
        line.sent.clear()
        talk.hear('{"action": "subscribe", "symbols": ["BTCUSDT"], '
                  f'"channels": ["signal", "market_scan"], "timeframes": {frames}}}')
        assert [m["type"] for m in line.sent] == [
            "subscription_confirmed", "signal", "market_scan",
        ]
        assert list(line.sent[1]["timeframes"]) == json.loads(frames)


async def test_default_stream_does_not_swallow_the_first_snapshot(talk, line, world, eventually):
    await world.services.controls.subscribe(["BTCUSDT"])
    world.services.publish_signal("BTC/USDT")
    await eventually(lambda: line.sent[-1]["type"] == "signal")
    talk.hear('{"action": "subscribe", "symbols": ["BTCUSDT"]}')
    assert [m["type"] for m in line.sent[-2:]] == ["subscription_confirmed", "signal"]


# -- resume -------------------------------------------------------------------------------------


def trades(line):
    return [m["seq"] for m in line.sent if m["type"] == "trade"]


@pytest.fixture
def slow_log(world, monkeypatch):
    """A log that answers when it is let, what it had when it was asked."""
    let, source = asyncio.Event(), world.realtime.source
    quick = source.missed

    async def missed(channel, after):
        found = await quick(channel, after)
        if not let.is_set():
            await let.wait()
        return found

    monkeypatch.setattr(source, "missed", missed)
    return let


async def test_what_happens_while_the_log_is_read_comes_after_it_and_once(
    talk, line, world, slow_log, eventually
):
    seqs = world.realtime.source.seqs
    for _ in range(3):
        world.services.happen("fill", book="paper")
    await eventually(lambda: seqs()["trade"] == 3)
    talk.hear('{"action": "subscribe", "channels": ["trade"]}')
    line.sent.clear()
    resuming = asyncio.ensure_future(talk.hear('{"action": "resume", "seqs": {"trade": 1}}'))
    world.services.happen("fill", book="paper")
    await eventually(lambda: seqs()["trade"] == 4)
    assert line.sent == []
    slow_log.set()
    await resuming
    assert line.sent[0]["type"] == "resumed"
    assert (line.sent[0]["replayed"], line.sent[0]["complete"]) == (3, True)
    world.services.happen("fill", book="paper")
    await eventually(lambda: trades(line) == [2, 3, 4, 5])


async def test_who_leaves_while_the_log_is_read_is_sent_nothing(talk, line, world, slow_log):
    resuming = asyncio.ensure_future(talk.hear('{"action": "resume"}'))
    await asyncio.sleep(0)
    n_sent = len(line.sent)
    talk.end()
    slow_log.set()
    await resuming
    assert len(line.sent) == n_sent
    assert world.realtime._listeners == {}


async def test_too_much_to_replay_is_said(talk, line, world, eventually, monkeypatch):
    monkeypatch.setattr(replay, "MOST_MISSED", 2)
    for _ in range(3):
        world.services.happen("fill", book="paper")
    await eventually(lambda: world.realtime.source.seqs()["trade"] == 3)
    await talk.hear('{"action": "resume", "seqs": {"trade": 0}}')
    assert (line.sent[-1]["replayed"], line.sent[-1]["complete"]) == (0, False)
    world.services.happen("fill", book="paper")
    await eventually(lambda: trades(line) == [4])


async def test_resume_keeps_the_default_stream(talk, line, world, eventually):
    await world.services.controls.subscribe(["BTCUSDT"])
    await talk.hear('{"action": "resume", "last_seq": 0}')
    world.services.publish_signal("BTC/USDT")
    await eventually(lambda: line.sent[-1]["type"] == "signal")


async def test_pings_are_counted_with_the_messages(talk, world):
    world.realtime.limits = Limits(excess=3)
    again = Conversation(world.realtime, line := Line(), line.hang_up)
    answers = [again.beat() for _ in range(26)]
    assert answers[:20] == [True] * 20
    assert not any(answers[21:])
    assert line.code == 1008
    again.end()
