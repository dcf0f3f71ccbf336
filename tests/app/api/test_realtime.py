import asyncio
import base64
import contextlib
import json
import os
import socket
import struct
from dataclasses import replace

import accounts
import pytest
import websockets
from websockets.exceptions import ConnectionClosed

from opportunity.scoring.presets import PRESETS

NOW = 1_767_225_600_000


@contextlib.asynccontextmanager
async def connect(world, **kwargs):
    address = f"ws://127.0.0.1:{world.port}/ws/realtime"
    async with websockets.connect(address, proxy=None, **kwargs) as ws:
        yield ws


async def hear(ws, within_s=3.0):
    text = await asyncio.wait_for(ws.recv(), within_s)
    assert "NaN" not in text
    return json.loads(text)


async def hear_until_closed(ws):
    with contextlib.suppress(ConnectionClosed):
        for _ in range(500):
            await hear(ws)


async def say(ws, **message):
    await ws.send(json.dumps(message))


async def ask(ws, **message):
    await say(ws, **message)
    return await hear(ws)


async def silent(ws, **message):
    """Check that nothing is on its way: the answer to a ping is the next message."""
    assert (await ask(ws, action="ping", id="silence"))["id"] == "silence"


async def settle(world):
    """Wait until the hub has delivered what was published."""
    done = asyncio.Event()

    def heard(states, events):
        if ("nothing", None) in events:  # an earlier batch may be on its way
            done.set()

    leave = world.services.hub.subscribe(heard)
    world.services.hub.emit("nothing", None)
    await asyncio.wait_for(done.wait(), 30)
    leave()


async def test_golden_transcript(world):
    world.services.publish_signal("BTC/USDT", 0.7)
    await settle(world)
    async with connect(world) as ws:
        first = await hear(ws)
        assert first["type"] == "status"
        assert first["ws"] == {"connections": 1, "uptime": 12, "run": "e1"}
        assert first["source"] == "simulated"
        await say(ws, action="subscribe", symbols=["BTCUSDT", "eth-usdt", "NOPE/USDT", "??"])
        confirmed = await hear(ws)
        assert confirmed["type"] == "subscription_confirmed"
        assert confirmed["symbols"] == ["BTCUSDT", "eth-usdt"]
        assert [r["symbol"] for r in confirmed["rejected"]] == ["NOPE/USDT", "??"]
        snapshot = await hear(ws)
        assert snapshot.pop("seq") > NOW * 1_000  # rises over restarts, too
        assert snapshot == {
            "v": 1, "epoch": "e1", "type": "signal", "symbol": "BTC/USDT",
            "id": "BTCUSDT", "direction": "BULLISH", "confidence": 0.5, "score": 0.7,
            "risk_level": "LOW", "success": None, "timeframes": {"5m": 0.7, "1h": 0.5},
            "trust": None, "trust_note": "", "ts": 1_767_225_600_000, "source": "simulated",
        }  # fmt: skip
        pong = await ask(ws, action="ping", id=7)
        assert (pong["type"], pong["id"]) == ("pong", 7)
        assert isinstance(pong["ts"], int)
        await ws.send("{")
        bad = await hear(ws)
        assert bad == {"type": "error", "message": "Invalid JSON", "code": "invalid_json"}
        error = await ask(ws, action="subscrib", id="x")
        assert (error["type"], error["code"], error["action"]) == (
            "error", "unknown_action", "subscrib",
        )  # fmt: skip
        assert "Did you mean 'subscribe'?" in error["message"]
        world.services.publish_signal("ETH/USDT", 0.3)
        live = await hear(ws)
        assert (live["type"], live["symbol"], live["direction"]) == (
            "signal", "ETH/USDT", "BEARISH",
        )  # fmt: skip
        gone = await ask(ws, action="unsubscribe", symbols=["BTCUSDT", "eth-usdt"])
        assert gone["type"] == "unsubscription_confirmed"
        assert gone["symbols"] == ["BTCUSDT", "eth-usdt"]
        world.services.publish_signal("ETH/USDT", 0.8)
        await settle(world)
        await silent(ws)


async def test_status_answers_get_status(world):
    async with connect(world) as ws:
        await hear(ws)
        status = await ask(ws, action="get_status", id="a")
        assert (status["type"], status["id"]) == ("status", "a")
        assert status["agent"] == {"enabled": True, "running": True}


