"""The System page as a document."""

import pytest

from app.pages import PAGES, system


def test_it_is_one_of_the_pages() -> None:
    assert system in PAGES
    assert (system.PATH, system.TITLE) == ("/system", "System")


def test_it_needs_a_document() -> None:
    with pytest.raises(RuntimeError, match="document"):
        system.page(None)
