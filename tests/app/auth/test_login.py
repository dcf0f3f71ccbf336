"""The pages to log in and out, over a real site."""

import io
import ssl

import aiohttp
import pytest
from guarded import cookie_of, guarded
from logins import PASSWORD

from app.auth.credentials import HOST_PREFIX, SESSION, XSRF, xsrf_token
from app.auth.html import POLICY

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_page_has_a_form_and_no_script(browser):
    async with browser.get("/login?next=research") as answer:
        text = await answer.text()
        assert answer.status == 200
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["Referrer-Policy"] == "strict-origin"
        assert answer.headers["Cache-Control"] == "no-store"
    assert 'value="research"' in text
    assert 'autocomplete="current-password"' in text


async def test_who_knows_the_password_comes_in_and_back(closed, browser):
    answer = await closed.log_in(browser, "Tom", next="research?job=1")
    assert answer.status == 303
    assert answer.headers["Location"] == "./research?job=1"
    given = answer.headers.getall("Set-Cookie")
    session = next(one for one in given if one.startswith(f"{SESSION}="))
    assert "HttpOnly" in session
    assert "SameSite=Lax" in session
    assert "Path=/" in session
    assert cookie_of(browser, XSRF) == xsrf_token(cookie_of(browser, SESSION))
    async with browser.get("/login", allow_redirects=False) as again:
        assert again.status == 302


@pytest.mark.parametrize(("name", "password"), [("tom", "x" * 20), ("nobody", PASSWORD), ("", "")])
async def test_who_does_not_know_it_is_told_no_more_than_that(closed, browser, name, password):
    async with browser.post(
        "/login", data={"username": name, "password": password}, headers={"Origin": closed.url}
    ) as answer:
        text = await answer.text()
        assert answer.status == 401
        assert "Set-Cookie" not in answer.headers
    assert "Name or password is not right." in text
    assert 'role="alert"' in text
    assert password not in text or not password


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
@pytest.mark.parametrize("path", ["/login", "/logout"])
async def test_a_form_of_another_site_logs_nobody_in_or_out(closed, browser, headers, path):
    data = {"username": "tom", "password": PASSWORD}
    async with browser.post(path, data=data, headers=headers) as answer:
        assert answer.status == 403
        assert "Set-Cookie" not in answer.headers


async def test_a_login_is_a_new_session_and_ends_the_old_one(closed, browser):
    await closed.log_in(browser, "tom")
    first = cookie_of(browser, SESSION)
    await closed.log_in(browser, "tom")
    second = cookie_of(browser, SESSION)
    assert first != second
    assert closed.services.accounts.verify_session(first) is None
    assert closed.services.accounts.verify_session(second).name == "tom"


async def test_a_session_that_somebody_else_set_is_not_taken_over(closed, browser):
    planted = {"Cookie": f"{SESSION}=ops_planted_planted", "Origin": closed.url}
    data = {"username": "tom", "password": PASSWORD}
    async with browser.post(
        "/login", data=data, headers=planted, allow_redirects=False
    ) as answer:
        assert answer.status == 303
    assert cookie_of(browser, SESSION) != "ops_planted_planted"
    assert closed.services.accounts.verify_session("ops_planted_planted") is None


@pytest.mark.parametrize(
    ("media", "body", "status"),
    [("multipart/form-data; boundary=x", b"--x--", 415), ("application/json", b"{}", 415),
     ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % i for i in range(50)), 400),
     ("application/x-www-form-urlencoded", b"x" * (1 << 20) + b"x", 413),
     ("application/x-www-form-urlencoded", b"username=\xff", 400)],
)  # fmt: skip
async def test_bodies_that_are_no_form_of_ours_are_refused(closed, browser, media, body, status):
    headers = {"Origin": closed.url, "Content-Type": media}
    async with browser.post("/login", data=io.BytesIO(body), headers=headers) as answer:
        assert answer.status == status