async def test_default_stream_is_what_rest_subscribed(world):
    async with connect(world) as ws:
        await hear(ws)
        await world.call("POST", "/api/agent/subscribe", json={"symbols": ["SOLUSDT"]})
        world.services.publish_signal("BTC/USDT")
        world.services.publish_signal("SOL/USDT")
        assert (await hear(ws))["symbol"] == "SOL/USDT"
        await ask(ws, action="subscribe", symbols=["BTC/USDT"])
        assert (await hear(ws))["symbol"] == "BTC/USDT"
        world.services.publish_signal("SOL/USDT", 0.2)
        await settle(world)
        await silent(ws)


async def test_config_change_is_told_to_those_who_asked(world):
    async with connect(world) as asked, connect(world) as other:
        await hear(asked)
        await hear(other)
        confirmed = await ask(asked, action="subscribe", channels=["config"])
        assert (confirmed["symbols"], confirmed["channels"]) == ([], ["config"])
        for version, name in enumerate(("aggressive", "conservative"), 2):
            await world.call("PUT", "/api/config/weights", json=PRESETS[name])
            event = await hear(asked, within_s=1.0)
            assert event["type"] == "config_changed"
            assert (event["what"], event["version"], event["by"]) == ("weights", version, "api")
            assert event["value"] == PRESETS[name]
            assert event["seq"] == version - 1
        await silent(other)


async def test_channels_price_market_scan_and_status(world):
    services = world.services
    services.hub.publish("price", "BTC/USDT", (1_000, 1.0, 2.0, 0.5, 1.5, float("nan")))
    services.hub.publish("scan", "", services.evaluation())
    await settle(world)
    async with connect(world) as ws:
        await hear(ws)
        channels = ["price", "market_scan", "status"]
        confirmed = await ask(ws, action="subscribe", symbols=["BTC-USDT"], channels=channels)
        assert confirmed["channels"] == channels
        price, scan, status = [await hear(ws) for _ in range(3)]
        assert (price["type"], price["price"], price["ts"]) == ("price", 1.5, 1_000)
        assert price["volume"] is None
        assert isinstance(price["change_24h"], float)
        assert scan["type"] == "market_scan"
        assert 0 < len(scan["results"]) <= 20
        assert [r["rank"] for r in scan["results"]] == list(range(1, len(scan["results"]) + 1))
        assert {"symbol", "overall_score", "direction", "action", "risk_level",
                "consensus_strength", "timeframe_scores"} <= set(scan["results"][0])  # fmt: skip
        assert status["type"] == "status"
        services.agent.enabled = False
        services.hub.publish("status", "", {})
        assert (await hear(ws))["agent"]["enabled"] is False
        services.publish_signal("BTC/USDT")
        await settle(world)
        await silent(ws)


async def test_filters_of_timeframes_and_confidence(world):
    async with connect(world) as ws, connect(world) as plain:
        await hear(ws)
        await hear(plain)
        await ask(ws, action="subscribe", symbols=["BTCUSDT", "ETHUSDT"], timeframes=["1h"],
                  min_confidence=0.6)  # fmt: skip
        await ask(plain, action="subscribe", symbols=["BTCUSDT"])
        world.services.publish_signal("BTC/USDT")
        world.services.publish_signal("ETH/USDT", confidence=0.9)
        message = await hear(ws)
        assert (message["symbol"], message["timeframes"]) == ("ETH/USDT", {"1h": 0.5})
        assert (await hear(plain))["timeframes"] == {"5m": 0.7, "1h": 0.5}
        await silent(ws)


async def test_signals_of_one_symbol_are_throttled_unless_they_flip(world):
    async with connect(world) as ws:
        await hear(ws)
        await ask(ws, action="subscribe", symbols=["BTCUSDT"])
        sent_at = []
        for score in (0.70, 0.71, 0.72, 0.30, 0.31):
            world.services.publish_signal("BTC/USDT", score)
            await settle(world)
        for expected in (0.70, 0.30, 0.31):
            assert (await hear(ws))["score"] == expected
            sent_at.append(asyncio.get_running_loop().time())
        assert sent_at[1] - sent_at[0] < 0.2
        assert sent_at[2] - sent_at[1] > 0.1
        await silent(ws)


