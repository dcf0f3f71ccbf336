"""Pages, files and Bokeh's WebSockets: nothing of them without login."""

import asyncio
import json
import re

import pytest
import websockets
from guarded import cookie_of, guarded
from logins import PASSWORD
from tornado.web import create_signed_value

from app.api.base import Checked
from app.auth import doors
from app.auth.credentials import SESSION
from app.auth.doors import Guarded
from app.auth.html import OwnDoor
from app.auth.pages import CALLER_COOKIE, USER_COOKIE
from app.pages import PAGES

FILES = ("/static/js/bokeh.min.js", "/static/extensions/panel/panel.min.js", "/favicon.ico")

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def token_of(browser, path="/"):
    async with browser.get(path) as answer:
        text = await answer.text()
        assert answer.status == 200, text
    return re.search(r'"token":\s*"([^"]+)"', text)[1]


def cookies_of(browser):
    return {"Cookie": f"{SESSION}={cookie_of(browser, SESSION)}"}


async def connect(closed, token, path="/ws", origin=None, headers=None):
    """Try a page's WebSocket; the status of the handshake, and the socket when it is open."""
    url = f"ws://127.0.0.1:{closed.site.port}{path}"
    try:
        socket = await websockets.connect(
            url, origin=origin or closed.url, subprotocols=["bokeh", token],
            additional_headers=headers or {}, proxy=None,
        )
    except websockets.InvalidStatus as refused:
        return refused.response.status_code, None
    return 101, socket


async def test_every_handler_is_ours_or_behind_the_gate(closed):
    application = closed.site._server._tornado
    for rule in application.wildcard_router.rules:
        assert issubclass(rule.target, Checked | Guarded | OwnDoor), rule.target


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_asks_for_a_login_first(browser, page):
    headers = {"Accept": "text/html"}
    async with browser.get(page.PATH, headers=headers, allow_redirects=False) as answer:
        assert answer.status == 302
        assert answer.headers["Location"].startswith("./login")
        assert "token" not in await answer.text()


@pytest.mark.parametrize("path", FILES)
async def test_files_need_a_login_too(closed, browser, path):
    async with browser.get(path) as answer:
        assert answer.status == 401
    await closed.log_in(browser, "vera")
    async with browser.get(path) as answer:
        assert answer.status == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Server" not in answer.headers


@pytest.mark.parametrize("path", ["/autoload.js", "/metadata", "/research/autoload.js"])
async def test_what_only_other_sites_need_is_not_there(closed, browser, path):
    async with browser.get(path) as answer:
        assert answer.status == 401
    await closed.log_in(browser, "ada")
    async with browser.get(path, headers={"Origin": "http://evil.example"}) as answer:
        assert answer.status == 404
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_pages_and_files_take_nothing(closed, browser, method):
    for path in ("/", FILES[0]):
        async with browser.request(
            method, path, headers=closed.bearer("admin"), data=b"x"
        ) as answer:
            assert answer.status == 405


async def test_panel_knows_the_user_and_the_page_no_cookie(closed, browser):
    await closed.log_in(browser, "tom")
    async with browser.get("/") as answer:
        text = await answer.text()
    assert 'data-role="trader"' in text
    assert ">tom</span>" in text
    token = re.search(r'"token":\s*"([^"]+)"', text)[1]
    session = cookie_of(browser, SESSION)
    assert session not in text
    application = closed.site._server._tornado
    one = application.get_sessions("/")[-1]
    request = one.document.session_context.request
    assert session not in json.dumps(request.cookies)
    assert set(request.cookies) == {USER_COOKIE, CALLER_COOKIE}
    assert set(request.headers) <= {"Cookie"}
    assert (await connect(closed, token, headers=cookies_of(browser)))[0] == 101


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:{port}.evil.example",
     "http://allowed.example.evil.com", "http://localhost:{port}", "https://127.0.0.1:{port}"],
)  # fmt: skip
async def test_a_page_of_another_site_opens_no_websocket(closed, browser, origin):
    await closed.log_in(browser, "tom")
    token = await token_of(browser)
    for path in ("/ws", "/ws/realtime"):
        status, _ = await connect(
            closed, token, path, origin.format(port=closed.site.port), cookies_of(browser)
        )
        assert status == 403