async def test_logout_asks_first_and_then_forgets(closed, browser):
    await closed.log_in(browser, "ada")
    async with browser.get("/logout") as answer:
        assert "Log out?" in await answer.text()
    assert closed.services.accounts.verify_session(cookie_of(browser, SESSION)) is not None
    async with browser.post("/logout", data={}, headers={"Origin": closed.url}) as answer:
        assert "You are logged out" in await answer.text()
        assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert cookie_of(browser, XSRF) == ""


OAUTH = {
    "oauth_provider": "github", "oauth_key": "id", "oauth_secret": "secret of ours",
    "oauth_redirect": "http://127.0.0.1/oauth", "oauth_users": ("ada=admin",),
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "headers", "is_told"),
    [({}, {}, True), ({}, {"X-Forwarded-For": "203.0.113.9"}, False), (OAUTH, {}, False),
     ({"trusted_proxies": ("127.0.0.1",)}, {"X-Forwarded-For": "203.0.113.9"}, False)],
)  # fmt: skip
async def test_only_this_machine_is_told_that_nobody_can_log_in(tmp_path, given, headers, is_told):
    async with (
        guarded(tmp_path, users=False, **given) as made, made.browser() as browser,
        browser.get("/login", headers=headers) as answer,
    ):  # fmt: skip
        assert answer.status == 200
        assert ("Nobody can log in yet" in await answer.text()) is is_told


async def test_nobody_is_told_so_where_there_are_users(browser):
    async with browser.get("/login") as answer:
        assert "Nobody can log in yet" not in await answer.text()


async def first_password(made, browser, token, password, again=None):
    data = {"token": token, "password": password, "again": again or password}
    headers = {"Origin": made.url}
    async with browser.post("/login", data=data, headers=headers, allow_redirects=False) as answer:
        return answer.status, await answer.text()


async def test_the_link_of_the_first_start_works_once(tmp_path):
    async with guarded(tmp_path, users=False) as made, made.browser() as browser:
        accounts = made.services.accounts
        token = accounts.first_link()
        async with browser.get("/login", params={"token": token}) as answer:
            assert "Choose the password" in await answer.text()
        assert (await first_password(made, browser, token, "short"))[0] == 422
        assert (await first_password(made, browser, token, PASSWORD, "other"))[0] == 422
        assert (await first_password(made, browser, token + "x", PASSWORD))[0] == 401
        assert (await first_password(made, browser, token, PASSWORD))[0] == 303
        assert accounts.verify_session(cookie_of(browser, SESSION)).name == "admin"
        async with made.browser() as other:
            status, text = await first_password(made, other, token, "another long password")
            assert status == 401
            assert "used already" in text
            assert (await made.log_in(other, "admin")).status == 303
        assert accounts.first_link() is None


async def test_under_tls_cookies_are_bound_to_the_host(tmp_path, certificate):
    cert, key = certificate
    trusting = ssl.create_default_context(cafile=str(cert))
    async with guarded(tmp_path, tls_cert=cert, tls_key=key) as made:
        url = f"https://localhost:{made.site.port}"
        headers = {"Origin": url, "Accept": "text/html"}
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting)) as browser:
            data = {"username": "tom", "password": PASSWORD}
            async with browser.post(
                f"{url}/login", data=data, headers=headers, allow_redirects=False
            ) as answer:
                assert answer.status == 303
                assert "Strict-Transport-Security" in answer.headers
                given = answer.headers.getall("Set-Cookie")
            assert all(one.startswith(HOST_PREFIX) for one in given)
            assert all("Secure" in one and "Path=/" in one for one in given)
            assert not any("Domain" in one for one in given)
            async with browser.get(f"{url}/api/agent/status") as answer:
                assert answer.status == 200
            async with browser.get(f"{url}/") as answer:
                assert answer.status == 200
            # A cookie without the prefix, which plain http could have set, is not looked at.
            value = given[0].partition("=")[2].partition(";")[0]
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting)) as other:
            planted = {"Cookie": f"{SESSION}={value}"}
            async with other.get(f"{url}/api/agent/status", headers=planted) as answer:
                assert answer.status == 401