async def test_symbol_cap_rejects_what_is_over(world, eventually):
    names = list(world.services.symbols)
    async with connect(world) as ws:
        await hear(ws)
        confirmed = await ask(ws, action="subscribe", symbols=names)
        assert confirmed["symbols"] == names[:4]
        assert {r["symbol"] for r in confirmed["rejected"]} == set(names[4:])
        assert world.services.websocket_stats["subscriptions"] == 4
        again = await ask(ws, action="subscribe", symbols=["BTCUSDT"], channels=["price"])
        assert again["symbols"] == ["BTCUSDT"]
        await ask(ws, action="unsubscribe")
        assert world.services.websocket_stats["subscriptions"] == 0
        assert (await ask(ws, action="subscribe", symbols=names[4:]))["symbols"] == names[4:]
    await eventually(lambda: world.services.websocket_stats["subscriptions"] == 0)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("[]", "invalid_message"),
        ("5", "invalid_message"),
        ("{}", "invalid_message"),
        ('{"action": 5}', "invalid_message"),
        ('{"action": "subscribe"}', "invalid_message"),
        ('{"action": "subscribe", "symbols": "BTCUSDT"}', "invalid_message"),
        ('{"action": "subscribe", "symbols": [5]}', "invalid_message"),
        ('{"action": "subscribe", "symbols": ["BTCUSDT"], "x": 1}', "invalid_message"),
        ('{"action": "subscribe", "channels": ["signal"]}', "invalid_message"),
        ('{"action": "subscribe", "channels": ["trades"]}', "unknown_channel"),
        ('{"action": "subscribe", "symbols": ["BTC/USDT"], "timeframes": ["9m"]}',
         "invalid_message"),
        ('{"action": "ping", "ts": NaN}', "invalid_json"),
        ('{"action": "ping", "action": "ping"}', "invalid_json"),
        (b"\x00\x01", "invalid_message"),
    ],
)  # fmt: skip
async def test_message_that_is_not_understood_is_answered(world, message, code):
    async with connect(world) as ws:
        await hear(ws)
        await ws.send(message)
        error = await hear(ws)
        assert (error["type"], error["code"]) == ("error", code)
        assert error["message"]
        await silent(ws)


async def test_twenty_malformed_messages_close_the_connection(world):
    async with connect(world) as ws:
        await hear(ws)
        for _ in range(20):
            await ws.send("{")
        await hear_until_closed(ws)
        assert ws.close_code == 1008


async def test_messages_over_the_rate_are_refused_then_closed(world):
    world.realtime.limits = replace(world.realtime.limits, excess=30)
    async with connect(world) as ws:
        await hear(ws)
        for _ in range(24):
            await say(ws, action="ping")
        answers = [await hear(ws) for _ in range(24)]
        assert sum(a["type"] == "pong" for a in answers) in (20, 21)
        assert answers[-1]["code"] == "rate_limited"
        assert answers[-1]["retry_after_ms"] > 0
        for _ in range(40):
            await say(ws, action="ping")
        await hear_until_closed(ws)
        assert ws.close_code == 1008


async def test_message_over_64_kib_closes(world):
    async with connect(world) as ws:
        await hear(ws)
        await ws.send('{"action": "ping", "id": "' + "x" * 70_000 + '"}')
        with pytest.raises(ConnectionClosed):
            await hear(ws)
        assert ws.close_code == 1009


async def test_connection_over_the_cap_gets_503_before_the_upgrade(world, eventually):
    world.realtime.limits = replace(world.realtime.limits, max_connections=1)
    async with connect(world) as ws:
        await hear(ws)
        with pytest.raises(websockets.exceptions.InvalidStatus) as caught:
            async with connect(world):
                pass
        answer = caught.value.response
        assert answer.status_code == 503
        assert 1 <= int(answer.headers["Retry-After"]) <= 5
        assert json.loads(answer.body)["code"] == "connections"
    await eventually(lambda: world.services.websocket_stats["connections"] == 0)
    async with connect(world) as ws:
        await hear(ws)


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
     {"Origin": "http://127.0.0.1.evil.example"}, {"X-Forwarded-For": "10.0.0.1"}],
)  # fmt: skip
async def test_foreign_page_cannot_connect(world, headers):
    with pytest.raises(websockets.exceptions.InvalidStatus) as caught:
        async with connect(world, additional_headers=headers):
            pass
    assert caught.value.response.status_code == 403
    assert json.loads(caught.value.response.body)["status"] == 403


async def test_own_page_connects(world):
    async with connect(world, origin=world.url) as ws:
        assert (await hear(ws))["type"] == "status"


