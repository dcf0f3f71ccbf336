"""Every method of every route, called for real by nobody, a viewer, a trader and an admin."""

import asyncio

import aiohttp
import pytest
from guarded import Guarded, guarded

from app.api import resources
from app.api.operations import operations_of, places_of
from app.auth.roles import Role

PLACES = {"symbol": "BTCUSDT", "name": "none-such", "id": "0123456789abcdef", "what": "signals",
          "file": "ours.css"}  # fmt: skip
OPERATIONS = [
    (path, method, made.role)
    for path, handler in resources()
    for method, made in operations_of(handler)
]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Call everything with each role once, and keep status, code and headers."""

    async def call_all() -> dict[tuple[str, str, Role], tuple[int, str, dict[str, str]]]:
        found = {}
        folder = tmp_path_factory.mktemp("roles")
        async with guarded(folder, requests_per_minute=0) as made, aiohttp.ClientSession() as http:
            for path, method, _ in OPERATIONS:
                for role in Role:
                    found[path, method, role] = await call(http, made, path, method, role)
        return found

    return asyncio.run(call_all())


async def call(
    http: aiohttp.ClientSession, made: Guarded, path: str, method: str, role: Role
) -> tuple[int, str, dict[str, str]]:
    for name in places_of(path):
        path = path.replace(f"{{{name}}}", PLACES[name])
    headers = {} if role is Role.ANYBODY else made.bearer(role.label)
    more = {"json": {}} if method in ("POST", "PUT", "PATCH") else {}
    async with http.request(method, made.url + path, headers=headers, **more) as answer:
        body = await answer.read()
        problem = answer.content_type == "application/problem+json"
        code = (await answer.json(content_type=None))["code"] if problem else ""
        assert b"Traceback" not in body
        return answer.status, code, dict(answer.headers)


@pytest.mark.parametrize("role", Role, ids=lambda role: role.label)
@pytest.mark.parametrize(
    ("path", "method", "least"), OPERATIONS, ids=[f"{m} {p}" for p, m, _ in OPERATIONS]
)
def test_who_may_do_what(answers, path, method, least, role):
    status, code, headers = answers[path, method, role]
    if role >= least:
        assert status != 401, code
        assert (status, code) != (403, "role")
        assert status < 500 or status == 503, code
    elif role is Role.ANYBODY:
        assert status == 401
        assert headers["WWW-Authenticate"].startswith("Bearer")
    else:
        assert (status, code) == (403, "role")


def test_nothing_but_signs_of_life_and_doors_is_open_to_anybody():
    """Who adds a route for everybody says so here, too."""
    assert {(method, path) for path, method, least in OPERATIONS if least is Role.ANYBODY} == {
        ("GET", "/health"), ("GET", "/health/live"), ("GET", "/health/ready"),
        ("POST", "/api/auth/login"), ("POST", "/api/auth/refresh"),
        ("GET", "/api/openapi.json"), ("GET", "/api/asyncapi.json"), ("GET", "/api/docs"),
        ("GET", "/api/docs/{file}"),
    }  # fmt: skip


def test_nothing_that_changes_is_open_to_viewers():
    """What a viewer may POST only looks."""
    assert {(method, path) for path, method, least in OPERATIONS
            if least is Role.VIEWER and method != "GET"} == {
        ("POST", "/api/scanner/run"), ("POST", "/api/signals/score"),
        ("POST", "/api/risk/calculate-position"), ("POST", "/api/risk/calculate-stop-loss"),
        ("POST", "/api/risk/check-correlation"), ("POST", "/api/auth/logout"),
        ("POST", "/api/stream/held"),
        ("PUT", "/api/auth/password"), ("POST", "/api/auth/ticket"),
    }  # fmt: skip


def test_users_and_tokens_are_for_admins():
    for path, _, least in OPERATIONS:
        if path.startswith(("/api/users", "/api/tokens")):
            assert least is Role.ADMIN
