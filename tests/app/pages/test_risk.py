"""The Risk page over a real Tornado server: what is served, and that nothing stays behind."""

import pytest
from portfolios import account_of
from risky import FakeMarket, FakePaper, risk_of
from served_page import comes_from_here, leaves_nothing, served_page

from app.pages import PAGES, risk


@pytest.fixture
async def served(world, monkeypatch):
    """Address of the page, and weak references to the sessions that were made."""
    world.paper = FakePaper(account_of({"BTC/USDT": 1_000.0}))
    world.risk = risk_of(world.paper, FakeMarket())
    async with served_page(risk, "RiskSession", world, monkeypatch) as found:
        yield found


def test_it_is_one_of_the_pages() -> None:
    assert risk in PAGES
    assert (risk.PATH, risk.TITLE) == ("/risk", "Risk")


def test_it_needs_a_document() -> None:
    with pytest.raises(RuntimeError, match="document"):
        risk.page(None)


async def test_page_comes_from_this_server_alone(served) -> None:
    assert 'aria-label="Position size"' in await comes_from_here(served[0])


async def test_pages_that_nobody_opens_leave_nothing_behind(served, world) -> None:
    await leaves_nothing(*served, world)
