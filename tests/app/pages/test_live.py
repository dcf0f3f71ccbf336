"""The Live page over a real Tornado server: what is served, and that nothing stays behind."""

import asyncio
import gc
import weakref

import panel as pn
import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from app.pages import PAGES, live


def test_pages_have_what_the_server_needs() -> None:
    paths = [page.PATH for page in PAGES]
    assert "/" in paths
    assert len(set(paths)) == len(paths)
    for page in PAGES:
        assert page.TITLE
        assert callable(page.page)


@pytest.fixture
async def served(world):
    """Base address of a server with the page, and weak references to the sessions it made."""
    made = []

    def build():
        page = live.page(world)
        made.append(weakref.ref(_session_of(page)))
        return page

    server = pn.io.server.get_server(
        {"/": build}, port=0, address="127.0.0.1", loop=IOLoop.current(), start=False,
        show=False, unused_session_lifetime_milliseconds=1,
        check_unused_sessions_milliseconds=20,
    )
    server.start()
    yield f"http://127.0.0.1:{server.port}/", made
    server.stop()
    await server._http.close_all_connections()


def _session_of(page):
    (editor, _) = page._render_items["weights"]
    return editor._on_apply.__self__._moved.__self__


async def test_page_comes_from_this_server_alone(served) -> None:
    address, _ = served
    answer = await AsyncHTTPClient().fetch(address)
    html = answer.body.decode()
    assert "SIMULATED MARKET" in html
    assert "6 symbols · 2 timeframes" in html
    for part in html.replace("http://www.w3.org/2000/svg", "").split("http")[1:]:
        assert not part.startswith(("://", "s://")), part[:80]


async def test_pages_that_nobody_opens_leave_nothing_behind(served, world) -> None:
    address, made = served
    for _ in range(10):
        await AsyncHTTPClient().fetch(address)
    assert len(made) == 10
    assert world.hub.n_subscribers == 0

    async def gone() -> None:
        while any(ref() is not None for ref in made):
            await asyncio.sleep(0.02)
            gc.collect()

    await asyncio.wait_for(gone(), 20)
    watchers = world.weights.param.watchers
    assert not any(events for events in watchers.values())


async def test_address_chooses_what_is_shown(served) -> None:
    address, made = served
    await AsyncHTTPClient().fetch(f"{address}?symbol=ETH-USDT&timeframe=15m")
    session = made[0]()
    assert (session.chart.symbol, session.chart.timeframe) == ("ETH/USDT", "15m")
    await AsyncHTTPClient().fetch(f"{address}?symbol=%3Cscript%3E&timeframe=9h")
    session = made[1]()
    assert (session.chart.symbol, session.chart.timeframe) == ("", "1h")


async def test_theme_cookie_is_honoured(served) -> None:
    address, _ = served
    answer = await AsyncHTTPClient().fetch(address, headers={"Cookie": "opportunity-theme=light"})
    assert b'data-theme="light"' in answer.body
