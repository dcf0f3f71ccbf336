from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa

from opportunity.storage import trading_tables as tables
from opportunity.storage.books import PAPER, BookError, Posting, shadow_book
from opportunity.storage.database import open_database
from opportunity.storage.events import Event
from opportunity.storage.failures import DatabaseError
from opportunity.storage.holder import Holder
from opportunity.storage.lease import Lease, LeaseLost
from opportunity.storage.ledger import Ledger, reset_key
from opportunity.trading.records import FILL, ORDER, TRADE
from opportunity.trading.terms import new_account, new_positions, new_tally

SYMBOLS = ("BTC/USDT", "ETH/USDT")


@pytest.fixture
def engine(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine) -> Ledger:
    return Ledger(engine, "steps", lambda: 77)


def fills(*of: tuple[int, int, float, float]) -> np.ndarray:
    """Return FILL rows of (symbol, side, quantity, price), without fees."""
    rows = np.zeros(len(of), FILL)
    for row, (symbol, side, quantity, price) in zip(rows, of, strict=True):
        row["symbol"], row["side"], row["quantity"] = symbol, side, quantity
        row["price"] = row["reference"] = price
    return rows


def posting(version: int, time: int = 0, book: str = PAPER, epoch: int = 0, **more) -> Posting:
    account = new_account(1_000.0)
    return Posting(
        book, epoch, version, time or version * 100, SYMBOLS,
        more.pop("account", account), more.pop("tally", new_tally(1_000.0)), **more,
    )  # fmt: skip


def bought(version: int = 1) -> Posting:
    """Two of the first symbol at 100, one of them sold at 110."""
    account, held = new_account(1_000.0), new_positions(1)
    account["cash"], account["n_fills"], account["n_trades"] = 910.0, 2, 0
    held["side"], held["quantity"], held["mark"] = 1, 1.0, 110.0
    account["equity"] = 1_020.0
    orders = np.zeros(1, ORDER)
    orders["limit"] = np.nan
    return posting(
        version, account=account, positions={SYMBOLS[0]: held}, marked=True, gross=110.0,
        fills=(0, fills((0, 1, 2.0, 100.0), (0, -1, 1.0, 110.0))),
        orders=(np.array([0]), orders), events=(Event("paper:0:fill:0", 5, "fill", {"a": 1}),),
    )  # fmt: skip


def count(engine: sa.Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar()
            for table in (tables.fill, tables.trade, tables.position, tables.paper_order,
                          tables.equity_mark, tables.event)
        }  # fmt: skip


def test_book_begins_once(ledger) -> None:
    book = ledger.open_book(PAPER, 500.0, 42)
    assert (book.epoch, book.cash, book.begun, book.time, book.version) == (0, 500.0, 42, 42, 0)
    assert ledger.open_book(PAPER, 900.0, 99).cash == 500.0
    assert ledger.read_book("shadow:x") is None
    assert ledger.time_of() == 42


def test_posting_is_all_in_one(ledger, engine) -> None:
    ledger.open_book(PAPER, 1_000.0, 0)
    (event,) = ledger.commit([bought()])
    assert (event.key, event.at, event.body) == ("paper:0:fill:0", 77, {"a": 1})
    book = ledger.read_book(PAPER)
    assert (book.time, book.version) == (100, 1)
    assert book.positions[SYMBOLS[0]]["quantity"][0] == 1.0
    assert ledger.identity(PAPER).holds
    assert count(engine) == {
        "fill": 2, "trade": 0, "position": 1, "paper_order": 1, "equity_mark": 1, "event": 1,
    }  # fmt: skip


def test_posting_that_is_in_is_skipped_whole_and_told_again(ledger, engine) -> None:
    ledger.open_book(PAPER, 1_000.0, 0)
    first = ledger.commit([bought()])
    before = count(engine)
    assert ledger.commit([bought()]) == first
    assert ledger.commit([bought(), posting(2)]) == first
    assert count(engine) == before
    assert ledger.read_book(PAPER).version == 2


