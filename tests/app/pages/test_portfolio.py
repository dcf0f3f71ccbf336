"""The Portfolio page over a real Tornado server: what is served, and that nothing stays behind."""

import re

import accounts
import pytest
from served_page import comes_from_here, leaves_nothing, served_page

from app.pages import PAGES, portfolio


@pytest.fixture
async def served(world, monkeypatch):
    """Address of the page, and weak references to the sessions that were made."""
    world.paper = accounts.FakePaper()
    async with served_page(portfolio, "PortfolioSession", world, monkeypatch) as found:
        yield found


async def test_page_comes_from_this_server_alone_and_names_all_pages(served) -> None:
    html = await comes_from_here(served[0])
    link = re.search(r'<a[^>]*href="portfolio"[^>]*>', html)
    assert 'aria-current="page"' in link[0]
    assert portfolio in PAGES


async def test_pages_that_nobody_opens_leave_nothing_behind(served, world) -> None:
    await leaves_nothing(*served, world)
