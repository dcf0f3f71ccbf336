"""Bounds of requests, and who may call where nobody logs in, over a real server."""


import pytest
from spent import cpu_under

from app.api.guard import MAX_ARGUMENTS, MAX_HEADER_BYTES, MAX_HEADERS, MAX_URL, SECRET_NAMES
from app.auth.origins import FORWARDING


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example:{port}", "localhost:1",
     "localhost:{port}.evil.example", "localhost", "0.0.0.0:{port}"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/health", "/api/agent/status", "/metrics", "/ws/realtime"])
async def test_foreign_host_is_refused(world, host, path):
    headers = {"Host": host.format(port=world.port)}
    problem = await world.refused(403, "GET", path, headers=headers)
    assert problem["code"] == "wrong_host"


async def test_own_names_are_accepted(world):
    for name in ("localhost", "127.0.0.1", "LOCALHOST"):
        headers = {"Host": f"{name}:{world.port}"}
        status, _, _ = await world.call("GET", "/health", headers=headers)
        assert status == 200


@pytest.mark.parametrize("header", FORWARDING)
async def test_forwarded_request_is_refused(world, header):
    problem = await world.refused(403, "GET", "/health", headers={header: "127.0.0.1"})
    assert problem["code"] == "proxied"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "http://127.0.0.1:{port}.evil.example"},
        {"Origin": "http://localhost:{port}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"},
    ],
)
async def test_cross_origin_write_is_refused(world, headers):
    headers = {name: value.format(port=world.port) for name, value in headers.items()}
    asked = {"params": {"enabled": "false"}, "headers": headers}
    problem = await world.refused(403, "PUT", "/api/agent/toggle", **asked)
    assert problem["code"] == "cross_origin"
    assert world.services.agent.enabled is True


async def test_same_origin_write_passes(world):
    for headers in ({"Origin": world.url, "Sec-Fetch-Site": "same-origin"}, {}):
        status, _, _ = await world.call(
            "PUT", "/api/agent/toggle?enabled=true", headers=headers
        )
        assert status == 200


async def test_cross_origin_read_is_answered_without_permission(world):
    status, _, headers = await world.call(
        "GET", "/api/agent/status", headers={"Origin": "http://evil.example"}
    )
    assert status == 200
    assert "Access-Control-Allow-Origin" not in headers
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("name", sorted(SECRET_NAMES))
async def test_a_secret_in_the_url_is_refused_and_not_repeated(world, name):
    for spelt in (name, name.upper()):
        problem = await world.refused(400, "GET", f"/api/agent/status?{spelt}=CANARY")
        assert problem["code"] == "secret_in_url"
        assert "CANARY" not in str(problem)


async def test_no_token_is_taken_from_the_url_of_a_page_that_is_not_the_login(world):
    await world.refused(400, "GET", "/ws/realtime?token=x")
    await world.refused(400, "GET", "/api/login?token=x")


async def test_too_many_headers_are_refused(world):
    few = {f"X-{i}": "1" for i in range(MAX_HEADERS - 20)}
    assert (await world.call("GET", "/health", headers=few))[0] == 200
    many = {f"X-{i}": "1" for i in range(MAX_HEADERS + 1)}
    assert (await world.refused(431, "GET", "/health", headers=many))["code"] == "headers"
    large = {"X-Large": "x" * MAX_HEADER_BYTES}
    assert (await world.refused(431, "GET", "/health", headers=large))["code"] == "headers"


async def test_too_long_a_url_is_refused(world):
    problem = await world.refused(414, "GET", "/api/" + "x" * MAX_URL)
    assert problem["code"] == "url"
    assert len(problem["instance"]) <= 200


async def test_too_many_arguments_are_refused_at_once(world):
    query = "&".join(f"a{i}=1" for i in range(MAX_ARGUMENTS + 1))
    with cpu_under(0.5):
        assert (await world.refused(400, "GET", f"/health?{query}"))["code"] == "arguments"
