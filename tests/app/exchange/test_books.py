from app.exchange.books import Books
from app.exchange.market import SimulatedSource
from opportunity.feeds.simulation.market import SimulatedMarket

START = 1_748_865_600_000


def apply(sides, changed):
    """Apply an update as a client does."""
    for side, update in zip(sides, changed, strict=True):
        for price, amount in update.items():
            side.pop(price, None)
            if amount:
                side[price] = amount
    return sides


def test_updates_lead_from_any_snapshot_to_any_later_one(market: SimulatedMarket) -> None:
    books = Books(SimulatedSource(market), 60.0)
    first = books.number(START)
    for start, middle, end in ((0, 3, 5), (0, 1, 9), (2, 2, 3)):
        snapshot = tuple(dict(s) for s in books.at(0, first + middle))
        # an update that began before the snapshot: what it takes away must be gone as well
        changed = books.changes(0, first + start, first + end)
        assert apply(snapshot, changed) == books.at(0, first + end)


def test_grid_is_a_tenth_of_a_real_second(market: SimulatedMarket) -> None:
    assert Books(SimulatedSource(market), 1.0).step_ms == 100
    assert Books(SimulatedSource(market), 60.0).step_ms == 6_000


def test_market_without_books_has_none() -> None:
    class Bare:
        def book(self, row: int, at: int) -> None:
            return None

    books = Books(Bare(), 1.0)  # type: ignore[arg-type]  # nothing else of it is used
    assert books.at(0, 5) is None
    assert books.changes(0, 4, 5) is None
