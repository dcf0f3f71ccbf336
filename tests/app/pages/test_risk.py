"""The Risk page as a document."""

import pytest

from app.pages import PAGES, risk


def test_it_is_one_of_the_pages() -> None:
    assert risk in PAGES
    assert (risk.PATH, risk.TITLE) == ("/risk", "Risk")


def test_it_needs_a_document() -> None:
    with pytest.raises(RuntimeError, match="document"):
        risk.page(None)
