import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opportunity.storage.books import PAPER, Posting
from opportunity.storage.database import open_database
from opportunity.storage.ledger import Ledger
from opportunity.trading.records import FILL
from opportunity.trading.terms import new_account, new_positions, new_tally


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('x') / 'x.sqlite'}")
    ledger = Ledger(engine, "m", lambda: 0)
    ledger.open_book(PAPER, 1_000.0, 0)
    yield ledger
    engine.dispose()


FILLS = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from([-1, 1]), st.floats(1e-6, 1e6), st.floats(1e-6, 1e5),
        st.floats(0, 10),
    ), min_size=1, max_size=30,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(FILLS, st.sampled_from(["", "cash", "quantity", "lost"]))
def test_law_holds_exactly_where_nothing_was_changed(ledger, drawn, wrong) -> None:
    cash = 1_000.0
    book = ledger.reset(PAPER, cash, 0, "test")
    rows, held = np.zeros(len(drawn), FILL), [0.0] * 3
    for row, (symbol, side, quantity, price, fee) in zip(rows, drawn, strict=True):
        row["symbol"], row["side"], row["quantity"] = symbol, side, quantity
        row["price"], row["fee"] = price, fee
        cash -= side * quantity * price + fee
        held[symbol] += side * quantity
    account = new_account(1_000.0)
    account["cash"], account["n_fills"] = cash, len(drawn)
    positions = {}
    for symbol, quantity in enumerate(held):
        if quantity:
            one = new_positions(1)
            one["side"], one["quantity"], one["mark"] = np.sign(quantity), abs(quantity), 1.0
            positions["ABC"[symbol]] = one
    largest = max(abs(q * p) for _, _, q, p, _ in drawn)
    if wrong == "cash":
        account["cash"] += 1e-3 * max(1.0, largest, abs(cash))
    elif wrong == "quantity" and positions:
        next(iter(positions.values()))["quantity"] += 1.0 + max(q for _, _, q, _, _ in drawn)
    elif wrong == "lost":
        account["n_fills"] += 1
    ledger.commit([Posting(
        PAPER, book.epoch, book.version + 1, 1, tuple("ABC"), account, new_tally(1.0), positions,
        fills=(0, rows),
    )])  # fmt: skip
    found = ledger.identity(PAPER)
    broken = wrong in ("cash", "lost") or (wrong == "quantity" and bool(positions))
    close = abs(found.cash - found.replayed) <= 1e-9 * max(1.0, largest, abs(cash))
    assert close == (wrong != "cash")
    assert bool(found.positions) == (wrong == "quantity" and bool(positions))
    assert found.n_fills == len(drawn)
    if broken:
        assert not found.holds
