"""The Journal page as a document."""

import pytest

from app.pages import PAGES, journal


def test_it_is_one_of_the_pages() -> None:
    assert journal in PAGES
    assert (journal.PATH, journal.TITLE) == ("/journal", "Journal")


def test_it_needs_a_document() -> None:
    with pytest.raises(RuntimeError, match="document"):
        journal.page(None)
