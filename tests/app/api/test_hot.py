"""Answers that are given again: byte for byte those of the long way, and only while they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rawhttp import HOT, Line, fresh, plain, request, same, statuses

from app.api import resources
from app.api.hot import MAX_KEPT, Hot, Shelf
from app.api.hot_stream import put_before
from app.auth.gate import Gate
from app.auth.headers import SecureAnswers
from app.auth.roles import Caller, Role
from opportunity.config import Settings

LONG_WAY = "Expect: nothing"


class Keys:
    """Accounts that know one key, until it is revoked."""

    good = True

    def verify_bearer(self, token, now_ms):
        known = self.good and token == "opp_k_s"
        return Caller("key:k", Role.VIEWER, "bearer", None, "k") if known else None


@pytest.mark.parametrize("name", HOT)
async def test_answers_are_byte_for_byte_those_of_the_long_way(world, hot, line, name):
    raw = request(world, *HOT[name])
    first, second = await line.ask(raw), await line.ask(raw)
    assert hot.n_again == 1
    assert first.startswith(b"HTTP/1.1 200 OK")
    assert plain(name, second) == plain(name, first)
    assert plain(name, second) == plain(name, await line.ask(request(world, *HOT[name], LONG_WAY)))
    assert hot.n_again == 1
    ids = {answer.partition(b"X-Request-Id: ")[2][:32] for answer in (first, second)}
    assert len(ids) == 2


async def test_another_connection_gets_what_the_first_one_asked_for(world, hot, line):
    raw = request(world, *HOT["status"])
    first = await line.ask(raw)
    other = await Line.to(world)
    assert same(await other.ask(raw)) == same(first)
    assert hot.n_again == 1
    await other.close()


async def test_a_tag_that_still_holds_gets_304_again(world, hot, line):
    raw = request(world, *HOT["weights"], 'If-None-Match: "1"')
    first, second = await line.ask(raw, True), await line.ask(raw, True)
    assert statuses([first, second]) == [304, 304]
    assert same(first) == same(second)
    assert hot.n_again == 1
    await world.services.apply_weights({"smc": 0.4}, by="test")
    assert statuses([await line.ask(raw)]) == [200]


@pytest.mark.parametrize(("method", "lines"), [
    ("GET", ["Connection: close"]), ("HEAD", []), ("GET", ["Expect: 100-continue"]),
    ("GET", ["Transfer-Encoding: chunked"]),
])  # fmt: skip
async def test_what_is_not_plain_goes_the_long_way(world, hot, method, lines):
    raw = request(world, method, "/api/agent/status", b"", *lines)
    if "Transfer-Encoding: chunked" in lines:
        raw += b"0\r\n\r\n"
    for _ in range(3):
        line = await Line.to(world)
        await line.send(raw)
        answer = await line.answer(method == "HEAD")
        if answer.startswith(b"HTTP/1.1 100"):
            answer = await line.answer()
        assert statuses([answer]) == [200]
        await line.close()
    assert hot.n_again == 0


@pytest.mark.parametrize("path", ["/api/price/NOPE", "/api/agent/nothing", "/health"])
async def test_only_good_answers_of_hot_resources_are_kept(world, hot, path):
    raw = request(world, "GET", path)
    found = statuses([await fresh(world, raw) for _ in range(3)])
    assert found == found[:1] * 3
    assert hot.n_again == 0


async def test_the_gate_is_asked_each_time(world, line, hot):
    raw = request(world, *HOT["status"])
    await line.ask(raw)
    await line.ask(raw)
    assert hot.n_again == 1
    hot._gate = Gate(Settings(auth=True))  # a login is needed from now on
    await line.ask(raw)
    assert hot.n_again == 1


@pytest.fixture
async def guarded(world):
    """A server of ours where a login is needed and three requests a minute are all."""
    from tornado.httpserver import HTTPServer
    from tornado.web import Application

    from app.api import routes

    gate = Gate(Settings(auth=True, requests_per_minute=4), Keys())
    server = HTTPServer(Application(routes(world.services, gate), transforms=[SecureAnswers]))
    server.listen(0, "127.0.0.1")
    world.port = next(iter(server._sockets.values())).getsockname()[1]
    hot = Hot(world.services, gate, dict(resources()))
    put_before(server, hot)
    yield hot, gate
    server.stop()
    await server.close_all_connections()


async def test_requests_are_counted_and_refused_as_on_the_long_way(world, guarded):
    hot, _ = guarded
    raw = request(world, *HOT["status"], "Authorization: Bearer opp_k_s")
    answers = [await fresh(world, raw) for _ in range(6)]
    assert statuses(answers) == [200, 200, 200, 200, 429, 429]
    assert hot.n_again == 3
    left = [a.lower().partition(b'ratelimit: "default";r=')[2][:1] for a in answers[:4]]
    assert left == [b"3", b"2", b"1", b"0"]
    assert b"retry-after" in answers[4].lower()


async def test_answers_that_are_given_again_are_counted(world, line, hot):
    told = []
    hot._answered = lambda *what: told.append(what)
    raw = request(world, *HOT["price"])
    for _ in range(3):
        await line.ask(raw)
    assert [what[:3] for what in told] == [("GET", "/api/price/{symbol}", 200)] * 2
    assert all(0 <= seconds < 1 for *_, seconds in told)


async def test_a_worthless_token_is_counted_once(world, guarded, monkeypatch):
    _, gate = guarded
    raw = request(world, *HOT["status"], "Authorization: Bearer opp_k_s")
    assert statuses([await fresh(world, raw), await fresh(world, raw)]) == [200, 200]
    gate.accounts.good = False  # now it is known to the short way and worth nothing
    counted = []
    monkeypatch.setattr(gate.limiter, "refuse", counted.append)
    assert statuses([await fresh(world, raw)]) == [401]
    assert counted == ["127.0.0.1"]


async def test_of_whom_tls_is_believed_is_for_the_gate_to_say(world, guarded):
    """The same bytes, kept while the proxy was trusted, come from a stranger; then both again."""
    hot, gate = guarded
    told = ("X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https")
    raw = request(world, *HOT["status"], "Authorization: Bearer opp_k_s", *told)
    trusting = Gate(Settings(trusted_proxies=("127.0.0.1",), requests_per_minute=400), Keys())
    gate.limiter = trusting.limiter
    has = []
    for origins in (trusting.origins, gate.origins) * 3:
        gate.origins = origins
        has += [b"Strict-Transport-Security" in await fresh(world, raw) for _ in range(3)]
    assert has == [*[True] * 3, *[False] * 3] * 3
    assert hot.n_again > 0
    left = (await fresh(world, raw)).lower().partition(b'ratelimit: "default";r=')[2]
    assert left.startswith(b"381;")  # of 400: 19 requests, none twice


async def test_a_revoked_key_gets_nothing_more(world, guarded):
    hot, gate = guarded
    raw = request(world, *HOT["status"], "Authorization: Bearer opp_k_s")
    assert statuses([await fresh(world, raw), await fresh(world, raw)]) == [200, 200]
    gate.accounts.good = False
    assert statuses([await fresh(world, raw)]) == [401]
    assert hot.n_again == 1


async def test_nobody_gets_an_answer_by_another_ones_key(world, guarded):
    hot, _ = guarded
    assert statuses([
        await fresh(world, request(world, *HOT["status"], "Authorization: Bearer opp_k_s")),
        await fresh(world, request(world, *HOT["status"], "Authorization: Bearer opp_k_x")),
        await fresh(world, request(world, *HOT["status"])),
    ]) == [200, 401, 401]  # fmt: skip
    assert hot.n_again == 0


@pytest.mark.parametrize(("at", "rest"), [
    (b"Authorization", b"\r\n"), (b"\r\n\r\n", b"x\r\n\r\n"),
])  # fmt: skip
async def test_half_a_head_is_no_request_that_came_before(world, guarded, at, rest):
    hot, _ = guarded
    whole = request(world, *HOT["status"], "Authorization: Bearer opp_k_s")
    begin, end = whole[: whole.index(at)], whole[whole.index(at) :]
    lines = [await Line.to(world) for _ in range(2)]
    await lines[0].send(begin, end)
    assert statuses([await lines[0].answer()]) == [200]
    # Who knows how a request of somebody else begins gets nothing of what it was answered.
    await lines[1].send(begin, rest)
    assert statuses([await lines[1].answer()]) == [401]
    assert hot.n_again == 0
    for line in lines:
        await line.close()


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 40)), max_size=60))
def test_a_shelf_keeps_the_newest_within_its_room(puts):
    shelf, order = Shelf(100), {}
    for name, weight in puts:
        shelf.put(name, (name, weight), weight)
        order.pop(name, None)
        order[name] = weight
        while sum(order.values()) > 100:
            del order[next(iter(order))]
        assert len(shelf) == len(order)
        assert all(shelf.get(n) == (n, w) for n, w in order.items())
    assert shelf.get(99) is None


async def test_what_is_kept_is_bounded(world, hot, line):
    for i in range(40):
        await line.ask(request(world, "GET", f"/api/signals/live?limit={i + 1}"))
    assert len(hot._kept) == 40
    assert hot._kept._used < MAX_KEPT

