from types import SimpleNamespace

import pytest
from tornado.httputil import HTTPHeaders

from app.api.guard import FORWARDING, allowed_hosts, check_caller
from app.api.problems import ApiError


def request_from(address: str, headers: dict[str, str]) -> SimpleNamespace:
    socket = SimpleNamespace(getsockname=lambda: (address, 8000, 0, 0))
    connection = SimpleNamespace(stream=SimpleNamespace(socket=socket))
    return SimpleNamespace(connection=connection, headers=HTTPHeaders(headers), protocol="http")


def test_hosts_are_exact_names_with_the_port():
    hosts = allowed_hosts("127.0.0.1", 8000)
    assert hosts == {"localhost:8000", "127.0.0.1:8000", "[::1]:8000"}
    assert "localhost" in allowed_hosts("::1", 80)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1"])
def test_loopback_with_its_own_name_passes(address):
    check_caller(request_from(address, {"Host": "localhost:8000"}), writes=True)


@pytest.mark.parametrize("address", ["192.168.0.5", "0.0.0.0", "2001:db8::1"])
def test_other_addresses_need_a_login(address):
    with pytest.raises(ApiError) as caught:
        check_caller(request_from(address, {"Host": "localhost:8000"}), writes=False)
    assert caught.value.code == "not_loopback"


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
