"""What an edge asks for itself: answers are believed for a while, tickets never twice."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from redis_server import free_port
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from app.api.problems import ApiError
from app.auth.roles import Caller, Role
from app.edge import upstream as module
from app.edge.forwarding import MARK, Forwarding
from app.edge.upstream import Lost, Upstream

CALLER = {
    "name": "vera", "role": "viewer", "how": "bearer", "expires": None, "token": "t1",
    "address": "192.0.2.7",
}  # fmt: skip


def request(**headers: str) -> HTTPServerRequest:
    class Context:
        remote_ip, protocol = "192.0.2.7", "http"

    class Connection:
        context = Context()

    given = HTTPHeaders({name.replace("_", "-"): value for name, value in headers.items()})
    given["Host"] = "h"
    connection: Any = Connection()
    line = RequestStartLine("GET", "/ws/realtime", "HTTP/1.1")
    return HTTPServerRequest(headers=given, connection=connection, start_line=line)


class Agent:
    """An agent's process that answers as it is told."""

    def __init__(self) -> None:
        self.answer: Any = lambda: web.json_response(CALLER)
        self.asked: list[dict[str, str]] = []
        self.bodies: list[Any] = []

    async def handle(self, asked: web.Request) -> web.StreamResponse:
        self.asked.append({**asked.headers, "path": asked.raw_path})
        if asked.can_read_body:
            self.bodies.append(await asked.json())
        return self.answer()  # type: ignore[no-any-return]


@pytest.fixture
async def agent() -> AsyncIterator[tuple[Agent, Upstream, list[float]]]:
    made, now = Agent(), [100.0]
    application = web.Application()
    application.add_routes([web.route("*", "/{rest:.*}", made.handle)])
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", free_port())
    await site.start()
    upstream = Upstream(site.name + "/", Forwarding("secret"), lambda: now[0])
    yield made, upstream, now
    await upstream.close()
    await runner.cleanup()


async def test_a_caller_is_believed_for_a_while(agent: Any) -> None:
    made, upstream, now = agent
    asked = request(Authorization="Bearer a")
    first = await upstream.caller(asked)
    assert first.model_dump() == CALLER
    assert await upstream.caller(asked) == first
    assert len(made.asked) == 1
    assert made.asked[0]["path"] == "/api/stream/caller"
    assert made.asked[0][MARK] == "secret"
    assert made.asked[0]["X-Forwarded-For"] == "192.0.2.7"
    await upstream.caller(request(Authorization="Bearer b"))
    await upstream.caller(request(Authorization="Bearer a", Origin="http://evil"))
    assert len(made.asked) == 3
    now[0] += module.KNOWN_S
    await upstream.caller(asked)
    assert len(made.asked) == 4


@pytest.mark.parametrize("who", ["vera", "t1", ""])
async def test_who_is_revoked_is_not_believed_any_more(agent: Any, who: str) -> None:
    made, upstream, _ = agent
    await upstream.caller(request(Authorization="Bearer a"))
    upstream.forget("somebody else")
    await upstream.caller(request(Authorization="Bearer a"))
    assert len(made.asked) == 1
    if who:
        upstream.forget(who)
    else:
        upstream.forget_all()
    await upstream.caller(request(Authorization="Bearer a"))
    assert len(made.asked) == 2


@pytest.mark.parametrize("who", ["vera", "t1", ""])
async def test_who_is_revoked_while_it_is_asked_is_not_let_in(agent: Any, who: str) -> None:
    made, upstream, _ = agent

    def revoked_meanwhile() -> web.Response:
        _ = upstream.forget(who) if who else upstream.forget_all()
        return web.json_response(CALLER)

    right, made.answer = made.answer, revoked_meanwhile
    with pytest.raises(ApiError) as refused:
        await upstream.caller(request(Authorization="Bearer a"))
    assert refused.value.status_code == 503
    made.answer = right
    upstream.forget("somebody else")
    await upstream.caller(request(Authorization="Bearer a"))
    assert len(made.asked) == 2


async def test_tickets_are_asked_about_each_time(agent: Any) -> None:
    made, upstream, _ = agent
    for _ in range(2):
        await upstream.caller(request(Sec_WebSocket_Protocol="opportunity.ticket.x"))
    assert len(made.asked) == 2
    assert made.asked[0]["Sec-WebSocket-Protocol"] == "opportunity.ticket.x"


async def test_what_is_believed_is_bounded_and_holds_no_credentials(
    agent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, upstream, now = agent
    monkeypatch.setattr(module, "MOST_KNOWN", 3)
    for n in range(5):
        await upstream.caller(request(Authorization=f"Bearer canary{n}"))
    assert len(upstream._known) == 3
    assert "canary" not in repr(upstream._known)
    now[0] += 10
    await upstream.caller(request(Authorization="Bearer new"))
    assert len(upstream._known) == 1


async def test_refusals_are_passed_on_in_their_words(agent: Any) -> None:
    made, upstream, _ = agent
    made.answer = lambda: web.json_response(
        {"code": "rate_limited", "detail": "Too many."}, status=429, headers={"Retry-After": "7"}
    )
    for _ in range(2):  # and are not believed for a while
        with pytest.raises(ApiError) as raised:
            await upstream.caller(request(Authorization="Bearer a"))
        error = raised.value
        assert (error.status_code, error.code, error.detail) == (429, "rate_limited", "Too many.")
        assert error.headers == {"Retry-After": "7"}
    assert len(made.asked) == 2


@pytest.mark.parametrize("answer", [
    lambda: web.Response(text="what?"), lambda: web.json_response({"name": "vera"}),
    lambda: web.Response(status=502, text="<html>"), lambda: web.json_response([], status=401),
])  # fmt: skip
async def test_answers_that_make_no_sense_are_none(agent: Any, answer: Any) -> None:
    made, upstream, _ = agent
    made.answer = answer
    with pytest.raises(ApiError) as raised:
        await upstream.caller(request())
    assert (raised.value.status_code, raised.value.code) == (503, "agent_away")
    with pytest.raises((*Lost, ApiError)):
        await upstream.changes("", 0)


async def test_an_agent_that_nobody_knows_or_reaches_is_away(agent: Any) -> None:
    _, upstream, _ = agent
    for url in ("", f"http://127.0.0.1:{free_port()}"):
        upstream.url = url
        with pytest.raises(ApiError) as raised:
            await upstream.caller(request())
        assert raised.value.code == "agent_away"
        with pytest.raises((*Lost, ApiError)):
            await upstream.events("config", 0)


async def test_own_questions_carry_the_mark_and_no_caller(agent: Any) -> None:
    made, upstream, _ = agent
    made.answer = lambda: web.json_response({"ended": ["t1"]})
    caller = Caller("vera", Role.VIEWER, "bearer", None, "t1")
    assert await upstream.held([caller]) == ["t1"]
    assert made.bodies == [{"callers": [{"name": "vera", "role": "viewer", "token": "t1"}]}]
    assert made.asked[0][MARK] == "secret"
    assert "X-Forwarded-For" not in made.asked[0]
    made.answer = lambda: web.json_response({
        "epoch": "e", "channel": "trade", "after": 3, "head": 3, "complete": True, "events": [],
    })  # fmt: skip
    assert (await upstream.events("trade", 3)).head == 3
    assert made.asked[1]["path"] == "/api/stream/events?channel=trade&after=3"
    await asyncio.sleep(0)