def test_posting_with_a_hole_before_it_is_refused(ledger, engine) -> None:
    ledger.open_book(PAPER, 1_000.0, 0)
    with pytest.raises(BookError, match="must follow version 0"):
        ledger.commit([posting(2)])
    ledger.commit([posting(3, since=0)])  # several in one
    with pytest.raises(BookError, match="must follow version 3"):
        ledger.commit([posting(4, since=1)])
    with pytest.raises(BookError, match="or later"):
        ledger.commit([posting(4, time=5)])
    with pytest.raises(BookError, match="must be open"):
        ledger.commit([posting(1, book="shadow:none")])
    assert ledger.read_book(PAPER).version == 3


def test_all_books_of_a_batch_or_none(ledger, engine) -> None:
    ledger.open_book(PAPER, 1_000.0, 0)
    with pytest.raises(BookError):
        ledger.commit([bought(), posting(1, book=shadow_book("x"))])
    assert set(count(engine).values()) == {0}
    ledger.open_book(shadow_book("x"), 1_000.0, 0)
    ledger.commit([bought(), posting(1, book=shadow_book("x"))])
    assert ledger.read_book(shadow_book("x")).version == 1


def test_contradiction_leaves_nothing_half_done(ledger, engine) -> None:
    ledger.open_book(PAPER, 1_000.0, 0)
    ledger.commit([bought()])
    before = count(engine)
    with pytest.raises(DatabaseError, match="must fit"):
        ledger.commit([bought(version=2)])  # the same fills again, as another posting
    assert count(engine) == before
    assert ledger.read_book(PAPER).version == 1


@pytest.mark.parametrize("table", ["fill", "position", "event", "book"])
def test_failure_in_the_middle_leaves_nothing(ledger, engine, table) -> None:
    ledger.open_book(PAPER, 1_000.0, 0)
    before = count(engine)

    def fail(connection, cursor, statement, *_):
        verb = "UPDATE" if table == "book" else "INSERT INTO"
        if statement.startswith(f"{verb} {table}"):
            raise sa.exc.OperationalError(statement, {}, Exception("disk I/O error"))

    sa.event.listen(engine, "before_cursor_execute", fail)
    with pytest.raises(DatabaseError, match="must be written"):
        ledger.commit([bought()])
    sa.event.remove(engine, "before_cursor_execute", fail)
    assert count(engine) == before
    ledger.commit([bought()])
    assert ledger.identity(PAPER).holds


def test_stale_server_writes_nothing(ledger, engine) -> None:
    ledger.open_book(PAPER, 1_000.0, 0)
    now = [0]
    one, two = (
        Lease(engine, "t", Holder(host, 1, "-", "-"), lambda: now[0]) for host in ("a", "b")
    )
    one.acquire()
    ledger.commit([posting(1)], one)
    now[0] = 20_000
    two.acquire()
    for write in (
        lambda: ledger.commit([posting(2)], one),
        lambda: ledger.reset(PAPER, 1.0, 0, "a", lease=one),
        lambda: ledger.open_book("shadow:new", 1.0, 0, one),
    ):
        with pytest.raises(LeaseLost, match="took it over"):
            write()
    ledger.commit([posting(2)], two)
    assert ledger.read_book(PAPER).version == 2


def test_floats_come_back_bit_for_bit(ledger) -> None:
    rng = np.random.default_rng(1)
    ledger.open_book(PAPER, 1_000.0, 0)
    account, tally, held = new_account(1_000.0), new_tally(1_000.0), new_positions(1)
    for record in (account, tally, held):
        for name in record.dtype.names:
            shape = record[name].shape
            if record[name].dtype == np.float64:
                record[name] = rng.standard_normal(shape) * 10.0 ** rng.integers(-12, 12)
            else:
                record[name] = rng.integers(-(2**62), 2**62, shape)
    account["fees"], tally["r"], held["stop"] = -0.0, np.inf, np.nan
    account["slippage"] = 5e-324
    book_side = held.copy()
    book_side["side"] = 1
    ledger.commit([posting(1, account=account, tally=tally, positions={SYMBOLS[1]: book_side})])
    book = ledger.read_book(PAPER)
    assert book.account.tobytes() == account.tobytes()
    assert book.tally.tobytes() == tally.tobytes()
    got, gone = book.positions[SYMBOLS[1]], book_side
    assert np.isnan(got["stop"][0])
    got["stop"] = gone["stop"] = 0.0
    assert got.tobytes() == gone.tobytes()


