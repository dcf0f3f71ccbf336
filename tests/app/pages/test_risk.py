"""The Risk page over a real Tornado server: what is served, and that nothing stays behind."""

import asyncio
import gc
import weakref

import panel as pn
import pytest
from portfolios import account_of
from risky import FakeMarket, FakePaper, risk_of
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from app.pages import PAGES, risk


@pytest.fixture
async def served(world):
    """Base address of a server with the page, and weak references to the sessions it made."""
    made = []
    world.paper = FakePaper(account_of({"BTC/USDT": 1_000.0}))
    world.risk = risk_of(world.paper, FakeMarket())

    def build():
        page = risk.page(world)
        (limits, _) = page._render_items["limits"]
        made.append(weakref.ref(limits._on_command.__self__))
        return page

    server = pn.io.server.get_server(
        {risk.PATH: build}, port=0, address="127.0.0.1", loop=IOLoop.current(),
        start=False, show=False, unused_session_lifetime_milliseconds=1,
        check_unused_sessions_milliseconds=20,
    )
    server.start()
    yield f"http://127.0.0.1:{server.port}{risk.PATH}", made
    server.stop()
    await server._http.close_all_connections()


def test_it_is_one_of_the_pages() -> None:
    assert risk in PAGES
    assert (risk.PATH, risk.TITLE) == ("/risk", "Risk")


def test_it_needs_a_document() -> None:
    with pytest.raises(RuntimeError, match="document"):
        risk.page(None)


async def test_page_comes_from_this_server_alone(served) -> None:
    address, _ = served
    html = (await AsyncHTTPClient().fetch(address)).body.decode()
    assert 'aria-label="Position size"' in html
    for part in html.replace("http://www.w3.org/2000/svg", "").split("http")[1:]:
        assert not part.startswith(("://", "s://")), part[:80]


async def test_pages_that_nobody_opens_leave_nothing_behind(served, world) -> None:
    address, made = served
    for _ in range(5):
        await AsyncHTTPClient().fetch(address)
    assert len(made) == 5
    assert world.hub.n_subscribers == 0

    async def gone() -> None:
        while any(ref() is not None for ref in made):
            await asyncio.sleep(0.02)
            gc.collect()

    await asyncio.wait_for(gone(), 20)