UPGRADE = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
}  # fmt: skip


@pytest.mark.parametrize(
    ("without", "expected"),
    [("Upgrade", 426), ("Connection", 400), ("Sec-WebSocket-Key", 400),
     ("Sec-WebSocket-Version", 426)],
)  # fmt: skip
async def test_incomplete_handshake_is_a_problem(world, without, expected):
    headers = {name: value for name, value in UPGRADE.items() if name != without}
    await world.refused(expected, "GET", "/ws/realtime", headers=headers)
    await world.refused(405, "POST", "/ws/realtime")


async def test_resume_replays_events_and_newest_states(world):
    async with connect(world) as ws:
        await hear(ws)
        await ask(ws, action="subscribe", channels=["config"])
        await world.call("PUT", "/api/agent/toggle?enabled=false")
        seq, epoch = (event := await hear(ws))["seq"], event["epoch"]
        await world.call("PUT", "/api/agent/toggle?enabled=true")
        await hear(ws)
    world.services.publish_signal("BTC/USDT")
    await settle(world)
    async with connect(world) as ws:
        await hear(ws)
        confirmed = await ask(ws, action="subscribe", channels=["config"])
        assert confirmed["seqs"]["config"] == 2
        await ask(ws, action="subscribe", symbols=["BTCUSDT"])
        await hear(ws)
        resumed = await ask(ws, action="resume", epoch=epoch, last_seq=seq)
        assert (resumed["type"], resumed["replayed"], resumed["complete"]) == ("resumed", 1, True)
        assert (await hear(ws))["value"] == {"enabled": True}
        assert (await hear(ws))["type"] == "signal"
        other = await ask(ws, action="resume", epoch="another", seq=99)
        assert (other["replayed"], other["complete"]) == (2, False)


async def test_resume_of_several_channels_of_events(world):
    happen = world.services.happen
    async with connect(world) as ws:
        await hear(ws)
        await ask(ws, action="subscribe", channels=["trade", "alert"])
        for kind in ("fill", "breaker", "fill", "trade"):
            happen(kind, book="paper")
        for _ in range(4):
            await hear(ws)
    async with connect(world) as ws:
        await hear(ws)
        resumed = await ask(ws, action="resume", seqs={"trade": 1, "alert": 0})
        assert (resumed["replayed"], resumed["complete"]) == (3, True)
        assert resumed["seqs"] == {"config": 0, "trade": 3, "alert": 1}
        heard = [await hear(ws) for _ in range(3)]
        assert [(m["type"], m["seq"]) for m in heard] == [("trade", 2), ("trade", 3), ("alert", 1)]
        happen("fill", book="paper")  # what is resumed is joined
        assert (await hear(ws))["seq"] == 4  # not twice, and without a hole
        whole = await ask(ws, action="resume", epoch="another")
        assert (whole["replayed"], whole["complete"]) == (5, False)
        for _ in range(5):
            await hear(ws)
        for wrong in ({"signal": 1}, {"trade": -1}):
            refused = await ask(ws, action="resume", seqs=wrong)
            assert (refused["type"], refused["code"]) == ("error", "invalid_message")


@pytest.mark.parametrize("n", [1, 300, 1_000])
async def test_what_is_not_at_hand_any_more_is_read_from_the_log(world, n, eventually):
    for _ in range(n + 1):
        world.services.events.append("fill", book="paper")  # nobody tells of them
    world.services.happen("fill", book="paper")
    await eventually(lambda: world.realtime.source.seqs()["trade"] == n + 2)
    async with connect(world) as ws:
        await hear(ws)
        late = await ask(ws, action="resume", epoch="e1", seqs={"trade": 1})
        assert late["complete"] is (n < 1_000)
        assert late["replayed"] == (n + 1 if n < 1_000 else 0)
        for _ in range(late["replayed"]):
            await hear(ws)
        resumed = await ask(ws, action="resume", epoch="e1", seqs={"trade": 2})
        assert (resumed["replayed"], resumed["complete"]) == (n, True)
        assert [(await hear(ws))["seq"] for _ in range(n)] == list(range(3, n + 3))


async def test_a_number_that_was_never_given_cannot_be_resumed(world):
    async with connect(world) as ws:
        await hear(ws)
        resumed = await ask(ws, action="resume", epoch="e1", seqs={"trade": 7})
        assert (resumed["replayed"], resumed["complete"]) == (0, False)