def test_flat_positions_go_and_orders_change(ledger, engine) -> None:
    ledger.open_book(PAPER, 1_000.0, 0)
    ledger.commit([bought()])
    orders = np.zeros(1, ORDER)
    orders["status"], orders["bound"], orders["limit"] = 1, 2, 5.0
    trades = np.zeros(1, TRADE)
    trades["r"] = np.nan
    ledger.commit([posting(
        2, positions={SYMBOLS[0]: None}, orders=(np.array([0]), orders), trades=(0, trades)
    )])  # fmt: skip
    assert ledger.read_book(PAPER).positions == {}
    (order,) = ledger.orders(PAPER).rows
    assert (order.status, order.size_by, order.limit) == ("filled", "leverage", None)
    assert ledger.trades(PAPER).rows[0].r is None


def test_reset_begins_an_epoch_and_forgets_nothing(ledger, engine) -> None:
    ledger.open_book(PAPER, 1_000.0, 0)
    ledger.commit([bought()])
    book = ledger.reset(PAPER, 250.0, 500, "page", "fresh start")
    assert (book.epoch, book.cash, book.begun, book.version) == (1, 250.0, 500, 2)
    assert book.positions == {}
    assert ledger.identity(PAPER).holds
    assert ledger.fills(PAPER).rows == ()
    assert len(ledger.fills(PAPER, epoch=0).rows) == 2
    (event,) = ledger.stored([reset_key(PAPER, 1)])
    assert event.kind == "reset"
    assert event.body["by"] == "page"
    assert event.body["before"]["cash"] == 1_000.0
    assert ledger.commit([posting(2)]) == ()  # of the epoch before
    ledger.commit([posting(3, time=600, epoch=1)])
    with pytest.raises(BookError):
        ledger.reset("shadow:none", 1.0, 0, "x")


def test_each_market_has_books_of_its_own(engine, ledger) -> None:
    other = Ledger(engine, "elsewhere", lambda: 0)
    ledger.open_book(PAPER, 1_000.0, 0)
    ledger.commit([bought()])
    book = other.open_book(PAPER, 5.0, 9)
    assert (book.epoch, book.cash, book.positions) == (1, 5.0, {})
    other.reset(PAPER, 6.0, 10, "x")
    assert ledger.reset(PAPER, 7.0, 1_000, "x").epoch == 3
    assert other.read_book(PAPER).epoch == 2


def test_version_says_what_is_in(ledger) -> None:
    assert ledger.version_of(PAPER) is None
    ledger.open_book(PAPER, 1_000.0, 0)
    ledger.commit([posting(1)])
    assert ledger.version_of(PAPER) == (0, 1)


def test_mark_of_the_same_time_is_the_newer_one(ledger) -> None:
    ledger.open_book(PAPER, 1_000.0, 0)
    ledger.commit([posting(1, marked=True), posting(2, time=100, marked=True, gross=7.0)])
    curve = ledger.equity(PAPER)
    assert curve.time.tolist() == [100]
    assert curve.gross.tolist() == [7.0]


def test_events_of_many_postings_are_in_their_order(ledger) -> None:
    ledger.open_book(PAPER, 1_000.0, 0)
    told = ledger.commit([
        replace(posting(i + 1), events=(Event(f"k{9 - i}", i, "fill"),)) for i in range(9)
    ])  # fmt: skip
    assert [event.time for event in told] == list(range(9))
    assert sorted(event.id for event in told) == [event.id for event in told]


def test_books_ahead_of_a_time_begin_anew(ledger, engine) -> None:
    ledger.open_book(PAPER, 1_000.0, 0)
    ledger.open_book(shadow_book("late"), 500.0, 0)
    ledger.commit([bought()])  # at 100
    assert ledger.rewind(100) == ()  # it is there, not beyond
    assert ledger.rewind(99) == (PAPER,)
    book = ledger.read_book(PAPER)
    assert (book.epoch, book.cash, book.begun, book.time) == (1, 1_000.0, 99, 99)
    assert not book.positions
    assert ledger.identity(PAPER).holds
    (told,) = ledger.stored([reset_key(PAPER, 1)])
    assert told.body["by"] == "start"
    assert ledger.read_book(shadow_book("late")).epoch == 0
    with pytest.raises(BookError):
        ledger.commit([replace(bought(3), epoch=5)])
