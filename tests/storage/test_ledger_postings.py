"""Which posting is written; what it writes is tried through the ledger."""

from types import SimpleNamespace

import pytest

from opportunity.storage.books import PAPER, BookError, Posting
from opportunity.storage.ledger_postings import follows
from opportunity.trading.terms import new_account, new_tally


def posting(version: int, epoch: int = 2, time: int = 100, since: int = -1) -> Posting:
    return Posting(
        PAPER, epoch, version, time, (), new_account(1.0), new_tally(1.0), since=since
    )


THERE = SimpleNamespace(epoch=2, version=7, time=90)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [(posting(8), True), (posting(9, since=7), True), (posting(7), False), (posting(3), False),
     (posting(20, epoch=1), False)],
)  # fmt: skip
def test_the_next_is_written_and_what_is_in_is_not(given: Posting, wanted: bool) -> None:
    assert follows(THERE, given) is wanted


@pytest.mark.parametrize(
    "given", [posting(9), posting(10, since=8), posting(8, epoch=3), posting(8, time=89)]
)
def test_a_hole_is_refused(given: Posting) -> None:
    with pytest.raises(BookError):
        follows(THERE, given)


def test_a_book_must_be_there() -> None:
    with pytest.raises(BookError, match="must be open"):
        follows(None, posting(1))
