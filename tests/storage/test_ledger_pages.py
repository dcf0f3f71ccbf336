import numpy as np
import pytest

from opportunity.storage.books import PAPER, Posting
from opportunity.storage.database import open_database
from opportunity.storage.failures import DatabaseError
from opportunity.storage.ledger import Ledger
from opportunity.trading.records import FILL, ORDER, TRADE
from opportunity.trading.terms import new_account, new_tally

N = 25


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('x') / 'x.sqlite'}")
    ledger = Ledger(engine, "m", lambda: 0)
    ledger.open_book(PAPER, 1_000.0, 0)
    fills, trades, orders = np.zeros(N, FILL), np.zeros(N, TRADE), np.zeros(N, ORDER)
    for rows in (fills, trades, orders):
        rows["symbol"] = np.arange(N) % 2
    fills["price"] = trades["pnl"] = np.arange(N)
    ledger.commit([Posting(
        PAPER, 0, 1, 10, ("A", "B"), new_account(1.0), new_tally(1.0), fills=(0, fills),
        trades=(0, trades), orders=(np.arange(N), orders),
    )])  # fmt: skip
    ledger.commit([
        Posting(PAPER, 0, i, i * 10, ("A",), new_account(float(i)), new_tally(1.0), marked=True)
        for i in range(2, 1_002)
    ])
    yield ledger
    engine.dispose()


@pytest.mark.parametrize("kind", ["orders", "fills", "trades"])
def test_pages_join_newest_first(ledger, kind) -> None:
    read, seen, after = getattr(ledger, kind), [], None
    while True:
        page = read(PAPER, 7, after)
        assert len(page.rows) <= 7
        seen += [row.number for row in page.rows]
        after = page.after
        if after is None:
            break
    assert seen == list(range(N - 1, -1, -1))
    assert {row.symbol for row in read(PAPER, 100, symbol="B").rows} == {"B"}
    assert read(PAPER, N).after is None
    assert read("shadow:none").rows == ()
    assert read(PAPER, epoch=9).rows == ()


def test_rows_are_as_they_were(ledger) -> None:
    assert [f.price for f in ledger.fills(PAPER, 2).rows] == [24.0, 23.0]
    assert [t.pnl for t in ledger.trades(PAPER, 2).rows] == [24.0, 23.0]


@pytest.mark.parametrize("limit", [0, 1_001])
def test_limit_has_bounds(ledger, limit) -> None:
    with pytest.raises(ValueError, match="limit must be"):
        ledger.fills(PAPER, limit)


@pytest.mark.parametrize("most", [2, 3, 10, 400, 999, 1_000, 10_000])
def test_curve_is_thinned_evenly_and_ends_with_the_newest(ledger, most) -> None:
    curve = ledger.equity(PAPER, most=most)
    assert 1 <= curve.time.size <= most
    assert curve.time[-1] == 10_010
    steps = np.diff(curve.time)
    assert (steps == steps[0]).all() if steps.size else True
    assert curve.equity.tolist() == (curve.time / 10).tolist()
    assert curve.time.size >= min(most, 1_000) // 2


def test_curve_between_two_times(ledger) -> None:
    curve = ledger.equity(PAPER, since=50, until=80)
    assert curve.time.tolist() == [50, 60, 70, 80]
    assert ledger.equity("shadow:none").time.size == 0
    with pytest.raises(ValueError, match="most must be"):
        ledger.equity(PAPER, most=1)


def test_database_that_is_gone_is_said(tmp_path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE fill")
    with pytest.raises(DatabaseError, match="fill must be readable"):
        Ledger(engine, "m", lambda: 0).fills(PAPER)
    engine.dispose()


HOUR, DAY = 3_600_000, 86_400_000


def test_days_end_with_their_last_mark(tmp_path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'days.sqlite'}")
    ledger = Ledger(engine, "m", lambda: 0)
    ledger.open_book(PAPER, 1_000.0, 0)
    times = [*range(20 * HOUR, 4 * DAY + 1, HOUR), 6 * DAY + HOUR]
    ledger.commit([
        Posting(PAPER, 0, i, t, ("A",), new_account(float(t)), new_tally(1.0), marked=True)
        for i, t in enumerate(times, 1)
    ])
    found = ledger.days(PAPER)
    assert found.time.tolist() == [DAY, 2 * DAY, 3 * DAY, 4 * DAY, 6 * DAY + HOUR]
    assert found.equity.tolist() == found.time.tolist()
    assert ledger.days(PAPER, 2).time.tolist() == [4 * DAY, 6 * DAY + HOUR]
    assert ledger.days(PAPER, 2, 3 * DAY).time.tolist() == [2 * DAY, 3 * DAY]
    assert ledger.days(PAPER, until=DAY - 1).time.tolist() == [23 * HOUR]
    assert ledger.days("shadow:none").time.size == ledger.days(PAPER, epoch=9).time.size == 0
    engine.dispose()
