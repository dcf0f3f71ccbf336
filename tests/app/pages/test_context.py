"""The Context page as a document."""

import pytest

from app.pages import PAGES, context


def test_it_is_one_of_the_pages() -> None:
    assert context in PAGES
    assert (context.PATH, context.TITLE) == ("/context", "Context")


def test_it_needs_a_document() -> None:
    with pytest.raises(RuntimeError, match="document"):
        context.page(None)
