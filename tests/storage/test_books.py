import numpy as np

from opportunity.storage.books import PAPER, Book, Identity, Posting, shadow_book
from opportunity.trading.terms import new_account, new_positions, new_tally


def test_names_of_books() -> None:
    assert PAPER == "paper"
    assert shadow_book("calm") == "shadow:calm"


def test_posting_follows_the_version_before_unless_it_is_several() -> None:
    one = Posting("paper", 0, 5, 1, (), new_account(1.0), new_tally(1.0))
    assert one.after == 4
    assert Posting("paper", 0, 5, 1, (), new_account(1.0), new_tally(1.0), since=2).after == 2
    assert one.orders[0].size == one.fills[1].size == one.trades[1].size == 0


def test_fresh_book_has_done_nothing() -> None:
    book = Book("paper", "m", 0, 1.0, 5, 5, 0, new_account(1.0), new_tally(1.0))
    assert book.fresh
    held = Book(
        "paper", "m", 0, 1.0, 5, 5, 0, new_account(1.0), new_tally(1.0), {"A": new_positions(1)}
    )
    assert not held.fresh


def test_law_holds_to_a_billionth() -> None:
    def law(cash: float, **more) -> bool:
        return Identity(cash, 1e6, more.get("positions", {}), 0.0, 0.0, 1,
                        more.get("missing", 0)).holds  # fmt: skip

    assert law(1e6)
    assert law(1e6 + 9e-4)
    assert not law(1e6 + 2e-3)
    assert not law(1e6, positions={"A": (1.0, 2.0)})
    assert not law(1e6, missing=1)
    assert not law(np.nan)