async def test_a_websocket_needs_the_login_that_opened_the_page(closed, browser):
    await closed.log_in(browser, "tom")
    token = await token_of(browser)
    assert (await connect(closed, token))[0] == 401
    async with closed.browser() as other:
        await closed.log_in(other, "vera")
        assert (await connect(closed, token, headers=cookies_of(other)))[0] == 403
        await closed.log_in(other, "tom")
        assert (await connect(closed, token, headers=cookies_of(other)))[0] == 403
    assert (await connect(closed, token[:-3] + "abc", headers=cookies_of(browser)))[0] == 403
    assert (await connect(closed, "x", headers=cookies_of(browser)))[0] in (400, 403)
    status, socket = await connect(closed, token, headers=cookies_of(browser))
    assert status == 101
    await socket.close()


async def test_nobody_chooses_a_session(closed, browser):
    await closed.log_in(browser, "tom")
    token = await token_of(browser)
    for path in ("/?bokeh-session-id=abc", f"/?bokeh-token={token}"):
        async with browser.get(path) as answer:
            assert answer.status == 400
    async with browser.get("/", headers={"Bokeh-Session-Id": "abc"}) as answer:
        assert answer.status == 400


async def test_cookies_that_a_browser_made_up_are_nobody(closed, browser):
    forged = create_signed_value("another", USER_COOKIE, "ada").decode()
    headers = {"Cookie": f"{USER_COOKIE}={forged}; {CALLER_COOKIE}={forged}; is_guest=1"}
    async with browser.get("/", headers=headers, allow_redirects=False) as answer:
        assert answer.status == 302


@pytest.mark.parametrize("end", ["logout", "role", "removed"])
async def test_an_open_page_closes_when_its_login_ends(closed, browser, end):
    accounts, name = closed.services.accounts, f"somebody-{end}"
    await accounts.people.add(name, "trader", PASSWORD, by="test")
    await closed.log_in(browser, name)
    token = await token_of(browser)
    _, socket = await connect(closed, token, headers=cookies_of(browser))
    if end == "logout":
        await accounts.end_session(cookie_of(browser, SESSION))
    elif end == "role":
        await accounts.people.change(name, "viewer", None, by="ada")
    else:
        await accounts.people.remove(name, by="ada")
    async with asyncio.timeout(30):
        await socket.wait_closed()
    assert socket.close_code == doors.ENDED


async def test_one_login_cannot_fill_the_server_with_pages(closed, browser, monkeypatch):
    monkeypatch.setattr(doors, "MAX_PAGES_OF_ONE", 2)
    for name in ("many", "few"):
        await closed.services.accounts.people.add(name, "viewer", PASSWORD, by="test")
    await closed.log_in(browser, "many")
    for status in (200, 200, 503):
        async with browser.get("/research", headers={"Accept": "text/html"}) as answer:
            assert answer.status == status
            text = await answer.text()
    assert answer.headers["Retry-After"]
    assert "Too many pages" in text
    async with closed.browser() as other:
        await closed.log_in(other, "few")
        assert await token_of(other, "/research")


async def test_without_login_pages_are_this_machines(tmp_path):
    async with guarded(tmp_path, auth=False, users=False) as made, made.browser() as browser:
        async with browser.get("/") as answer:
            text = await answer.text()
        assert 'data-role="trader"' in text
        assert "Log out" not in text
        token = re.search(r'"token":\s*"([^"]+)"', text)[1]
        status, socket = await connect(made, token)
        assert status == 101
        await socket.close()
        headers = {"Host": "evil.example"}
        async with browser.get("/", headers=headers) as answer:
            assert answer.status == 403
        async with browser.get("/", headers={"X-Forwarded-For": "203.0.113.1"}) as answer:
            assert answer.status == 403
