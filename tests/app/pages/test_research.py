"""The Research page over a real Tornado server: what is served, and that nothing stays behind."""

import asyncio
import gc
import re
import weakref

import panel as pn
import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from app.backtests import Backtests
from app.pages import PAGES, research
from opportunity.backtest.trials import MemoryTrials


@pytest.fixture
async def served(world):
    """Base address of a server with both pages, and weak references to the sessions it made."""
    made = []
    world.backtests = Backtests(lambda exchange: None, world.hub, MemoryTrials(), None)

    def build():
        page = research.page(world)
        (form, _) = page._render_items["form"]
        made.append(weakref.ref(form._on_run.__self__))
        return page

    server = pn.io.server.get_server(
        {"/": build, research.PATH: build}, port=0, address="127.0.0.1", loop=IOLoop.current(),
        start=False, show=False, unused_session_lifetime_milliseconds=1,
        check_unused_sessions_milliseconds=20,
    )
    server.start()
    yield f"http://127.0.0.1:{server.port}{research.PATH}", made
    server.stop()
    await server._http.close_all_connections()


async def test_page_comes_from_this_server_alone_and_names_all_pages(served) -> None:
    address, _ = served
    html = (await AsyncHTTPClient().fetch(address)).body.decode()
    assert "SIMULATED MARKET" in html
    assert re.search('<a href="research"[^>]* aria-current="page">', html)
    for page in PAGES:
        assert f"{page.TITLE}</a>" in html
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


async def test_address_names_a_job(served) -> None:
    address, made = served
    await AsyncHTTPClient().fetch(f"{address}?job=abc%FF")
    assert made[0]()._wanted == "abc"
