"""The Journal page over a real Tornado server: what is served, and that nothing stays behind."""

import pytest
from served_page import comes_from_here, leaves_nothing, served_page

from app.pages import PAGES, journal


@pytest.fixture
async def served(world, monkeypatch):
    """Address of the page, and weak references to the sessions that were made."""
    async with served_page(journal, "JournalSession", world, monkeypatch) as found:
        yield found


def test_it_is_one_of_the_pages() -> None:
    assert journal in PAGES
    assert (journal.PATH, journal.TITLE) == ("/journal", "Journal")


def test_it_needs_a_document() -> None:
    with pytest.raises(RuntimeError, match="document"):
        journal.page(None)


async def test_page_comes_from_this_server_alone(served) -> None:
    assert 'class="journal"' in await comes_from_here(served[0])


async def test_pages_that_nobody_opens_leave_nothing_behind(served, world) -> None:
    await leaves_nothing(*served, world)
