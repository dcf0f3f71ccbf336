import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
import stamina
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from opportunity.feeds.polling import ATTEMPTS, MOST_BYTES, Answer, Page, PollError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SECRET = "/path-secret?token=query-secret"


@pytest.fixture(autouse=True)
def no_waits():
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as one:
        yield one


class Site:
    """A server that answers every path with the handler of the test, and counts."""

    def __init__(self) -> None:
        self.seen: list[web.Request] = []
        self.handler: Handler | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        assert self.handler is not None
        return await self.handler(request)

    def address(self, path: str = SECRET) -> str:
        return f"http://user:pass-secret@127.0.0.1:{self.server.port}{path}"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    made.server = TestServer(app)
    await made.server.start_server()
    yield made
    await made.server.close()


def says(*, status=200, body=b"text", **headers) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers=named)

    return handler


async def failure(page: Page, session: aiohttp.ClientSession) -> PollError:
    with pytest.raises(PollError) as caught:
        await page.get(session)
    error: BaseException | None = caught.value
    while error is not None:
        assert "secret" not in f"{error!r} {error}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return caught.value


async def test_body_and_encoding_come_back(site, session):
    site.handler = says(body=b"<rss/>", Content_Type="text/xml; charset=latin-1")
    assert await Page(site.address()).get(session) == Answer(b"<rss/>", "latin-1")
    asked = site.seen[0]
    assert "opportunity" in asked.headers["User-Agent"]
    assert "If-None-Match" not in asked.headers


async def test_what_has_not_changed_is_not_sent_again(site, session):
    async def handler(request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match") == '"v1"':
            assert request.headers["If-Modified-Since"] == "Mon, 01 Jan 2024 12:00:00 GMT"
            return web.Response(status=304)
        tags = {"ETag": '"v1"', "Last-Modified": "Mon, 01 Jan 2024 12:00:00 GMT"}
        return web.Response(body=b"one", headers=tags)

    site.handler = handler
    page = Page(site.address())
    assert await page.get(session) == Answer(b"one", "")
    assert await page.get(session) is None
    assert await page.get(session) is None
    page.forget()
    assert await page.get(session) == Answer(b"one", "")


async def test_busy_server_is_asked_again(site, session):
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=200 if len(site.seen) == ATTEMPTS else 502, body=b"at last")

    site.handler = handler
    assert await Page(site.address()).get(session) == Answer(b"at last", "")
    assert len(site.seen) == ATTEMPTS


@pytest.mark.parametrize(("status", "n"), [(404, 1), (403, 1), (429, 1), (500, ATTEMPTS), (204, 1)])
async def test_refusals_are_final_and_faults_are_tried_again(site, session, status, n):
    site.handler = says(status=status, body=b"" if status == 204 else b"no")
    error = await failure(Page(site.address()), session)
    assert str(error) == f"status {status}"
    assert len(site.seen) == n


@pytest.mark.parametrize(
    ("text", "wait"), [("120", 120.0), ("999999999", 3600.0), ("soon", 0.0), ("", 0.0), ("-5", 0.0)]
)
async def test_a_source_may_ask_to_be_left_alone(site, session, text, wait):
    site.handler = says(status=429, Retry_After=text)
    assert (await failure(Page(site.address()), session)).wait_s == wait


async def test_slow_server_ends_in_time(site, session):
    released = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"<rss>")
        await released.wait()
        return response

    site.handler = handler
    error = await failure(Page(site.address(), timeout_s=0.05, attempts=1), session)
    assert str(error) == "no answer within 0.05 s"
    released.set()


async def test_dead_server_and_bad_addresses_show_no_secret(session):
    dead = Page(f"http://u:secret@127.0.0.1:{unused_port()}{SECRET}")
    assert "connection failed" in str(await failure(dead, session))
    assert "not valid" in str(await failure(Page("http:///secret"), session))
    assert "secret" not in repr(dead)


@pytest.mark.parametrize("packed", [False, True])
async def test_huge_bodies_are_refused_while_they_come(site, session, packed):
    body = b"x" * (10 * 1024 * 1024)
    headers = {"Content_Encoding": "gzip"} if packed else {}
    site.handler = says(body=gzip.compress(body) if packed else body, **headers)
    error = await failure(Page(site.address()), session)
    assert str(error) == f"body must be <= {MOST_BYTES} bytes, was longer"
    assert len(site.seen) == 1


async def test_packed_garbage_and_broken_lengths_are_errors(site, session):
    site.handler = says(body=b"no gzip at all", Content_Encoding="gzip")
    assert "connection failed" in str(await failure(Page(site.address()), session))


async def test_redirects_are_followed_but_not_for_ever(site, session):
    async def handler(request: web.Request) -> web.Response:
        if request.path == "/end":
            return web.Response(body=b"there")
        raise web.HTTPFound("/end" if request.path == "/once" else "/again?secret")

    site.handler = handler
    assert await Page(site.address("/once")).get(session) == Answer(b"there", "")
    assert "redirects" in str(await failure(Page(site.address("/round")), session))


async def test_cancelling_leaves_nothing_behind(site, session):
    entered, released = asyncio.Event(), asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        entered.set()
        await released.wait()
        return web.Response()

    site.handler = handler
    async with asyncio.TaskGroup() as group:
        task = group.create_task(Page(site.address()).get(session))
        await entered.wait()
        task.cancel()
    assert task.cancelled()
    released.set()
