"""What is said inside the frames: commands, answers, limits, order; by raw socket."""

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from raw_websocket import BINARY, CLOSE, TEXT, client_frame, text_frame

from app.api.broadcast import UNWELCOME
from app.api.realtime import SLOW
from opportunity.contracts import realtime as wire

ANSWERS = {
    "status": wire.StatusMessage, "signal": wire.SignalMessage, "price": wire.PriceMessage,
    "config_changed": wire.ConfigMessage, "trade": wire.TradeMessage, "alert": wire.AlertMessage,
    "subscription_confirmed": wire.Subscribed, "unsubscription_confirmed": wire.Unsubscribed,
    "pong": wire.Pong, "resumed": wire.Resumed, "error": wire.ErrorMessage,
    "closing": wire.ClosingMessage,
}  # fmt: skip


def checked(message: dict) -> dict:
    """Insist that a message is what its contract says, to the field."""
    ANSWERS[message["type"]].model_validate(message)
    return message


async def test_status_comes_first_always(dial, world) -> None:
    world.services.subscribed = ("BTC/USDT",)
    for _ in range(3):
        world.services.publish_signal("BTC/USDT")
        line = await dial()
        assert checked(await line.message())["type"] == "status"


@pytest.mark.parametrize("id_", ["a", "x" * 64, 0, -5, 2**53])
async def test_id_is_echoed(line, id_) -> None:
    for message in (
        {"action": "ping"}, {"action": "unsubscribe"}, {"action": "resume"},
        {"action": "subscribe", "channels": ["config"]}, {"action": "nonsense"},
    ):  # fmt: skip
        assert checked(await line.ask(**message, id=id_))["id"] == id_
    status = await line.ask(action="get_status", id=id_)
    wire.StatusReply.model_validate(status)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "invalid_json"), (" ", "invalid_json"), ("{", "invalid_json"),
        ("null", "invalid_message"), ("true", "invalid_message"), ('"ping"', "invalid_message"),
        ("[]", "invalid_message"), ("{}", "invalid_message"),
        ('{"action": null}', "invalid_message"), ('{"action": ["ping"]}', "invalid_message"),
        ('{"action": "PING"}', "unknown_action"), ('{"action": "__class__"}', "unknown_action"),
        ('{"action": "ping", "action": "ping"}', "invalid_json"),
        ('{"action": "ping", "ts": Infinity}', "invalid_json"),
        ('{"action": "ping", "ts": 1e999}', "invalid_json"),
        ('{"action": "ping", "id": 123456789012345678901234567890}', "invalid_json"),
        ('{"action": "ping", "id": "\\ud800"}', "invalid_json"),
        ('{"action": "ping", "id": "\\u0000"}', "invalid_json"),
        ('{"action": "ping", "extra": 1}', "invalid_message"),
        ('{"action": "ping", "ts": "1"}', "invalid_message"),
        ('{"action": "subscribe"}', "invalid_message"),
        ('{"action": "subscribe", "symbols": {}}', "invalid_message"),
        ('{"action": "subscribe", "symbols": [null]}', "invalid_message"),
        ('{"action": "subscribe", "channels": ["price"]}', "invalid_message"),
        ('{"action": "subscribe", "channels": ["nothing"]}', "unknown_channel"),
        ('{"action": "subscribe", "symbols": ["BTCUSDT"], "min_confidence": 2}',
         "invalid_message"),
        ('{"action": "subscribe", "symbols": ["BTCUSDT"], "timeframes": []}', "invalid_message"),
        ('{"action": "unsubscribe", "channels": [5]}', "invalid_message"),
        ('{"action": "resume", "seq": -1}', "invalid_message"),
        ('{"action": "resume", "seq": 1.5}', "invalid_message"),
        ('{"action": "resume", "seqs": {"price": 1}}', "invalid_message"),
        ('{"action": "resume", "seqs": {"trade": -1}}', "invalid_message"),
        ('{"action": "resume", "epoch": 5}', "invalid_message"),
        ("[" * 40 + "]" * 40, "invalid_json"),
        (json.dumps({"action": "subscribe", "symbols": ["X"] * 2_001}), "invalid_message"),
    ],
)  # fmt: skip
async def test_what_is_not_understood_is_said_and_the_line_stays(line, text, code) -> None:
    await line.send(client_frame(TEXT, text.encode()))
    error = checked(await line.message())
    assert (error["type"], error["code"]) == ("error", code)
    assert len(json.dumps(error)) < 1_000
    assert await line.lives()


