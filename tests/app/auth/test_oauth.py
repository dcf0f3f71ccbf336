"""Logging in through somebody else: a provider on loopback that says who came."""

from urllib.parse import parse_qs, urlsplit

import aiohttp
import panel as pn
import pytest
from aiohttp import web
from guarded import cookie_of, guarded

from app.auth.credentials import SESSION
from app.auth.oauth import oauth_routes, oauth_users
from opportunity.config import Settings, SettingsError

GIVEN = {
    "oauth_provider": "generic", "oauth_key": "client-1", "oauth_secret": "CANARY-oauth",
    "oauth_redirect": "http://127.0.0.1/oauth",
    "oauth_users": ("Alice@example.org=trader", "bob@example.org=viewer"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def forgotten():
    """What a test tells Panel, Panel knows no more after it."""
    names = ("oauth_key", "oauth_secret", "oauth_redirect_uri", "oauth_extra_params")
    kept = {name: getattr(pn.config, name) for name in names}
    yield
    for name, value in kept.items():
        setattr(pn.config, name, value)


@pytest.fixture
async def provider():
    """A provider that hands out one code, and says who somebody is."""
    asked = {}

    async def token(request):
        asked["token"] = dict(await request.post())
        if asked["token"].get("code") != "good-code":
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response({"access_token": "CANARY-access", "token_type": "bearer"})

    async def who(request):
        asked["bearer"] = request.headers["Authorization"]
        return web.json_response({"email": asked["user"]})

    application = web.Application()
    application.add_routes([web.post("/token", token), web.get("/user", who)])
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    asked["url"] = f"http://127.0.0.1:{runner.addresses[0][1]}"
    pn.config.oauth_extra_params = {
        "TOKEN_URL": asked["url"] + "/token", "USER_URL": asked["url"] + "/user",
        "AUTHORIZE_URL": asked["url"] + "/authorize", "USER_KEY": "email",
    }  # fmt: skip
    yield asked
    await runner.cleanup()


async def go(browser, path="/oauth"):
    async with browser.get(path, allow_redirects=False) as answer:
        return answer.status, answer.headers, await answer.text()


async def come_back(browser, code="good-code"):
    """Go to the provider and come back as it sends people back."""
    status, headers, _ = await go(browser)
    assert status == 302
    query = parse_qs(urlsplit(headers["Location"]).query)
    assert "client_secret" not in query
    (state,) = query["state"]
    return await go(browser, f"/oauth?code={code}&state={state}")


async def test_who_is_listed_comes_in_with_the_role_that_is_listed(tmp_path, provider):
    provider["user"] = "ALICE@example.org"
    async with guarded(tmp_path, users=False, **GIVEN) as site, site.browser() as browser:
        async with browser.get("/login") as answer:
            assert "Log in with generic" in await answer.text()
        status, headers, text = await come_back(browser)
        assert (status, headers["Location"]) == (302, "./"), text
        assert provider["token"]["client_secret"] == "CANARY-oauth"
        who = site.services.accounts.verify_session(cookie_of(browser, SESSION))
        assert (who.name, who.role.label) == ("alice@example.org", "trader")
        names = {cookie.key for cookie in browser.cookie_jar}
        assert not names & {"user", "access_token", "id_token", "refresh_token", "oauth_expiry"}
        assert "CANARY" not in str(headers)
        async with browser.get("/") as answer:
            assert "alice@example.org" in await answer.text()


async def test_who_is_not_listed_stays_outside(tmp_path, provider):
    provider["user"] = "mallory@example.org"
    async with guarded(tmp_path, users=False, **GIVEN) as site, site.browser() as browser:
        status, _, text = await come_back(browser)
        assert status == 403
        assert "may not log in here" in text
        assert cookie_of(browser, SESSION) == ""
        assert site.services.accounts.people.users() == ()


async def test_an_answer_that_was_not_asked_for_is_refused(tmp_path, provider):
    provider["user"] = "bob@example.org"
    async with guarded(tmp_path, users=False, **GIVEN) as site, site.browser() as browser:
        for path in ("/oauth?code=good-code&state=abc", "/oauth?code=good-code",
                     "/oauth?error=access_denied"):  # fmt: skip
            status, _, text = await go(browser, path)
            assert status == 401
            assert "CANARY" not in text
        status, _, text = await come_back(browser, "bad-code")
        assert status == 401
        assert cookie_of(browser, SESSION) == ""
        assert "Traceback" not in text


async def test_without_a_provider_there_is_no_such_page(tmp_path):
    async with guarded(tmp_path, users=False) as site, site.browser() as browser:
        assert (await go(browser))[0] in (401, 404)
        async with browser.get("/login") as answer:
            assert "Log in with" not in await answer.text()
    assert isinstance(browser, aiohttp.ClientSession)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"oauth_provider": "gogle"}, "Did you mean"), ({"oauth_key": ""}, "oauth_key must be"),
        ({"oauth_secret": ""}, "oauth_secret must be"), ({"oauth_users": ()}, "oauth_users must"),
        ({"oauth_redirect": ""}, "oauth_redirect must"), ({"oauth_users": ("alice",)}, "name=role"),
        ({"oauth_users": ("alice=king",)}, "name=role"), ({"oauth_provider": "pam"}, "oauth_pro"),
    ],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(changed, words):
    with pytest.raises(SettingsError, match=words) as refused:
        oauth_routes(Settings(**(GIVEN | changed)))
    assert "CANARY" not in str(refused.value)


def test_settings_show_no_secret():
    settings = Settings(**GIVEN)
    assert "CANARY" not in repr(settings)
    assert oauth_users(settings) == {"alice@example.org": "trader", "bob@example.org": "viewer"}
