"""The Research page over a real Tornado server: what is served, and that nothing stays behind."""

import re

import pytest
from served_page import comes_from_here, leaves_nothing, served_page
from tornado.httpclient import AsyncHTTPClient

from app.backtests import Backtests
from app.pages import PAGES, research
from opportunity.backtest.trials import MemoryTrials


@pytest.fixture
async def served(world, monkeypatch):
    """Address of the page, and weak references to the sessions that were made."""
    world.backtests = Backtests(lambda exchange: None, world.hub, MemoryTrials(), None)
    async with served_page(research, "ResearchSession", world, monkeypatch) as found:
        yield found


async def test_page_comes_from_this_server_alone_and_names_all_pages(served) -> None:
    html = await comes_from_here(served[0])
    assert re.search('<a href="research"[^>]* aria-current="page">', html)
    for page in PAGES:
        assert f"{page.TITLE}</a>" in html


async def test_pages_that_nobody_opens_leave_nothing_behind(served, world) -> None:
    await leaves_nothing(*served, world)


async def test_address_names_a_job(served) -> None:
    address, made = served
    await AsyncHTTPClient().fetch(f"{address}?job=abc%FF")
    assert made[0]()._wanted == "abc"
