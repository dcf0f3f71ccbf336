import asyncio
import io
import json

import pytest
from pydantic import ValidationError
from spent import cpu_under

from app.api.base import HEADERS, MAX_BODY, MAX_DRAIN, BaseHandler, iso
from opportunity.contracts.health import Live

JSON = {"Content-Type": "application/json"}


async def raw(port: int, text: bytes, limit: int = 1 << 16) -> bytes:
    """Send bytes as they are; return everything until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    await writer.drain()
    answer = await asyncio.wait_for(reader.read(limit), 30)
    writer.close()
    await writer.wait_closed()
    return answer


def test_iso_is_utc_with_milliseconds():
    assert iso(1_767_225_600_123) == "2026-01-01T00:00:00.123Z"


@pytest.mark.parametrize("path", ["/api/nothing", "/nothing", "/metrics/x", "/ws/other", "/%ff"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
async def test_unknown_path_is_a_problem(world, path, method):
    problem = await world.refused(404, method, path)
    assert problem["code"] == "not_found"


async def test_wrong_method_lists_the_right_ones(world):
    status, problem, headers = await world.call("DELETE", "/api/agent/toggle")
    assert (status, problem["code"]) == (405, "method_not_allowed")
    assert headers["Allow"] == "OPTIONS, PUT"
    status, problem, headers = await world.call("BREW", "/api/agent/status")
    assert (status, headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


async def test_head_and_options_answer_without_body(world):
    status, body, headers = await world.call("HEAD", "/api/agent/status")
    assert (status, body) == (200, "") or status == 200
    assert headers["Content-Type"].startswith("application/json")
    status, _, headers = await world.call("OPTIONS", "/api/agent/config")
    assert (status, headers["Allow"]) == (204, "GET, HEAD, OPTIONS, PUT")
    assert "Access-Control-Allow-Origin" not in headers


async def test_every_answer_carries_security_headers(world):
    for path in ("/health", "/metrics", "/api/nothing"):
        _, _, headers = await world.call("GET", path)
        for name in ("Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"):
            assert headers[name] == HEADERS[name]
        assert "Server" not in headers


async def test_internal_error_says_nothing_about_the_inside(world, monkeypatch):
    def fail() -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(type(world.services), "evaluation", lambda self: fail())
    problem = await world.refused(500, "GET", "/health")
    assert problem["code"] == "internal"
    assert "hunter2" not in str(problem)


async def test_answer_that_breaks_its_contract_is_an_internal_error(world):
    world.services.source = 5
    problem = await world.refused(500, "GET", "/api/agent/status")
    assert problem["code"] == "internal"
    with pytest.raises(ValidationError):
        Live(extra=1)


@pytest.mark.parametrize("size", [MAX_BODY + 1, 3 * MAX_BODY])
@pytest.mark.parametrize("chunked", [False, True])
async def test_large_body_is_refused(world, size, chunked):
    async def pieces():
        for _ in range(0, size, 65_536):
            yield b" " * 65_536

    data = pieces() if chunked else io.BytesIO(b" " * size)
    problem = await world.refused(413, "PUT", "/api/agent/toggle", data=data, headers=JSON)
    assert problem["code"] == "too_large"


async def test_body_of_exactly_the_limit_is_read(world):
    body = b'{"enabled": true' + b" " * (MAX_BODY - 17) + b"}"
    assert len(body) == MAX_BODY
    data = io.BytesIO(body)
    status, _, _ = await world.call("PUT", "/api/agent/toggle", data=data, headers=JSON)
    assert status == 200


@pytest.mark.parametrize("more", [b"", b"Expect: 100-continue\r\n"])
async def test_far_too_large_body_is_refused_unread(world, more):
    head = (
        b"PUT /api/agent/toggle HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    )
    answer = await raw(world.port, head % (world.port, more, MAX_DRAIN + 1))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "too_large"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "bad_json"),
        (b'{"enabled": NaN}', "bad_json"),
        (b'{"enabled": 1e999}', "bad_json"),
        (b'{"enabled": true, "enabled": false}', "bad_json"),
        (b'{"enabled": ' + b"9" * 5_000 + b"}", "bad_json"),
        (b"[" * 100_000, "bad_json"),
        (b'{"enabled": "\\ud800"}', "bad_json"),
        (b"\xff\xfe", "bad_json"),
    ],
)
async def test_hostile_json_is_a_bad_request(world, body, code):
    asked = {"data": body, "headers": JSON}
    problem = await world.refused(400, "PUT", "/api/agent/toggle", **asked)
    assert problem["code"] == code


@pytest.mark.parametrize("body", [b"[]", b"null", b"5", b'"x"'])
async def test_json_of_another_shape_breaks_the_schema(world, body):
    await world.refused(422, "PUT", "/api/agent/toggle", data=body, headers=JSON)


async def test_form_is_never_parsed(world):
    boundary = "multipart/form-data; boundary=x"
    asked = {"data": b"--x\r\n" * 10_000, "headers": {"Content-Type": boundary}}
    await world.refused(415, "PUT", "/api/agent/toggle", **asked)


async def test_many_query_arguments_are_refused_quickly(world):
    query = "&".join(f"a{i}=1" for i in range(5_000))
    request = f"GET /api/agent/config?{query} HTTP/1.1\r\nHost: 127.0.0.1:{world.port}\r\n\r\n"
    with cpu_under(1.0):
        answer = await raw(world.port, request.encode())
    assert answer.startswith(b"HTTP/1.1 4")


async def test_content_length_that_is_no_number_is_refused(world):
    for value in (b"abc", b"-5", b"9" * 40):
        request = (
            b"PUT /api/agent/toggle HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: %s\r\n\r\n"
        )
        answer = await raw(world.port, request % (world.port, value))
        assert b" 200 " not in answer.partition(b"\r\n")[0]


def test_methods_follow_the_class():
    class Only(BaseHandler):
        def post(self) -> None:
            """Do."""

    assert Only.methods() == ["OPTIONS", "POST"]


async def test_refusal_before_the_body_says_that_the_connection_ends(world):
    for headers in ({"Host": "evil.example"}, {}):
        status, _, answer = await world.call("POST", "/api/nothing", json={}, headers=headers)
        assert status in (403, 404)
        assert answer["Connection"] == "close"
    _, _, answer = await world.call("POST", "/api/signals/score", json={"symbol": "??"})
    assert "Connection" not in answer
