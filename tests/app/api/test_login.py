"""Logins of programs over HTTP: tokens, renewals, ends, passwords, tickets."""

import asyncio

import jwt
import pytest
from logins import PASSWORD

from app.auth.limiter import REFUSED
from app.auth.roles import Caller, Role

LOGIN, REFRESH, LOGOUT = "/api/auth/login", "/api/auth/refresh", "/api/auth/logout"
ME, WORD, TICKET = "/api/auth/me", "/api/auth/password", "/api/auth/ticket"
OTHER = "another quiet harbour"


async def log_in(doors, name="tom", password=PASSWORD):
    asked = {"username": name, "password": password}
    status, answer, headers = await doors.call("POST", LOGIN, json=asked)
    assert status == 200, answer
    assert headers["Cache-Control"] == "no-store"
    return answer


def bearer(answer):
    return {"headers": {"Authorization": f"Bearer {answer['access_token']}"}}


async def test_a_login_gives_tokens_that_open_the_doors(doors):
    answer = await log_in(doors, "Tom")
    assert set(answer) == {"access_token", "token_type", "expires_in", "refresh_token", "role"}
    assert (answer["token_type"], answer["expires_in"], answer["role"]) == ("bearer", 900, "trader")
    assert jwt.get_unverified_header(answer["access_token"])["alg"] == "HS256"
    status, me, _ = await doors.call("GET", ME, **bearer(answer))
    assert status == 200
    assert (me["name"], me["role"], me["how"], me["has_password"]) == (
        "tom", "trader", "bearer", True,
    )  # fmt: skip
    assert me["expires"] > 1_700_000_000_000


async def test_worthless_refresh_tokens_are_counted_as_worthless_credentials(doors):
    body = {"refresh_token": "x"}
    found = [(await doors.call("POST", REFRESH, json=body))[0] for _ in range(REFUSED + 2)]
    assert found == [401] * REFUSED + [429] * 2


async def test_without_login_this_machine_is_told_what_it_is(doors):
    _, me, _ = await doors.call("GET", ME)
    assert me == {"name": "api", "role": "trader", "how": "loopback", "token": "",
                  "expires": None, "has_password": False}  # fmt: skip


@pytest.mark.parametrize("asked", [("tom", "wrong"), ("nobody", PASSWORD), ("vera", OTHER)])
async def test_a_wrong_login_says_nothing_and_shows_nothing(doors, asked):
    body = dict(zip(("username", "password"), asked, strict=True))
    problem = await doors.refused(401, "POST", LOGIN, json=body)
    assert problem["code"] == "login_refused"
    assert problem["detail"] == "The name or the password is not right."
    _, _, headers = await doors.call("POST", LOGIN, json=body)
    assert headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "body",
    [{}, {"username": "tom"}, {"username": "tom", "password": 12345678},
     {"username": "tom", "password": ["hunter two"]}, {"username": "tom", "password": ""},
     {"username": "tom", "password": "hunter two " * 999},
     {"username": "tom", "password": "hunter two", "role": "admin"}],
)  # fmt: skip
async def test_a_malformed_login_is_never_shown_again(doors, body):
    problem = await doors.refused(422, "POST", LOGIN, json=body)
    assert "hunter" not in str(problem)
    assert "12345678" not in str(problem)


async def test_tries_are_limited_by_user_and_the_right_password_too(doors):
    body = {"username": "tom", "password": "wrong one altogether"}
    codes = [(await doors.call("POST", LOGIN, json=body))[0] for _ in range(12)]
    assert codes[0] == 401
    assert codes[-1] == 429
    status, _, headers = await doors.call(
        "POST", LOGIN, json={"username": "tom", "password": PASSWORD}
    )
    assert status == 429
    assert int(headers["Retry-After"]) >= 1
    await log_in(doors, "vera")  # another user of the same address


async def test_a_server_that_is_busy_asks_to_wait(doors, monkeypatch):
    monkeypatch.setattr("app.auth.passwords.WAITING", 0)
    body = {"username": "tom", "password": PASSWORD}
    problem = await doors.refused(503, "POST", LOGIN, json=body)
    assert problem["code"] == "busy"


async def test_tokens_are_renewed_once(doors):
    first = await log_in(doors)
    body = {"refresh_token": first["refresh_token"]}
    status, second, _ = await doors.call("POST", REFRESH, json=body)
    assert status == 200
    assert (await doors.call("GET", ME, **bearer(second)))[1]["name"] == "tom"
    problem = await doors.refused(401, "POST", REFRESH, json=body)
    assert problem["code"] == "login_refused"
    assert first["refresh_token"] not in str(problem)
    await doors.refused(401, "GET", ME, **bearer(second))  # the whole login has ended
    await doors.refused(401, "POST", REFRESH, json={"refresh_token": "x"})


async def test_logging_out_ends_all_tokens_of_the_login(doors):
    first, other = await log_in(doors), await log_in(doors)
    status, answer, _ = await doors.call("POST", LOGOUT, **bearer(first))
    assert (status, answer) == (200, {"status": "success", "ended": True})
    await doors.refused(401, "GET", ME, **bearer(first))
    await doors.refused(401, "POST", REFRESH, json={"refresh_token": first["refresh_token"]})
    assert (await doors.call("GET", ME, **bearer(other)))[0] == 200
    assert (await doors.call("POST", LOGOUT))[1]["ended"] is False


async def test_a_password_is_changed_by_who_knows_it(doors):
    mine, other = await log_in(doors), await log_in(doors)
    body = {"current_password": PASSWORD, "new_password": OTHER}
    assert (await doors.call("PUT", WORD, json=body, **bearer(mine)))[0] == 200
    assert (await doors.call("GET", ME, **bearer(mine)))[0] == 200
    await doors.refused(401, "GET", ME, **bearer(other))
    await log_in(doors, "tom", OTHER)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"current_password": OTHER, "new_password": OTHER}, 403, "wrong_password"),
        ({"new_password": OTHER}, 403, "wrong_password"),
        ({"current_password": PASSWORD, "new_password": "short one"}, 422, "invalid"),
        ({"current_password": PASSWORD, "new_password": 123456789012345}, 422, "invalid"),
        ({}, 422, "invalid"),
    ],
)
async def test_a_bad_change_of_password_shows_none(doors, body, status, code):
    mine = await log_in(doors)
    problem = await doors.refused(status, "PUT", WORD, json=body, **bearer(mine))
    assert problem["code"] == code
    for secret in body.values():
        assert str(secret) not in str(problem)
    await log_in(doors)


async def test_who_is_no_user_has_no_password(doors):
    problem = await doors.refused(409, "PUT", WORD, json={"new_password": OTHER})
    assert problem["code"] == "no_user"


async def test_a_ticket_stands_for_its_caller_once(doors):
    mine = await log_in(doors, "vera")
    status, answer, _ = await doors.call("POST", TICKET, **bearer(mine))
    assert status == 200
    assert answer["protocol"] == "opportunity.ticket." + answer["ticket"]
    assert answer["expires_in"] == 30
    caller = doors.services.accounts.redeem(answer["ticket"])
    assert isinstance(caller, Caller)
    assert (caller.name, caller.role, caller.how) == ("vera", Role.VIEWER, "ticket")
    assert doors.services.accounts.redeem(answer["ticket"]) is None


async def test_many_at_once_are_each_let_in(doors):
    got = await asyncio.gather(*(log_in(doors, name) for name in ("anna", "tom", "vera") * 2))
    tokens = {one["access_token"] for one in got}
    assert len(tokens) == 6
    assert {one["role"] for one in got} == {"admin", "trader", "viewer"}
