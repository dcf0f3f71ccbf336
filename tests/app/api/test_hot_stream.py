"""Connections whose known requests are answered at once: nothing else changes for anybody."""

import asyncio
import random
import socket
from itertools import pairwise

import pytest
from rawhttp import HOT, Line, request, same, statuses

from app.api import hot_stream, resources
from app.api.hot import Hot
from app.api.hot_stream import put_before
from app.auth.gate import Gate


async def warm(world, line):
    raw = request(world, *HOT["status"])
    await line.ask(raw)
    await line.ask(raw)
    return raw


async def test_two_requests_at_once_are_two_answers_in_order(world, hot, line):
    raw = await warm(world, line)
    await line.send(raw + request(world, *HOT["weights"]) + raw)
    answers = [await line.answer() for _ in range(3)]
    assert b'"enabled"' in answers[0]
    assert b'"smc"' in answers[1]
    assert b'"enabled"' in answers[2]
    assert hot.n_again == 1
    await line.ask(raw)
    assert hot.n_again == 2


async def test_known_bytes_inside_a_body_are_no_request(world, hot, line):
    raw = await warm(world, line)
    head = request(world, "POST", "/api/agent/subscribe", raw)[: -len(raw)]
    await line.send(head, raw)
    answer = await line.answer()
    assert statuses([answer]) == [400]
    assert hot.n_again == 1
    assert statuses([await line.ask(request(world, *HOT["weights"]))]) == [200]


async def test_known_bytes_inside_a_head_are_no_request(world, hot, line):
    raw = await warm(world, line)
    await line.send(b"GET /api/config/weights HTTP/1.1\r\nX-More: ", raw)
    await line.answer()
    assert hot.n_again == 1


async def test_a_head_of_bare_line_feeds_hides_nothing(world, hot, line):
    raw = await warm(world, line)
    two = request(world, *HOT["weights"]).replace(b"\r\n", b"\n") + raw
    for _ in range(2):
        await line.send(two)
        answers = [await line.answer(), await line.answer()]
        assert b'"smc"' in answers[0]
        assert b'"enabled"' in answers[1]
    assert hot.n_again == 1


async def test_known_bytes_while_another_answer_is_under_way_wait(world, hot, line):
    raw = await warm(world, line)
    begun, go = asyncio.Event(), asyncio.Event()
    scan = world.services.scan

    async def slow(*args, **named):
        begun.set()
        await go.wait()
        return await scan(*args, **named)

    world.services.scan = slow
    await line.send(request(world, *HOT["score"]))
    await begun.wait()
    await line.send(raw)
    await asyncio.sleep(0.05)
    assert hot.n_again == 1
    go.set()
    answers = [await line.answer(), await line.answer()]
    assert b'"advice"' in answers[0]
    assert b'"enabled"' in answers[1]


@pytest.mark.parametrize("seed", range(12))
async def test_however_it_is_cut_the_answers_are_the_same(world, seed):
    drawn = random.Random(seed)
    names = drawn.choices(["status", "weights", "live", "score"], k=drawn.randint(1, 5))
    cuts = [drawn.random() for _ in range(drawn.randint(0, 4))]
    answers = []
    for with_hot in (False, True):
        if with_hot:
            gate = Gate(world.services.settings)
            put_before(world.server, Hot(world.services, gate, dict(resources())))
        single = [request(world, *HOT[name]) for name in names]
        connection = await Line.to(world)
        got = [await connection.ask(raw) for raw in single * 2]  # now they are known
        whole = b"".join(single)
        places = sorted({int(cut * len(whole)) for cut in cuts} | {0, len(whole)})
        await connection.send(*(whole[a:b] for a, b in pairwise(places)))
        got += [await connection.answer() for _ in single]
        await connection.close()
        answers.append([same(answer) for answer in got])
    assert answers[0] == answers[1]


async def test_a_connection_takes_the_long_way_from_time_to_time(world, hot, line, monkeypatch):
    raw = await warm(world, line)
    monkeypatch.setattr(hot_stream, "LONG_WAY_S", -1.0)
    assert statuses([await line.ask(raw)]) == [200]
    assert hot.n_again == 1


async def test_without_the_private_buffer_all_goes_the_long_way(world, hot, line, monkeypatch):
    raw = request(world, *HOT["status"])
    monkeypatch.setattr(hot_stream, "_waits", lambda stream: True)
    assert statuses([await line.ask(raw) for _ in range(3)]) == [200, 200, 200]
    assert hot.n_again == 0


async def test_a_client_that_never_reads_does_not_pile_up_answers(world, hot, line):
    raw = await warm(world, line)
    deaf = socket.create_connection(("127.0.0.1", world.port))
    deaf.setblocking(False)
    loop = asyncio.get_running_loop()

    async def ask_on() -> None:
        while True:
            await loop.sock_sendall(deaf, raw)
            await asyncio.sleep(0)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ask_on(), 3)
    streams = [c.stream for c in world.server._connections]
    assert max(len(s._write_buffer or b"") for s in streams) < 1 << 20
    deaf.close()


async def test_websockets_still_open(world, hot, line):
    async with world.http.ws_connect(world.url + "/ws/realtime") as opened:
        told = await opened.receive_json(timeout=30)
    assert told["type"] == "status"
