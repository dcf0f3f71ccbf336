import numpy as np

from opportunity.live.merging import merged
from opportunity.storage.books import Posting
from opportunity.storage.events import Event
from opportunity.trading.records import FILL, ORDER
from opportunity.trading.terms import new_account, new_positions, new_tally


def posting(version: int, symbols=("A", "B"), **more) -> Posting:
    return Posting(
        "paper", 0, version, version, symbols, new_account(float(version)), new_tally(1.0), **more
    )


def plain(version: int, book: str = "paper") -> Posting:
    return Posting(
        book, 0, version, version, ("A",), new_account(1.0), new_tally(1.0),
        events=(Event(f"{book}:{version}", version, "fill"),),
    )  # fmt: skip


def rows(kind, *symbols: int) -> np.ndarray:
    found = np.zeros(len(symbols), kind)
    found["symbol"] = symbols
    return found


def test_one_for_each_book_in_order() -> None:
    found = merged([plain(1), plain(1, "shadow:x"), plain(2), plain(2, "shadow:x"), plain(3)])
    assert [(p.book, p.after, p.version) for p in found] == [("paper", 0, 3), ("shadow:x", 0, 2)]
    assert [e.key for e in found[0].events] == ["paper:1", "paper:2", "paper:3"]
    assert len(merged([plain(5)])) == 1


def test_money_stays_and_the_newest_state_counts() -> None:
    held = new_positions(1)
    done = rows(ORDER, 0, 1)
    done["status"] = 1
    first = posting(
        1, fills=(3, rows(FILL, 0, 1)), orders=(np.array([7, 8]), rows(ORDER, 0, 1)),
        positions={"A": held, "B": held}, seen={"A": 1, "B": 1}, marked=True,
    )
    second = posting(2)
    third = posting(
        3, fills=(5, rows(FILL, 1)), orders=(np.array([8, 9]), done), positions={"A": None},
    )
    (one,) = merged([first, second, third])
    assert (one.after, one.version, one.time, one.account["cash"][0]) == (0, 3, 3, 3.0)
    assert one.fills[0] == 3
    assert one.fills[1]["symbol"].tolist() == [0, 1, 1]
    assert one.orders[0].tolist() == [7, 8, 9]
    assert one.orders[1]["status"].tolist() == [0, 1, 1]
    assert one.positions == {"A": None, "B": held}
    assert not one.marked


def test_rows_keep_their_symbols_when_fewer_are_watched() -> None:
    gone = posting(1, symbols=("A", "B", "GONE"), fills=(0, rows(FILL, 2, 1)))
    after = posting(2, symbols=("B", "A"), fills=(2, rows(FILL, 0)))
    (one,) = merged([gone, after])
    assert [one.symbols[i] for i in one.fills[1]["symbol"]] == ["GONE", "B", "B"]
    assert gone.fills[1]["symbol"].tolist() == [2, 1]  # what was given is as it was