async def test_account_comes_at_once_and_when_it_changes(world):
    world.services.hub.publish("portfolio", "", accounts.EMPTY)
    await settle(world)
    async with connect(world) as ws:
        await hear(ws)
        await ask(ws, action="subscribe", channels=["portfolio"])
        first = await hear(ws)
        assert (first["type"], first["portfolio"]["positions"]) == ("portfolio", [])
        world.services.hub.publish("portfolio", "", accounts.STATE)
        assert len((await hear(ws))["portfolio"]["positions"]) == 2


async def test_shutdown_says_when_to_come_back(world):
    async with connect(world) as ws:
        await hear(ws)
        closing = asyncio.ensure_future(world.realtime.close())
        last = await hear(ws)
        assert (last["type"], last["code"]) == ("closing", 1012)
        assert 500 <= last["reconnect_after_ms"] <= 3_000
        with pytest.raises(ConnectionClosed):
            await hear(ws)
        assert ws.close_code == 1012
        assert ws.close_reason == f"reconnect_after_ms={last['reconnect_after_ms']}"
        await closing
        with pytest.raises(websockets.exceptions.InvalidStatus):
            async with connect(world):
                pass


def deaf_client(port):
    """Connect with a tiny receive buffer and never read what comes."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    one.connect(("127.0.0.1", port))
    lines = [f"{name}: {value}" for name, value in UPGRADE.items()]
    request = "\r\n".join(["GET /ws/realtime HTTP/1.1", f"Host: 127.0.0.1:{port}", *lines])
    one.sendall(f"{request}\r\n\r\n".encode())
    text = json.dumps({"action": "subscribe", "symbols": ["BTCUSDT"], "channels": ["config"]})
    mask = b"\0\0\0\0"
    one.sendall(struct.pack("!BB", 0x81, 0x80 | len(text)) + mask + text.encode())
    one.setblocking(False)
    return one


async def test_slow_client_is_closed_and_delays_nobody(world, eventually):
    world.realtime.limits = replace(
        world.realtime.limits, send_buffer=4_096, max_waiting=200_000
    )
    async with connect(world) as ws:
        await hear(ws)
        await ask(ws, action="subscribe", channels=["config"])
        deaf = deaf_client(world.port)
        await eventually(lambda: world.services.websocket_stats["connections"] == 2)
        text = "x" * 20_000
        heard = 0
        while world.realtime.slow == 0:
            world.services.happen("weights", after=text)
            assert (await hear(ws))["seq"] == (heard := heard + 1)
            assert heard < 500
        waiting = max(c.outlet.waiting_bytes for c in world.realtime.clients)
        assert waiting <= 200_000 + 21_000
        await silent(ws)
        deaf.close()
    await eventually(lambda: world.services.websocket_stats["connections"] == 0)


async def test_client_that_drains_nothing_for_too_long_is_closed(world, eventually, monkeypatch):
    world.realtime.limits = replace(world.realtime.limits, send_buffer=4_096, drain_s=0.05)
    deaf = deaf_client(world.port)
    await eventually(lambda: world.services.websocket_stats["connections"] == 1)
    text = "x" * 60_000
    for _ in range(10):
        world.services.happen("weights", after=text)
        await settle(world)
    await eventually(lambda: world.realtime.slow == 1)
    deaf.close()
    await eventually(lambda: world.services.websocket_stats["connections"] == 0)


async def test_payload_that_breaks_its_contract_costs_only_itself(world):
    async with connect(world) as ws:
        await hear(ws)
        await ask(ws, action="subscribe", symbols=["BTCUSDT", "ETHUSDT"])
        world.services.publish_signal("BTC/USDT", risk_level="SOMEWHAT")
        world.services.publish_signal("ETH/USDT")
        assert (await hear(ws))["symbol"] == "ETH/USDT"
        assert world.realtime.broken == 1


async def test_who_subscribes_before_the_symbols_are_known_gets_them_later(world):
    symbols, world.services.symbols = world.services.symbols, ()
    async with connect(world) as ws:
        await hear(ws)
        said = await ask(ws, action="subscribe", symbols=["BTCUSDT", "??"])
        assert said["symbols"] == ["BTCUSDT"]
        assert [r["symbol"] for r in said["rejected"]] == ["??"]
        world.services.symbols = symbols
        world.services.publish_signal("BTC/USDT")
        assert (await hear(ws))["symbol"] == "BTC/USDT"