async def test_twenty_that_are_not_understood_end_the_line(line) -> None:
    await line.send(*(client_frame(TEXT, b"{") for _ in range(19)))
    assert [(await line.message())["code"] for _ in range(19)] == ["invalid_json"] * 19
    await line.send(client_frame(BINARY, b"x"))
    assert await line.verdict() == 1008


async def test_twenty_a_second_are_carried_out_and_the_rest_is_told_to_wait(line) -> None:
    await line.send(*(text_frame(action="ping") for _ in range(30)))
    answers = [checked(await line.message()) for _ in range(30)]
    n_pongs = sum(answer["type"] == "pong" for answer in answers)
    assert 20 <= n_pongs <= 22
    refused = [answer for answer in answers if answer["type"] == "error"]
    assert {answer["code"] for answer in refused} == {"rate_limited"}
    assert all(answer["retry_after_ms"] > 0 for answer in refused)


async def test_symbols_are_confirmed_as_they_were_spelt_and_followed_by_what_is_known(
    line, world, settle
) -> None:
    world.services.publish_signal("BTC/USDT")
    await settle()
    said = checked(await line.ask(
        action="subscribe", symbols=["btc-usdt", "BTCUSDT", "ETH/USDT", "NOPE", "??"]
    ))  # fmt: skip
    assert said["symbols"] == ["btc-usdt", "ETH/USDT"]
    assert [r["symbol"] for r in said["rejected"]] == ["NOPE", "??"]
    assert said["channels"] == ["signal"]
    assert checked(await line.message())["symbol"] == "BTC/USDT"
    assert await line.lives()


async def test_symbols_have_a_bound(line, world) -> None:
    said = await line.ask(action="subscribe", symbols=list(world.services.symbols))
    assert len(said["symbols"]) == world.services.settings.max_symbols
    assert all("at most" in one["reason"] for one in said["rejected"])


async def test_subscribing_twice_and_leaving_twice_is_the_same_as_once(line, world) -> None:
    for _ in range(2):
        await line.ask(action="subscribe", symbols=["BTCUSDT"], channels=["signal", "price"])
    assert world.services.websocket_stats["subscriptions"] == 1
    for _ in range(2):
        said = checked(await line.ask(action="unsubscribe", symbols=["BTC/USDT"]))
        assert said["symbols"] == ["BTC/USDT"]
    assert world.services.websocket_stats["subscriptions"] == 0
    assert world.realtime._listeners == {}


async def test_subscription_says_where_events_begin(line, world, eventually) -> None:
    world.services.happen("fill", book="paper")
    await eventually(lambda: world.realtime.source.seqs()["trade"] == 1)
    said = checked(await line.ask(action="subscribe", channels=["trade"]))
    assert said["seqs"] == {"config": 0, "trade": 1, "alert": 0}
    world.services.happen("order", book="paper")
    event = checked(await line.message())
    assert (event["seq"], event["event"], event["epoch"]) == (2, "order", said["epoch"])


async def test_states_take_the_place_of_older_ones_and_events_do_not(line, world) -> None:
    await line.ask(action="subscribe", symbols=["BTCUSDT"], channels=["price", "alert"])
    bar = (1_000, 1.0, 2.0, 0.5, 1.5, 3.0)
    for n in range(5):
        world.services.hub.publish("price", "BTC/USDT", (*bar[:4], 1.5 + n / 10, 3.0))
        world.services.happen("alert", book="", n=n)
    heard = [checked(await line.message()) for _ in range(6)]
    assert [m["data"]["n"] for m in heard if m["type"] == "alert"] == list(range(5))
    assert [m["price"] for m in heard if m["type"] == "price"] == [1.9]
    assert await line.lives()


async def test_events_are_heard_in_their_order_by_all(dial, world) -> None:
    lines = [await dial() for _ in range(4)]
    for one in lines:
        await one.message()
        await one.ask(action="subscribe", channels=["trade", "alert", "config"])
    for n in range(30):
        world.services.happen(("fill", "breaker", "order")[n % 3], book="paper")
    await world.services.set_enabled(False, "api")
    for one in lines:
        heard = [checked(await one.message()) for _ in range(31)]
        for kind, n in (("trade", 20), ("alert", 10), ("config_changed", 1)):
            seqs = [m["seq"] for m in heard if m["type"] == kind]
            assert seqs == list(range(1, n + 1))


