"""Who looks at a page, and what they may press."""

from types import SimpleNamespace

import panel as pn
import pytest
from logins import PASSWORD

from app.auth.pages import CALLER_COOKIE, PAGE, NotAllowedError, act, caller, read, sign
from app.auth.roles import Caller, Role

TOM = Caller("tom", Role.TRADER, "cookie", 1_900_000_000_000, "login1")


@pytest.fixture(autouse=True)
def secret(monkeypatch):
    monkeypatch.setattr(pn.config, "cookie_secret", "secret")
    return "secret"


def page_of(cookies):
    request = None if cookies is None else SimpleNamespace(cookies=cookies)
    return SimpleNamespace(session_context=SimpleNamespace(request=request))


@pytest.mark.parametrize("who", [TOM, PAGE, Caller("vera", Role.VIEWER, "bearer")])
def test_a_page_knows_who_opened_it(who):
    assert caller(page_of({CALLER_COOKIE: sign("secret", who)})) == who


def test_a_page_without_a_server_is_of_who_runs_it():
    assert caller() == PAGE
    assert caller(page_of(None)) == PAGE


def test_what_a_browser_made_up_is_nobody():
    forged = sign("another secret", TOM)
    for cookies in ({}, {CALLER_COOKIE: forged}, {CALLER_COOKIE: "tom"}, {CALLER_COOKIE: ""}):
        assert caller(page_of(cookies)).role is Role.ANYBODY
    good = sign("secret", TOM)
    assert read("secret", {CALLER_COOKIE: good[:-1] + ("0" if good[-1] != "0" else "1")}) is None
    assert read(None, {CALLER_COOKIE: good}) is None


def test_a_role_decides_what_is_pressed():
    services = SimpleNamespace()
    assert act(services, TOM) == "tom"
    assert act(services, PAGE) == "page"
    with pytest.raises(NotAllowedError, match="role must be trader, was viewer"):
        act(services, Caller("vera", Role.VIEWER, "cookie"))
    with pytest.raises(NotAllowedError):
        act(services, Caller("", Role.ANYBODY, "none"))


async def test_a_role_that_was_taken_away_counts_at_once(accounts):
    await accounts.people.add("ada", "admin", PASSWORD, by="test")
    await accounts.people.add("tom", "trader", PASSWORD, by="test")
    session = await accounts.open_session("tom")
    who = accounts.verify_session(session)
    services = SimpleNamespace(accounts=accounts)
    assert act(services, who) == "tom"
    await accounts.people.change("tom", "viewer", None, by="ada")
    with pytest.raises(NotAllowedError):
        act(services, who)
    await accounts.end_session(session)
    with pytest.raises(NotAllowedError, match="has ended"):
        act(services, who)
