"""The gate: who may pass, over real servers with and without login."""

import pytest
from guarded import Guarded, cookie_of, guarded
from logins import PASSWORD

from app.auth.credentials import SESSION, XSRF, XSRF_HEADER
from app.auth.limiter import LIMIT, LOGINS_OF_USER, POLICY
from opportunity.config import Settings

STATUS, TOGGLE, WEIGHTS = "/api/agent/status", "/api/agent/toggle", "/api/config/weights"

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def told(answer):
    body = await answer.json(content_type=None)
    return answer.status, body.get("code")


def same_origin(closed: Guarded, browser) -> dict[str, str]:
    return {
        "Origin": closed.url, "Sec-Fetch-Site": "same-origin",
        XSRF_HEADER: cookie_of(browser, XSRF),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "closed"),
    [
        ({}, False), ({"auth": True}, True), ({"host": "0.0.0.0"}, True),
        ({"workers": 2}, True), ({"trusted_proxies": ("127.0.0.1",)}, True),
        ({"host": "::1"}, False), ({"oauth_provider": "github"}, True),
    ],
)  # fmt: skip
async def test_who_can_be_reached_from_elsewhere_asks_for_a_login(given, closed):
    assert Settings(**given).login_required is closed


async def test_without_login_nothing_is_told(closed, browser):
    async with browser.get(STATUS) as answer:
        assert await told(answer) == (401, "login")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="opportunity"'
    async with browser.get("/api/nothing/here") as answer:
        assert answer.status == 401


@pytest.mark.parametrize("text", ["opp_x_y", "a.b.c", "x" * 5_000])
async def test_a_worthless_token_is_refused_even_on_loopback(tmp_path, text):
    async with guarded(tmp_path, auth=False) as made, made.browser() as browser:
        async with browser.get(STATUS) as answer:
            assert answer.status == 200
        async with browser.get(STATUS, headers={"Authorization": f"Bearer {text}"}) as answer:
            assert await told(answer) == (401, "invalid_token")
            assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
            assert text not in await answer.text()


async def test_a_token_raises_and_lowers_who_calls_from_this_machine(tmp_path):
    async with guarded(tmp_path, auth=False) as made, made.browser() as browser:
        for role, status in (("viewer", 403), ("trader", 200), ("admin", 200)):
            async with browser.put(
                TOGGLE, params={"enabled": "true"}, headers=made.bearer(role)
            ) as answer:
                assert answer.status == status
        async with browser.get("/api/users", headers=made.bearer("admin")) as answer:
            assert answer.status == 200
        async with browser.get("/api/users") as answer:
            assert await told(answer) == (403, "role")


async def test_a_role_that_is_not_enough_is_named(closed, browser):
    async with browser.put(
        TOGGLE, params={"enabled": "true"}, headers=closed.bearer("viewer")
    ) as answer:
        problem = await answer.json(content_type=None)
    assert problem["code"] == "role"
    assert "trader" in problem["detail"]


async def test_a_bearer_needs_no_origin_and_no_precondition(closed, browser):
    headers = closed.bearer("trader")
    async with browser.get(WEIGHTS, headers=headers) as answer:
        weights = await answer.json()
    async with browser.put(WEIGHTS, json=weights, headers=headers) as answer:
        assert answer.status == 200


async def test_a_cookie_writes_only_from_our_pages_with_its_token_and_version(closed, browser):
    assert (await closed.log_in(browser, "tom")).status == 303
    good = same_origin(closed, browser)
    async with browser.get(WEIGHTS) as answer:
        assert answer.status == 200
        tag, weights = answer.headers["ETag"], await answer.json()

    async def put(**changed):
        headers = {k: v for k, v in (good | {"If-Match": tag} | changed).items() if v is not None}
        async with browser.put(WEIGHTS, json=weights, headers=headers) as answer:
            return await told(answer)

    assert await put(Origin="http://evil.example") == (403, "cross_origin")
    assert await put(Origin="null") == (403, "cross_origin")
    nowhere = {"Origin": None, "Sec-Fetch-Site": None}
    assert await put(**nowhere) == (403, "cross_origin")
    assert await put(**{"Sec-Fetch-Site": "same-site"}) == (403, "cross_origin")
    assert await put(**{XSRF_HEADER: None}) == (403, "xsrf")
    assert await put(**{XSRF_HEADER: "0" * 64}) == (403, "xsrf")
    assert await put(**{"If-Match": None}) == (428, "precondition")
    assert await put(**{"If-Match": '"0"'}) == (412, "stale")
    assert await put() == (200, None)
    assert await put() == (412, "stale")