@pytest.mark.parametrize(
    ("ask", "replayed", "complete"),
    [
        ({}, 1, True),  # config from the start
        ({"last_seq": 1}, 0, True),
        ({"seq": 0}, 1, True),
        ({"epoch": "e1", "seqs": {"trade": 1}}, 2, True),
        ({"epoch": "e1", "seqs": {"trade": 3, "alert": 0, "config": 0}}, 2, True),
        ({"epoch": "e1", "seqs": {"trade": 4}}, 0, False),  # never given
        ({"epoch": "old", "seqs": {"trade": 2, "alert": 1}}, 4, False),
        ({"epoch": "old", "seqs": {}}, 1, False),
    ],
)  # fmt: skip
async def test_resume(line, world, eventually, ask, replayed, complete) -> None:
    for kind in ("fill", "fill", "order", "breaker"):
        world.services.happen(kind, book="paper")
    await world.services.set_enabled(False, "api")
    await eventually(
        lambda: world.realtime.source.seqs() == {"trade": 3, "alert": 1, "config": 1}
    )
    said = checked(await line.ask(action="resume", **ask))
    assert (said["replayed"], said["complete"]) == (replayed, complete)
    assert said["seqs"] == {"trade": 3, "alert": 1, "config": 1}
    heard = [checked(await line.message()) for _ in range(replayed)]
    for kind in ("trade", "alert", "config_changed"):
        seqs = [m["seq"] for m in heard if m["type"] == kind]
        assert seqs == sorted(seqs)
    assert await line.lives()


async def test_resumed_channels_go_on_while_new_events_come(line, world) -> None:
    for n in range(300):
        world.services.events.append("fill", book="paper", n=n)
    world.services.happen("fill", book="paper")
    for _ in range(3):
        await line.send(text_frame(action="resume", epoch="e1", seqs={"trade": 0}))
        for _ in range(5):
            world.services.happen("fill", book="paper")
            await asyncio.sleep(0)
    last, seen = None, []
    world.services.happen("alert", book="")
    while len(seen) < 316:
        message = await line.message()
        if message["type"] == "resumed":
            last, seen = message, []
        elif message["type"] == "trade":
            seen.append(message["seq"])
    assert last["complete"]
    assert seen == list(range(1, 317))


async def test_shutdown_is_told_and_each_waits_another_time(dial, world) -> None:
    lines = [await dial() for _ in range(4)]
    for one in lines:
        await one.message()
    closing = asyncio.ensure_future(world.realtime.close())
    waits = []
    for one in lines:
        said = checked(await one.message())
        assert said["code"] == 1012
        waits.append(said["reconnect_after_ms"])
        frame = await one.frame()
        assert (frame.opcode, frame.code) == (CLOSE, 1012)
        assert frame.payload[2:].decode() == f"reconnect_after_ms={waits[-1]}"
        await one.end()
    await closing
    assert len(set(waits)) > 1
    assert all(500 <= wait <= 3_000 for wait in waits)
    assert (await dial()).status == 503


async def test_who_does_not_read_is_cut_and_costs_a_bounded_sum(dial, world, eventually) -> None:
    world.realtime.limits = replace(
        world.realtime.limits, send_buffer=4_096, max_waiting=100_000, drain_s=0.5
    )
    deaf = await dial()
    deaf.writer.transport.pause_reading()
    await deaf.send(text_frame(action="subscribe", channels=["alert"]))
    await eventually(lambda: ("alert", "") in world.realtime._listeners)
    for _ in range(400):
        world.services.happen("alert", book="", text="x" * 20_000)
        await asyncio.sleep(0)
        (client,) = world.realtime.clients or (None,)
        assert client is None or client.outlet.waiting_bytes <= 100_000 + 10 * 20_300
        if world.realtime.slow:
            break
    await eventually(lambda: world.realtime.slow == 1)


def test_examples_of_the_documentation_are_what_is_said() -> None:
    text = (Path(__file__).parents[4] / "docs" / "stream.md").read_text()
    blocks = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    messages = [json.loads(line) for block in blocks for line in block.splitlines()]
    assert len(messages) >= 9
    for message in messages:
        if "action" in message:
            wire.COMMANDS[message["action"]].model_validate(message)
        else:
            checked(message)
    for code in (1002, 1007, 1008, 1009, 1012, UNWELCOME, SLOW):
        assert f"{code}" in text
    for name in ("signal", *(channel for channel in wire.CHANNELS)):
        assert f"| `{name}` |" in text