async def test_a_viewer_may_not_write_by_cookie_either(closed, browser):
    await closed.log_in(browser, "vera")
    async with browser.put(
        TOGGLE, params={"enabled": "false"}, headers=same_origin(closed, browser)
    ) as answer:
        assert await told(answer) == (403, "role")


async def test_after_logout_the_old_cookie_is_worth_nothing(closed, browser):
    await closed.log_in(browser, "tom")
    kept = cookie_of(browser, SESSION)
    form = {"Origin": closed.url}
    async with browser.post("/logout", data={}, headers=form) as answer:
        assert answer.status == 200
    assert cookie_of(browser, SESSION) == ""
    async with browser.get(STATUS, headers={"Cookie": f"{SESSION}={kept}"}) as answer:
        assert answer.status == 401


async def test_everybody_is_told_what_is_left(closed, browser):
    async with browser.get(STATUS, headers=closed.bearer("viewer")) as answer:
        assert answer.headers[POLICY] == '"default";q=1200;w=60'
        assert answer.headers[LIMIT].startswith('"default";r=1199;t=')
    async with browser.get("/api/nothing", headers=closed.bearer("viewer")) as answer:
        assert answer.status == 404
        assert answer.headers[LIMIT].startswith('"default";r=1198;t=')


async def test_too_many_requests_are_refused_with_a_wait(tmp_path):
    async with guarded(tmp_path, requests_per_minute=5) as made, made.browser() as browser:
        seen = []
        for _ in range(7):
            async with browser.get(STATUS, headers=made.bearer("viewer")) as answer:
                seen.append(answer.status)
                headers, code = answer.headers, (await answer.json()).get("code")
        assert seen == [200] * 5 + [429] * 2
        assert code == "too_many_requests"
        assert 1 <= int(headers["Retry-After"]) <= 60
        async with browser.get(STATUS, headers=made.bearer("trader")) as answer:
            assert answer.status == 200


async def test_this_machine_is_not_limited_where_nobody_logs_in(tmp_path):
    given = {"auth": False, "requests_per_minute": 3}
    async with guarded(tmp_path, users=False, **given) as made, made.browser() as browser:
        for _ in range(10):
            async with browser.get(STATUS) as answer:
                assert answer.status == 200
                assert LIMIT not in answer.headers


async def test_guessing_tokens_is_limited(closed, browser):
    seen = set()
    for i in range(70):
        headers = {"Authorization": f"Bearer opp_{i}_guess"}
        async with browser.get(STATUS, headers=headers) as answer:
            seen.add(answer.status)
    assert seen == {401, 429}


async def test_guessing_a_password_is_limited_before_it_is_looked_at(closed, browser):
    seen = [(await closed.log_in(browser, "ada", "wrong password here")).status
            for _ in range(LOGINS_OF_USER + 2)]  # fmt: skip
    assert seen == [401] * LOGINS_OF_USER + [429] * 2
    assert (await closed.log_in(browser, "ada", PASSWORD)).status == 429


async def test_behind_a_named_proxy_the_caller_is_who_it_names(tmp_path):
    given = {"trusted_proxies": ("127.0.0.1",), "origins": ("https://desk.example.org",),
             "requests_per_minute": 2}  # fmt: skip
    async with guarded(tmp_path, **given) as made, made.browser() as browser:

        async def live(address):
            headers = {"X-Forwarded-For": address, "X-Forwarded-Proto": "https",
                       "Host": "desk.example.org"}  # fmt: skip
            async with browser.get("/login", headers=headers) as answer:
                assert "Strict-Transport-Security" in answer.headers
                return answer.status

        assert [await live("203.0.113.1") for _ in range(3)] == [200, 200, 429]
        assert await live("203.0.113.2") == 200
        assert await live("198.51.100.9, 203.0.113.1") == 429
